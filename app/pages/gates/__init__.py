"""The Gates page."""

from app.pages.gates.page import QUESTION, show

__all__ = ["QUESTION", "show"]
