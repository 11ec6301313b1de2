"""The frame around a page: what goes wrong on it is said in words."""

import gc
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.shell import layout

ROOT = Path(__file__).resolve().parents[3]


def page_that_fails(message: str) -> None:
    import streamlit as st

    from app.pages import order
    from app.shell.layout import shower

    def show(choices) -> None:
        raise RuntimeError(message)

    st.session_state["choices"], whole = None, order.show
    order.show = show
    try:
        shower("order")()
    finally:
        order.show = whole


@pytest.mark.parametrize(
    "message",
    ["CUDA out of memory. Tried to allocate 2 GiB", "DefaultCPUAllocator: can't allocate memory"],
)
def test_a_full_memory_is_said_with_what_to_do(message):
    shown = AppTest.from_function(page_that_fails, args=(message,)).run(timeout=60)
    assert not shown.exception
    assert "memory" in shown.error[0].value and "is full" in shown.error[0].value
    assert "Choose fewer frames" in shown.markdown[0].value


def test_another_fault_of_the_program_is_not_hidden():
    shown = AppTest.from_function(page_that_fails, args=("shapes do not fit",)).run(timeout=60)
    assert shown.exception and not shown.error


def test_memory_is_looked_through_once_in_a_while_and_not_after_every_run(monkeypatch):
    looks = []
    shown = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=120).run()
    monkeypatch.setattr(gc, "collect", lambda *generation: looks.append(generation) or 0)
    layout._collect_garbage.clear()
    for _ in range(3):
        shown.run()
    assert not shown.exception
    assert len(looks) == 1


def page_of_an_address() -> None:
    import streamlit as st

    from app.shell import layout

    layout._tell_not_here("folding", st.session_state["models"])


def test_what_an_address_names_in_vain_is_told_until_something_else_is_chosen():
    test = AppTest.from_function(page_of_an_address)
    test.session_state["models"] = ["gsm"]
    test.session_state["not_here"] = [f"model “<{name}>”" for name in "abcde"], None
    for _ in range(2):
        test.run(timeout=60)
        [told] = [one.value for one in test.warning]
        assert "model “&lt;a&gt;”" in told and "and 2 more" in told and "&lt;d" not in told
    test.session_state["models"] = ["tsn"]
    assert not test.run(timeout=60).warning and not test.run(timeout=60).warning
