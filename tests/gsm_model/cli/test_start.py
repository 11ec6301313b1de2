"""How the commands are started: by name or as a module, with files that came with the project."""

import os
import sys
from pathlib import Path

import pytest

from gsm_model import cli
from gsm_model.cli import start
from gsm_model.errors import DataError


class Replaced(Exception):
    """Stands for the process becoming another program."""


@pytest.fixture
def replaced(monkeypatch):
    """What this process would have become."""

    def become(program, command):
        raise Replaced(program, command)

    monkeypatch.setattr(os, "execv", become)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere the app is a process of its own")
@pytest.mark.parametrize("given", [(), ("app",), ("app", "--server.port", "8080", "--help")])
def test_the_program_alone_and_app_become_the_server(replaced, monkeypatch, given):
    monkeypatch.setattr(sys, "argv", ["gate-shift-lens", *given])
    with pytest.raises(Replaced) as found:
        cli.main()
    program, command = found.value.args
    script = str(start.product() / "streamlit_app.py")
    assert program == command[0] == sys.executable and Path(script).is_file()
    assert command[3:] == ["run", script, *given[1:]]


def test_what_no_command_expected_is_one_line_and_status_2(monkeypatch, capsys):
    def fail(*arguments, **options):
        raise DataError("The disk is full:\nfree some of it.")

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.setattr(sys, "argv", ["gate-shift-lens", "predict"])
    with pytest.raises(SystemExit) as found:
        cli.main()
    assert found.value.code == 2
    assert capsys.readouterr().err == "The disk is full: free some of it.\n"
