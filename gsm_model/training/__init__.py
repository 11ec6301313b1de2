"""Training recognisers."""
