"""What a model of motion is given: each segment's frames and those that follow, in the order asked
for, as differences or as flow.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gsm_model.models.checkpoints.files import load_checkpoint, save_checkpoint
from gsm_model.models.recognizer import build_recognizer
from gsm_model.motion.stored import flow_bytes
from gsm_model.motion.tvl1 import grey, tvl1_flow
from gsm_model.predict import predict
from gsm_model.video import motion_planes
from gsm_model.video.clip_input import clip_input, cut_clip
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.isolate import read_video
from gsm_model.video.modality import Modality, stacks
from gsm_model.video.source import VideoInfo
from gsm_model.video.transforms import normalise
from tests.gsm_model.motion.test_tvl1 import texture

FLOW = Modality("flow", 2)
DIFFERENCES = Modality("differences", 2)


def model_of(modality, temporal="none"):
    torch.manual_seed(0)
    return build_recognizer(
        "resnet18", temporal, 3, 2, width=0.0625, input_size=32, modality=modality
    ).eval()


@pytest.fixture(scope="module")
def moving():
    """A texture that moves one pixel right a frame: eight frames of 72 × 72."""
    frames = np.stack([texture(t, 0, 72).byte().numpy() for t in range(8)])
    none = np.zeros((0, 2, 2, 3), np.uint8)
    rgb = np.repeat(frames[..., None], 3, axis=-1)
    return DecodedVideo(
        "m", VideoInfo(8, 25.0, 72, 72), np.arange(8), rgb, none, np.zeros(0, np.int64)
    )


@pytest.mark.parametrize(
    ("indices", "neighbours", "first", "stop", "expected"),
    [
        ([1, 4], 2, 0, 8, [[1, 2, 3], [4, 5, 6]]),
        ([1, 7], 2, 0, 8, [[1, 2, 3], [5, 6, 7]]),
        ([3, 5], 3, 3, 5, [[3, 4, 4, 4], [3, 4, 4, 4]]),
        ([1, 4], 0, 0, 8, [[1], [4]]),
    ],
)
def test_a_segment_has_the_frames_that_follow_within_the_part(
    indices, neighbours, first, stop, expected
):
    assert stacks(np.array(indices), neighbours, first, stop).tolist() == expected


def test_flow_planes_are_the_flow_between_the_frames_of_each_segment(moving):
    model = model_of(FLOW)
    given = clip_input(model, moving)
    assert given.modality == FLOW and given.frame_indices.tolist() == [2, 6]
    assert given.views.shape == (1, 2, 4, 32, 32)
    cut = cut_clip(moving, model.input, 2)
    frames = torch.from_numpy(cut.views[0]).unflatten(1, (3, 3))
    for segment, field in np.ndindex(2, 2):
        pair = (grey(frames[segment, field + later])[None] for later in (0, 1))
        stored = flow_bytes(tvl1_flow(*pair))[0]
        expected = (stored.float() / 255 - 0.5) / 0.226
        planes = given.views[0, segment, 2 * field : 2 * field + 2]
        torch.testing.assert_close(planes, expected, atol=1e-3, rtol=0)


def test_a_reversed_clip_has_reversed_flow_and_a_frozen_one_none(moving):
    spec = replace(model_of(FLOW).input, size=64, resize=72)
    flow = {
        order: motion_planes.flow_planes(
            cut_clip(moving, spec, 2, order).views, FLOW, is_bgr=False
        ).astype(int)[..., 8:-8, 8:-8]
        - 128
        for order in ("forward", "reversed", "frozen")
    }
    assert flow["forward"][:, :, ::2].mean() == pytest.approx(6, abs=0.3), "a pixel right: byte 134"
    assert np.abs(flow["forward"][:, :, 1::2]).mean() < 0.7
    back = flow["reversed"].reshape(1, 2, 2, 2, *flow["reversed"].shape[-2:])[:, ::-1, ::-1]
    there = flow["forward"].reshape(back.shape)
    # Of bytes a move and its opposite sum to 255, of which 2 · 128 were taken off.
    assert np.abs(there[:, :, :, 0] + back[:, :, :, 0] + 1).mean() < 0.3
    assert not flow["frozen"].any()


def test_differences_are_those_of_normalised_frames(moving):
    model = model_of(DIFFERENCES)
    given = clip_input(model, moving)
    pictures = replace(model.input, modality=Modality())
    frames = normalise(cut_clip(moving, model.input, 2).views.reshape(1, 2, 3, 3, 32, 32), pictures)
    expected = (frames[:, :, 1:] - frames[:, :, :-1]).flatten(2, 3)
    torch.testing.assert_close(given.views, expected)
    there, back = (clip_input(model, moving, order).views for order in ("forward", "reversed"))
    torch.testing.assert_close(back, -there.unflatten(2, (2, 3)).flip(1, 2).flatten(2, 3))


def test_stored_flow_is_taken_as_it_is():
    spec = model_of(FLOW).input
    stored = np.random.default_rng(0).integers(0, 256, (1, 2, 4, 32, 32), np.uint8)
    expected = (torch.from_numpy(stored).float() / 255 - 0.5) / 0.226
    torch.testing.assert_close(normalise(stored, spec), expected, atol=1e-3, rtol=0)


def test_flow_is_computed_once_for_the_same_pictures(moving, monkeypatch):
    views = cut_clip(moving, model_of(FLOW).input, 2).views
    first = motion_planes.flow_planes(views, FLOW, is_bgr=False)
    monkeypatch.setattr(motion_planes, "tvl1_flow", lambda *_, **__: pytest.fail("again"))
    np.testing.assert_array_equal(motion_planes.flow_planes(views, FLOW, is_bgr=False), first)


def test_what_is_kept_is_bounded():
    kept = motion_planes._Kept(250)
    for place in range(3):
        kept.put(bytes([place]), np.zeros(100, np.uint8))
    assert [kept.get(bytes([place])) is None for place in range(3)] == [True, False, False]


def test_the_decoder_gives_the_frames_that_follow(frames_folder):
    video = read_video(frames_folder, [4], neighbours=2)
    assert video.indices.tolist() == [3, 4, 5, 9, 10, 11, 15, 16, 17, 21, 22, 23]
    told = []
    model = model_of(FLOW)
    given = clip_input(
        model, video, num_segments=4, progress=lambda done, whole: told.append((done, whole))
    )
    assert given.views.shape == (1, 4, 4, 32, 32)
    assert all(whole >= done for done, whole in told)
    assert predict(model, video, num_segments=4).logits.shape == (3,)
    with pytest.raises(KeyError, match="missing"):
        clip_input(model, read_video(frames_folder, [4]), num_segments=4)


@pytest.mark.parametrize("modality", [FLOW, DIFFERENCES], ids=lambda one: one.kind)
def test_a_model_of_motion_is_written_and_read(modality, tmp_path):
    model = model_of(modality, "gsm")
    save_checkpoint(model, tmp_path / "m.safetensors")
    again = load_checkpoint(tmp_path / "m.safetensors")
    assert again.architecture == model.architecture and again.input == model.input
    clip = torch.randn(1, 2, modality.planes, 32, 32)
    torch.testing.assert_close(again(clip), model(clip))
    with pytest.raises(ValueError, match=rf"\(N, T, {modality.planes}, H, W\)"):
        model(torch.randn(1, 2, 3, 32, 32))


@pytest.mark.parametrize("backbone", ["bn_inception", "inception_v3", "resnet50"])
def test_every_backbone_takes_flow(backbone):
    with torch.device("meta"):
        model = build_recognizer(backbone, modality=Modality("flow", 5))
        size = model.input.size
        assert model.frame_logits(torch.zeros(1, 1, 10, size, size)).shape == (1, 1, 174)


@pytest.mark.parametrize("values", [("depth", 1, 128), ("flow", 0, 128), ("flow", 5, 126)])
def test_other_modalities_are_refused(values):
    with pytest.raises(ValueError, match="not"):
        Modality(*values)
