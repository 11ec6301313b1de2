"""The Confusions page."""

from app.pages.confusions.page import QUESTION, show

__all__ = ["QUESTION", "show"]
