"""Tests of maps: right answers on cases whose answer is known."""

import numpy as np
import pytest
import torch
from torch import nn

from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.faithfulness import (
    blind_maps,
    change_map,
    curves_of,
    probability,
    try_map,
)

T, SIDE = 4, 32


class Corner(nn.Module):
    """Says class 0 by how bright one place of one frame is: the right map is known."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(20.0))

    def forward(self, clips):
        bright = clips[:, 2, :, :8, 24:].mean((1, 2, 3))
        return torch.stack([self.scale * (bright - 0.9), -self.scale * (bright - 0.9)], dim=1)


@pytest.fixture
def bright():
    clip = torch.zeros(T, 3, SIDE, SIDE)
    clip[2, :, :8, 24:] = 1
    clip[::2, :, 16:, :16] = 3  # flickers, and does not matter
    return clip


def right_map():
    maps = np.zeros((T, 4, 4), np.float32)
    maps[2, 0, 3] = 1
    return maps


def test_the_right_map_passes_and_a_wrong_one_does_not(bright):
    trial = try_map(Corner(), bright, Target(0), right_map())
    wrong = np.zeros_like(right_map())
    wrong[0, 3, 0] = 1
    assert trial.passed and trial.ours.area > 0.6
    assert not try_map(Corner(), bright, Target(0), wrong, road=False).passed
    rows = {row["map"]: row for row in trial.rows()}
    assert rows["this map"]["road"] > rows["random maps"]["road"] and rows["this map"][
        "area"
    ] == pytest.approx(trial.ours.area)
    assert trial.span[0] < 0.05 and trial.span[1] > 0.95


def test_curves_begin_and_end_where_they_must(bright):
    model = Corner()
    found = curves_of(model, bright, Target(0), "x", right_map())
    whole = float(probability(Target(0), model(bright[None])).detach()[0])
    assert found.deletion[0] == found.insertion[-1] == pytest.approx(whole)
    assert found.deletion[-1] == found.insertion[0] == pytest.approx(found.deletion.min(), abs=1e-3)
    assert found.shares[0] == 0 and found.shares[-1] == 1 and found.road is None
    # The one place that matters is among the first sixteenth of all places.
    assert found.deletion[2] < 0.5 < 0.9 < found.insertion[2]


def test_the_same_seed_gives_the_same_trial(bright):
    one, again = (try_map(Corner(), bright, Target(0), right_map(), seed=3) for _ in range(2))
    assert one.rows() == again.rows()


def test_large_pictures_are_filled_in_too():
    clip = torch.zeros(2, 3, 128, 128)
    clip[1, :, :32, 96:] = 1

    class Large(Corner):
        def forward(self, clips):
            bright = clips[:, 1, :, :32, 96:].mean((1, 2, 3))
            return torch.stack([self.scale * (bright - 0.9), -self.scale * (bright - 0.9)], dim=1)

    maps = np.zeros((2, 4, 4), np.float32)
    maps[1, 0, 3] = 1
    assert curves_of(Large(), clip, Target(0), "x", maps, road=True).road > 0.3
    assert curves_of(Large(), clip, Target(0), "x", -maps, road=True).road < 0


def test_a_contrasts_probability_is_shared_out_between_the_two():
    logits = torch.tensor([[2.0, 1.0, 5.0]])
    assert probability(Target(0, 1), logits).item() == pytest.approx(1 / (1 + np.exp(-1)))
    assert probability(Target(2), logits).item() == pytest.approx(
        torch.softmax(logits, 1)[0, 2].item()
    )


def test_blind_maps_know_the_centre_and_what_changes(bright):
    (centre, blob), (change, moving), *random = blind_maps(bright, 5, 5)
    assert (centre, change) == ("centre", "change between frames") and len(random) == 5
    assert np.unravel_index(blob[0].argmax(), (5, 5)) == (2, 2)
    assert (
        moving.shape == (T, SIDE, SIDE)
        and moving[1:4, :8, 24:].min() > 0
        and not moving[:, 8:, 16:].any()
    )
    assert not change_map(np.zeros((1, 3, 8, 8))).any()
