"""``python -m gsm_model``: the command line."""

import sys

from gsm_model.cli import app
from gsm_model.cli.common import say
from gsm_model.errors import LensError

if __name__ == "__main__":
    try:
        app(prog_name="python -m gsm_model")
    except LensError as error:  # what no command expected, such as a full disk while a film is made
        say(str(error))
        sys.exit(2)
