"""The game of frames: its worths are the network's own, a TSN's values are known by a formula, and
nothing of a clip's order is worth anything to it.
"""

import numpy as np
import pytest
import torch

from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.shapley import frames, values
from gsm_model.explain.shapley.frames import (
    GRADCAM,
    SHAPLEY,
    FrameShapley,
    frame_shapley,
    passes_needed,
    positions_of,
)
from gsm_model.explain.shapley.tables import frame_rows, pair_rows, shapley_object
from gsm_model.explain.shapley.values import exact_values
from gsm_model.video.clip_input import clip_input
from tests.conftest import make_small


def test_missing_frames_are_left_out_or_filled_by_the_nearest():
    kept = np.array([False, True, False, False, True])
    assert positions_of(kept, "left out") == (1, 4)
    assert positions_of(kept, "nearest") == (1, 1, 1, 4, 4)
    assert positions_of(np.zeros(5, bool), "nearest") == ()


@pytest.mark.parametrize(
    ("system", "filling"),
    [("none", "left out"), ("gsm", "left out"), ("gsf", "nearest"), ("s3d", "left out")],
)
def test_the_game_is_the_networks_own_on_what_is_left(video, system, filling):
    model = make_small(system)
    found = frame_shapley(model, video, Target(2), filling)
    view = clip_input(model, video).views
    worths = []
    with torch.inference_mode():
        for mask in range(16):
            places = positions_of(np.array([mask >> i & 1 for i in range(4)], bool), filling)
            given = view[:, list(places)] if places else torch.zeros_like(view)
            worths.append(float(model(given)[0, 2]))
    expected = exact_values(np.array(worths))
    scale = 1e-5 * np.abs(worths).max() + 1e-6
    np.testing.assert_allclose(found.game.values, expected.values, atol=10 * scale)
    np.testing.assert_allclose(found.game.interactions, expected.interactions, atol=40 * scale)
    assert found.game.values.sum() == pytest.approx(found.game.full - found.game.empty, abs=scale)
    assert found.game.is_exact and found.relations.is_exact and len(found.tests) == 4
    assert 0.7 < found.passes / passes_needed(4, filling) < 1.3
    if system == "none":
        np.testing.assert_allclose(found.relations.values, 0, atol=scale)
        assert not found.shown(found.relations.values).any()
    assert (found.shown(found.game.values) == found.game.values).any()


def test_a_tsns_values_are_those_of_an_average(video):
    """Of the mean of x over a coalition, 0 for none, player i is worth x_i H_n / n less (H_n − 1) /
    (n (n − 1)) times the others' sum.
    """
    model = make_small("none")
    found = frame_shapley(model, video, Target(1, 0))
    with torch.inference_mode():
        x = Target(1, 0).value(model.frame_logits(clip_input(model, video).views))[0].numpy()
    n, harmonic = 4, sum(1 / k for k in range(1, 5))
    others = x.sum() - x
    expected = x * harmonic / n - (harmonic - 1) / (n * (n - 1)) * others - found.game.empty / n
    np.testing.assert_allclose(found.game.values, expected, atol=1e-5)


def test_many_frames_are_sampled_and_progress_ends_where_it_was_said(video, monkeypatch):
    for module in (values, frames):
        monkeypatch.setattr(module, "MOST_EXACT", 4)
    told = []
    found = frame_shapley(
        make_small("tsm"),
        video,
        num_segments=6,
        pairs=3,
        order_pairs=2,
        progress=lambda *at: told.append(at),
    )
    assert not found.game.is_exact and (found.game.low <= found.game.high).all()
    assert found.game.values.sum() == pytest.approx(found.game.full - found.game.empty, abs=1e-4)
    assert told[-1][0] == told[-1][1] and all(done <= total for done, total in told)


def test_tables_say_what_they_are_of(small_gsm, video):
    found = frame_shapley(small_gsm, video, Target(3), order_pairs=0)
    rows, said = frame_rows("=clip", found), shapley_object(found)
    assert [row["value"] for row in rows] == said["values"] and said["players"] == 4
    assert sum(said["values"]) == pytest.approx(said["full"] - said["empty"])
    assert len(pair_rows("=clip", found)) == 6 and said["relations"] is None
    assert {test["attribution"] for test in said["deletion"]} == {SHAPLEY, GRADCAM}
    assert isinstance(found, FrameShapley) and found.agrees_better("left out") in (
        SHAPLEY,
        GRADCAM,
        None,
    )


def test_an_unknown_filling_or_class_is_refused(small_gsm, video):
    with pytest.raises(ValueError, match="no filling"):
        frame_shapley(small_gsm, video, filling="grey")
    with pytest.raises(ValueError, match="there is no class 9"):
        frame_shapley(small_gsm, video, Target(9))
