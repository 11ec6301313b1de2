"""The one scale that maps are shown on: its range, its zero, its colours."""

import numpy as np
import pytest
from matplotlib import colormaps

from gsm_model.explain.cam.scale import scaled
from gsm_model.figures.cams import overlaid
from gsm_model.figures.map_scale import MapScale, cam_scale

MAPS = np.random.default_rng(0).normal(size=(3, 4, 4)).astype(np.float32)


@pytest.mark.parametrize("normalise", ["clip", "frame", "models"])
@pytest.mark.parametrize("signed", [False, True])
def test_maps_fill_the_range_of_their_scale_and_never_leave_it(normalise, signed):
    scale = cam_scale(signed)
    shown = scaled([MAPS, 9 * MAPS], normalise, signed)
    values = np.concatenate([one.maps for one in shown])
    assert scale.low == (-1 if signed else 0) and scale.high == 1
    assert values.min() >= scale.low and np.abs(values).max() == 1
    assert all(one.signed == signed for one in shown)


@pytest.mark.parametrize("signed", [False, True])
def test_at_0_nothing_of_the_frame_is_hidden_and_at_the_ends_a_share_opacity(signed):
    scale = cam_scale(signed)
    ends = np.array([scale.low, 0.0, scale.high, 7.0])
    assert scale.cover(ends, 0.6).tolist() == [0.6 * signed, 0, 0.6, 0.6]
    solid = MapScale("gate", -1, 1, cam_scale(True).palettes, (), ())
    assert solid.cover(ends, 0.6).tolist() == [0.6] * 4


def test_colours_run_through_the_palette_and_signed_ones_are_neutral_at_0():
    values = np.linspace(0, 1, 7)
    expected = 255 * colormaps["viridis"](values)[:, :3]
    np.testing.assert_allclose(cam_scale(False).rgb(values), expected)
    blue, neutral, orange = cam_scale(True).rgb(np.array([-1.0, 0.0, 1.0]))
    assert blue[2] > blue[0] and orange[0] > orange[2] and np.ptp(neutral) < 1


def test_what_is_laid_over_a_frame_is_the_scales_colour_by_its_cover():
    frames = np.full((3, 4, 4, 3), 200, np.uint8)
    [one] = scaled([MAPS], "clip", signed=True)
    scale = cam_scale(True)
    cover = 0.7 * np.abs(one.maps)[..., None]
    expected = 200 * (1 - cover) + scale.rgb(one.maps) * cover
    np.testing.assert_allclose(overlaid(frames, one, 0.7), expected, atol=0.51)


def test_the_sums_and_what_1_stands_for_are_those_of_the_maps():
    clip, frame = (scaled([np.abs(MAPS)], way)[0] for way in ("clip", "frame"))
    sums = np.abs(MAPS).sum((1, 2))
    np.testing.assert_allclose(clip.sums, sums / sums.max(), rtol=1e-5)
    largest = np.abs(MAPS).max((1, 2))
    assert clip.stands_for == f"{largest.max():.3g}"
    assert frame.stands_for == f"{largest.min():.3g} to {largest.max():.3g} by frame"
    assert scaled([0 * MAPS])[0].sums.tolist() == [0, 0, 0]
