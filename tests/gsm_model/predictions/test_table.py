"""The table of predictions, which is there without torch, and under its old names."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import gsm_model.predictions
from gsm_model.errors import DataError
from gsm_model.io.hashing import sha256
from gsm_model.models.checkpoints import safe_load
from gsm_model.predictions import join, read, table
from gsm_model.predictions.join import concatenate
from gsm_model.predictions.read import FORMATS, Format, PredictionFile, read_predictions
from gsm_model.predictions.write import write_predictions
from tests.predictions import make_predictions


def test_reading_and_comparing_predictions_needs_no_torch():
    parts = ("predictions", "confusion.matrix", "confusion.calibration", "confusion.significance")
    names = ", ".join(f"gsm_model.{part}" for part in parts)
    code = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("suffix", [".parquet", ".npz"])
def test_what_is_written_by_an_ending_is_read_by_it(tmp_path, suffix):
    wrote = make_predictions(n=20)
    write_predictions(wrote, tmp_path / f"x{suffix}")
    back = read_predictions(tmp_path / f"x{suffix}")
    np.testing.assert_array_equal(back.scores, wrote.scores)
    np.testing.assert_array_equal(back.truth, wrote.truth)
    np.testing.assert_array_equal(back.predicted, wrote.predicted)


@pytest.mark.parametrize("suffix", [".parquet", ".npz"])
def test_features_are_written_and_read_in_half_precision(tmp_path, suffix):
    features = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float16)
    wrote = replace(make_predictions(n=20), features=features)
    write_predictions(wrote, tmp_path / f"x{suffix}")
    back = read_predictions(tmp_path / f"x{suffix}")
    np.testing.assert_array_equal(back.features, features)
    assert back.features.dtype == np.float16
    np.testing.assert_array_equal(back.take(np.array([3, 1])).features, features[[3, 1]])
    with pytest.raises(DataError, match="evaluate --features"):
        make_predictions().require_features()


def test_properties_of_clips_are_written_and_read_and_taken_along(tmp_path):
    properties = {
        "seconds": np.array([1.5, np.nan, 3.0]),
        "file": np.array(["a/b.mp4", "", "ß.mp4"]),
    }
    wrote = replace(make_predictions(n=3), properties=properties)
    write_predictions(wrote, tmp_path / "x.parquet")
    back = read_predictions(tmp_path / "x.parquet")
    assert list(back.properties) == list(properties)
    for name, values in properties.items():
        np.testing.assert_array_equal(back.properties[name], values)
    taken = back.take(np.array([2, 0]))
    assert taken.properties["file"].tolist() == ["ß.mp4", "a/b.mp4"]
    joined = concatenate([back, taken])
    np.testing.assert_array_equal(joined.properties["seconds"], [1.5, np.nan, 3, 3, 1.5])


def test_a_table_of_very_many_or_long_properties_takes_no_more_than_they_are(tmp_path):
    long = np.array(["x" * 1_000_000, *[""] * 9999], dtype=object)
    write_predictions(
        replace(make_predictions(n=10_000), properties={"file": long}), tmp_path / "x.parquet"
    )
    read = read_predictions(tmp_path / "x.parquet").properties["file"]
    assert read.nbytes < 1_000_000 and read[0] == long[0]
    many = {f"p{number}": np.zeros(3) for number in range(65)}
    write_predictions(replace(make_predictions(n=3), properties=many), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="x.parquet: not a table of predictions"):
        read_predictions(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    "features", [np.zeros(20), np.zeros((19, 4)), np.zeros((20, 4), int), np.full((20, 4), np.inf)]
)
def test_features_that_do_not_fit_are_refused(tmp_path, features):
    some = make_predictions(n=20)
    np.savez(tmp_path / "x.npz", scores=some.scores, labels=some.truth, features=features)
    with pytest.raises(DataError, match="x.npz: .*features"):
        read_predictions(tmp_path / "x.npz")


def test_what_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"no table as '.txt'; there are .parquet, .npz"):
        write_predictions(make_predictions(), tmp_path / "x.txt")
    for name in ("x.parquet", "x.npz"):
        with pytest.raises(DataError, match="A.parquet: has only the predicted classes"):
            write_predictions(make_predictions(scores=False), tmp_path / name)


def test_a_clip_that_was_not_scored_has_no_class():
    some = make_predictions(n=3)
    some.scores[1] = np.nan
    unscored = table.Predictions(some.origin, some.ids, some.truth, some.scores, ("", "bad", ""))
    assert unscored.predicted[1] == -1 and not unscored.right[1]
    assert unscored.scored().ids == ("clip 0", "clip 2")
    np.testing.assert_array_equal(unscored.predicted[[0, 2]], some.scores[[0, 2]].argmax(1))


def test_a_further_format_is_a_function_and_a_line(tmp_path, monkeypatch):
    (tmp_path / "x.csv").write_text("clip;class\n")

    def read_mine(file: PredictionFile):
        return make_predictions(file.stem, n=4)

    mine = Format(".csv", read_mine, lambda file: b";" in file.path.read_bytes())
    monkeypatch.setattr(read, "FORMATS", (mine, *FORMATS))
    found = read_predictions(tmp_path / "x.csv")
    assert (found.model, len(found.ids), found.source) == ("x", 4, "x.csv")
    (tmp_path / "y.csv").write_text("id,label,a,b\n1,0,1,2\n")
    assert read_predictions(tmp_path / "y.csv").labels == ("a", "b")


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        (table, "Answers", table.Predictions),
        (table, "Origin", table.Provenance),
        (join, "Joined", join.PairedPredictions),
        (join, "join_answers", join.join_predictions),
        (read, "read_answers", read_predictions),
        (gsm_model.predictions, "read_answers", read_predictions),
        (safe_load, "sha256", sha256),
    ],
)
def test_old_names_still_work_and_say_the_new_one(module, old, new):
    with pytest.warns(DeprecationWarning, match=f"{old} is now .*{new.__name__}"):
        assert getattr(module, old) is new
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        module.nothing  # noqa: B018
