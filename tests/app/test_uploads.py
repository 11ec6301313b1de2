"""Uploads: under random names, stored once, gone when they should be."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from app.uploads import UploadStore, display_name, sweep


def test_no_name_from_outside_becomes_a_path():
    store = UploadStore()
    upload = store.keep("../../etc/passwd\0.mp4", b"content")
    assert upload.path.parent == store.folder and "passwd" not in upload.path.name
    assert upload.path.read_bytes() == b"content" and (upload.path.stat().st_mode & 0o077 == 0 or store.folder.stat().st_mode & 0o077 == 0)
    store.close()


def test_the_same_content_is_stored_once_and_everything_goes_with_the_session():
    store = UploadStore()
    assert store.keep("a.mp4", b"x").path == store.keep("b.mp4", b"x").path
    folder = store.folder
    store.close()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("C:\\films\\my clip.mp4", "my clip.mp4"),
        ("../../x", "x"),
        ("a\nb\u202e.mp4", "ab.mp4"),
        ("", "unnamed file"),
        ("y" * 200, "y" * 60 + "…" + "y" * 19),
    ],
)
def test_a_shown_name_is_short_printable_and_has_no_folders(name, shown):
    assert display_name(name) == shown


def test_what_a_crashed_process_left_is_swept_and_what_a_living_one_has_is_not():
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left, living = (Path(tempfile.mkdtemp(prefix=f"gate-shift-lens-{pid}-")) for pid in (dead.pid, os.getpid()))
    sweep()
    assert not left.exists() and living.exists()
    living.rmdir()
