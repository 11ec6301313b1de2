"""The Models page."""

from app.pages.models.page import QUESTION, show

__all__ = ["QUESTION", "show"]
