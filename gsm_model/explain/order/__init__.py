"""What the order of the frames does."""

from gsm_model._moved import names_of

__getattr__ = names_of(__name__, "report")
