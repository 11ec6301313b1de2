"""What the pages show of a network that answers once per clip, and what they say they cannot."""

from dataclasses import replace

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from app.cache import store
from app.cache.lru import OnceCache
from app.pages.order import page as order_page
from app.shell import session
from tests.video_network import halving_network

ONCE = "answers once per clip"


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """The network in place of a file; no links, no bundled tables."""
    found = {kind: OnceCache(2**30) for kind in store.MEGABYTES}
    monkeypatch.setattr(store, "caches", lambda: found)
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", list)
    monkeypatch.setattr(st, "page_link", lambda *of, **options: None)
    for name in ("_show_data_set", "show_report_card"):
        monkeypatch.setattr(order_page, name, lambda *of: None)
    model = halving_network()
    model.card = replace(model.card, sha256="0" * 64)
    monkeypatch.setattr(session, "_read", lambda ref: model)


def page(module: str) -> None:
    from importlib import import_module
    from pathlib import Path

    import streamlit as st

    from app.shell import session
    from app.shell.layout import Choices

    ref = session.ModelRef("h", Path("h.pth"), "0" * 64, "h.pth", "here")
    st.session_state["loaded_models"] = {"h": ref}
    st.session_state["pages"] = dict.fromkeys(("compare", "gates", "gradcam", "models"), "")
    choices = Choices(session.clips()["folding"], (ref,), {"h": "Halving"}, None)
    import_module(f"app.pages.{module}.page").show(choices)


def shown(module: str) -> AppTest:
    test = AppTest.from_function(page, args=(module,), default_timeout=60).run()
    assert not test.exception and not test.error
    return test


def text_of(test: AppTest) -> str:
    return "\n".join(one.value for one in (*test.markdown, *test.caption))


def charts_of(test: AppTest) -> int:
    return len(test.get("plotly_chart"))


def test_gates_says_that_there_are_none_and_shows_nothing_else():
    test = shown("gates")
    assert f"Halving convolves over time throughout and {ONCE}: no layer" in text_of(test)
    assert not charts_of(test) and not test.button and not test.selectbox


def test_compare_has_its_answer_and_no_scores_of_frames():
    test = shown("compare")
    assert f"Halving {ONCE}: no frame has scores of its own" in text_of(test)
    assert charts_of(test) == 1  # the probabilities


def test_order_compares_orders_and_says_what_it_leaves_out():
    test = shown("order")
    assert "Sensitivity to swapped frames" in text_of(test)
    assert f"Where information crosses time: Halving convolves over time throughout and {ONCE}" in (
        text_of(test)
    )
    assert charts_of(test) == 2  # the orders, and the swaps


def test_grad_cam_says_between_how_many_time_steps_its_maps_lie():
    test = shown("gradcam")
    assert "holds 2 time steps of 8 frames" in text_of(test)
    assert not [one for one in test.button if "gates" in one.label]
