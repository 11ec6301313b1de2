"""``models``: the catalogue on the command line."""

import json

import pytest

from gsm_model.models.published import transfer
from gsm_model.models.published.catalogue import find
from tests.file_server import serving

WANTED = {
    "name",
    "system",
    "backbone",
    "data",
    "frames",
    "top1",
    "url",
    "file",
    "sha256",
    "licence",
}


def test_the_list_says_how_many_there_are_and_which_load(run):
    done = run("models", "list", "--data", "diving48")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["NAME", "DATA", "FRAMES", "TOP-1", "MB", "LICENCE", "LOADS"]
    assert lines[-1].startswith("6 published checkpoints, 5 of which this version loads.")
    assert any(line.startswith("gsm-inceptionv3-diving48-16f ") for line in lines)
    whole = run("models", "list", "--loadable", "--system", "gst").stdout.splitlines()
    assert len(whole) == 4 and all(line.endswith("yes") for line in whole[1:-1])


def test_the_list_as_json_has_what_a_program_needs(run):
    rows = json.loads(run("models", "list", "--json").stdout)
    assert len(rows) > 300 and all(set(row) >= WANTED for row in rows)
    [row] = [row for row in rows if row["name"] == "mmaction2-tsm-r50-sthv2-8f"]
    assert (row["system"], row["backbone"], row["frames"]) == ("tsm", "resnet50", 8)
    assert (row["data"], row["top1"]) == ("Something-Something V2", 62.72)
    assert row["file"].endswith(f"-{row['sha256']}.pth") and row["url"].endswith(row["file"])


def test_what_is_not_listed_is_said_in_one_line_with_what_is(run):
    done = run("models", "list", "--data", "nothing", code=2)
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1
    assert "Something-Something V2" in done.stderr


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("GATE_SHIFT_LENS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(transfer, "FIRST_WAIT", 0.0)
    with serving() as one:
        yield one


def test_a_checkpoint_is_got_into_a_folder_and_its_path_printed(run, server, tmp_path):
    file = find("tsm-r50-sthv2-8f").file
    server.files[file] = b"\x80\x02weights"
    given = ("--to", tmp_path / "to", "--mirror", server.address)
    done = run("models", "get", "tsm-r50-sthv2-8f", *given)
    assert done.stdout == f"{tmp_path / 'to' / file}\n" and done.stderr == ""
    assert (tmp_path / "to" / file).read_bytes() == b"\x80\x02weights"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tsm-r50-sthv2-8f", "answers 404"),
        ("mmaction2-tsm-r50-sthv2-8f", "published is be0fc26e"),
        ("tsm-r51", "no published checkpoint of this name"),
    ],
)
def test_what_cannot_be_had_is_one_line_and_status_2(run, server, tmp_path, name, said):
    server.files[find("mmaction2-tsm-r50-sthv2-8f").file] = b"\x80\x02weights"
    given = ("--to", tmp_path / "to", "--mirror", server.address)
    done = run("models", "get", name, *given, code=2)
    assert done.stdout == "" and said in done.stderr and len(done.stderr.splitlines()) == 1
    assert not [path for path in (tmp_path / "to").glob("*")]
