"""``python -m gsm_model``: the command line."""

from gsm_model.cli import app

app(prog_name="python -m gsm_model")
