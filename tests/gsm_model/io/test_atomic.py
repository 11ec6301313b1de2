"""Files appear whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from gsm_model.io.atomic import whole_file, write_whole


def test_a_file_takes_its_place_when_it_is_whole(tmp_path):
    write_whole(tmp_path / "a.txt", "before")
    with whole_file(tmp_path / "a.txt") as unfinished:
        unfinished.write_text("now")
        assert (tmp_path / "a.txt").read_text() == "before"
    assert (tmp_path / "a.txt").read_text() == "now" and list(tmp_path.iterdir()) == [
        tmp_path / "a.txt"
    ]


def test_a_full_disk_is_named_with_the_file_and_what_was_there_stays(tmp_path, monkeypatch):
    write_whole(tmp_path / "a.txt", b"before")

    def full(self, content):
        self.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left on device") as error:
        write_whole(tmp_path / "a.txt", b"now")
    assert error.value.filename == str(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "before" and list(tmp_path.iterdir()) == [
        tmp_path / "a.txt"
    ]


def test_another_error_leaves_nothing_either(tmp_path):
    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "a.txt") as unfinished:
        unfinished.touch()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
