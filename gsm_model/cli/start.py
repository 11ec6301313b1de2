"""``app``: the pages in a browser."""

from __future__ import annotations

import os
import subprocess
import sys

import typer

from gsm_model.bundled import product

# Streamlit's own command, but without the working folder among the places to import from: a folder
# of the user's called "gsm_model" or "app" is not this program.
STREAMLIT = (
    "import sys; sys.path[:] = filter(None, sys.path);"
    " from streamlit.web.cli import main; main(prog_name='streamlit')"
)


def open_app(context: typer.Context) -> None:
    """Open the app in a browser. Options are Streamlit's, such as --server.port 8080."""
    command = [sys.executable, "-c", STREAMLIT, "run", str(product() / "streamlit_app.py")]
    command += context.args
    if os.name == "posix":  # this process becomes the server: signals to it reach the server
        os.execv(sys.executable, command)
    raise typer.Exit(subprocess.run(command, check=False).returncode)
