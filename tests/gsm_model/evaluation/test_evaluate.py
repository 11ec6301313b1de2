"""Measuring: the figures by hand, and the claims made of the bundled models."""

from dataclasses import replace

import numpy as np
import pytest

from gsm_model.bundled import assets, bundled_checkpoints
from gsm_model.errors import DataError
from gsm_model.evaluation.evaluate import (
    BothWays,
    largest_reversal_change,
    measures_of,
    score_drawn_clips,
)
from gsm_model.evaluation.intervals import measure_share
from gsm_model.models.card import Card
from gsm_model.models.checkpoints.files import load_checkpoint
from gsm_model.predictions.read import read_parquet
from gsm_model.predictions.table import Predictions, Provenance
from tests.conftest import make_small

FOUR = ("Folding something", "Unfolding something", "Moving something up", "Moving something down")


def tables(labels, forward, backward) -> BothWays:
    def table(scores, order):
        ids = tuple(str(index) for index in range(len(labels)))
        return Predictions(
            Provenance(FOUR, "m", "", "by hand", "", order, "1x1"),
            ids,
            np.array(labels),
            scores,
            ("",) * len(ids),
        )

    return BothWays(table(forward, "forward"), table(backward, "reversed"))


def test_the_figures_of_four_clips_counted_by_hand():
    forward = np.array(
        [[5, 1, 0, 0], [5, 1, 0, 0], [0, 1, 2, 3], [9, 0, 2, 1]], np.float32
    )  # answers 0, 0, 3, 0
    backward = np.array(
        [[1, 5, 0, 0], [1, 5, 0, 0], [0, 1, 2, 3], [9, 0, 1, 2]], np.float32
    )  # answers 1, 1, 3, 0
    measures = {m.metric: m for m in measures_of(tables([0, 1, 2, 2], forward, backward))}
    assert measures["top-1"].value == 1 / 4
    assert measures["pair"].value == 3 / 4
    assert measures["within pair"].value == 2 / 4
    assert measures["reversed to reversed class"].value == 2 / 4
    assert measures["class mean"].value == pytest.approx(1 / 3)
    assert all(m.n == 4 and m.low <= m.value <= m.high for m in measures.values())


def test_tables_of_different_clips_are_not_compared():
    both = tables([0, 1], np.eye(2, 4, dtype=np.float32), np.eye(2, 4, dtype=np.float32))
    with pytest.raises(DataError, match="different clips"):
        measures_of(replace(both, reversed=replace(both.reversed, ids=("0", "other"))))


def test_the_interval_is_wilsons():
    """9 of 10: Wilson's interval is (0.5958, 0.9821), Brown, Cai and DasGupta 2001, formula (4)."""
    measure = measure_share("top-1", 9, 10, "x")
    assert (measure.low, measure.high) == (
        pytest.approx(0.5958, abs=1e-4),
        pytest.approx(0.9821, abs=1e-4),
    )


def test_a_model_of_other_classes_is_refused():
    with pytest.raises(DataError, match="its classes are others"):
        score_drawn_clips([make_small("gsm")], "test", 4)


@pytest.fixture(scope="module")
def measured(request):
    """Every bundled model on the first of the 2,000 clips that its recorded figures are of: two
    of each class, or of all tests 600.
    """
    count = 600 if request.config.getoption("--thorough") else 40
    models = {name: load_checkpoint(path) for name, path in bundled_checkpoints().items()}
    scored = dict(zip(models, score_drawn_clips(list(models.values()), "test", count), strict=True))
    return (
        models,
        scored,
        {name: {m.metric: m for m in measures_of(both)} for name, both in scored.items()},
    )


@pytest.mark.slow
def test_the_shipped_models_are_as_good_as_the_project_says_on_clips_never_trained_on(measured):
    models, scored, figures = measured
    assert list(models) == ["gsm", "tsm", "tsn"]
    assert figures["gsm"]["top-1"].value >= 0.95 and figures["gsm"]["within pair"].value >= 0.98
    assert figures["gsm"]["reversed to reversed class"].value >= 0.95
    assert figures["tsn"]["pair"].value >= 0.9
    assert figures["tsn"]["within pair"].low <= 0.5 <= figures["tsn"]["within pair"].high
    assert largest_reversal_change(scored["tsn"]) <= 1e-5


@pytest.mark.slow
def test_the_shipped_tables_are_the_shipped_models_own_answers(measured):
    """On the same clips the answers are the same; another processor may round one in a hundred to
    the other side.
    """
    models, scored, _ = measured
    for name, model in models.items():
        for order in ("forward", "reversed"):
            stored = read_parquet(
                assets() / "predictions" / f"{name}_resnet18_test_{order}.parquet"
            )
            fresh = getattr(scored[name], order)
            assert stored.origin.checkpoint == model.card.sha256 and len(stored.ids) == 2000
            count = len(fresh.ids)
            assert stored.ids[:count] == fresh.ids
            others = stored.scores[:count].argmax(1) != fresh.scores.argmax(1)
            assert others.sum() <= max(1, count // 100)


def test_the_recorded_figures_are_those_of_the_shipped_tables():
    for name, path in bundled_checkpoints().items():
        for split in ("test", "shifted"):
            forward, backward = (
                read_parquet(assets() / "predictions" / f"{name}_resnet18_{split}_{order}.parquet")
                for order in ("forward", "reversed")
            )
            recorded = {
                m.metric: m
                for m in load_checkpoint(path).card.measures
                if m.data == forward.origin.data
            }
            for measure in measures_of(BothWays(forward, backward)):
                assert abs(measure.value - recorded[measure.metric].value) <= 0.002, (
                    name,
                    split,
                    measure.metric,
                )


def test_a_model_is_measured_on_the_set_whose_classes_its_own_begin_with():
    from gsm_model.data.randomised.actions import LABELS

    model = make_small("gsm", num_classes=len(LABELS))
    model.card = Card("Small", "trained", LABELS)
    [both] = score_drawn_clips([model], "test", 2, style="randomised")
    assert both.forward.ids == ("randomised/test/000000", "randomised/test/000001")
    assert both.forward.labels == LABELS and "randomised, test split" in both.forward.data
    [drawn] = score_drawn_clips([model], "test", 1)
    assert drawn.forward.ids == ("test/000000",) and drawn.forward.labels == LABELS
    with pytest.raises(DataError, match="no split 'shifted'"):
        score_drawn_clips([model], "shifted", 1, style="randomised")
