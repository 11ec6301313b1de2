"""The Models page offers what came with the project and cannot be chosen yet."""

from streamlit.testing.v1 import AppTest

from gsm_model.bundled import randomised_checkpoints


def offers() -> None:
    import streamlit as st

    from app.pages.models.page import _offer_randomised
    from app.shell import session

    st.session_state.setdefault("models", ["gsm"])
    _offer_randomised(session.models())


def test_the_models_of_randomised_clips_are_one_click_away_until_they_can_be_chosen():
    shown = AppTest.from_function(offers, default_timeout=60).run()
    shown.button[0].click().run()
    assert not shown.exception
    offered = [path.stem for path in randomised_checkpoints().values()]
    assert offered == ["gsm-motions", "tsm-motions", "tsn-motions"]
    assert shown.session_state["choose_models"] == ["gsm", *offered]
    assert list(shown.session_state["loaded_models"]) == offered
    assert not shown.button
