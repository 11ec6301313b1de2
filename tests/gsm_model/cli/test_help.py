"""Help texts are shown as they are written."""

import re

import pytest
from typer.main import get_command

from gsm_model.cli import app


def commands(command=None, path=()):
    command = command or get_command(app)
    yield path
    for name, under in getattr(command, "commands", {}).items():
        yield from commands(under, (*path, name))


def written(command):
    """What was written of ``command``, without the escapes."""
    texts = [command.help, command.epilog, *(getattr(one, "help", None) for one in command.params)]
    return [text.replace("\\[", "[") for text in texts if text]


@pytest.mark.parametrize("path", [path for path in commands() if path != ("app",)], ids=" ".join)
def test_every_word_of_a_help_text_is_shown(run, monkeypatch, path):
    monkeypatch.setenv("COLUMNS", "2000")
    command = get_command(app)
    for name in path:
        command = command.commands[name]
    shown = re.sub(r"\s+", "", run(*path, "--help").stdout)
    for text in written(command):
        assert re.sub(r"\s+", "", text) in shown


def test_what_stands_in_brackets_is_shown(run):
    assert "Set [something] in class names in italics" in " ".join(
        run("confusions", "--help").stdout.replace("│", " ").split()
    )
