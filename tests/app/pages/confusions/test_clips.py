"""A clip of the Confusions page opens on other pages."""

import streamlit as st
from streamlit.testing.v1 import AppTest

from app.pages.confusions import clips
from app.queries.clip_films import Film


def page() -> None:
    from types import SimpleNamespace

    import numpy as np
    import streamlit as st

    from app.pages.confusions.clips import look_at

    st.session_state["pages"] = {
        name: SimpleNamespace(title=name.upper(), icon=f":material/{icon}:")
        for name, icon in (("compare", "star"), ("gates", "moving"), ("gradcam", "visibility"))
    }
    look_at([SimpleNamespace(ids=("a", "b"))], np.array([1]), "matrix")


def test_a_link_bears_the_icon_of_the_page_that_it_opens(monkeypatch):
    monkeypatch.setattr(clips, "can_be_seen", lambda clip: True)
    monkeypatch.setattr(clips, "film_of", lambda models, row: Film(b"", ""))
    monkeypatch.setattr(st, "video", lambda *of, **options: None)
    test = AppTest.from_function(page, default_timeout=60).run()
    assert not test.exception
    assert {one.label: one.proto.icon for one in test.button} == {
        "Open it in COMPARE": ":material/star:",
        "Open it in GATES": ":material/moving:",
        "Open it in GRADCAM": ":material/visibility:",
    }
