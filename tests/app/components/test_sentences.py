"""The sentences on the pages: made of the numbers, and no more than they support."""

from dataclasses import replace

import numpy as np
import pytest

from app.components.sentences import (
    answer,
    as_it_is,
    closed_gates,
    compare,
    escape,
    layer_moves,
    order_changed,
    order_matters,
    percent,
    taken_for,
    what_moves,
)
from gsm_model.explain.gates.clamps import CLAMPS
from gsm_model.explain.gates.report import GateReport
from gsm_model.explain.order.report import OrderReport
from gsm_model.models.card import Card
from gsm_model.predict import Prediction
from tests.gsm_model.explain.gates.test_report import one_place

LABELS = ("Folding something", "Unfolding something", "Moving something up")


def prediction(*p, title="GSM", order="forward"):
    logits = np.log(np.array(p, np.float32))
    return Prediction(
        Card(title, "trained", LABELS), order, np.arange(2), np.stack([logits, logits]), 0.01
    )


def test_a_sure_answer_is_stated_with_its_probability():
    assert answer(prediction(0.9, 0.06, 0.04)) == "**GSM** says *Folding something* (90 %)"


def test_a_torn_answer_names_both_classes_and_that_they_are_each_others_reversal():
    text = answer(prediction(0.52, 0.46, 0.02))
    assert (
        text
        == "**GSM** is torn between *Folding something* (52 %) and *Unfolding something* (46 %),"
        " which are each other's time reversal"
    )
    assert "reversal" not in answer(prediction(0.5, 0.02, 0.48))


def test_agreement_is_of_the_likeliest_answers():
    assert compare([prediction(0.9, 0.06, 0.04), prediction(0.8, 0.1, 0.1)]).endswith(
        "answers agree."
    )
    assert compare([prediction(0.9, 0.06, 0.04), prediction(0.1, 0.8, 0.1)]).endswith(
        "answers differ."
    )
    assert "agree" not in compare([prediction(0.9, 0.06, 0.04)])


def test_models_of_different_classes_are_not_compared_in_silence():
    other = replace(prediction(0.9, 0.06, 0.04), card=Card("TSM", "trained", ("a", "b", "c")))
    assert compare([prediction(0.9, 0.06, 0.04), other]).endswith(
        "answers differ. They choose among different classes."
    )


def test_a_changed_order_says_whose_answer_moved_and_whether_to_its_reversal():
    forward = [prediction(0.9, 0.06, 0.04), prediction(0.5, 0.49, 0.01, title="TSN")]
    now = [prediction(0.05, 0.9, 0.05), prediction(0.5, 0.49, 0.01, title="TSN")]
    text = order_changed("reversed", forward, now)
    assert (
        "**GSM** changes from *Folding something* (90 %) to *Unfolding something*, its time"
        " reversal (90 %)" in text
    )
    assert (
        "**TSN** keeps *Folding something* (50 % → 50 %; no probability moves by more than 0\\.1 %)"
        in text.replace("0.1", "0\\.1")
    )
    elsewhere = order_changed("shuffled", forward[:1], [prediction(0.05, 0.05, 0.9)])
    assert "reversal" not in elsewhere


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.734, "73 %"), (0.0, "0 %"), (1.0, "100 %"), (0.001, "under 1 %"), (0.999, "over 99 %")],
)
def test_a_share_is_never_rounded_to_certainty(share, text):
    assert percent(share) == text


def test_labels_cannot_write_html_or_markdown_into_the_page():
    assert escape("<b>*x*</b> $a$ [l](u)") == "&lt;b&gt;\\*x\\*&lt;/b&gt; \\$a\\$ \\[l\\]\\(u\\)"


def order_report(forward, reversed, shuffled, title="GSM"):
    rows = {
        name: np.array(p)
        for name, p in (("forward", forward), ("reversed", reversed), ("frozen", forward))
    }
    labels = ("Folding something", "Unfolding something", "Moving something up")
    return OrderReport(
        Card(title, "trained", labels),
        np.arange(4),
        **rows,
        shuffled=np.array(shuffled),
        left_out=None,
        swapped=None,
    )


def test_the_order_matters_as_much_as_the_numbers_say():
    p, q = [0.9, 0.06, 0.04], [0.1, 0.8, 0.1]
    text = order_matters(
        [
            order_report(p, q, [p, q, q]),
            order_report(p, p, [p, p], "TSN"),
            order_report(p, [0.5, 0.3, 0.2], [p, q], "TSM"),
        ]
    )
    gsm, tsn, tsm = text.split("; ")
    assert (
        gsm == "**GSM** goes from *Folding something* (90 %) to *Unfolding something*, its time"
        " reversal (80 %) when time is reversed, and keeps its answer in 1 of 3 shuffles"
    )
    assert (
        tsn
        == "**TSN** does not notice the order: *Folding something* stays at 90 % reversed and in"
        " every shuffle"
    )
    assert (
        tsm
        == "**TSM** keeps *Folding something* (90 % → 50 %) when time is reversed, and keeps its"
        " answer in 1 of 2 shuffles."
    )


def gate_report(gates, energy, untouched=0.0, title="GSM"):
    return GateReport(
        prediction(0.9, 0.06, 0.04, title=title), (one_place(gates, energy, untouched),)
    )


def test_a_model_that_moves_nothing_is_said_to_see_frames_alone():
    assert (
        what_moves([gate_report(np.zeros((2, 2)), np.ones((2, 2)), title="TSN")])
        == "**TSN** moves nothing: every frame is seen alone."
    )


def test_how_much_moves_and_whether_the_gates_are_more_than_a_fixed_shift():
    fixed = what_moves([gate_report(np.ones((2, 2)), np.ones((2, 2)), title="TSM")])
    assert (
        fixed
        == "**TSM** moves 50 % of its features' energy between frames (mean over its 1 temporal"
        " module; most in *m*, 50 %), by a fixed shift."
    )
    adaptive = what_moves([gate_report([[1, 1], [0, 0]], np.ones((2, 2)))])
    assert "depart from a fixed shift by 0.50" in adaptive


def test_the_mean_is_over_the_modules_and_not_over_blocks_that_have_none():
    one = gate_report(np.ones((2, 2)), np.ones((2, 2)), title="TSM")
    without = replace(one_place(np.zeros((2, 2)), np.ones((2, 2))), channels=0.0)
    sparse = replace(one, layers=(without, one.layers[0], without, one.layers[0]))
    assert "50 % of its features' energy" in what_moves([sparse])
    assert "(mean over its 2 temporal modules; most in *m*, 50 %)" in what_moves([sparse])


def test_a_layers_sentence_says_a_side_a_place_and_a_regime_only_where_they_are_plain():
    even = gate_report([[0.5, 0.5], [0.5, 0.5]], np.ones((2, 2)))
    text = layer_moves(even, even.layers[0], 1.0)
    assert (
        "about as much from the next frame as from the previous" in text and "changes" not in text
    )
    assert "100 % of its gate values average two frames" in text
    assert text.endswith("What it passes on can depend on 2 frames back and 2 ahead.")
    one_sided = gate_report([[1, 0], [1, -0.5]], np.ones((2, 2)))
    text = layer_moves(one_sided, one_sided.layers[0], 1.9)
    assert (
        "mostly from the next frame" in text
        and "1.9 times as much as on average where the picture changes most" in text
    )
    assert "gate values" not in text
    assert "only 0.4 times" in layer_moves(one_sided, one_sided.layers[0], 0.4)
    still = gate_report(np.zeros((2, 2)), np.ones((2, 2)), title="TSN")
    assert layer_moves(still, still.layers[0], 1.0) == "**TSN** moves nothing here."


def test_what_is_left_as_it_is_is_what_the_model_has():
    assert as_it_is("GSM", CLAMPS) == "**GSM**: its gates are as they are."
    assert as_it_is("S3D", ("closed",)) == "**S3D**: its temporal exchange is as it is."
    assert as_it_is("TSN", ()) == "**TSN** has no temporal module that could be changed."


def test_closed_gates_are_told_with_their_clips_and_intervals():
    row = {
        "intervention": "none",
        "data": "my clips",
        "n": 12,
        "n_within_pair": 10,
        "within_pair": 0.9,
        "within_pair_low": 0.6,
        "within_pair_high": 0.98,
    }
    row |= {"top1": 0.8, "top1_low": 0.5, "top1_high": 0.9}
    closed = {
        **row,
        "intervention": "closed",
        "within_pair": 0.5,
        "within_pair_low": 0.24,
        "within_pair_high": 0.76,
        "top1": 0.3,
    }
    text = closed_gates("GSM", [row, closed])
    assert text.startswith(
        "**GSM** is right within the pair for 90.0 % (60.0 % to 98.0 %) of 10 clips of my clips as"
        " it is, "
    )
    assert text.endswith(
        "and for 50.0 % (24.0 % to 76.0 %) with all its gates closed, where a guess gives 50 %."
    )
    unpaired = [{**one, "within_pair": None} for one in (row, closed)]
    assert "is right for 80.0 %" in closed_gates("GSM", unpaired) and "guess" not in closed_gates(
        "GSM", unpaired
    )
    assert closed_gates("GSM", [row]) == ""


def test_one_clip_of_a_cell_is_told_in_the_singular():
    assert (
        taken_for(1, "Folding [a]", "Opening")
        == "1 clip of *Folding \\[a\\]* is taken for *Opening*"
    )
    assert taken_for(1200, "A", "B") == "1,200 clips of *A* are taken for *B*"
