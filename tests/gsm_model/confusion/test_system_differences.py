"""Systems beside GSM: exact paired tests from counts, corrected for their number."""

from math import comb

import pytest

from gsm_model.confusion.system_differences import differences_to_gsm


def row(name, only_this, only_gsm):
    counts = {"only_this": only_this, "only_gsm": only_gsm, "n": 100}
    return {"name": name, "against_gsm": {"test": {"within_pair": counts}}}


def test_differences_are_exact_paired_tests_corrected_after_holm():
    rows = [
        row("better", 9, 1),
        row("same", 3, 3),
        row("worse", 0, 20),
        {"name": "gsm", "against_gsm": None},
        {"name": "untrained"},
    ]
    found = differences_to_gsm(rows, "test", "within_pair")
    assert list(found) == ["better", "same", "worse"]
    p = 2 * (comb(10, 0) + comb(10, 1)) / 2**10
    assert found["better"].p == pytest.approx(p)
    assert found["better"].p_holm == pytest.approx(2 * p)  # the second smallest of three
    assert found["worse"].p_holm == pytest.approx(3 * 2 / 2**20) and found["worse"].is_real
    assert found["same"].p == 1 and not found["same"].is_real
    assert found["worse"].difference == pytest.approx(-0.2)
    assert -0.30 < found["worse"].low < -0.2 < found["worse"].high < -0.1
    assert differences_to_gsm(rows, "shifted", "within_pair") == {}
