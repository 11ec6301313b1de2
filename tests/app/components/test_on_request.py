"""A costly look: asked for with a button, which goes once its result is there."""

from streamlit.testing.v1 import AppTest


def section(fails: bool = False) -> None:
    from types import SimpleNamespace

    import streamlit as st

    from app.components.on_request import CostlyLook, on_request
    from gsm_model.errors import DataError

    kept = st.session_state.setdefault("kept", {})

    def compute(ref, name, progress):
        if fails:
            raise DataError("no clips")
        if progress is not None:
            progress(1, 2)
        return kept.setdefault(ref.key, f"{name} looked at")

    choices = SimpleNamespace(names={"gsm": "GSM"})
    look = CostlyLook(
        *("looks", "Look", ":material/search:", lambda ref: ref.key in kept, compute),
        lambda: "about 2 forward passes",
        "Choose another model.",
    )
    for line in on_request(choices, [SimpleNamespace(key="gsm")], look):
        st.markdown(line)


def test_button_and_cost_go_once_the_result_is_there():
    shown = AppTest.from_function(section, default_timeout=60).run()
    assert [one.value for one in shown.caption] == ["about 2 forward passes"]
    assert not shown.markdown
    for _ in range(2):  # in the run that computes, and in the next
        if shown.button:
            shown.button[0].click()
        shown.run()
        assert [one.value for one in shown.markdown] == ["GSM looked at"]
        assert not shown.button and not shown.caption and not shown.exception


def test_where_it_fails_the_button_stays_with_the_reason():
    shown = AppTest.from_function(section, default_timeout=60, args=(True,)).run()
    shown.button[0].click().run()
    assert "no clips" in shown.error[0].value and shown.button[0].label == "Look"
    assert shown.markdown[-1].value == "Choose another model."
