"""Links: what an address may choose."""

import streamlit as st

from app.shell.permalink import apply_link, not_here, parse

CLIPS, MODELS, FRAMES = ["unfolding", "folding"], ["gsm", "tsn"], ["auto", "8", "16"]


def test_a_link_names_clip_models_order_and_frames():
    query = {"clip": "folding", "models": "tsn,gsm", "order": "reversed", "frames": "16"}
    assert parse(query, CLIPS, MODELS, FRAMES) == {
        "clip": "folding",
        "models": ["tsn", "gsm"],
        "order": "reversed",
        "frames": "16",
    }


def test_what_a_link_names_wrongly_is_left_out():
    query = {
        "clip": "../../etc/passwd",
        "models": "nobody,gsm,gsm",
        "order": "sideways",
        "frames": "-1",
    }
    assert parse(query, CLIPS, MODELS, FRAMES) == {"models": ["gsm"]}
    assert parse({}, CLIPS, MODELS, FRAMES) == {}


def test_what_a_link_names_and_is_not_here_is_told_by_name():
    query = {"clip": "upload 7", "models": f"gsm,nobody,nobody,{'n' * 60}", "frames": "-1"}
    [clip, nobody, cut] = not_here(query, CLIPS, MODELS)
    assert (clip, nobody) == ("clip “upload 7”", "model “nobody”") and len(cut) == 40 + 8
    assert not_here({"clip": "folding", "models": "gsm"}, CLIPS, MODELS) == []
    assert not_here({}, CLIPS, MODELS) == []


def test_a_layer_is_kept_if_it_may_be_one_and_the_other_order_only_where_it_is_asked_for():
    assert parse({"layer": "layer4.1", "beside": "1"}, [], [], []) == {
        "layer": "layer4.1",
        "beside": True,
    }
    assert parse({"layer": "<script>", "beside": "yes"}, [], [], []) == {}


def test_a_link_is_taken_over_once_so_that_a_click_before_the_end_of_the_run_counts(monkeypatch):
    state, query = {}, {"method": "scorecam"}
    monkeypatch.setattr(st, "session_state", state)
    monkeypatch.setattr(st, "query_params", query)
    apply_link([], [], [])
    assert state["method"] == "scorecam"
    state["method"] = "gradcam"  # clicked while the page was still at work
    apply_link([], [], [])
    assert state["method"] == "gradcam"
    query["method"] = "layercam"  # another link was opened, or the way back was taken
    apply_link([], [], [])
    assert state["method"] == "layercam"
