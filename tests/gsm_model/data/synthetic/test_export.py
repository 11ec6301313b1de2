"""The drawn set as files: what a data loader takes, and what it says of itself."""

from pathlib import Path

import numpy as np
import pytest

from gsm_model.data.randomised import textures
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.data.synthetic.dataset import draw_clip
from gsm_model.data.synthetic.export import write_dataset
from gsm_model.data.synthetic_sets import Looks
from gsm_model.errors import DataError
from gsm_model.video.decode import decode


@pytest.mark.parametrize("format", ["mp4", "frames"])
def test_every_line_of_the_list_is_a_clip_that_decodes_to_what_was_drawn_with_labels_and_card(
    tmp_path, format
):
    path = write_dataset(tmp_path / "set", "test", 1, format, height=48, width=64)
    lines = [line.split(" ") for line in path.read_text().splitlines()]
    assert [int(label) for _, _, label in lines] == list(range(len(LABELS)))
    for index, (name, num_frames, label) in enumerate(lines):
        # Of every fourth frame what is in it, of the others that they are there.
        info, _, frames = decode(path.parent / name, lambda info: range(0, info.num_frames, 4))
        drawn = draw_clip("test", index, int(label))
        assert info.num_frames == int(num_frames) == drawn.num_frames
        # Both formats halve the colours' resolution, so it is the brightness that is compared.
        expected = drawn.frames(range(0, info.num_frames, 4), 48, 64)
        assert np.abs(frames.mean(axis=-1) - expected.mean(axis=-1)).mean() < 8
    assert tuple((path.parent / "labels.txt").read_text().splitlines()) == LABELS
    assert "no evidence about real footage" in (path.parent / "README.md").read_text()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="is not empty"):
        write_dataset(tmp_path, "test", 1, "mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_randomised_clips_are_written_with_their_classes_and_the_names_of_the_photographers(
    tmp_path,
):
    path = write_dataset(
        tmp_path / "set",
        "test",
        1,
        "mp4",
        height=16,
        width=16,
        style="randomised",
        looks=Looks(0.5),
    )
    lines = path.read_text().splitlines()
    labels = (path.parent / "labels.txt").read_text().splitlines()
    assert len(lines) == len(labels) == 24 and labels[-1].startswith("Turning the camera downwards")
    card = (path.parent / "README.md").read_text()
    assert "danielbuechele" in card and "vultilion" in card and "--clutter 0.5" in card
    folder = Path(textures.__file__).parent / "photographs"
    for picture in folder.glob("*.jpg"):
        assert f"`{picture.name}`" in (folder / "README.md").read_text()
    assert "Rachel Michetti" in card and "SpaceX" in card
    with pytest.raises(DataError, match="no split 'shifted'"):
        write_dataset(tmp_path / "other", "shifted", 1, "mp4", style="randomised")
