"""What a model makes of time on a data set, on one page."""
