"""Experiments over a data set: each clip's answers are those it has alone; figures and intervals by
hand; a stop costs nothing.
"""

import numpy as np
import pytest
import torch

from gsm_model.errors import DataError
from gsm_model.evaluation.dataset import batches, drawn_clips
from gsm_model.evaluation.intervals import measure_change, measure_share
from gsm_model.explain.gates import intervention_dataset
from gsm_model.explain.gates.intervention_dataset import (
    InterventionOrigin,
    InterventionTable,
    effects,
    effects_table,
    read_interventions,
    run_interventions,
    write_interventions,
)
from gsm_model.explain.gates.interventions import Intervention, every_layer, intervene
from gsm_model.explain.gates.report import layer_gates, record_routing
from gsm_model.predictions.table import Provenance

CLIPS = 5
PLAN = {
    "closed": Intervention("closed"),
    "other clip": Intervention("other clip"),
    "clip mean": Intervention("clip mean"),
}


def run(model, out, plan=PLAN, progress=None):
    return run_interventions(model, drawn_clips(model, "test", CLIPS), plan, out, progress)


def test_every_clips_answers_are_those_it_has_alone(drawn_model, tmp_path):
    table = run(drawn_model, tmp_path / "i.parquet")
    assert table.origin.interventions == (
        "none",
        "closed",
        "other clip",
        "clip mean",
    ) and table.answers.shape == (CLIPS, 4)
    [batch] = batches(drawn_model, drawn_clips(drawn_model, "test", CLIPS), 0, CLIPS)
    with torch.inference_mode(), record_routing(drawn_model) as found:
        drawn_model(batch.clips)
    for clip in range(CLIPS):
        donor = {
            layer.name: layer.gate for layer in layer_gates(drawn_model, found, (clip - 1) % CLIPS)
        }
        alone = {**PLAN, "other clip": Intervention("other clip", values=donor)}
        for column, intervention in enumerate([Intervention("closed", layers=()), *alone.values()]):
            with torch.inference_mode(), intervene(drawn_model, intervention):
                logits = drawn_model(batch.clips[clip : clip + 1])[0]
            assert table.answers[clip, column] == int(logits.argmax())
            label = clip
            assert table.margins[clip, column] == pytest.approx(
                float(logits[label] - logits[label ^ 1]), abs=2e-4
            )


def test_a_stopped_run_goes_on_and_gives_the_same_table(drawn_model, tmp_path, monkeypatch):
    monkeypatch.setattr(intervention_dataset, "BLOCK_CLIPS", 2)
    whole = run(drawn_model, tmp_path / "whole.parquet")

    class Stopped(Exception):
        pass

    def stop(done, total):
        if done == 4:
            raise Stopped

    with pytest.raises(Stopped):
        run(drawn_model, tmp_path / "i.parquet", progress=stop)
    assert (tmp_path / "i.parquet.parts").is_dir() and not (tmp_path / "i.parquet").exists()
    done = []
    again = run(drawn_model, tmp_path / "i.parquet", progress=lambda *at: done.append(at))
    assert done == [(5, 5)] and not (tmp_path / "i.parquet.parts").exists()
    np.testing.assert_array_equal(again.answers, whole.answers)
    np.testing.assert_array_equal(again.margins, whole.margins)
    assert again.ids == whole.ids


def test_parts_of_another_run_are_not_gone_on_from(drawn_model, tmp_path):
    (tmp_path / "i.parquet.parts").mkdir()
    table = run(drawn_model, tmp_path / "other.parquet", {"open": Intervention("open")})
    write_interventions(table, tmp_path / "i.parquet.parts" / "000000.parquet")
    with pytest.raises(DataError, match="holds part of another run"):
        run(drawn_model, tmp_path / "i.parquet")


def test_interventions_that_come_to_the_same_are_run_once(drawn_model, tmp_path):
    forwards = []
    drawn_model.register_forward_hook(lambda *_: forwards.append(1))
    plan = {"closed": Intervention("closed"), **every_layer(drawn_model)}
    table = run(drawn_model, tmp_path / "i.parquet", plan)
    # None and all closed; each alone closed and alone working; and cumulatively what is none of
    # these: up to the second … sixth layer, and from the third … seventh on.
    assert len(forwards) == 2 + 8 + 8 + 5 + 5
    names = list(table.origin.interventions)
    for same in ("closed up to layer4.1", "closed from layer1.0 on"):
        np.testing.assert_array_equal(
            table.margins[:, names.index(same)], table.margins[:, names.index("closed")]
        )


def by_hand(margins=True):
    labels = ("Folding something", "Unfolding something", "a")
    origin = InterventionOrigin(
        Provenance(labels, "GSM", "sha", "four clips", "d", "forward", "1x1"), ("none", "closed")
    )
    answers = np.array([[0, 0], [1, 0], [0, 2], [2, 2], [-1, -1]])
    found = np.array([[2.0, 1], [1, -1], [-1, 1], [np.nan, np.nan], [np.nan, np.nan]], np.float32)
    return InterventionTable(
        origin,
        tuple("abcde"),
        np.array([0, 1, 1, 2, 0]),
        answers,
        found if margins else found * np.nan,
        ("", "", "", "", "gone"),
    )


def test_the_figures_of_four_clips_counted_by_hand():
    none, closed = effects(by_hand())
    assert (none.top1.value, none.top1.n, closed.top1.value) == (3 / 4, 4, 2 / 4)
    assert (none.within_pair.value, none.within_pair.n, closed.within_pair.value) == (
        2 / 3,
        3,
        2 / 3,
    )
    right = np.array([[True, True], [True, False], [False, False], [True, True]])
    assert closed.top1_change == measure_change(
        "top-1 change", right[:, 0], right[:, 1], "four clips"
    )
    assert closed.top1 == measure_share("top-1", 2, 4, "four clips")
    assert closed.within_pair_change.value == 0 and none.top1_change.value == 0


def test_without_pairs_there_are_no_within_pair_figures():
    rows = effects_table(by_hand(margins=False))
    assert rows[1]["within_pair"] is None and rows[1]["n_within_pair"] == 0
    assert (rows[1]["intervention"], rows[1]["top1"], rows[1]["n"], rows[1]["model"]) == (
        "closed",
        0.5,
        4,
        "GSM",
    )


def test_a_table_comes_back_from_its_file_and_what_is_none_is_refused(tmp_path):
    table = by_hand()
    write_interventions(table, tmp_path / "i.parquet")
    back = read_interventions(tmp_path / "i.parquet")
    assert (back.origin, back.ids, back.errors) == (table.origin, table.ids, table.errors)
    for name in ("labels", "answers", "margins"):
        np.testing.assert_array_equal(getattr(back, name), getattr(table, name))
    (tmp_path / "no.parquet").write_bytes(b"PAR1")
    for name in ("no.parquet", "nowhere.parquet"):
        with pytest.raises(DataError, match=f"{name}: not a table of interventions"):
            read_interventions(tmp_path / name)


def test_how_far_it_is_is_told_between_the_passes_of_a_block(drawn_model, tmp_path):
    told = []
    run(drawn_model, tmp_path / "i.parquet", progress=lambda *at: told.append(at))
    done = [at[0] for at in told]
    assert len(done) > 1 and done == sorted(set(done)) and told[-1] == (CLIPS, CLIPS)
