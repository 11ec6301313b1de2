"""Folders of frames: which series is the video, in which order, and what is said of it."""

import random

import numpy as np
import pytest
from PIL import Image

from gsm_model.errors import LensError, VideoError
from gsm_model.video.decode import decode
from gsm_model.video.frame_folders import (
    SUFFIXES,
    frames_of,
    missing_numbers,
    runs_of,
    series_of,
)
from gsm_model.video.pictures import ASSUMED_RATE


def folder_of(path, names):
    """A folder of files that stand for pictures; only their names are looked at."""
    path.mkdir(exist_ok=True)
    for name in names:
        (path / name).touch()
    return path


def write_frames(path, pattern, numbers, level=lambda number: number, size=(8, 6), mode="RGB"):
    path.mkdir(exist_ok=True)
    for number in numbers:
        Image.new("L", size, level(number)).convert(mode).save(
            path / pattern.format(number), lossless=True
        )
    return path


def levels(path):
    """The grey level of every frame that a folder is read as, and what is said of its files."""
    info, _, frames = decode(path, lambda info: range(info.num_frames))
    assert info.notes[-1] == ASSUMED_RATE
    return [round(float(frame.mean())) for frame in frames], "; ".join(info.notes[:-1])


@pytest.mark.parametrize(
    "pattern",
    [
        *("{:05d}.png", "{}.png", "img_{:05d}.png", "img-{}.png", "frame_{:010d}.png"),
        *("v_01_frame_{:05d}.png", "{:05d}_rgb.png", "cam2.{:03d}.x264.PNG", "clip 7 ({}).bmp"),
        *("{:05d}.webp", "IMG_{:04d}.BMP", "a{}.tif", "a{:06d}.TIFF"),
    ],
)
def test_frames_come_by_the_number_that_changes_in_their_names(tmp_path, pattern):
    write_frames(tmp_path / "clip", pattern, range(8, 13), lambda n: 10 * n)
    assert levels(tmp_path / "clip") == ([80, 90, 100, 110, 120], "")


def test_the_picture_is_taken_of_a_folder_with_flow_and_the_rest_is_named(tmp_path):
    for stem, level in (("img", 10), ("flow_x", 90), ("flow_y", 200)):
        write_frames(tmp_path / "clip", stem + "_{:05d}.png", range(1, 5), lambda n, at=level: at)
    found, note = levels(tmp_path / "clip")
    assert found == [10] * 4
    assert note == "read img_%05d.png, left out flow_x_%05d.png: 4, flow_y_%05d.png: 4"


def test_a_series_is_named_as_ffmpeg_does(tmp_path):
    for stem, level in (("img", 10), ("flow_x", 90), ("flow_y", 200)):
        write_frames(tmp_path / "clip", stem + "_{:05d}.png", range(1, 5), lambda n, at=level: at)
    for pattern in ("flow_y_%05d.png", "flow_y_*.png", "flow_y_%d"):
        assert levels(tmp_path / "clip" / pattern)[0] == [200] * 4
    with pytest.raises(VideoError, match="no one series is 'depth_%d.png'; there are flow_x_%05d"):
        decode(tmp_path / "clip" / "depth_%d.png", lambda info: [0])


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("cam{}_{:03d}.jpg",), "holds 2 series .*cam1_%03d.jpg: 9, cam2_%03d.jpg: 9"),
        (("img_{1:03d}.jpg", "{1:03d}.jpg"), "holds 2 series .*%03d.jpg: 9, img_%03d.jpg: 9"),
        (("{1:03d}.jpg", "{1:03d}.png"), "holds 2 series .*%03d.jpg: 9, %03d.png: 9"),
        (("depth_{1}.jpg", "mask_{1}.jpg"), "holds 2 series .*FOLDER/depth_%d.jpg"),
        (("flow_x_{1}.jpg", "flow_z_{1}.jpg"), "holds 2 series .*FOLDER/flow_x_%d.jpg"),
        (("{1}.jpg", "{1:02d}.jpg"), "1.jpg have the same number; remove one"),
        (("picture.jpg", ".{1}.jpg", "{1}.txt"), "no numbered .jpg or .png frames"),
    ],
)
def test_what_cannot_be_decided_is_asked_with_the_series_there_are(tmp_path, names, said):
    made = {name.format(cam, n) for name in names for cam in (1, 2) for n in range(1, 10)}
    with pytest.raises(VideoError, match=said):
        frames_of(folder_of(tmp_path / "clip", made), "clip")


@pytest.mark.parametrize(
    ("right", "down"),
    [
        *(("flow_x_{:05d}.jpg", "flow_y_{:05d}.jpg"), ("x_{}.png", "y_{}.png")),
        *(("flowx_{}.jpg", "flowy_{}.jpg"), ("u_{:03d}.jpg", "v_{:03d}.jpg")),
        *(("U{:03d}.jpg", "V{:03d}.jpg"), ("a_flow_x_{}.jpg", "a_flow_y_{}.jpg")),
    ],
)
def test_a_pair_of_components_is_flow_and_has_a_frame_more_than_files(tmp_path, right, down):
    names = [name.format(n) for name in (right, down) for n in range(3, 8)]
    frames = frames_of(folder_of(tmp_path / "clip", names), "clip")
    assert frames.alone and frames.count == 6 and frames.runs == ((3, 8),)
    assert frames.flow.right.files[0] == right.format(3)
    assert frames.flow.down.files[-1] == down.format(7)
    assert frames.notes == (f"holds optical flow, {frames.flow.name}, and no pictures",)


def test_flow_beside_pictures_is_found_and_warped_flow_is_not_taken_for_it(tmp_path):
    stems = ("img", "flow_x", "flow_y", "warp_x", "warp_y")
    folder_of(tmp_path / "clip", [f"{stem}_{n:05d}.jpg" for stem in stems for n in range(1, 5)])
    frames = frames_of(tmp_path / "clip", "clip")
    assert not frames.alone and frames.count == 4 and frames.series.pattern == "img_%05d.jpg"
    assert frames.flow.name == "flow_x_%05d.jpg and flow_y_%05d.jpg"
    (tmp_path / "clip" / "flow_y_00003.jpg").unlink()
    (tmp_path / "clip" / "warp_y_00003.jpg").unlink()
    assert frames_of(tmp_path / "clip", "clip").flow is None, "not of the same numbers"


def test_a_folder_of_flow_alone_is_read_and_said_to_be(tmp_path):
    folder_of(tmp_path / "clip", [f"x_{n:03d}.jpg" for n in range(5)])
    assert (
        "x_%03d.jpg, though it is not named as pictures"
        in frames_of(tmp_path / "clip", "clip").notes[0]
    )


def test_pictures_without_a_number_are_left_out_and_said(tmp_path):
    folder_of(tmp_path / "clip", ["1.jpg", "2.jpg", "cover.png", "a.jpg", "._1.jpg"])
    frames = frames_of(tmp_path / "clip", "clip")
    assert frames.series.files == ("1.jpg", "2.jpg")
    assert frames.notes == ("left out a.jpg and 1 more, which has no number",)


def test_a_time_beside_the_frames_number_is_no_series(tmp_path):
    names = [f"{n:04d}_{n // 25}s_{40 * n}ms.jpg" for n in range(1, 60)]
    [series] = series_of(names)
    assert series.numbers == tuple(range(1, 60)) and series.files == tuple(names)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((), ""),
        ((3,), ""),
        ((1, 2, 3, 4), ""),
        ((1, 2, 3, 4, 10, 11, 12), "5 of its numbers are missing (5 to 9)"),
        ((1, 2, 4), "1 of its numbers is missing (3)"),
        ((0, 5, 10), "only every 5th number is there, from 0 to 10"),
        ((0, 2, 4), "only every second number is there, from 0 to 4"),
        ((0, 5, 10, 20, 25), "1 of its numbers is missing beside every 5th (15)"),
        ((1403, 1436, 1470), "its numbers, 1403 to 1470, are at uneven distances"),
        ((10**30, 10**30 + 1), ""),
    ],
)
def test_missing_numbers_are_said(numbers, said):
    assert missing_numbers(numbers) == said


@pytest.mark.parametrize("seed", range(20))
def test_random_series_come_apart_as_they_were_put_together(seed):
    rng = random.Random(seed)
    literal = lambda: "".join(rng.choices("abcXYZ-_. (é", k=rng.randrange(4)))  # noqa: E731
    made, names = {}, []
    for at in range(rng.randrange(1, 5)):
        before, behind = f"{'abcd'[at]}{literal()}", f"{literal()}{rng.choice(['', 'x2', '_7k'])}"
        if rng.random() < 0.3:
            before += f"{rng.randrange(10)}_"
        numbers = sorted(rng.sample(range(1, 500), rng.randrange(2, 40)))
        pad, suffix = rng.choice([0, 3, 5, 10]), rng.choice(SUFFIXES)
        files = [f"{before}{n:0{pad}d}{behind}{suffix}" for n in numbers]
        made[files[0]] = (tuple(numbers), tuple(files))
        names += files
    rng.shuffle(names)
    found = series_of(names)
    assert {series.files[0]: (series.numbers, series.files) for series in found} == made
    for series in found:
        inside = {n for first, last in runs_of(series.numbers) for n in range(first, last + 1)}
        assert inside == set(series.numbers)


def test_only_the_projects_own_errors_come_of_random_names(tmp_path):
    rng = random.Random(0)
    for round in range(100):
        names = {
            "".join(rng.choices(["0", "1", "٣", "a", "_", "-", "%", "d", "*", "."], k=9))
            + rng.choice([*SUFFIXES, ".JPG", ".txt", ""])
            for _ in range(rng.randrange(6))
        }
        folder = folder_of(tmp_path / str(round), names)
        try:
            files = frames_of(folder, "clip", rng.choice([None, "0%d", "*", "a"])).series.files
            assert set(files) <= names and len(files) > 0
        except LensError as error:
            assert str(error).startswith("clip: ")


def test_a_grey_picture_of_16_bits_is_scaled_and_not_cut_off(tmp_path):
    folder = tmp_path / "clip"
    folder.mkdir()
    for number, level in enumerate((0, 1000, 30000, 65535)):
        Image.fromarray(np.full((4, 4), level, np.uint16)).save(folder / f"{number}.png")
    assert levels(folder)[0] == [0, 3, 117, 255]
