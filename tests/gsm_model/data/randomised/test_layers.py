"""Painting: areas, places and colours against what can be computed by hand."""

import numpy as np
import pytest
import torch

from gsm_model.data.randomised.layers import Layer, Look, paint, paint_roles, project
from gsm_model.data.randomised.parts import scaled, similarity, turned
from gsm_model.data.randomised.textures import KINDS, Texture, textures
from gsm_model.data.synthetic.raster import coverage

CPU = torch.device("cpu")
WHITE = Look(Texture.of(np.ones((8, 8, 3))), np.eye(2, 3), np.eye(3), np.ones(3))


def layer(outline, grow=0.0, moments=2, role="actor", opacity=1.0):
    ones = np.ones(moments)
    points = np.tile(np.asarray(outline, float), (moments, 1, 1))
    place = np.tile(np.eye(3), (moments, 1, 1))
    return Layer(WHITE, place, role, opacity * ones, ones, outline=points, grow=grow * ones)


@pytest.mark.parametrize(
    ("outline", "grow"),
    [
        ([(-0.5, -0.4), (0.4, -0.3), (0.6, 0.5), (-0.3, 0.7)], 0.0),
        ([(-0.5, -0.4), (-0.3, 0.7), (0.6, 0.5), (0.4, -0.3)], 0.05),
        ([(-0.5, 0.2), (0.4, 0.1)], 0.2),
        ([(0.8, 0.2), (1.6, 0.1), (1.2, 0.9)], 0.0),
    ],
)
def test_shapes_cover_what_the_drawn_sets_raster_covers(outline, grow):
    [picture] = paint([layer(outline, grow)], 1, 40, 60, CPU)
    x, y = np.arange(60, dtype=np.float32) + 0.5, np.arange(40, dtype=np.float32) + 0.5
    expected = coverage(np.array(outline) * 20 + (30, 20), grow * 20, x, y)
    np.testing.assert_allclose(picture[0].numpy(), expected, atol=1e-4)


def test_the_last_layer_is_on_top_and_half_opaque_ones_mix():
    whole = [(-2, -2), (2, -2), (2, 2), (-2, 2)]
    left = [(-2, -2), (0, -2), (0, 2), (-2, 2)]
    layers = [layer(whole, role="object", opacity=0.5), layer(left)]
    [picture], [roles] = paint(layers, 1, 10, 10, CPU), paint_roles(layers, 1, 10, 10, CPU)
    np.testing.assert_allclose(picture[0, 5].numpy(), [1] * 5 + [0.5] * 5, atol=1e-5)
    assert roles[5].tolist() == [2] * 5 + [1] * 5


def test_a_texture_is_seen_where_its_place_says():
    """A ramp from left to right, shown from −1 to 1 and moved half a unit to the right."""
    ramp = np.tile(((np.arange(64) + 0.5) / 64)[None, :, None], (64, 1, 3))
    texture = Texture.of(ramp)
    look = Look(texture, np.eye(2, 3), np.eye(3), texture.mean)
    place = scaled(np.ones(2), np.array([[0.5, 0.0]] * 2))
    fill = Layer(look, place, "background", np.ones(2), np.ones(2))
    [picture] = paint([fill], 1, 64, 64, CPU)
    x = (np.arange(64) + 0.5) / 32 - 1
    expected = np.abs((x - 0.5 + 1) / 2)  # reflected at the rim
    np.testing.assert_allclose(picture[0, 10, 20:].numpy(), expected[20:], atol=0.02)


def test_a_camera_that_turns_keeps_angles_from_its_centre():
    """By the pinhole's rule: what is at angle a is seen at f · tan(a + turn)."""
    focal, turn = 2.0, 0.3
    homography = turned(np.array([[turn, 0.0], [0.0, turn]]), focal)
    for angle in (-0.4, 0.0, 0.2):
        at = focal * np.tan(angle)
        [[across], [down]], depth = project(homography, np.array([[[at, 0.0]], [[0.0, at]]]))
        assert across == pytest.approx([focal * np.tan(angle + turn), 0.0]) and (depth > 0).all()
        assert down == pytest.approx([0.0, focal * np.tan(angle + turn)])


def test_what_is_behind_the_camera_is_not_painted():
    place = similarity(np.zeros((2, 2)), np.zeros(2), np.ones((2, 2)))
    place[:, 2, 2] = -1
    cut = torch.ones(1, 1, 8, 8)
    behind = Layer(WHITE, place, "actor", np.ones(2), np.ones(2), cut=cut)
    assert not paint([behind], 1, 8, 8, CPU).any()


def test_textures_are_pictures_and_differ():
    for kind in KINDS:
        found = textures(kind)
        assert len({texture.mean.tobytes() for texture in found}) == len(found) > 1
        for texture in found:
            assert 0 <= texture.levels[0].min() < texture.levels[0].max() <= 1
