"""Whole published networks that convolve or attend over time throughout."""
