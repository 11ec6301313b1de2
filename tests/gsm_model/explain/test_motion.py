"""The motion in a clip, and its pictures."""

import numpy as np
import pytest
import torch

from gsm_model.explain.motion import NEIGHBOURS, computes_motion, motion_of_clip
from gsm_model.models.recognizer import build_recognizer
from gsm_model.models.systems.representation_flow import (
    RepresentationFlow,
    flow_of_features,
    scaled,
)
from gsm_model.motion.pictures import as_large_as, largest_move, tinted, wheel, with_arrows
from gsm_model.video.clip_input import clip_input
from gsm_model.video.isolate import read_video
from gsm_model.video.modality import Modality
from tests.conftest import make_small


def test_the_motion_of_a_clip_points_the_other_way_when_it_is_reversed(frames_folder):
    model, video = make_small("none"), read_video(frames_folder, [4], neighbours=NEIGHBOURS)
    there, back = (motion_of_clip(model, video, order, 4) for order in ("forward", "reversed"))
    assert there.flow.shape == (4, 2, 32, 32) and there.frames.shape == (4, 32, 32, 3)
    assert there.learnt is None
    assert back.frame_indices.tolist() == (there.frame_indices[::-1] + 1).tolist()
    strong = np.abs(there.flow) > 1
    if strong.any():
        opposite = back.flow[::-1][strong] * there.flow[strong] < 0
        assert opposite.mean() > 0.6
    assert not motion_of_clip(model, video, "frozen", 4).flow.any()


def test_a_model_with_a_tvnet_has_its_own_flow_too(frames_folder):
    torch.manual_seed(0)
    model = build_recognizer(
        "resnet18", "none", 3, 4, 0.0625, 32, modality=Modality("learnt flow", 1)
    )
    found = motion_of_clip(model.eval(), read_video(frames_folder, [4], neighbours=NEIGHBOURS))
    assert found.learnt.shape == found.flow.shape
    np.testing.assert_allclose(found.untrained, found.learnt, atol=1e-4)
    with torch.no_grad():
        model.front.start += 3
    learnt = motion_of_clip(model, read_video(frames_folder, [4], neighbours=NEIGHBOURS))
    np.testing.assert_array_equal(learnt.untrained, found.untrained)
    assert np.abs(learnt.learnt - found.learnt).mean() > 0.1


def test_the_flow_of_features_is_shown_at_its_grid_as_the_module_computes_it(frames_folder):
    model, video = make_small("repflow").eval(), read_video(frames_folder, [4], neighbours=1)
    found = motion_of_clip(model, video, num_segments=4)
    [(_, flow)] = found.of_features
    [module] = [one for one in model.modules() if isinstance(one, RepresentationFlow)]
    seen = []
    module.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.no_grad():
        model(clip_input(model, video, num_segments=4).views)
        features = module.reduce(seen[0][0]).float()
        u, v = flow_of_features(*scaled(features[:-1], features[1:]), module.kernels())
    expected = torch.stack([u.mean(1), v.mean(1)], 1)
    np.testing.assert_allclose(flow[:-1], expected, atol=1e-4)
    assert not flow[-1].any() and flow.shape[-1] < found.flow.shape[-1]
    plain = make_small("none")
    assert motion_of_clip(plain, video, num_segments=4).of_features == ()
    assert computes_motion(model) and not computes_motion(plain)


@pytest.mark.parametrize(
    ("move", "color"),
    [
        ((2, 0), (255, 0, 0)),
        ((0, 2), (128, 255, 0)),
        ((-2, 0), (0, 255, 255)),
        ((0, -2), (128, 0, 255)),
        ((0, 0), (255, 255, 255)),
        ((1, 0), (255, 128, 128)),
    ],
)
def test_directions_have_their_colours(move, color):
    flow = np.array(move, np.float32).reshape(1, 2, 1, 1)
    assert np.abs(wheel(flow, 2.0)[0, 0, 0].astype(int) - color).max() <= 1


def test_pictures_are_seen_through_the_wheel_where_something_moves():
    frames = np.full((1, 4, 4, 3), 200, np.uint8)
    flow = np.zeros((1, 2, 2, 2), np.float32)
    flow[0, 0, 0, 1] = 5
    shown = tinted(frames, as_large_as(flow, frames), 5.0)[0]
    assert (shown[:2, 2:] == (200, 0, 0)).all()
    assert (shown[2:] == 200).all() and (shown[:2, :2] == 200).all()


def test_arrows_are_drawn_where_something_moves():
    frames = np.full((1, 48, 48, 3), 120, np.uint8)
    flow = np.zeros((1, 2, 48, 48), np.float32)
    flow[:, 0, :, :24] = 3
    drawn = with_arrows(frames, flow, largest_move(flow))[0] == (22, 33, 46)
    assert drawn[:, :24].all(-1).sum() > 20 and not drawn[:, 32:].all(-1).any()
