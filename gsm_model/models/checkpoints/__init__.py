"""Checkpoints: published ones and our own, read safely."""

from gsm_model._moved import names_of

__getattr__ = names_of(__name__, "files")
