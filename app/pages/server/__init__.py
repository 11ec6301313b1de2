"""The Server page."""

from app.pages.server.page import QUESTION, show

__all__ = ["QUESTION", "show"]
