"""Systems timed beside TSN."""

import torch

from gsm_model.benchmark.systems import latency_ratios


def test_latency_is_a_ratio_to_tsn_in_the_same_rounds():
    found = latency_ratios(["gsm"], torch.device("cpu"), runs=2, width=0.125)
    assert found["none"]["ratio"] == 1.0 and set(found) == {"none", "gsm"}
    assert found["gsm"]["low"] <= found["gsm"]["ratio"] <= found["gsm"]["high"]
