"""The nested variance: it adds up to the whole, and what varies by one thing alone lands at that
level.
"""

import numpy as np
import pytest

from gsm_model.explain.gates.adaptivity import LEVELS, GateMoments, decompose

CLIPS, LAYERS, T, SIDE = 6, 3, 4, 5
LABELS = np.array([0, 0, 0, 1, 1, 2])


def moments_of(gates: np.ndarray) -> GateMoments:
    """Of gates (clips, layers, 2, T, side, side)."""
    clips = [GateMoments.of_maps([layer.swapaxes(0, 1) for layer in clip]) for clip in gates]
    return GateMoments(
        np.concatenate([c.frame_means for c in clips]),
        np.concatenate([c.mean_squares for c in clips]),
    )


def test_the_levels_add_up_to_the_whole_variance():
    gates = np.tanh(np.random.default_rng(0).normal(0.3, 1, (CLIPS, LAYERS, 2, T, SIDE, SIDE)))
    gates += (
        np.arange(LAYERS).reshape(1, LAYERS, 1, 1, 1, 1) / 10
        + LABELS.reshape(CLIPS, 1, 1, 1, 1, 1) / 7
    )
    variance = decompose(moments_of(gates), LABELS)
    assert variance.total == pytest.approx(gates.var())
    assert all(variance.levels[level] > 0 for level in LEVELS)
    within = np.square(gates - gates.mean((0, 3, 4, 5), keepdims=True)).mean()
    assert variance.adaptivity == pytest.approx(np.sqrt(within))


@pytest.mark.parametrize("level", LEVELS)
def test_what_varies_by_one_thing_alone_lands_at_its_level(level):
    rng = np.random.default_rng(1)
    shapes = {
        "layer": rng.normal(size=(1, LAYERS, 1, 1, 1, 1)),
        "direction": rng.normal(size=(1, LAYERS, 1, 1, 1, 1))
        * np.array([1, -1]).reshape(1, 1, 2, 1, 1, 1),
        "class": rng.normal(size=3)[LABELS].reshape(CLIPS, 1, 1, 1, 1, 1),
        "clip": np.array([1.0, -1, 0, 2, -2, 0]).reshape(CLIPS, 1, 1, 1, 1, 1),
        "frame": np.array([1.0, -1, 3, -3]).reshape(1, 1, 1, T, 1, 1),
        "place": rng.normal(size=(1, 1, 1, 1, SIDE, SIDE)),
    }
    gates = np.broadcast_to(shapes[level], (CLIPS, LAYERS, 2, T, SIDE, SIDE))
    variance = decompose(moments_of(gates), LABELS)
    assert variance.levels[level] == pytest.approx(gates.var())
    assert sum(
        value for other, value in variance.levels.items() if other != level
    ) == pytest.approx(0, abs=1e-12)


def test_layers_count_the_same_whatever_their_size():
    small, large = np.zeros((T, 2, 1, 1)), np.ones((T, 2, 9, 9))
    variance = decompose(GateMoments.of_maps([small, large]), np.array([0]))
    assert variance.levels["layer"] == pytest.approx(0.25) and variance.total == pytest.approx(0.25)
    assert variance.adaptivity == 0


def test_clips_without_a_label_each_are_refused():
    with pytest.raises(ValueError, match="0 labels for 1 clips"):
        decompose(GateMoments.of_maps([np.zeros((T, 2, 2, 2))]), np.array([]))
