"""The sentences on the pages: made of the numbers, and no more than they support."""

from dataclasses import replace

import numpy as np
import pytest

from app.sentences import answer, compare, escape, order_changed, order_matters, percent
from gsm_model.explain.order import OrderReport
from gsm_model.models.card import Card
from gsm_model.predict import Prediction

LABELS = ("Folding something", "Unfolding something", "Moving something up")


def prediction(*p, title="GSM", order="forward"):
    logits = np.log(np.array(p, np.float32))
    return Prediction(Card(title, "trained", LABELS), order, np.arange(2), np.stack([logits, logits]), 0.01)


def test_a_sure_answer_is_stated_with_its_probability():
    assert answer(prediction(0.9, 0.06, 0.04)) == "**GSM** says *Folding something* (90 %)"


def test_a_torn_answer_names_both_classes_and_that_they_are_each_others_reversal():
    text = answer(prediction(0.52, 0.46, 0.02))
    assert (
        text == "**GSM** is torn between *Folding something* (52 %) and *Unfolding something* (46 %), which are each other's time reversal"
    )
    assert "reversal" not in answer(prediction(0.5, 0.02, 0.48))


def test_agreement_is_of_the_likeliest_answers():
    assert compare([prediction(0.9, 0.06, 0.04), prediction(0.8, 0.1, 0.1)]).endswith("answers agree.")
    assert compare([prediction(0.9, 0.06, 0.04), prediction(0.1, 0.8, 0.1)]).endswith("answers differ.")
    assert "agree" not in compare([prediction(0.9, 0.06, 0.04)])


def test_models_of_different_classes_are_not_compared_in_silence():
    other = replace(prediction(0.9, 0.06, 0.04), card=Card("TSM", "trained", ("a", "b", "c")))
    assert compare([prediction(0.9, 0.06, 0.04), other]).endswith("answers differ. They choose among different classes.")


def test_a_changed_order_says_whose_answer_moved_and_whether_to_its_reversal():
    forward = [prediction(0.9, 0.06, 0.04), prediction(0.5, 0.49, 0.01, title="TSN")]
    now = [prediction(0.05, 0.9, 0.05), prediction(0.5, 0.49, 0.01, title="TSN")]
    text = order_changed("reversed", forward, now)
    assert "**GSM** changes from *Folding something* (90 %) to *Unfolding something*, its time reversal (90 %)" in text
    assert "**TSN** keeps *Folding something* (50 % → 50 %; no probability moves by more than 0\\.1 %)" in text.replace("0.1", "0\\.1")
    elsewhere = order_changed("shuffled", forward[:1], [prediction(0.05, 0.05, 0.9)])
    assert "reversal" not in elsewhere


@pytest.mark.parametrize(("share", "text"), [(0.734, "73 %"), (0.0, "0 %"), (1.0, "100 %"), (0.001, "under 1 %"), (0.999, "over 99 %")])
def test_a_share_is_never_rounded_to_certainty(share, text):
    assert percent(share) == text


def test_labels_cannot_write_html_or_markdown_into_the_page():
    assert escape("<b>*x*</b> $a$ [l](u)") == "&lt;b&gt;\\*x\\*&lt;/b&gt; \\$a\\$ \\[l\\]\\(u\\)"


def order_report(forward, reversed, shuffled, title="GSM"):
    rows = {name: np.array(p) for name, p in (("forward", forward), ("reversed", reversed), ("frozen", forward))}
    labels = ("Folding something", "Unfolding something", "Moving something up")
    return OrderReport(Card(title, "trained", labels), np.arange(4), **rows, shuffled=np.array(shuffled), left_out=None, swapped=None)


def test_the_order_matters_as_much_as_the_numbers_say():
    p, q = [0.9, 0.06, 0.04], [0.1, 0.8, 0.1]
    text = order_matters(
        [order_report(p, q, [p, q, q]), order_report(p, p, [p, p], "TSN"), order_report(p, [0.5, 0.3, 0.2], [p, q], "TSM")]
    )
    gsm, tsn, tsm = text.split("; ")
    assert gsm == (
        "**GSM** goes from *Folding something* (90 %) to *Unfolding something*, its time reversal (80 %) when time is reversed, "
        "and keeps its answer in 1 of 3 shuffles"
    )
    assert tsn == "**TSN** does not notice the order: *Folding something* stays at 90 % reversed and in every shuffle"
    assert tsm == "**TSM** keeps *Folding something* (90 % → 50 %) when time is reversed, and keeps its answer in 1 of 2 shuffles."
