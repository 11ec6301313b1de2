"""What temporal modules do: gates, and experiments on them."""

from gsm_model._moved import names_of

__getattr__ = names_of(__name__, "report")
