"""Spatial transforms: every byte as the release's, and the arithmetic after it."""

import numpy as np
import pytest
import torch

from gsm_model.video.transforms import InputSpec, to_views, view_bytes
from tests.conftest import PARITY

reference = np.load(PARITY / "preprocessing.npz")
CASES = sorted({key.split("/")[0] for key in reference.files})


@pytest.mark.parametrize("case", CASES)
def test_views_are_the_releases_in_every_byte(case):
    expected = reference[f"{case}/views"]
    spec = InputSpec.caffe(int(reference[f"{case}/input_size"]))
    np.testing.assert_array_equal(
        view_bytes(reference[f"{case}/frames"], spec, crops=len(expected)), expected
    )


@pytest.mark.parametrize("case", CASES)
def test_the_bgr_mean_is_taken_off(case):
    bytes_ = reference[f"{case}/views"]
    spec = InputSpec.caffe(int(reference[f"{case}/input_size"]))
    expected = bytes_.astype(np.float32) - np.array([104, 117, 128], np.float32)[:, None, None]
    views = to_views(reference[f"{case}/frames"], spec, crops=len(bytes_))
    assert views.dtype == torch.float32
    np.testing.assert_allclose(views, expected, atol=1e-4)


def test_imagenet_input_is_rgb_in_units_of_the_deviation():
    frames = np.full((2, 64, 64, 3), (255, 0, 51), np.uint8)
    view = to_views(frames, InputSpec.imagenet(56))[0, 0, :, 0, 0]
    np.testing.assert_allclose(
        view, [(1 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225], atol=1e-5
    )


@pytest.mark.parametrize(("height", "width"), [(60, 200), (200, 60), (90, 90)])
def test_three_crops_are_squares_of_the_shorter_side_from_end_to_end(height, width):
    ramp = np.zeros((1, height, width, 3), np.uint8)
    ramp[..., 0] = (
        np.linspace(0, 255, max(height, width)).astype(np.uint8)[None, None, :]
        if width >= height
        else 0
    )
    if height > width:
        ramp[..., 0] = np.linspace(0, 255, height).astype(np.uint8)[None, :, None]
    views = view_bytes(ramp, InputSpec.imagenet(32), crops=3)[:, 0, 0].astype(int)
    assert views.shape == (3, 32, 32)
    assert views[0].min() <= 6 and views[2].max() >= 249
    assert np.abs((views[0] + views[2]) / 2 - views[1]).max() <= 6


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((2, 8, 8), np.uint8),
        np.zeros((2, 8, 8, 3), np.float32),
        np.zeros((0, 8, 8, 3), np.uint8),
    ],
)
def test_frames_of_another_shape_or_type_are_refused(frames):
    with pytest.raises(ValueError, match=r"\(T, H, W, 3\) uint8"):
        to_views(frames, InputSpec.imagenet(32))


def test_another_number_of_crops_is_refused():
    with pytest.raises(ValueError, match="1, 3 or 10"):
        to_views(np.zeros((1, 8, 8, 3), np.uint8), InputSpec.imagenet(32), crops=5)
