"""What is said beside an answer: from what is recorded of the model, and from the clip."""

import json
from dataclasses import replace

import pytest

from gsm_model.bundled import bundled_checkpoints
from gsm_model.models.card import Card
from gsm_model.models.caution import (
    FILMED_FIGURES,
    caution_of,
    caution_of_list,
    in_short,
    in_words,
    narrow_kind,
)
from gsm_model.models.checkpoints.files import load_checkpoint

LABELS = ("Folding something", "Unfolding something")
DRAWN = Card("GSM", "trained", LABELS, domain="drawn")
FILMED = Card("TSM", "trained", LABELS, "Something-Something V2", domain="filmed")
DIVING = replace(FILMED, labels=("dive",), training_data="Diving48")


@pytest.mark.parametrize(
    ("card", "drawn", "text"),
    [
        (DRAWN, LABELS[0], None),
        (
            DRAWN,
            None,
            "GSM has only seen drawn clips, and this clip counts as filmed: its answer may mean"
            " nothing.",
        ),
        (DRAWN, "Opening something", "GSM: “Opening something” is none of its classes."),
        (FILMED, None, None),
        (
            FILMED,
            LABELS[0],
            "TSM was trained on filmed clips (Something-Something V2), and this clip is drawn.",
        ),
        (
            DIVING,
            LABELS[0],
            "TSM was trained on filmed clips (Diving48), and this clip is drawn; “Folding"
            " something” is none of the classes of TSM.",
        ),
        (
            Card("TSN", "trained", None, "HVU scenes", domain="filmed"),
            LABELS[0],
            "TSN was trained on filmed clips (HVU scenes), and this clip is drawn; the classes are"
            " tags of which several can be right at once, so percentages rank them and say no"
            " more.",
        ),
        (
            DIVING,
            None,
            "TSM: it knows dives in competitions only (Diving48) and answers with one of them"
            " whatever a clip shows.",
        ),
        (
            Card("TSN", "trained", None, "HVU scenes", domain="filmed"),
            None,
            "TSN: the classes are tags of which several can be right at once, so percentages rank"
            " them and say no more; the order of the classes is not known, so they show as"
            " numbers.",
        ),
        (
            Card("TSM", "trained", None, "Kinetics-400", domain="filmed"),
            None,
            "TSM: the order of the classes is not known, so they show as numbers.",
        ),
        (Card("GSM"), LABELS[0], "GSM (untrained) has random weights: its answer means nothing."),
        (
            Card("GSM", "unknown"),
            None,
            "GSM: its file does not record whether it was trained, or what it was trained on.",
        ),
        (
            Card("GSM", "trained"),
            LABELS[0],
            "GSM: its file does not record what it was trained on.",
        ),
    ],
)
def test_a_caution_says_why_an_answer_may_mean_little(card, drawn, text):
    found = caution_of(card, drawn)
    assert (None if found is None else found.text) == text


def test_cautions_of_one_kind_are_one_sentence_the_gravest_first():
    cards = [DRAWN, Card("A", "unknown"), replace(DRAWN, alias="TSN"), Card("B"), Card("C")]
    assert in_words([caution_of(card, None) for card in cards]) == (
        "B (untrained) and C (untrained) have random weights: their answers mean nothing. GSM and"
        " TSN have only seen drawn clips, and this clip counts as filmed: their answers may mean"
        " nothing. A: its file does not record whether it was trained, or what it was trained on."
    )
    assert in_words([]) == in_short([None]) == ""


def test_the_models_that_came_with_the_project_have_seen_drawn_clips_and_say_what_was_measured():
    measured = json.loads(FILMED_FIGURES.read_text(encoding="utf-8"))["measured"]
    for path in bundled_checkpoints().values():
        card = load_checkpoint(path).card
        assert card.domain == "drawn" and caution_of(card, card.labels[0]) is None
        found = caution_of(card, None)
        assert found.kind == "drawn" and found.wants_film
        for row in measured.get(card.sha256, ()):
            assert 0 <= row["hits"] <= row["n"] and row["source"]
            assert f"{row['hits']} of {row['n']} {row['data']}" in found.text
            assert str(row["n"]) not in in_short([found])


def test_a_figure_that_was_measured_stands_with_its_interval(monkeypatch):
    rows = [{"metric": "within pair", "hits": 34, "n": 41, "data": "filmed segments"}]
    monkeypatch.setattr("gsm_model.models.caution._figures", lambda: {"abc": rows})
    # Wilson's interval of 34 of 41, by R's binom.confint(34, 41, methods = "wilson").
    assert caution_of(replace(DRAWN, sha256="abc"), None).text.endswith(
        "GSM scores the class above its time reversal in 34 of 41 filmed segments (83 %, 95 %"
        " interval 69 to 91 %; a guess gives 50 %)."
    )


def test_what_was_measured_of_the_answers_pair_is_said_and_no_more(monkeypatch):
    pair = ["Moving something up", "Moving something down"]
    rows = [
        {"metric": "within pair", "hits": 34, "n": 41, "data": "filmed segments"},
        {"metric": "within pair, both", "hits": 9, "n": 10, "data": "of its filmed segments"}
        | {"pair": pair},
    ]
    monkeypatch.setattr("gsm_model.models.caution._figures", lambda: {"abc": rows})
    card = replace(DRAWN, sha256="abc")
    for answer in pair:
        assert caution_of(card, None, answer).text == (
            "GSM has only seen drawn clips, and this clip counts as filmed. GSM scores the class"
            " above its time reversal, played forward and reversed, in 9 of 10 of its filmed"
            " segments (90 %, 95 % interval 60 to 98 %; a model that averages frames gives 0 %)."
        )
    other = caution_of(card, None, "Folding something").text
    assert "its answer may mean nothing" in other and "34 of 41 filmed segments" in other
    assert other.endswith("it was not measured on filmed clips of “Folding something”.")
    assert "9 of 10" not in other


def test_a_model_that_knows_motions_alone_says_so_whatever_it_answers(monkeypatch):
    pair = ["Moving something up", "Moving something down"]
    row = {"metric": "within pair", "hits": 9, "n": 10, "data": "filmed segments", "pair": pair}
    monkeypatch.setattr("gsm_model.models.caution._figures", lambda: {"abc": [row]})
    data = "Reversible Actions, 5 pairs, motions: 11,200 clips seen"
    card = replace(DRAWN, sha256="abc", training_data=data)
    known, other = (caution_of(card, None, answer).text for answer in (pair[0], "Turning"))
    for text in (known, other):
        assert "GSM knows motions of a thing or of the camera only, and answers with one" in text
    assert "whatever a clip shows; it scores the class above its time reversal in 9 of 10" in known
    assert other.endswith("shows; it was not measured on filmed clips of “Turning”.")
    assert narrow_kind(card) == "motions of a thing or of the camera" and not narrow_kind(DRAWN)
    assert narrow_kind(replace(card, training_data="Diving48")) == "dives in competitions"


def test_of_a_list_it_is_found_out_only_where_it_matters_whether_it_is_drawn():
    def never():
        raise AssertionError

    assert "count as filmed" in caution_of_list(DRAWN, lambda: False)
    assert "these are drawn" in caution_of_list(FILMED, lambda: True)
    assert caution_of_list(DRAWN, lambda: True) == caution_of_list(FILMED, lambda: False) == ""
    assert caution_of_list(Card("GSM", "unknown"), never) == ""
    assert "random weights" in caution_of_list(Card("GSM"), never)


def test_a_card_keeps_what_it_was_trained_on_and_refuses_what_is_no_kind_of_clip():
    assert Card.from_values(json.loads(FILMED.to_json())).domain == "filmed"
    assert "domain" not in json.loads(Card("GSM").to_json())
    with pytest.raises(ValueError, match="domain 'painted'"):
        Card.from_values({"title": "GSM", "domain": "painted"})
