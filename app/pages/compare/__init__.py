"""The Compare page."""

from app.pages.compare.page import QUESTION, show

__all__ = ["QUESTION", "show"]
