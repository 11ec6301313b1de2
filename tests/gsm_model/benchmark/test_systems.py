"""Systems timed beside TSN."""

import numpy as np
import torch

from gsm_model.benchmark import systems
from gsm_model.benchmark.systems import latency_ratios


def test_latency_is_a_ratio_to_tsn_in_the_same_rounds():
    found = latency_ratios(["gsm"], torch.device("cpu"), runs=2, width=0.125)
    assert found["none"]["ratio"] == 1.0 and set(found) == {"none", "gsm"}
    assert found["gsm"]["low"] <= found["gsm"]["ratio"] <= found["gsm"]["high"]


def test_what_is_given_motion_is_timed_from_the_frames_on_and_two_streams_are_the_sum(monkeypatch):
    seconds = {"none": [1.0, 2.0], "flow": [3.0, 4.0]}
    calls = {}

    def in_turn(given, runs, device, progress):
        calls.update(given)
        return {name: np.array(seconds[name]) for name in given}

    monkeypatch.setattr(systems, "in_turn", in_turn)
    found = systems.input_ratios(["flow", "two_stream"], torch.device("cpu"), 2, 0.125)
    assert found["two_stream"] == {"ratio": 3.5, "low": 3.0, "high": 4.0, "runs": 2}
    assert found["flow"]["ratio"] == 2.5 and list(found) == ["flow", "two_stream"]
    assert calls["none"]().shape == (1, 174)
