"""Published checkpoints: which there are, how to get one safely, how to load it by its name."""
