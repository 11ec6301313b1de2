"""The table of predictions: what goes in comes out, what is no table is refused, figures by
hand.
"""

import numpy as np
import pytest

from gsm_model.errors import DataError
from gsm_model.evaluation.measures import measures_of_table
from gsm_model.predictions.join import concatenate
from gsm_model.predictions.read import read_parquet, read_scores
from gsm_model.predictions.table import Predictions, Provenance
from gsm_model.predictions.write import write_parquet, write_scores

LABELS = ("Folding something", "Unfolding something", "Bending something so that it deforms")
ORIGIN = Provenance(LABELS, "GSM", "f" * 64, "list.txt", "e" * 64, "forward", "1x1")


def table(scores, labels, errors=None, origin=ORIGIN, start=0):
    n = len(labels)
    ids = tuple(f"clip {index + start}" for index in range(n))
    return Predictions(
        origin, ids, np.array(labels), np.array(scores, np.float32), tuple(errors or [""] * n)
    )


@pytest.fixture
def four():
    """Four clips; the last could not be decoded."""
    return table(
        [[3, 1, 0], [2, 1, 5], [1, 2, 0], [np.nan] * 3],
        [0, 1, 1, 2],
        ["", "", "", "d.mp4: damaged"],
    )


def test_what_is_written_comes_back(tmp_path, four):
    write_parquet(four, tmp_path / "p.parquet")
    back = read_parquet(tmp_path / "p.parquet")
    assert (back.origin, back.ids, back.errors) == (four.origin, four.ids, four.errors)
    np.testing.assert_array_equal(back.scores, four.scores)
    np.testing.assert_array_equal(back.truth, four.truth)


def test_the_columns_are_those_that_others_read(tmp_path, four):
    import pyarrow.parquet as pq

    write_parquet(four, tmp_path / "p.parquet")
    schema = pq.read_schema(tmp_path / "p.parquet")
    assert schema.names == [
        "id",
        "label",
        "scores",
        "order",
        "views",
        "checkpoint",
        "data",
        "error",
    ]
    assert (
        str(schema.field("scores").type).startswith("fixed_size_list")
        and schema.field("scores").type.list_size == 3
    )


def test_figures_counted_by_hand_leave_out_what_could_not_be_scored(four):
    measures = {m.metric: m for m in measures_of_table(four)}
    assert (measures["top-1"].value, measures["top-1"].n) == (2 / 3, 3)
    assert (measures["within pair"].value, measures["within pair"].n) == (2 / 3, 3)
    assert "top-5" not in measures


def test_the_class_mean_weighs_every_class_alike_and_its_interval_is_as_wide_as_theory_says():
    """Class 0: 90 of 100 right; class 1: 5 of 10. The mean is 0.7, its standard error √(0.9·0.1/100
    + 0.5·0.5/10) / 2.
    """
    labels = [0] * 100 + [1] * 10
    scores = [[1, 0, 0]] * 90 + [[0, 0, 1]] * 10 + [[0, 1, 0]] * 5 + [[0, 0, 1]] * 5
    measure = {m.metric: m for m in measures_of_table(table(scores, labels))}["class mean"]
    error = np.sqrt(0.9 * 0.1 / 100 + 0.5 * 0.5 / 10) / 2
    assert measure.value == pytest.approx(0.7)
    assert (measure.low, measure.high) == (
        pytest.approx(0.7 - 1.96 * error, abs=0.02),
        pytest.approx(0.7 + 1.96 * error, abs=0.02),
    )


def test_a_class_without_reversed_class_is_not_counted_within_pairs():
    measures = {m.metric: m for m in measures_of_table(table([[0, 0, 1], [1, 0, 0]], [2, 0]))}
    assert measures["within pair"].n == 1


def test_top_5_is_that_of_scikit_learns_definition():
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(50, 9)), rng.integers(9, size=50)
    origin = Provenance(tuple("abcdefghi"), "m", "", "d", "", "forward", "1x1")
    expected = np.mean(
        [label in np.argsort(row)[-5:] for row, label in zip(scores, labels, strict=True)]
    )
    assert {m.metric: m.value for m in measures_of_table(table(scores, labels, origin=origin))}[
        "top-5"
    ] == expected


def test_tables_of_one_run_join_and_others_do_not(four):
    whole = concatenate([four, table([[1, 0, 0]], [0], start=4)])
    assert len(whole.ids) == 5 and np.isnan(whole.scores[3]).all()
    with pytest.raises(DataError, match="can be joined"):
        concatenate(
            [
                four,
                table(
                    [[1, 0, 0]], [0], origin=Provenance(LABELS, "TSN", "", "", "", "forward", "1x1")
                ),
            ]
        )


def test_nothing_scored_is_nothing_measured():
    with pytest.raises(DataError, match="nothing to measure"):
        measures_of_table(table([[np.nan] * 3], [0], ["broken"]))


def test_the_releases_score_file_both_ways(tmp_path, four):
    write_scores(four, tmp_path / "s.npz")
    with np.load(tmp_path / "s.npz", allow_pickle=False) as file:
        assert file["scores"].shape == (3, 1, 3) and file["predictions"].tolist() == [0, 2, 1]
        assert file["cf"].tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
    back = read_scores(tmp_path / "s.npz", LABELS)
    np.testing.assert_array_equal(back.scores, four.scored().scores)
    assert back.truth.tolist() == [0, 1, 1] and back.origin.labels == LABELS


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"labels": [0]}, "not a score file"),
        ({"scores": np.zeros((2, 1, 3)), "labels": [0]}, "do not fit"),
        ({"scores": np.array([{"a": 1}], object), "labels": [0]}, "not a score file"),
        ({"scores": np.full((1, 1, 3), np.nan), "labels": [0]}, "not finite"),
        ({"scores": np.zeros((1, 1, 3)), "labels": [7]}, "labels outside 0 to 2"),
    ],
)
def test_a_bad_score_file_is_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "s.npz", **arrays)
    with pytest.raises(DataError, match=message):
        read_scores(tmp_path / "s.npz")


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "p.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(DataError, match="not a table of predictions"):
        read_parquet(tmp_path / "p.parquet")
    with pytest.raises(DataError, match="not a table of predictions"):
        read_parquet(tmp_path / "nowhere.parquet")
