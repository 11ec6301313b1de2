"""Motion vectors as MPEG-4 codes two pictures, and what they leave over."""

import numpy as np
import pytest

from gsm_model.motion.vectors import motion_vectors, vector_bytes
from tests.gsm_model.motion.test_tvl1 import texture


def picture(dx=0.0, dy=0.0, size=64):
    return np.repeat(texture(dx, dy, size).byte().numpy()[..., None], 3, axis=-1)


@pytest.mark.parametrize("move", [(2, -1), (0.5, 0), (4, 3), (-3, 0.5)])
def test_a_moved_texture_has_its_move_on_every_inner_block_and_little_left_over(move):
    flow, residual = motion_vectors(picture(), picture(*move))
    assert flow.shape == (2, 64, 64) and residual.shape == (64, 64, 3)
    inner = flow[:, 16:48, 16:48].reshape(2, -1)
    assert (inner == np.array(move)[:, None]).mean() > 0.9
    moved = np.abs(residual[16:48, 16:48]).mean()
    assert moved < np.abs(picture(*move).astype(int) - picture())[16:48, 16:48].mean() / 3


def test_two_equal_pictures_have_no_motion_and_nothing_is_left_over():
    flow, residual = motion_vectors(picture(), picture())
    assert not flow.any() and np.abs(residual).max() <= 2


def test_the_way_back_has_the_opposite_vectors():
    there, _ = motion_vectors(picture(), picture(2, 1))
    back, _ = motion_vectors(picture(2, 1), picture())
    np.testing.assert_array_equal(back[:, 16:48, 16:48], -there[:, 16:48, 16:48])


def test_pictures_need_not_be_whole_blocks_and_must_have_one_size():
    flow, residual = motion_vectors(picture(size=50), picture(1, 0, 50))
    assert flow.shape == (2, 50, 50) and residual.shape == (50, 50, 3)
    assert (flow[0, 16:32, 16:32] == 1).all()
    with pytest.raises(ValueError, match=r"\(64, 64, 3\) and \(50, 50, 3\)"):
        motion_vectors(picture(), picture(size=50))


def test_the_residual_is_what_the_prediction_lacks():
    """Something that appears has no place to come from: it is left over, where it is."""
    later = picture(2, 0).copy()
    later[32:36, 32:36] = (255, 0, 0)
    _, residual = motion_vectors(picture(2, 0), later)
    change = later.astype(int) - picture(2, 0)
    assert np.abs(residual[32:36, 32:36] - change[32:36, 32:36]).mean() < 40
    assert np.abs(residual[:24]).mean() < 3


def test_bytes_are_steps_around_128_and_the_rest_is_cut_off():
    flow = np.array([1, -1, 20, -25], np.float32).reshape(1, 1, 4).repeat(2, 0)
    residual = np.array([0, 5, 300, -200], np.int16).reshape(1, 4, 1).repeat(3, 2)
    assert vector_bytes(flow, residual)[0].tolist() == [[134, 122, 255, 0]]
    assert vector_bytes(flow, residual)[4].tolist() == [[128, 133, 255, 0]]
