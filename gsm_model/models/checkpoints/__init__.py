"""Checkpoints: published ones and our own, read safely."""
