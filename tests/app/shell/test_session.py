"""Models of a session: a file that is changed or goes away while it is chosen is said, and never
another model in its place.
"""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from app.cache import store
from app.cache.lru import OnceCache
from app.shell import session
from gsm_model.errors import CheckpointError
from gsm_model.io.hashing import sha256
from gsm_model.models.checkpoints.files import save_checkpoint
from tests.conftest import make_small


@pytest.fixture
def chosen(tmp_path, monkeypatch) -> session.ModelRef:
    caches = {kind: OnceCache(2**30) for kind in store.MEGABYTES}
    monkeypatch.setattr(store, "caches", lambda: caches)
    path = tmp_path / "model.safetensors"
    save_checkpoint(make_small("gsm"), path)
    return session.ModelRef("m", path, sha256(path), path.name, "from this server's folder")


def test_a_model_is_loaded_once_with_its_copy_for_quick_passes(chosen: session.ModelRef):
    model = session.load_model(chosen)
    assert (
        session.load_model(chosen) is model
        and session.fast_model(chosen).precision == "float32"
        and model.precision is None
    )


def test_a_file_replaced_since_it_was_chosen_is_said(chosen: session.ModelRef):
    save_checkpoint(make_small("gsm", seed=1), chosen.path)
    with pytest.raises(
        CheckpointError, match=r"model\.safetensors: the file was changed since it was chosen"
    ):
        session.load_model(chosen)


def test_a_file_deleted_after_loading_costs_nothing_and_before_it_is_said(chosen: session.ModelRef):
    session.load_model(chosen)
    Path(chosen.path).unlink()
    assert session.load_model(chosen).architecture.num_classes == 5
    store.caches()["models"].get(
        "other", lambda: b"", lambda _: 2**31
    )  # no room for the first any more
    with pytest.raises(CheckpointError, match="there is no such file"):
        session.load_model(chosen)


def test_one_file_under_another_name_or_with_another_share_is_another_network(
    chosen: session.ModelRef, tmp_path
):
    """How many channels a TSM shifts is in no weight: the name says it, or a person does."""
    path = tmp_path / "random name"
    state = {
        key.replace("conv1.", "conv1.net.") if "layer" in key else key: value
        for key, value in make_small("tsm").state_dict().items()
    }
    torch.save({"state_dict": state}, path)
    refs = [
        replace(chosen, path=path, sha256=sha256(path), name=name, shift_share=share)
        for name, share in (("tsm.ckpt", None), ("tsm_shift4.ckpt", None), ("tsm.ckpt", 2))
    ]
    shifts = [session.load_model(ref).architecture.shift for ref in refs]
    assert [shift and shift.share for shift in shifts] == [None, 4, 2]
    assert "after 'shift4' in its name" in session.load_model(refs[1]).card.reading


def offers() -> None:
    import streamlit as st

    from app.shell import session

    session.offer_systems(["gsf-seed0", "../models/gsm_resnet18", "nobody", "gsf-seed0"])
    st.session_state["offered"] = session.models()


def test_a_link_offers_a_system_trained_alike_without_loading_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GATE_SHIFT_LENS_ASSETS", str(tmp_path))
    (tmp_path / "systems").mkdir()
    for name in ("gsf-seed0", "tsm-seed0"):
        (tmp_path / "systems" / f"{name}.safetensors").write_bytes(b"no checkpoint")
    shown = AppTest.from_function(offers, default_timeout=60).run()
    assert not shown.exception
    [ref] = shown.session_state["offered"].values()
    assert ref.key == "gsf-seed0" and ref.path == tmp_path / "systems" / "gsf-seed0.safetensors"
    assert ref.sha256 == sha256(ref.path) and not ref.private


def warns() -> None:
    import streamlit as st

    from app.shell import layout, session
    from gsm_model.models.caution import Caution

    st.session_state.setdefault("models", ["gsm", "mine"])
    st.session_state["pages"] = {"models": st.Page(lambda: None, title="Models")}
    layout.link_to = lambda *_: None
    layout.heading("Which?", "This.", [Caution("drawn", "GSM", "")])
    st.session_state["offered"] = session.models()


def test_a_link_to_a_model_of_randomised_clips_offers_it(monkeypatch):
    monkeypatch.setattr(session.st, "session_state", state := {})
    session.offer_systems(["gsm-motions", "nobody-motions"])
    assert list(state["loaded_models"]) == ["gsm-motions"]
    ref = state["loaded_models"]["gsm-motions"]
    assert ref.path.is_file() and "randomised clips" in ref.origin


def test_where_a_drawn_model_meets_film_its_successor_is_one_click_away(tmp_path, monkeypatch):
    monkeypatch.setenv("GATE_SHIFT_LENS_ASSETS", str(tmp_path))
    assert (
        not AppTest.from_function(warns, default_timeout=60).run().button
    )  # there is none: no button
    folder = tmp_path / "models" / "randomised"
    folder.mkdir(parents=True)
    (folder / "gsm-randomised.safetensors").write_bytes(b"no checkpoint")
    shown = AppTest.from_function(warns, default_timeout=60).run()
    assert not shown.exception
    shown.button[0].click().run()
    assert shown.session_state["choose_models"] == ["gsm-randomised", "mine"]
    ref = shown.session_state["offered"]["gsm-randomised"]
    assert ref.path == folder / "gsm-randomised.safetensors" and not ref.private
    shown.session_state["models"] = ["gsm", "mine", "gsm-randomised"]
    shown.run()
    shown.button[0].click().run()
    assert shown.session_state["choose_models"] == ["gsm-randomised", "mine"]


def test_in_place_of_a_system_trained_alike_the_gsm_of_randomised_clips_is_asked(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("GATE_SHIFT_LENS_ASSETS", str(tmp_path))
    for folder, name in (("models/randomised", "gsm-motions"), ("systems", "csn-seed0")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"{name}.safetensors").write_bytes(b"no checkpoint")
    shown = AppTest.from_function(warns, default_timeout=60)
    shown.session_state["models"] = ["csn-seed0", "mine"]
    shown.run()
    assert "gsm-motions" not in shown.session_state["offered"], "nobody asked for it yet"
    shown.button[0].click().run()
    assert shown.session_state["choose_models"] == ["gsm-motions", "mine"]
    assert "gsm-motions" in shown.session_state["offered"]
