"""The Grad-CAM page."""

from app.pages.gradcam.page import QUESTION, show

__all__ = ["QUESTION", "show"]
