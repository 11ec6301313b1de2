"""The benchmark's figures: of the rounds that count, and ratios within a round."""

import numpy as np
import pytest
import torch

from gsm_model.benchmark.timing import WARM_UP, Timing, in_turn, machine, multiply_add_peak

CPU = torch.device("cpu")


def test_a_row_has_the_medians_and_the_ends():
    row = Timing("x", np.array([0.001, 0.003, 0.002]), np.array([1.0, 3.0, 1.5]), 4_000_000).row()
    assert (
        row["ms"],
        row["ms_min"],
        row["ms_max"],
        row["ratio"],
        row["ratio_max"],
        row["runs"],
    ) == pytest.approx((2, 1, 3, 1.5, 3, 3))
    assert row["gmac_per_second"] == pytest.approx(2)


def test_every_thing_is_done_once_a_round_in_turn():
    done, rounds = [], []
    things = {name: lambda name=name: done.append(name) for name in "ab"}
    seconds = in_turn(things, 3, CPU, lambda number, runs: rounds.append((number, runs)))
    assert done == ["a", "b"] * (3 + WARM_UP) and rounds == [(1, 3), (2, 3), (3, 3)]
    assert {name: len(taken) for name, taken in seconds.items()} == {"a": 3, "b": 3} and (
        seconds["a"] > 0
    ).all()
    with pytest.raises(ValueError, match="at least one run"):
        in_turn(things, 0, CPU)


def test_the_machine_is_named_and_its_peak_is_a_number():
    assert machine(CPU)["threads"] == torch.get_num_threads() and machine(CPU)["name"]
    assert multiply_add_peak(torch.float32, CPU, runs=1) > 0.1
