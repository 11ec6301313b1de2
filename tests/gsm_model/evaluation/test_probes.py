"""The profile over the probes: chance for what is blind to order, and beyond a network's reach."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from gsm_model.data.probes.dataset import probe_clip
from gsm_model.data.probes.plans import LABELS, PROBES
from gsm_model.data.synthetic_sets import Looks
from gsm_model.errors import DataError
from gsm_model.evaluation.probes import profile_of, profile_table, score_probes
from gsm_model.figures.probes import profile_figure
from gsm_model.models.card import Card
from tests.conftest import make_small

CLIPS = 7 * len(LABELS)


def model_of(temporal):
    model = make_small(temporal, num_classes=len(LABELS))
    model.architecture = replace(model.architecture, num_segments=8)
    model.card = Card("Small", "trained", LABELS)
    return model


@pytest.fixture(scope="module")
def blind():
    """The table of a network that averages frames."""
    torch.manual_seed(0)
    return score_probes([model_of("none")], CLIPS, Looks(clutter=0.0))[0]


def test_who_averages_frames_is_at_chance_in_every_probe_by_construction(blind):
    profile = profile_of(blind)
    assert [result.probe for result in profile if result.distance is None] == [
        probe.name for probe in PROBES
    ]
    for result in profile:
        if not result.static:
            assert result.right.value == 0.5 and result.both.value == 0
            assert result.right.low < 0.5 < result.right.high


def answers(blind, right):
    """A table that gives the right answer of a probe where ``right(clip)``, else the other."""
    clips = [probe_clip("test", index) for index in range(CLIPS)]
    scores = np.zeros((CLIPS, len(LABELS)), np.float32)
    for row, clip in enumerate(clips):
        scores[row, clip.label if right(clip) else clip.label ^ 1] = 1
    return replace(blind, scores=scores)


def test_each_distance_is_measured_on_its_own_clips(blind):
    profile = profile_of(answers(blind, lambda clip: clip.distance <= 3))
    by_distance = {r.distance: r.right.value for r in profile if r.distance is not None}
    assert by_distance == {d: float(d <= 3) for d in range(1, 8)}
    whole = next(result for result in profile if result.probe == "which first")
    assert whole.right.value == 3 / 7 and whole.right.n == 7


def test_the_interval_is_wilsons_over_scenes(blind):
    [result, *_] = profile_of(answers(blind, lambda clip: True))
    assert result.right.value == result.both.value == 1.0
    # Wilson's lower bound for 7 of 7: 7 / (7 + 1.96²)
    assert result.right.low == result.both.low == pytest.approx(7 / (7 + 1.959964**2))


@pytest.mark.parametrize("reach", [1, 2])
def test_events_further_apart_than_a_temporal_receptive_field_cannot_be_put_in_order(reach):
    """A network whose field is r = 2 · reach + 1 frames: any function of r frames in a row,
    averaged over the clip. Near the ends of a clip its padding tells where it is, so flashes there
    are left out.
    """
    torch.manual_seed(reach)
    field = 2 * reach + 1
    network = nn.Sequential(
        nn.Conv1d(3 * 64, 32, field, padding=reach), nn.Tanh(), nn.Conv1d(32, 1, 1)
    ).double()
    differences = {}
    for distance in range(1, 12):
        for index in range(0, 24, 2):
            clips = [probe_clip("test", index, of, 16, 0.0, 0.0, distance) for of in (0, 1)]
            lit = [frame for frame, k in enumerate(clips[0].order) if clips[0].plan.frames[k]]
            if lit[0] < 2 * reach or lit[1] >= 16 - 2 * reach:
                continue
            values = [
                network(
                    torch.from_numpy(clip.frames(range(16), 8, 8) / 255).reshape(16, -1).T[None]
                )
                for clip in clips
            ]
            apart = float((values[0].mean() - values[1].mean()).abs().detach())
            differences.setdefault(distance, []).append(apart)
    for distance, found in differences.items():
        if distance >= field:
            assert max(found) < 1e-12
        else:
            assert max(found) > 1e-6
    assert max(differences) >= field + 2


def test_models_of_other_classes_or_lengths_are_refused():
    other = model_of("gsm")
    other.architecture = replace(other.architecture, num_segments=12)
    with pytest.raises(DataError, match="different numbers of frames"):
        score_probes([model_of("gsm"), other], 2)
    other.card = Card("Other", "trained", ("a", "b"))
    with pytest.raises(DataError, match="not trained on the probes set"):
        score_probes([other], 2)
    with pytest.raises(DataError, match="even number"):
        score_probes([other], 3)


def test_table_and_figure_say_every_share_with_its_interval_and_scenes(blind):
    profile = profile_of(blind)
    rows = profile_table([("TSN", profile)])
    assert len(rows) == len(PROBES) + 7
    assert rows[0]["right"] == 0.5 and rows[0]["scenes"] == 7 and not rows[0]["control"]
    figure = profile_figure([("TSN", profile), ("GSM", profile)])
    said = [text.get_text() for text in figure.texts] + [figure._supxlabel.get_text()]
    assert f"{CLIPS // 2} scenes in both orders" in " ".join(said)
    left, right = figure.axes
    assert len(left.containers) == len(right.containers) == 2
    assert [label.get_text() for label in right.get_xticklabels()] == list("1234567")
