"""Uploads: under random names, stored once, gone when they should be."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from app.shell.uploads import UploadError, UploadStore, display_name, sweep


def test_no_name_from_outside_becomes_a_path():
    store = UploadStore()
    upload = store.keep("../../etc/passwd\0.mp4", b"content")
    assert upload.path.parent == store.folder and "passwd" not in upload.path.name
    assert upload.path.read_bytes() == b"content" and (
        upload.path.stat().st_mode & 0o077 == 0 or store.folder.stat().st_mode & 0o077 == 0
    )
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
    left, living = (
        Path(tempfile.mkdtemp(prefix=f"gate-shift-lens-{pid}-")) for pid in (dead.pid, os.getpid())
    )
    sweep()
    assert not left.exists() and living.exists()
    living.rmdir()


def test_a_session_and_all_sessions_together_hold_only_so_much():
    one, other = UploadStore(10, 15), UploadStore(10, 15)
    one.keep("a.mp4", b"12345678")
    with pytest.raises(
        UploadError, match="b.mp4: 0 MB more than the 0 MB of this session are over its limit"
    ):
        one.keep("b.mp4", b"abc")
    assert one.keep("again.mp4", b"12345678").name == "a.mp4", "what is there already takes no room"
    with pytest.raises(UploadError, match="holds as many files as it may for now"):
        other.keep("c.mp4", b"12345678")
    one.close()
    assert other.keep("c.mp4", b"12345678").path.read_bytes() == b"12345678", (
        "a session that ends makes room"
    )
    other.close()


def test_a_file_that_somebody_cleared_away_is_stored_again():
    store = UploadStore(10, 10)
    store.keep("a.mp4", b"12345678").path.unlink()
    assert store.keep("a.mp4", b"12345678").path.read_bytes() == b"12345678" and store.taken == 8
    store.close()


def test_a_full_disk_is_said_and_leaves_nothing(monkeypatch):
    store = UploadStore(10, 10)

    def full(self, content):
        Path(self).touch()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(
            UploadError, match=r"a.mp4: cannot be kept on this server \(No space left on device\)"
        ):
            store.keep("a.mp4", b"12345678")
    assert list(store.folder.iterdir()) == [] and store.keep("a.mp4", b"12345678").path.exists()
    store.close()


def test_a_temporary_folder_that_was_cleared_is_made_again(tmp_path, monkeypatch):
    import shutil

    store = UploadStore()
    first = store.keep("a.mp4", b"first")
    shutil.rmtree(store.folder)
    second = store.keep("b.mp4", b"second")
    assert second.path.read_bytes() == b"second" and not first.path.exists()
    store.close()
