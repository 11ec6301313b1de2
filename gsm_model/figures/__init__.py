"""Figures for print, made with matplotlib; each function returns the figure."""
