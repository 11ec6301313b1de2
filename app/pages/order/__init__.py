"""The Order page."""

from app.pages.order.page import QUESTION, show

__all__ = ["QUESTION", "show"]
