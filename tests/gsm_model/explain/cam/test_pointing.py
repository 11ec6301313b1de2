"""Maps against what is known to be in the frames."""

import numpy as np
import pytest

from gsm_model.explain.cam.pointing import cell_weights, point_at
from gsm_model.explain.cam.scale import upsampled


def test_pointing_finds_what_is_under_the_largest_cell_and_shares_the_map_out():
    kinds = np.zeros((2, 8, 8), np.uint8)
    kinds[1, :4, 4:] = 2
    maps = np.zeros((2, 2, 2), np.float32)
    maps[1, 0, 1], maps[0, 1, 0] = 3, -5
    found = point_at(maps, kinds, 3)
    assert found.hit == 2 and found.area.tolist() == [1 - 16 / 128, 0, 16 / 128]
    grown = upsampled(np.maximum(maps, 0), 8)
    np.testing.assert_allclose(
        found.energy, [grown[kinds == kind].sum() / grown.sum() for kind in range(3)], rtol=1e-5
    )
    empty = point_at(np.minimum(maps, 0), kinds, 3)
    assert empty.hit == -1 and np.isnan(empty.energy).all()
    with pytest.raises(ValueError, match="2 maps for 1 masks"):
        point_at(maps, kinds[:1], 3)


def test_a_map_without_knowledge_reaches_the_area():
    kinds = np.random.default_rng(0).integers(3, size=(4, 16, 16)).astype(np.uint8)
    found = point_at(np.ones((4, 4, 4)), kinds, 3)
    np.testing.assert_allclose(found.energy, found.area, atol=1e-6)
    np.testing.assert_allclose(
        cell_weights(kinds, 3, 4, 4).sum((1, 2, 3)), [(kinds == kind).sum() for kind in range(3)]
    )
