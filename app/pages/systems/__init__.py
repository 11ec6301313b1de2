"""The Systems page."""

from app.pages.systems.page import QUESTION, show

__all__ = ["QUESTION", "show"]
