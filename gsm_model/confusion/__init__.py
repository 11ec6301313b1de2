"""Which classes models mix up, and whether the difference between two models is real."""
