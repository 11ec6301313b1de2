"""Class activation maps, and whether they can be trusted."""
