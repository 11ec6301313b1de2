"""A filmed clip and a model that has only seen drawn ones: every page says so above its answer."""

from dataclasses import replace

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from app.cache import store
from app.cache.lru import OnceCache
from app.pages.order import page as order_page
from app.shell import session
from tests.videos import constant_rate

SAID = "Small has only seen drawn clips, and this clip counts as filmed"


@pytest.fixture(autouse=True)
def here(monkeypatch, drawn_model):
    """The model in place of a file; no links, no bundled tables."""
    found = {kind: OnceCache(2**30) for kind in store.MEGABYTES}
    monkeypatch.setattr(store, "caches", lambda: found)
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", list)
    monkeypatch.setattr(st, "page_link", lambda *of, **options: None)
    for name in ("_show_data_set", "show_report_card"):
        monkeypatch.setattr(order_page, name, lambda *of: None)
    drawn_model.card = replace(drawn_model.card, domain="drawn", sha256="0" * 64)
    monkeypatch.setattr(session, "_read", lambda ref: drawn_model)


def page(module: str, clip: str) -> None:
    from importlib import import_module
    from pathlib import Path

    import streamlit as st

    from app.shell import session
    from app.shell.layout import Choices

    ref = session.ModelRef("s", Path("s.pth"), "0" * 64, "s.pth", "here")
    st.session_state["loaded_models"] = {"s": ref}
    st.session_state["models"] = ["s"]
    st.session_state["pages"] = dict.fromkeys(("compare", "gates", "gradcam", "models"), "")
    filmed = session.ClipRef("mine", Path(clip), "1" * 64, "mine.mp4")
    import_module(f"app.pages.{module}.page").show(Choices(filmed, (ref,), {"s": "Small"}, None))


@pytest.mark.parametrize("module", ["compare", "order", "gates", "gradcam"])
def test_every_page_says_so_above_its_answer(module, tmp_path, moving_bar):
    clip = constant_rate(tmp_path / "mine.mp4", moving_bar)
    test = AppTest.from_function(page, args=(module, str(clip)), default_timeout=120).run()
    assert not test.exception and not test.error
    assert [one.value for one in test.warning if one.value.startswith(SAID)]
