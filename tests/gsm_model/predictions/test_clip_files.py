"""The clips of a table are found in one folder, and nothing outside of it is."""

import io
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from gsm_model.errors import VideoError
from gsm_model.predictions.clip_files import ClipFile, ClipFolder, film
from gsm_model.video.decode import decode
from gsm_model.video.isolate import read_frames
from tests.predictions import make_predictions
from tests.videos import constant_rate


def a_table(ids=("one", "two"), files=None, videos="", **more):
    made = make_predictions(n=len(ids))
    properties = {name: np.array(values) for name, values in more.items()}
    if files is not None:
        properties["file"] = np.array(files)
    origin = replace(made.origin, videos=str(videos))
    return replace(made, origin=origin, ids=tuple(ids), properties=properties)


@pytest.fixture
def operator(tmp_path) -> Path:
    """A folder with a video in another folder, beside a secret one and one that is none."""
    folder = tmp_path / "clips"
    (folder / "train").mkdir(parents=True)
    (folder / "train" / "one.mp4").write_bytes(b"a video")
    (folder / "notes.txt").write_text("no video")
    (tmp_path / "secret.mp4").write_bytes(b"a secret")
    return folder


def found(folder, table, row=0) -> Path | None:
    try:
        return ClipFolder(folder).find([table], row).path
    except VideoError as error:
        assert str(error) == f"{table.ids[row]}: there is no video of it in the folder of clips"
        return None


def test_a_clip_is_found_by_its_file_its_folder_or_its_id(operator):
    expected = operator / "train" / "one.mp4"
    assert found(operator, a_table(files=["train/one.mp4", ""])) == expected
    assert found(operator, a_table(files=["one.mp4", ""], videos=operator / "train")) == expected
    assert found(operator, a_table()) == expected, "by its id, with a suffix, in any folder"
    assert found(operator, a_table(), 1) is None
    assert found(operator, replace(a_table(), numbered=True)) is None
    other = a_table(ids=("v0", "v1"))
    assert ClipFolder(operator).find([other, a_table(files=["train/one.mp4", ""])], 0)


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.mp4", "train/../../secret.mp4", "{outside}/secret.mp4", "link.mp4"),
        *("folder/secret.mp4", "frames", "notes.txt", ".", "", "..", "a\0b.mp4", "x" * 5000),
        "loop.mp4",
    ],
)
def test_what_leads_out_of_the_folder_or_is_no_video_is_not_there(operator, tmp_path, name):
    (operator / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (operator / "folder").symlink_to(tmp_path)
    (operator / "loop.mp4").symlink_to(operator / "loop.mp4")
    (operator / "frames").mkdir()
    (operator / "frames" / "00001.jpg").symlink_to(tmp_path / "secret.mp4")
    name = name.format(outside=tmp_path)
    for table in (
        a_table(ids=(name, "two")),
        a_table(ids=("x", "two"), files=[name, ""]),
        a_table(ids=("x", "two"), files=[name, ""], videos=tmp_path),
        a_table(ids=("x", "two"), files=["secret.mp4", ""], videos=tmp_path),
    ):
        assert found(operator, table) is None


def test_a_link_that_stays_in_the_folder_is_followed(operator):
    (operator / "again.mp4").symlink_to(operator / "train" / "one.mp4")
    expected = operator / "train" / "one.mp4"
    assert found(operator, a_table(files=["again.mp4", ""])) == expected


def frames_in(content: bytes) -> int:
    with av.open(io.BytesIO(content)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_the_frames_that_a_table_names_are_played(tmp_path, moving_bar):
    path = constant_rate(tmp_path / "one.mp4", moving_bar)
    table = a_table(files=["one.mp4", ""], first=[8.0, np.nan], stop=[16.0, np.nan])
    clip = ClipFolder(tmp_path).find([table], 0)
    assert (clip.first, clip.stop) == (8, 16)
    shown = film(clip)
    assert frames_in(shown.content) == 8 and not shown.whole
    read = read_frames(path, "one", 8, 16, most=4)
    expected = decode(path, lambda info: read.first + np.array([0, 2, 5, 7]))[2]
    np.testing.assert_array_equal(read.frames, expected)
    whole = film(ClipFile(path, "one"), frames=5)
    assert whole.whole and frames_in(whole.content) == 5
    with pytest.raises(VideoError, match="one: is frames 20 to 99 of a video of 24"):
        film(ClipFile(path, "one", 20, 99))


def test_a_folder_of_frames_is_played(tmp_path):
    (tmp_path / "one").mkdir()
    for number in range(1, 4):
        Image.new("RGB", (64, 48), (0, 80 * number, 0)).save(tmp_path / "one" / f"{number:05d}.png")
    shown = film(ClipFolder(tmp_path).find([a_table()], 0))
    assert frames_in(shown.content) == 3 and not shown.whole
