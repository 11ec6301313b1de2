"""Flow whose components lie in folders of their own: found from every path that names it, read as
flow in one folder is, and not made of views that happen to be called u and v.
"""

import numpy as np
import pytest
from PIL import Image

from gsm_model.data.find_videos import VideoFinder
from gsm_model.errors import VideoError
from gsm_model.video.decode import open_source
from gsm_model.video.flow_folders import flow_folder
from gsm_model.video.frame_folders import frames_of
from gsm_model.video.source import Limits


def write(folder, value, count=3, mode="L", first=1):
    folder.mkdir(parents=True)
    for k in range(count):
        level = value + 10 * k
        colour = level if mode == "L" else (level, 255 - level, 7)
        Image.new(mode, (8, 6), colour).save(folder / f"frame{first + k:06d}.png")


def fields(path):
    source = open_source(path, Limits(), path.name)
    assert source.alone and source.info.num_frames == 4
    return source.flow.look(np.arange(3))[:, 0, 0].tolist()


READ = [[100, 150], [110, 160], [120, 170]]


@pytest.mark.parametrize(("right", "down"), [("u", "v"), ("x", "y"), ("flow_x", "flow_y")])
def test_folders_in_the_clips_own_are_read_as_one_of_flow(tmp_path, right, down):
    write(tmp_path / "clip" / right, 100)
    write(tmp_path / "clip" / down, 150)
    assert fields(tmp_path / "clip") == READ
    [note, *_] = frames_of(tmp_path / "clip", "clip").notes
    assert f"{right}/frame%06d.png and {down}/frame%06d.png, and no pictures" in note


def test_folders_of_all_clips_are_found_from_the_clips_name_and_from_either(tmp_path):
    write(tmp_path / "u" / "clip", 100)
    write(tmp_path / "v" / "clip", 150)
    for name in ("clip", "u/clip", "v/clip"):
        assert fields(tmp_path / name) == READ
    assert VideoFinder(tmp_path).find(["clip"]).path == tmp_path / "u" / "clip"
    assert VideoFinder(tmp_path).find(["clip.avi"]).path == tmp_path / "u" / "clip"


def test_beside_pictures_it_is_the_flow_of_their_numbers(tmp_path):
    write(tmp_path / "clip" / "u", 100)
    write(tmp_path / "clip" / "v", 150)
    for k in range(4):
        Image.new("RGB", (8, 6), (9, 200, 30)).save(tmp_path / "clip" / f"img_{k + 1:05d}.png")
    source = open_source(tmp_path / "clip", Limits(), "clip")
    assert not source.alone and source.info.num_frames == 4
    assert source.read(np.array([0]), None)[0, 0, 0].tolist() == [9, 200, 30]
    assert source.flow.read(np.array([1]))[0, 0, 0].tolist() == [110, 160]


def test_pictures_in_colour_are_no_flow_whatever_their_folders_are_called(tmp_path):
    write(tmp_path / "u" / "clip", 100, mode="RGB")
    write(tmp_path / "v" / "clip", 150, mode="RGB")
    source = open_source(tmp_path / "u" / "clip", Limits(), "clip")
    assert source.flow is None and source.info.num_frames == 3


def test_components_that_do_not_go_together_are_refused(tmp_path):
    write(tmp_path / "clip" / "u", 100)
    write(tmp_path / "clip" / "v", 150, count=2)
    with pytest.raises(VideoError, match=r"clip: its optical flow has 3 files .* and 2 down"):
        frames_of(tmp_path / "clip", "clip")
    (tmp_path / "clip" / "u" / "other_1.png").write_bytes(
        (tmp_path / "clip" / "u" / "frame000001.png").read_bytes()
    )
    with pytest.raises(VideoError, match="u holds 2 series"):
        frames_of(tmp_path / "clip", "clip")


@pytest.mark.parametrize(("there", "missing"), [("u", "v"), ("flow_y", "flow_x")])
def test_the_component_whose_folder_is_missing_is_named(tmp_path, there, missing):
    write(tmp_path / "clip" / there, 100)
    with pytest.raises(VideoError, match=f"a folder {there} but none called {missing}"):
        open_source(tmp_path / "clip", Limits(), "clip")


def test_one_component_alone_is_a_folder_of_pictures(tmp_path):
    write(tmp_path / "u" / "clip", 100)
    assert open_source(tmp_path / "u" / "clip", Limits(), "clip").flow is None
    with pytest.raises(VideoError, match="no such file"):
        open_source(tmp_path / "clip", Limits(), "clip")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "", "."])
def test_a_name_that_can_be_no_files_is_no_folder_of_flow(tmp_path, name):
    assert flow_folder(tmp_path / name if name else tmp_path) is None
