"""Systems timed beside TSN."""

import numpy as np
import pytest
import torch

from gsm_model.benchmark import systems
from gsm_model.benchmark.systems import latency_ratios, training_ratios
from gsm_model.video import motion_planes
from gsm_model.video.modality import Modality


@pytest.mark.parametrize("ratios", [latency_ratios, training_ratios])
def test_time_is_a_ratio_to_tsn_in_the_same_rounds(ratios):
    found = ratios(["gsm"], torch.device("cpu"), runs=2, width=0.25)
    assert found["none"]["ratio"] == 1.0 and set(found) == {"none", "gsm"}
    assert found["gsm"]["low"] <= found["gsm"]["ratio"] <= found["gsm"]["high"]


def test_what_is_given_motion_is_timed_from_the_frames_on_and_two_streams_are_the_sum(monkeypatch):
    seconds = {"none": [1.0, 2.0], "flow": [3.0, 4.0]}
    turns = []

    def in_turn(given, runs, device, progress=None):
        turns.append(given)
        return {name: np.array(seconds[name]) / len(turns) for name in given}

    monkeypatch.setattr(systems, "in_turn", in_turn)
    found = systems.input_ratios(["flow", "two_stream"], torch.device("cpu"), 2, 0.125)
    motion = 1.1667  # half of flow's median over TSN's
    assert found["two_stream"] == {"ratio": 3.5, "low": 3.0, "high": 4.0, "runs": 2} | {
        "motion": motion
    }
    assert found["flow"]["ratio"] == 2.5 and found["flow"]["motion"] == motion
    assert turns[0]["none"]().shape == (1, 174) and turns[1]["none"]().shape == (1, 8, 3, 224, 224)


def test_flow_is_computed_anew_in_every_round(monkeypatch):
    computed = []

    def flow(first, second, **_):
        computed.append(len(first))
        return torch.zeros(len(first), 2, *first.shape[1:])

    monkeypatch.setattr(motion_planes, "tvl1_flow", flow)
    _, motion = systems._from_frames(Modality("flow"), torch.device("cpu"), 0.125)
    assert motion().shape == motion().shape == (1, 8, 2, 224, 224)
    assert computed == [8, 8]
