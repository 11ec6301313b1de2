"""Several models' maps on one scale."""

import numpy as np
import pytest

from gsm_model.explain.cam.scale import scaled, upsampled


def test_scales_divide_by_a_clips_a_frames_or_all_models_largest_and_say_by_what():
    a = np.array([[[1.0, -4.0]], [[2.0, 0.0]]], np.float32)
    b = np.array([[[0.0, -1.0]], [[8.0, 4.0]]], np.float32)
    clip, frame, models = (scaled([a, b], way) for way in ("clip", "frame", "models"))
    np.testing.assert_allclose(clip[0].maps, [[[0.5, 0]], [[1, 0]]])
    np.testing.assert_allclose(frame[1].maps, [[[0, 0]], [[1, 0.5]]])
    assert frame[1].one.tolist() == [0, 8] and clip[1].one.tolist() == [8, 8]
    np.testing.assert_allclose(models[0].maps, [[[0.125, 0]], [[0.25, 0]]])
    [signed, _] = scaled([a, b], "clip", signed=True)
    np.testing.assert_allclose(signed.maps, [[[0.25, -1]], [[0.5, 0]]])
    with pytest.raises(ValueError, match="by 'hand'"):
        scaled([a], "hand")


def test_a_map_laid_over_its_frames_is_bilinear_between_the_middles_of_its_cells():
    grown = upsampled(np.array([[[0.0, 1.0]]]), 8)
    assert grown.shape == (1, 8, 8) and grown[0, 3].tolist() == [
        0,
        0,
        0.125,
        0.375,
        0.625,
        0.875,
        1,
        1,
    ]
