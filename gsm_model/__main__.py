"""``python -m gsm_model``: the command line."""

from gsm_model.cli import app

if __name__ == "__main__":
    app(prog_name="python -m gsm_model")
