"""The known-answer test by its truths: a map of the answer itself is right, one beside it is wrong,
one without knowledge is at chance, and one that knows no class tells no direction.
"""

import numpy as np
import pytest
import torch

from gsm_model.benchmark.attribution.clips import KnownClip, frames_with_action, known_clip
from gsm_model.benchmark.attribution.methods import (
    blind_methods,
    finer_layer,
    own_methods,
    untrained,
    without_frame,
)
from gsm_model.benchmark.attribution.score import score_attributions, score_map
from gsm_model.benchmark.attribution.tables import attribution_object
from gsm_model.errors import DataError
from gsm_model.explain.cam.evidence import Target
from tests.conftest import make_small

T, SIDE = 4, 8
WINDOW = np.array([False, True, True, False])


@pytest.fixture
def clip():
    moving = np.zeros((T, SIDE, SIDE), bool)
    moving[1:3, 2:4, 2:6] = True
    return KnownClip("a clip", torch.zeros(1, T, 3, SIDE, SIDE), 4, 5, moving, WINDOW)


def test_a_map_of_what_is_known_is_right_in_every_way(clip):
    answer = clip.moving.astype(np.float32)
    score = score_map(clip, answer, -answer)
    assert score.where == pytest.approx(1) and score.when == 1 and score.further
    assert score.correlation == pytest.approx(-1) and not score.same


def test_an_even_map_is_at_chance_and_tells_no_class(clip):
    even = np.ones((T, 2, 2))
    score = score_map(clip, even, even)
    assert score.where == pytest.approx(8 / 64) and score.when == pytest.approx(0.5)
    assert score.same and not score.further


def test_a_map_beside_the_frames_or_against_the_class_has_nothing_of_it(clip):
    beside = np.repeat(~WINDOW, 4).reshape(T, 2, 2).astype(float)
    score = score_map(clip, beside, 2 * beside)
    assert score.when == 0 and np.isnan(score.where) and not score.further
    score = score_map(clip, -beside, beside)
    assert np.isnan(score.when) and np.isnan(score.where)


def test_what_is_no_map_is_refused_by_name(clip):
    with pytest.raises(ValueError, match=r"a clip: a map has to be \(4, h, w\).*got \(3, 2, 2\)"):
        score_map(clip, np.ones((3, 2, 2)), np.ones((3, 2, 2)))
    broken = np.full((T, 2, 2), np.nan)
    with pytest.raises(ValueError, match="16 values that are not"):
        score_map(clip, np.ones((T, 2, 2)), broken)


def test_known_clips_show_what_moves_in_their_window_alone(drawn_model):
    clips = [known_clip(drawn_model, "test", index) for index in range(6)]
    assert frames_with_action(8) == 5 and frames_with_action(4) == 2
    for index, clip in enumerate(clips):
        assert clip.window.sum() == 2 and clip.label == index
        assert clip.reverse == index ^ 1 and clip.views.shape == (1, 4, 3, 32, 32)
        assert not clip.moving[~clip.window].any()
        run = np.flatnonzero(clip.window)
        assert run[1] == run[0] + 1
    assert len({tuple(clip.window) for clip in clips}) > 1, "not always the same frames"


def test_any_callable_is_scored_over_clips_with_intervals(drawn_model):
    def even_class(model, view, target):
        """Says more for the even one of two classes, which is right on every other clip."""
        return np.full((len(view), 1, 1), 1.0 - target.index % 2)

    def in_the_window(model, view, target):
        # Nothing of the action is seen outside, where camera and light are all that changes.
        return known[len(asked) // 2 - 1].window[:, None, None].astype(float)

    known = [known_clip(drawn_model, "test", index) for index in range(4)]
    asked = []

    def counted(model, view, target):
        asked.append(target)
        return even_class(model, view, target)

    told = []
    table = score_attributions(
        drawn_model,
        {"parity": counted, "window": in_the_window},
        4,
        progress=lambda *done: told.append(done),
    )
    assert asked == [Target(k) for label in range(4) for k in (label, label ^ 1)]
    assert told[-1] == (4, 4) and len(told) == 4
    parity, window = table.rows
    assert parity.which_way.value == 0.5 and parity.which_way.n == 4 and parity.same == 0
    assert 0.1 < parity.which_way.low < 0.5 < parity.which_way.high < 0.9
    # The map of an odd clip's class is empty: it is in no mean.
    assert parity.when.n == 2 and parity.when.value == pytest.approx(0.5)
    assert window.when.value == 1 and window.same == 1 and window.which_way.value == 0
    expected = [clip.moving[clip.window].mean() for clip in known]
    assert table.area.value == pytest.approx(np.mean(expected))
    assert window.where.value == pytest.approx(np.mean(expected))
    said = attribution_object(table, ["left out"])
    assert said["chance"] == {"where": pytest.approx(np.mean(expected)), "when": 0.5}
    assert said["rows"][1]["correlation"] is None and said["left_out"] == ["left out"]
    assert [one["metric"] for one in said["measures"]] == ["top-1", "pair", "within pair"]


def test_a_method_that_gives_no_map_is_named(drawn_model):
    with pytest.raises(ValueError, match="flat: test/000000: a map has to be"):
        score_attributions(drawn_model, {"flat": lambda *given: np.ones(4)}, 1)


def test_a_model_of_other_classes_is_refused(small_gsm):
    with pytest.raises(DataError, match="its classes are others"):
        score_attributions(small_gsm, {}, 1)


def test_without_a_frame_a_tsn_loses_what_that_frame_has_over_its_neighbour():
    model, clip = make_small("none"), torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        scores = Target(1, 3).value(model.frame_logits(clip[None])[0])
    found = without_frame(model, clip, Target(1, 3))
    neighbours = scores[[1, 0, 1, 2]]  # the earlier of two
    assert found.shape == (4, 1, 1)
    np.testing.assert_allclose(found[:, 0, 0], (scores - neighbours) / 4, atol=1e-5)


def test_methods_are_of_the_last_block_and_of_a_finer_one_and_blind_ones_of_none(drawn_model):
    assert finer_layer(drawn_model) == "layer3.1"
    names = list(own_methods(drawn_model))
    assert names[0] == "Grad-CAM, layer4.1" and "HiResCAM, layer3.1" in names
    view, before = torch.randn(4, 3, 32, 32), torch.random.get_rng_state()
    maps = {
        name: one(drawn_model, view, Target(2)) for name, one in own_methods(drawn_model).items()
    }
    assert all(one.ndim == 3 and len(one) == 4 for one in maps.values())
    blind = blind_methods(drawn_model)
    assert torch.equal(torch.random.get_rng_state(), before), "no one else's chance is used up"
    for name, one in blind.items():
        same = np.array_equal(one(drawn_model, view, Target(2)), one(drawn_model, view, Target(3)))
        assert same == ("untrained" not in name)


def test_the_untrained_network_is_the_same_one_with_other_weights(drawn_model):
    random = untrained(drawn_model, seed=1)
    assert random.architecture == drawn_model.architecture and not random.training
    state = drawn_model.state_dict()
    assert {key: value.shape for key, value in random.state_dict().items()} == {
        key: value.shape for key, value in state.items()
    }
    assert not torch.equal(
        random.state_dict()["base_model.conv1.weight"], state["base_model.conv1.weight"]
    )
