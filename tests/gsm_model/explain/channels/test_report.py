"""What channels carry by its truths: a channel made to be the direction, a TSN's mean over time,
which no order changes, and the channels that a TSM is known to shift.
"""

import numpy as np
import pytest
import torch

from gsm_model.data.synthetic.factors import FactorClip
from gsm_model.errors import DataError
from gsm_model.explain.channels.contrast import (
    changed_in,
    contrast_of,
    contrast_of_clips,
)
from gsm_model.explain.channels.features import Pooled, pooled_channels, summarised
from gsm_model.explain.channels.report import (
    channel_report,
    passes_of_study,
    study_channels,
    whole_sets,
)
from gsm_model.explain.channels.tables import channels_object
from gsm_model.explain.patching.features import places_of
from gsm_model.models.card import Card
from gsm_model.models.observers import record_gates
from tests.conftest import make_small

SCENES = 16
# Each scene forwards and backwards; of the other factors two levels, independent of each other.
CLIPS = [
    FactorClip(None, (scene % 2, scene // 2 % 2, scene // 4 % 2, way), scene)
    for scene in range(SCENES)
    for way in range(2)
]
DIRECTIONS = np.array([one.levels[3] for one in CLIPS])


def paired(seed=0):
    """(32, 4, 3, 32, 32): random clips, each before its reversal."""
    forward = torch.randn(SCENES, 4, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    return torch.stack([forward, forward.flip(1)], dim=1).flatten(0, 1)


def read(model):
    pooled = pooled_channels(model, paired().split(8))
    return channel_report(model.card, places_of(model).layers, CLIPS, pooled, permutations=40)


def test_a_channel_that_is_the_direction_carries_it_and_one_that_drifts_does_by_its_slope():
    rng = np.random.default_rng(0)
    sign = 2.0 * DIRECTIONS - 1
    values = rng.standard_normal((32, 4, 3)).astype(np.float32)
    values[:, :, 0] = sign[:, None]
    values[:, :, 1] = 5 + sign[:, None] * np.array([-3, -1, 1, 3])
    report = channel_report(
        Card("Made"), ("layer",), CLIPS, Pooled({("layer", "output"): values}, {})
    )
    mean, slope = (
        report.information["layer", "output", summary, "direction"] for summary in ("mean", "slope")
    )
    assert mean.entropy == 1 and mean.bits[0] == pytest.approx(1, rel=1e-5)
    assert slope.bits[1] == pytest.approx(1, rel=1e-5)
    assert mean.bits[1] == pytest.approx(0, abs=0.1) and slope.bits[0] == pytest.approx(0, abs=1e-5)
    assert mean.carries.tolist() == [True, False, False]
    assert slope.carries[1] and not slope.carries[0]
    for factor in ("object", "colour", "position"):
        assert report.share("layer", "output", "mean", factor) == 0
    np.testing.assert_allclose(summarised(values, "slope")[:, 1], 2 * sign, rtol=1e-6)


def test_averaged_over_time_a_tsns_channels_carry_no_direction_at_all():
    report = read(make_small("none"))
    for layer in report.layers:
        for side in ("before", "after", "output"):
            found = report.information[layer, side, "mean", "direction"]
            np.testing.assert_allclose(found.plain, 0, atol=1e-6)
            assert not found.carries.any()
            values = summarised(report.pooled[layer, side], "slope")
            np.testing.assert_allclose(values[::2], -values[1::2], atol=1e-6)
    assert not report.moved and report.sides("layer1.0") == ("before", "after", "output")


def test_a_gsms_gates_are_read_and_its_channels_are_moved(small_gsm):
    report = read(small_gsm)
    clips = paired()
    with torch.no_grad(), record_gates(small_gsm) as gates:
        small_gsm(clips)
    title = report.layers[2]
    expected = list(gates.values())[2].mean((3, 4)).numpy()
    np.testing.assert_allclose(report.pooled[title, "gate"], expected, atol=1e-5)
    assert set(report.moved) == set(report.layers)
    assert all((one > 0).any() for one in report.moved.values())
    last = summarised(report.pooled[report.layers[-1], "output"], "mean")
    assert np.abs(last[::2] - last[1::2]).max() > 1e-3, "it tells a clip from its reversal"


def test_a_tsm_moves_the_channels_that_it_shifts_and_no_other():
    model = make_small("tsm")
    moved = pooled_channels(model, [paired()[:4]]).moved
    for site in model.base_model.sites():
        share = moved[site.title]
        shifted = len(share) // 8 * 2
        assert (share[:shifted] > 0).any() and not share[shifted:].any()


def test_channels_that_change_are_counted_with_intervals():
    rng = np.random.default_rng(0)
    forward = rng.standard_normal((40, 4))
    forward /= forward.std(0)
    reverse, freeze = forward.copy(), forward.copy()
    reverse[:, 0] += 1.0
    freeze[:, :2] += [0.5, 2.0]
    freeze[:, 2] += 0.2
    found = contrast_of(Card("Made"), [{"layer": np.stack([forward, reverse, freeze])}], "clips")
    np.testing.assert_allclose(found.reversed["layer"], [1, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found.frozen["layer"], [0.5, 2, 0.2, 0], atol=1e-6)
    values, low, high = found.shares["layer"]
    assert values.tolist() == [0.25, 0.5] and (low <= values).all() and (values <= high).all()
    assert found.kinds("layer") == {"order": 0.25, "motion": 0.25, "static": 0.5}


def test_reversal_changes_no_channel_of_a_tsn_and_freezing_does():
    model = make_small("none")
    found = contrast_of(model.card, [changed_in(model, clips) for clips in paired().split(8)], "x")
    for layer in found.layers:
        np.testing.assert_allclose(found.reversed[layer], 0, atol=1e-6)
        assert found.frozen[layer].max() > 0.1
    assert found.n == 32


def test_one_clip_is_no_contrast(drawn_model):
    from gsm_model.evaluation.dataset import drawn_clips

    with pytest.raises(DataError, match="1 clips could be read; a contrast needs two"):
        contrast_of_clips(drawn_model, drawn_clips(drawn_model, "test", 1))


def test_a_study_takes_whole_sets_of_combinations_and_says_what_it_costs(small_gsm, monkeypatch):
    from gsm_model.explain.channels import report as module

    assert whole_sets(2) == 54 and whole_sets(216) == 216 and whole_sets(217) == 270
    assert passes_of_study(216) == round(4.2 * 216)
    monkeypatch.setattr(module, "ALL_LEVELS", 6)
    told = []
    found, contrast = study_channels(
        small_gsm, 5, permutations=5, progress=lambda *done: told.append(done)
    )
    assert found.n == contrast.n == 6 and told[-1] == (6, 6)
    said = channels_object(found, contrast)
    # 8 layers × (3 sides and the gates) × 2 summaries × 4 factors.
    assert len(said["channels"]) == 8 * 4 * 2 * 4 and len(said["moved"]) == 8
    assert len(said["contrast"]) == 8 and said["clips"] == 6
