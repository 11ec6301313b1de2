"""What the order of the frames does."""
