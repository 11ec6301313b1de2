"""Running models: faster copies, full memory, whose turn it is."""
