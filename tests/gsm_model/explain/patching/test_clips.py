"""Patching by its truths: all of the input is the whole effect, nothing is none, all frames of one
layer's output are the whole effect from there on, and a TSN's order moves nothing.
"""

import numpy as np
import pytest
import torch

from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.patching.clips import (
    ClipPair,
    attribution_patching,
    cell_logits,
    clip_pair,
    default_target,
    passes_needed,
    patch,
)
from gsm_model.explain.patching.features import patched, places_of, record
from gsm_model.models.registry import systems
from tests.conftest import make_small

CONTRAST = Target(1, 3)


def another(pair: ClipPair) -> ClipPair:
    """A clip with the same number of frames and other pictures."""
    generator = torch.Generator().manual_seed(0)
    donor = torch.randn(pair.recipient.shape, generator=generator)
    return ClipPair(pair.recipient, donor, pair.frame_indices, "another", False)


@pytest.mark.parametrize("system", systems())
def test_all_frames_of_a_blocks_output_are_the_whole_effect_for_every_system(video, system):
    model = make_small(system)
    pair = another(clip_pair(model, video))
    places = places_of(model)
    with torch.no_grad():
        before, donor = model(pair.recipient[None])[0], model(pair.donor[None])[0]
    every = torch.ones(1, 4, dtype=torch.bool)
    for layer in (places.layers[2], places.layers[-1]):
        logits = cell_logits(model, pair, "output", layer, range(4))
        np.testing.assert_allclose(logits, donor, atol=1e-4, rtol=1e-4)
        # Nothing is none, also of what is copied from itself.
        key = (layer, "before")
        own = record(model, pair.recipient, places, [key]).values[key]
        with torch.no_grad(), patched(places, key, None, own, every):
            again = model(pair.recipient[None])[0]
        torch.testing.assert_close(again, before, atol=1e-5, rtol=1e-5)
        np.testing.assert_allclose(cell_logits(model, pair, "before", layer, []), before, atol=1e-5)


@pytest.mark.parametrize("system", ["gsf", "tsm", "r3d"])
def test_the_input_is_1_and_the_ends_of_every_layer_are(video, system):
    model = make_small(system)
    sides = tuple(side for side in places_of(model).sides if side in ("output", "gate"))
    found = patch(model, clip_pair(model, video), CONTRAST, sides=sides)
    assert found.moves and found.whole_input == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(found.whole["output"], 1, atol=1e-3)
    # Behind the last block every frame is scored alone, so that the effects add up.
    assert found.exact["output"][-1].sum() == pytest.approx(1, abs=1e-3)
    last = found.exact["output"][-1], found.attribution["output"][-1]
    np.testing.assert_allclose(*last, atol=1e-3)
    assert np.isfinite(found.effect("before")).all() and found.agreement("output")[1] == 32
    if "gate" in sides:
        # Moved and kept part are all that the operator gives.
        both = found.attribution["moved"] + found.attribution["kept"]
        np.testing.assert_allclose(both, found.attribution["after"], atol=1e-4)
    if system == "tsm":  # whose gates are the same for any clip
        assert not found.exact["gate"].any()


def test_what_is_copied_by_picture_is_none_at_the_input_and_all_at_the_end(video):
    model = make_small("tsm")
    found = patch(model, clip_pair(model, video), CONTRAST, "picture", ("before", "output"))
    assert found.whole_input == pytest.approx(0, abs=1e-5) and not found.inputs.round(4).any()
    # In front of the first shift single frames know nothing of the order.
    np.testing.assert_allclose(found.exact["before"][0], 0, atol=1e-3)
    assert found.whole["output"][-1] == pytest.approx(1, abs=1e-3)


def test_of_a_tsn_and_a_reversal_there_is_nothing_to_move(video):
    model = make_small("none")
    found = patch(model, clip_pair(model, video), CONTRAST, sides=("before", "after", "output"))
    assert not found.moves and found.whole_input == 0 and not found.inputs.any()
    for side in ("before", "after", "output"):
        assert not found.effect(side).any() and not found.whole[side].any()
    other = patch(model, another(clip_pair(model, video)), CONTRAST, sides=("output",))
    assert other.moves and other.exact["output"].sum(1) == pytest.approx(np.ones(8), abs=1e-3)


def test_the_estimate_is_the_derivative_of_a_small_copy(video):
    """A donor that hardly differs: to first order the estimate is the effect of patching."""
    model = make_small("gsm")
    clip = another(clip_pair(model, video)).donor  # without places alike, whose maximum has a kink
    step = torch.randn(clip.shape, generator=torch.Generator().manual_seed(1))
    near = ClipPair(clip, clip + 0.001 * step, np.arange(4), "near", False)
    found = patch(model, near, CONTRAST, sides=("after", "gate", "moved"))
    assert found.moves
    for side in found.exact:
        assert np.abs(found.exact[side]).max() > 1e-3
        np.testing.assert_allclose(found.attribution[side], found.exact[side], atol=0.1)
    assert found.agreement("after")[0] > 0.97


def test_only_the_largest_estimates_are_patched_where_it_is_asked(small_gsm, video):
    pair = clip_pair(small_gsm, video)
    estimate = attribution_patching(small_gsm, pair, CONTRAST)
    found = patch(small_gsm, pair, CONTRAST, cells=5)
    there = np.isfinite(found.exact["after"])
    assert there.sum() == 5 and abs(found.passes - passes_needed(8, 4, 1, 5)) <= 2
    sizes = np.abs(estimate.attribution["after"])
    assert sizes[there].min() >= sizes[~there].max()
    layer, frame = np.argwhere(there)[0]
    logits = cell_logits(small_gsm, pair, "after", found.layers[layer], [int(frame)])
    effect = (logits[1] - logits[3] - found.before) / found.gap
    assert effect == pytest.approx(found.exact["after"][layer, frame], abs=1e-3)


def test_what_cannot_be_copied_is_refused_and_nothing_is_left(small_gsm, video):
    pair = clip_pair(small_gsm, video)
    with pytest.raises(ValueError, match="nothing called 'gate' at 'layer9'"):
        cell_logits(small_gsm, pair, "gate", "layer9", [0])
    with pytest.raises(ValueError, match="only a clip and its reversal"):
        patch(small_gsm, another(pair), CONTRAST, "picture")
    assert not any(module._forward_hooks for module in small_gsm.modules())
    assert all(parameter.grad is None for parameter in small_gsm.parameters())


def test_the_contrast_is_the_answer_versus_its_reversal_else_the_others_answer(drawn_model):
    logits = np.zeros(20)
    logits[4], donor = 2.0, np.eye(20)[7]
    assert default_target(drawn_model, logits, donor) == Target(4, 5)
    plain = make_small("gsm")
    before = np.array([0.0, 3, 1, 2, 0])
    assert default_target(plain, before, np.eye(5)[2]) == Target(1, 2)
    assert default_target(plain, before, before) == Target(1, 3)
