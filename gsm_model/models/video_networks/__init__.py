"""Whole published networks whose convolutions are over time throughout."""
