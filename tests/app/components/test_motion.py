"""What the Motion view shows of a clip, and what it draws under maps."""

from dataclasses import replace

import numpy as np
import pytest

from app.components.motion import captions, flows, own_flows, under_maps
from gsm_model.explain.motion import ClipMotion


def moving(dx, dy, size=32, frames=2):
    flow = np.zeros((frames, 2, size, size), np.float32)
    flow[:, 0, : size // 2], flow[:, 1, : size // 2] = dx, dy
    return flow


FRAMES = np.full((2, 32, 32, 3), 90, np.uint8)
CLIP = ClipMotion(np.array([3, 9]), FRAMES, moving(4, 3), vectors=moving(2, 0))


def test_every_flow_there_is_has_its_title_and_unit():
    assert [(title.split(" ")[0], unit) for title, _, unit in flows(CLIP)] == [
        *(("TV-L1", "pixels"), ("Motion", "pixels")),
    ]
    whole = replace(
        CLIP,
        learnt=moving(1, 0),
        untrained=moving(1, 0),
        cue=moving(1, 0),
        of_features=(("layer2.1", moving(1, 0, 8)),),
    )
    shown = flows(whole)
    assert len(shown) == 6 and shown[-1][2] == "places"
    assert "behind layer2.1" in shown[-1][0] and "8 × 8 places" in shown[-1][0]
    assert [title.split(":")[0] for title, *_ in own_flows(whole, "B")] == ["B"] * 4
    assert own_flows(CLIP, "B") == []


def test_a_caption_is_a_frames_number_and_the_mean_length_of_its_flow():
    assert captions(CLIP, CLIP.flow, "pixels") == ["frame 3, 2.5 px", "frame 9, 2.5 px"]
    assert captions(CLIP, CLIP.flow, "places")[0] == "frame 3, 2.5 places"


@pytest.mark.parametrize("how", ["arrows", "colours"])
def test_pictures_change_under_maps_where_something_moves_alone(how):
    large = np.full((2, 64, 64, 3), 90, np.uint8)
    drawn = under_maps(how, large, CLIP)
    assert drawn.shape == large.shape
    assert (drawn[:, :28] != 90).any() and (how == "arrows" or (drawn[:, 32:] == 90).all())


def test_a_models_own_flow_is_drawn_rather_than_tv_l1():
    own = replace(CLIP, learnt=np.zeros_like(CLIP.flow))
    assert (under_maps("colours", FRAMES, own) == FRAMES).all()
    assert (under_maps("colours", FRAMES, CLIP) != FRAMES).any()
