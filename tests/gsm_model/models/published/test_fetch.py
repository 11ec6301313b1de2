"""Downloads: whole and right, or one line that says what to do and nothing but a part that the next
one goes on from.
"""

import errno
import hashlib
import shutil
import threading
import time
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter

from gsm_model import DownloadCancelled, DownloadError, fetch_published
from gsm_model.models.published import fetch, transfer
from gsm_model.models.published.catalogue import find
from gsm_model.models.published.store import delete, is_cached, place_of

NAME = "tsm-r50-sthv1-8f"  # no hash is published of it
HASHED = "mmaction2-tsm-r50-sthv2-8f"
CONTENT = b"\x80\x02" + bytes(range(256)) * 1000


@pytest.fixture
def there(server):
    """A mirror that has the file of `NAME`."""
    server.files[find(NAME).file] = CONTENT
    return server


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_comes_whole_is_told_of_and_needs_no_network_again(there, tmp_path):
    told = []
    path = fetch_published(NAME, None, there.address, lambda *now: told.append(now))
    assert path == place_of(find(NAME)) and path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT)) and told == sorted(told)
    assert files_in(path.parent) == [path.name]
    there.statuses = [500] * 9
    assert fetch_published(NAME) == path and len(there.asked) == 1
    copy = fetch_published(NAME, tmp_path / "mine")
    assert copy.parent == tmp_path / "mine" and copy.read_bytes() == CONTENT
    assert len(there.asked) == 1


def test_a_connection_that_is_cut_is_taken_up_where_it_broke(there, tmp_path):
    there.cut = 2
    path = fetch_published(NAME, tmp_path / "to", there.address)
    assert path.read_bytes() == CONTENT
    first, second = len(CONTENT) // 2, len(CONTENT) // 2 + len(CONTENT) // 4
    assert [part for _, part in there.asked] == [None, f"bytes={first}-", f"bytes={second}-"]


def test_what_was_cut_for_good_is_kept_and_the_next_call_goes_on(there, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "TRIES", 1)
    there.cut, there.ranges = 2, False  # nothing new in the second try
    with pytest.raises(DownloadError, match=r"cut.*0\.1 MB are kept, and the next"):
        fetch_published(NAME, tmp_path / "to", there.address)
    assert files_in(tmp_path / "to") == [f"{find(NAME).file}.part"]
    there.ranges = True
    path = fetch_published(NAME, tmp_path / "to", there.address)
    assert there.asked[-1][1] == f"bytes={len(CONTENT) // 2}-"
    assert path.read_bytes() == CONTENT and files_in(tmp_path / "to") == [path.name]


def test_halves_of_two_versions_are_never_joined(there, monkeypatch):
    monkeypatch.setattr(transfer, "TRIES", 1)
    there.cut, there.ranges = 2, False
    with pytest.raises(DownloadError):
        fetch_published(NAME, None, there.address)
    other = CONTENT[::-1]
    there.files[find(NAME).file], there.etag, there.ranges = other, '"2"', True
    assert fetch_published(NAME, None, there.address).read_bytes() == other
    delete(find(NAME))
    assert not is_cached(find(NAME))


def test_another_length_at_another_mirror_begins_anew(there, server, monkeypatch):
    part = place_of(find(NAME)).with_name(find(NAME).file + ".part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"of no known file")
    assert fetch_published(NAME, None, there.address).read_bytes() == CONTENT
    assert there.asked == [(find(NAME).file, None)]


def test_a_published_hash_is_checked_by_its_first_digits(server, listed):
    digest = hashlib.sha256(CONTENT).hexdigest()
    one = listed(HASHED, sha256=digest[:8])
    server.files[one.file] = CONTENT
    path = fetch_published(HASHED, None, server.address)
    assert path.read_bytes() == CONTENT
    path.write_bytes(CONTENT + b"!")
    with pytest.raises(
        DownloadError, match=f"published is {digest[:8]}…; it is damaged or another"
    ):
        fetch_published(HASHED)


def test_another_files_hash_is_refused_and_nothing_is_left(server, tmp_path):
    server.files[find(HASHED).file] = CONTENT
    with pytest.raises(DownloadError, match="published is be0fc26e…"):
        fetch_published(HASHED, tmp_path / "to", server.address)
    assert files_in(tmp_path / "to") == [] and len(server.asked) == 1


def test_a_part_that_goes_on_wrongly_is_begun_again(server, listed):
    one = listed(HASHED, sha256=hashlib.sha256(CONTENT).hexdigest())
    server.files[one.file] = CONTENT
    place = place_of(one)
    place.parent.mkdir(parents=True)
    place.with_name(f"{one.file}.part").write_bytes(b"x" * 1000)
    assert fetch_published(HASHED, None, server.address).read_bytes() == CONTENT
    assert [part for _, part in server.asked] == ["bytes=1000-", None]


def test_where_no_hash_is_published_the_first_downloads_holds(there):
    path = fetch_published(NAME, None, there.address)
    path.unlink()
    there.files[find(NAME).file], there.etag = CONTENT + b"!", '"2"'
    with pytest.raises(DownloadError, match=r"at the first download it was .*\.sha256 and try"):
        fetch_published(NAME, None, there.address)
    assert not path.exists() and files_in(path.parent) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"statuses": [404]}, r"127\.0\.0\.1 answers 404"),
        ({"statuses": [403]}, "answers 403"),
        ({"page": b"\n<!DOCTYPE html><title>Gone</title>"}, "is a web page, not a checkpoint"),
        ({"statuses": [503] * 9}, "answers 503 .* after 4 tries"),
        ({"files": {find(NAME).file: b""}}, "is empty"),
    ],
    ids=["not there", "forbidden", "web page", "always busy", "empty"],
)
def test_what_is_no_file_is_one_line_and_leaves_nothing(there, tmp_path, change, message):
    for key, value in change.items():
        setattr(there, key, value)
    with pytest.raises(DownloadError, match=message) as error:
        fetch_published(NAME, tmp_path / "to", there.address)
    assert "\n" not in str(error.value) and str(error.value).startswith(NAME)
    assert files_in(tmp_path / "to") == []


def test_a_server_that_is_busy_for_a_moment_is_asked_again(there):
    there.statuses = [503, 429]
    assert fetch_published(NAME, None, there.address).read_bytes() == CONTENT


def test_without_a_network_it_says_so(tmp_path):
    with pytest.raises(DownloadError, match="connection to 127.0.0.1 is cut or cannot be made"):
        fetch_published(NAME, None, "http://127.0.0.1:9")


def test_a_full_disk_is_said_before_and_while_it_fills(there, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(DownloadError, match=r"0\.3 MB are to come, and .* has room for 0\.0 MB"):
        fetch_published(NAME, tmp_path / "to", there.address)
    monkeypatch.undo()
    monkeypatch.setenv("GATE_SHIFT_LENS_CACHE", str(tmp_path / "cache"))

    def fills(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(transfer, "_write", fills)
    with pytest.raises(DownloadError, match="the disk of .* is full; make room and repeat"):
        fetch_published(NAME, tmp_path / "to", there.address)
    assert files_in(tmp_path / "to") == []


def test_switched_off_nothing_is_fetched_but_what_is_here_is_given(there, monkeypatch):
    monkeypatch.setenv("GATE_SHIFT_LENS_DOWNLOADS", "off")
    with pytest.raises(DownloadError, match=r"downloads are switched off .* may be put at "):
        fetch_published(NAME, None, there.address)
    assert there.asked == []
    place = place_of(find(NAME))
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT)
    assert fetch_published(NAME) == place
    monkeypatch.setenv("GATE_SHIFT_LENS_DOWNLOADS", "perhaps")
    place.unlink()
    with pytest.raises(DownloadError, match="'perhaps'; it may be on or off"):
        fetch_published(NAME, None, there.address)


def test_two_who_ask_at_once_share_one_download(there, monkeypatch):
    monkeypatch.setattr(fetch, "LOOK_EVERY", 0.01)
    there.gate = threading.Event()
    paths: list[Path] = []
    threads = [
        threading.Thread(target=lambda: paths.append(fetch_published(NAME, None, there.address)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    while not there.asked:
        time.sleep(0.005)
    there.gate.set()
    for thread in threads:
        thread.join(30)
    assert paths == [place_of(find(NAME))] * 3 and len(there.asked) == 1


def test_a_download_is_stopped_and_goes_on_later(there, tmp_path):
    stop = threading.Event()
    with pytest.raises(DownloadCancelled, match=r"stopped; \d\.\d MB are kept"):
        fetch_published(NAME, tmp_path / "to", there.address, lambda *_: stop.set(), stop)
    assert files_in(tmp_path / "to") == [f"{find(NAME).file}.part"]
    with pytest.raises(DownloadCancelled):
        fetch_published(NAME, tmp_path / "to", there.address, cancel=stop)
    assert fetch_published(NAME, tmp_path / "to", there.address).read_bytes() == CONTENT


def test_a_mirror_is_a_web_address(tmp_path):
    with pytest.raises(DownloadError, match="begins with http:// or https://"):
        fetch_published(NAME, None, f"file://{tmp_path}")


# Google Drive


@pytest.fixture
def drive(server, monkeypatch):
    """A server that stands in for Google Drive."""

    class Detour(HTTPAdapter):
        def send(self, request, **options):
            assert request.url.startswith("https://drive.google.com/uc?id=")
            request.url = f"{server.address}/{find('gsm-inceptionv3-sthv1-16f').file}"
            return super().send(request, **options)

    monkeypatch.setattr(requests.Session, "get_adapter", lambda session, url: Detour())
    return server


def test_a_file_of_google_drive_comes_by_its_id(drive):
    one = find("gsm-inceptionv3-sthv1-16f")
    drive.files[one.file] = CONTENT
    drive.headers = {"Content-Disposition": "attachment; filename=x", "Content-Type": "x/y"}
    path = fetch_published(one.name)
    assert path.read_bytes() == CONTENT and files_in(path.parent) == [one.file]


def test_drives_page_about_its_quota_is_explained_with_what_to_do_by_hand(drive):
    one = find("gsm-inceptionv3-sthv1-16f")
    drive.page = (
        b'<html><p class="uc-error-subcaption">Too many users have viewed or downloaded this'
        b" file recently.</p></html>"
    )
    with pytest.raises(DownloadError) as error:
        fetch_published(one.name)
    said = str(error.value)
    assert "too many people have downloaded it today" in said and "\n" not in said
    assert f"https://drive.google.com/file/d/{one.drive_id}/view" in said
    assert f"put it at {place_of(one)}" in said and files_in(place_of(one).parent) == []


def test_a_folder_of_drive_is_explained_and_a_file_put_by_hand_is_taken():
    one = find("tdn-r50-sthv2-8f")
    with pytest.raises(DownloadError, match="keeps it in a folder, which no program may read"):
        fetch_published(one.name)
    place_of(one).write_bytes(CONTENT)
    assert fetch_published(one.name) == place_of(one)
