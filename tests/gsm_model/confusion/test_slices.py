"""Slices of clips: what is in them, and tests of them by hand and by other libraries."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests

from gsm_model.confusion.slices import (
    clip_properties,
    measure_slices,
    read_properties,
    slice_rows,
    slices,
    with_properties,
)
from gsm_model.errors import DataError
from gsm_model.predictions.join import join_predictions
from gsm_model.predictions.table import softmax
from tests.predictions import make_predictions


def known(model, **properties):
    return replace(
        model, properties={name: np.asarray(values) for name, values in properties.items()}
    )


def test_a_number_is_cut_into_four_parts_of_as_many_clips():
    seconds = np.random.default_rng(0).permutation(np.arange(1.0, 101)) / 10
    found = slices([known(make_predictions(n=100), seconds=seconds)])
    length = [part for part in found if part.by == "length"]
    assert [int(part.mask.sum()) for part in length] == [25] * 4
    assert [part.name for part in length] == [
        *("0.1 to 2.5 s", "2.6 to 5 s", "5.1 to 7.5 s", "7.6 to 10 s")
    ]
    assert (sum(part.mask.astype(int) for part in length) == 1).all()
    assert seconds[length[0].mask].max() < seconds[length[1].mask].min()


def test_ties_stay_together_and_what_is_not_known_is_in_no_slice():
    motion = np.array([0.0] * 50 + [1.0] * 30 + [np.nan] * 20)
    parts = [
        part
        for part in slices([known(make_predictions(n=100), motion=motion)])
        if part.by == "motion"
    ]
    assert [int(part.mask.sum()) for part in parts] == [50, 30]
    constant = known(make_predictions(n=100), motion=np.ones(100))
    assert "motion" not in {part.by for part in slices([constant])}


def test_frames_are_the_length_where_seconds_are_not_known_of_all():
    model = known(
        make_predictions(n=8), seconds=[np.nan, *range(7)], frames=np.arange(8.0), first=np.zeros(8)
    )
    [first, *_] = slices([model])
    assert first.title == "length: 0 to 1 frames"
    assert "first" not in clip_properties([model])


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["a.mp4", "a.mp4", "b.mp4", "b.mp4"], ["a.mp4", "a.mp4", "b.mp4", "b.mp4"]),
        (["p/1.mp4", "p/2.mp4", "q/1.mp4", "q/2.mp4"], ["p", "p", "q", "q"]),
    ],
)
def test_a_source_is_the_file_of_several_clips_or_else_the_folder(files, expected):
    model = known(make_predictions(n=4), file=files)
    assert clip_properties([model])["source"].tolist() == expected
    renamed = replace(make_predictions(n=4), ids=tuple(f"{name}x" for name in "abcd"))
    assert set(clip_properties([renamed])["source"].tolist()) == {"."}


def test_confidence_is_the_mean_of_both_models(two_models):
    found = clip_properties([two_models.a, two_models.b])["confidence"]
    expected = [softmax(model.scores).max(1) for model in (two_models.a, two_models.b)]
    np.testing.assert_allclose(found, np.mean(expected, axis=0))


def test_every_slice_is_tested_exactly_and_all_are_one_family():
    rng = np.random.default_rng(3)
    bright = rng.random(400)
    a, b = make_predictions("A", n=400, seed=1), make_predictions("B", n=400, seed=2)
    dark = bright < np.quantile(bright, 0.25)
    b.scores[dark, b.truth[dark]] += 9  # B sees in the dark
    paired = join_predictions(known(a, brightness=bright), b)
    found = measure_slices([paired.a, paired.b], paired)
    expected = []
    for one in found:
        assert one.comparison is not None
        expected.append(one.comparison.p)
    darkest = next(one for one in found if one.by == "brightness")
    only_a = int((a.right & ~b.right & dark).sum())
    only_b = int((b.right & ~a.right & dark).sum())
    assert darkest.comparison.p == pytest.approx(binomtest(only_b, only_a + only_b, 0.5).pvalue)
    holm = multipletests(expected, method="holm")[1]
    np.testing.assert_allclose([one.comparison.p_holm for one in found], holm)
    assert darkest.b_beats_a and darkest.accuracy[1].value == 1
    assert darkest.accuracy[0].value == pytest.approx(a.right[dark].mean())
    assert [one.b_beats_a for one in found if one.by == "brightness"] == [True, False, False, False]
    row = slice_rows(found)[0]
    assert row["n"] == 100 and row["b_beats_a"] is True and row["p_holm"] == holm[0]


def test_one_model_has_accuracies_and_no_tests():
    found = measure_slices([make_predictions(n=40)])
    assert {one.by for one in found} == {"confidence"} and found[0].comparison is None
    assert list(slice_rows(found)[0]) == ["by", "slice", "n", "accuracy_a", "low_a", "high_a"]
    with pytest.raises(DataError, match="nothing is known of these clips"):
        measure_slices([make_predictions(scores=False)])


def test_properties_of_ones_own_are_read_by_id(tmp_path):
    path = tmp_path / "about.csv"
    path.write_text("weight;clip;person\n2,5;clip 1;Ann\n1;clip 0;Bo\n;clip 3;Ann\n9;other;Zoe\n")
    model = make_predictions(n=4)
    read = read_properties(path, [model])
    np.testing.assert_array_equal(read["weight"], [1, 2.5, np.nan, np.nan])
    assert read["person"].tolist() == ["Bo", "Ann", "", "Ann"]
    [told] = with_properties([model], read)
    titles = [part.title for part in slices([told])]
    assert titles[:4] == ["weight: 1", "weight: 2.5", "person: Ann", "person: Bo"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,x\nv1,1\n", "has none of the clips; they are called as 'clip 0', its own as 'v1'"),
        ("id\nclip 0\n", "has 0 columns beside the clips"),
        ("", "empty"),
    ],
)
def test_files_without_properties_of_these_clips_are_refused(tmp_path, text, message):
    path = tmp_path / "about.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_properties(path, [make_predictions(n=4)])
