"""``python -m gsm_model``: the command line."""

import sys

from gsm_model.cli import run

if __name__ == "__main__":
    run(sys.argv[1:], "python -m gsm_model")
