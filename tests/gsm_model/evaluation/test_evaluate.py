"""Measuring: the figures by hand, and the claims made of the shipped models."""

import numpy as np
import pytest

from gsm_model.errors import DataError
from gsm_model.evaluation.evaluate import Scores, largest_reversal_change, measures_of, score_drawn_clips
from gsm_model.evaluation.interval import measure_share
from gsm_model.models.checkpoints import load_checkpoint
from gsm_model.shipped import shipped_checkpoints
from tests.conftest import make_small


def test_the_figures_of_four_clips_counted_by_hand():
    forward = np.array([[5, 1, 0, 0], [5, 1, 0, 0], [0, 1, 2, 3], [9, 0, 2, 1]], np.float32)  # answers 0, 0, 3, 0
    backward = np.array([[1, 5, 0, 0], [1, 5, 0, 0], [0, 1, 2, 3], [9, 0, 1, 2]], np.float32)  # answers 1, 1, 3, 0
    measures = {m.metric: m for m in measures_of(Scores(np.array([0, 1, 2, 2]), forward, backward), "by hand")}
    assert measures["top-1"].value == 1 / 4
    assert measures["pair"].value == 3 / 4
    assert measures["within pair"].value == 2 / 4
    assert measures["reversed to partner"].value == 2 / 4
    assert all(m.n == 4 and m.low < m.value < m.high for m in measures.values())


def test_the_interval_is_wilsons():
    """9 of 10: Wilson's interval is (0.5958, 0.9821), Brown, Cai and DasGupta 2001, formula (4)."""
    measure = measure_share("top-1", 9, 10, "x")
    assert (measure.low, measure.high) == (pytest.approx(0.5958, abs=1e-4), pytest.approx(0.9821, abs=1e-4))


def test_a_model_of_other_classes_is_refused():
    with pytest.raises(DataError, match="its classes are others"):
        score_drawn_clips(make_small("gsm"), "test", 4)


@pytest.mark.slow
def test_the_shipped_models_are_as_good_as_the_project_says_on_clips_never_trained_on():
    paths = shipped_checkpoints()
    n = 600
    figures = {}
    for name in ("gsm", "tsn"):
        model = load_checkpoint(paths[name])
        scores = score_drawn_clips(model, "test", n)
        figures[name] = {m.metric: m for m in measures_of(scores, "the drawn set, test split")}
        recorded = {m.metric: m for m in model.card.measures}
        for metric, measure in figures[name].items():
            # Another processor may round a few clips to the other side.
            assert recorded[metric].n == n and abs(measure.value - recorded[metric].value) <= 0.01, (name, metric)
        if name == "tsn":
            assert largest_reversal_change(scores) <= 1e-5
    assert figures["gsm"]["top-1"].value >= 0.9 and figures["gsm"]["reversed to partner"].value >= 0.9
    assert figures["tsn"]["pair"].value >= 0.9
    assert figures["tsn"]["within pair"].low <= 0.5 <= figures["tsn"]["within pair"].high
