"""Options that every command has which takes models or a list."""

import inspect
import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gsm_model.cli import app
from gsm_model.cli.shared import list_options, shift_share, with_shared_options

SHARED = (
    ({"checkpoint"}, {"shift_share"}),
    ({"data", "skip_bad"}, {"columns", "first_label", "series", "flow_zero"}),
)


def commands(group):
    yield from group.registered_commands
    for inner in group.registered_groups:
        yield from commands(inner.typer_instance)


def test_every_command_that_takes_models_or_a_list_has_the_options_that_go_with_them():
    found = [set(inspect.signature(one.callback).parameters) for one in commands(app)]
    for needed, options in SHARED:
        having = [names for names in found if names >= needed]
        assert len(having) >= 4 and all(names >= options for names in having)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", (None, None, None, None)),
        ("--shift-share 4 --first-label 1", (4, None, 1, None)),
        ("--columns path,x --series i_*.jpg", (None, ["path", "x"], None, "i_*.jpg")),
    ],
)
def test_what_is_given_is_read_while_the_command_runs_and_not_after(typed, expected):
    seen = []

    def command(
        checkpoint: Path | None = None, data: Path | None = None, skip_bad: bool = False
    ) -> None:
        seen.append((shift_share(), *list_options().values()))

    program = typer.Typer()
    program.command()(with_shared_options(command))
    done = CliRunner().invoke(program, typed.split())
    assert done.exit_code == 0 and seen == [expected]
    assert shift_share() is None and set(list_options().values()) == {None}


def test_a_command_without_models_or_a_list_stays_as_it_is():
    def command(out: Path) -> None: ...

    assert with_shared_options(command) is command


@pytest.mark.parametrize(
    "typed",
    [
        ("explain", "channels", "--out", "{}/x"),
        ("evaluate", "--out={}/deep/x.parquet"),
        ("benchmark attribution", "--out", "{}/x.json"),
        ("confusions", "none.parquet", "--pdf", "{}/x.pdf"),
    ],
)
def test_a_place_under_a_file_is_refused_before_anything_is_computed(run, tmp_path, typed):
    (tmp_path / "notes.txt").write_text("mine")
    done = run(*(part.format(tmp_path / "notes.txt") for part in typed), code=2)
    assert done.stdout == "" and "notes.txt is a file, so nothing can lie in it" in done.stderr
    assert done.stderr.count("\n") == 1 and (tmp_path / "notes.txt").read_text() == "mine"


def test_a_place_whose_name_is_too_long_is_said_in_a_line(run):
    done = run("evaluate", "--clips", 1, "--out", f"{'a' * 300}/x.parquet", code=2)
    assert "File name too long" in done.stderr and done.stderr.count("\n") == 1


def test_models_of_one_name_are_called_after_their_files(run, clip, checkpoint, tmp_path):
    for copy in ("a/first.safetensors", "a/second.safetensors", "b/second.safetensors"):
        (tmp_path / copy).parent.mkdir(exist_ok=True)
        shutil.copy(checkpoint, tmp_path / copy)
    first, second, other = sorted(tmp_path.glob("[ab]/*"))
    said = json.loads(run("predict", clip, "-c", first, "-c", second, "--json").stdout)
    names = [model["name"] for model in said["clips"][0]["models"]]
    assert names == ["A model (first)", "A model (second)"]
    said = json.loads(run("predict", clip, "-c", second, "-c", other, "--json").stdout)
    names = [model["name"] for model in said["clips"][0]["models"]]
    assert names == [f"A model ({second})", f"A model ({other})"]
