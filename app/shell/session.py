"""Who is here and what can be chosen: the settings, the device, the clips and the models of this
session.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
import torch

from app.cache import store
from app.shell.published import downloads
from app.shell.settings import Settings, read_settings
from app.shell.uploads import Upload, UploadStore
from gsm_model.bundled import (
    bundled_checkpoints,
    randomised_checkpoints,
    sample_clips,
    system_checkpoints,
)
from gsm_model.errors import CheckpointError, LensError
from gsm_model.io.hashing import sha256
from gsm_model.models.checkpoints.files import load_checkpoint
from gsm_model.models.inference.optimize import optimize
from gsm_model.models.published.catalogue import Published, find
from gsm_model.models.published.fetch import fetch_published
from gsm_model.models.published.load import read_published
from gsm_model.models.recognizer import Recognizer, best_device
from gsm_model.video.isolate import keep_a_decoder_ready

STARTED = time.monotonic()


@dataclass(frozen=True)
class ModelRef:
    """A model a session can choose: ``key`` for links, the file it is in, where that came from;
    ``private`` if it was uploaded. ``published`` is its name in the catalogue, which then says what
    its classes and its input are; ``labels_file`` the name and the SHA-256 of the label file that
    ``labels`` are from.
    """

    key: str
    path: Path
    sha256: str
    name: str
    origin: str
    labels: tuple[str, ...] | None = None
    num_segments: int | None = None
    private: bool = False
    shift_share: int | None = None
    published: str = ""
    labels_file: tuple[str, str] | None = None

    @property
    def content(self) -> tuple[object, ...]:
        """What decides which network is read; the name too, which may say segments and shifts."""
        return (
            self.sha256,
            self.name,
            self.labels,
            self.num_segments,
            self.shift_share,
            self.published,
        )


@dataclass(frozen=True)
class ClipRef:
    """A clip a session can choose: ``key`` for links, the file, what it is called, what it is known
    to show; ``private`` if it was uploaded.
    """

    key: str
    path: Path
    sha256: str
    name: str
    label: str | None = None
    private: bool = False


@dataclass(frozen=True)
class UserSession:
    """One session: its uploads, and the name under which what comes of them is kept until it
    ends.
    """

    name: str
    uploads: UploadStore

    def end(self) -> None:
        """Delete all that is this session's alone."""
        self.uploads.close()
        downloads().forget(self.name)
        store.forget(self.name)
        _here.discard(self.name)


_here: set[str] = set()


def user_sessions() -> int:
    """How many sessions there are."""
    return len(_here)


@dataclass(frozen=True)
class Loaded:
    """A model in memory: as its file says, and the copy for quick passes."""

    plain: Recognizer
    fast: Recognizer

    def size(self) -> int:
        """About how many bytes both take; the copy's weights are there twice, once laid out for the
        processor.
        """
        return 3 * sum(parameter.nbytes for parameter in self.plain.parameters())


@st.cache_resource
def settings() -> Settings:
    return read_settings()


@st.cache_resource
def device() -> torch.device:
    return best_device()


@st.cache_resource(show_spinner=False)
def ready_decoder() -> None:
    """Have a process stand ready for the first clip that is dropped."""
    keep_a_decoder_ready()


@st.cache_resource(scope="session", on_release=UserSession.end)
def user_session() -> UserSession:
    limits, name = settings(), secrets.token_hex(8)
    _here.add(name)
    return UserSession(
        name, UploadStore(limits.session_megabytes * 2**20, limits.total_megabytes * 2**20)
    )


def uploads() -> UploadStore:
    """This session's uploaded files."""
    return user_session().uploads


def owner(*refs: ModelRef | ClipRef) -> str | None:
    """Whose what comes of ``refs`` is: this session's if one of them was uploaded, else
    everybody's.
    """
    return user_session().name if any(ref.private for ref in refs) else None


@st.cache_data(max_entries=256)
def _digest(path: Path, modified: float) -> str:
    return sha256(path)


def digest(path: Path) -> str:
    """The SHA-256 of a file of the operator's, read once for each time it changes."""
    return _digest(path, path.stat().st_mtime)


def clips() -> dict[str, ClipRef]:
    """The clips this session can choose, its uploads first."""
    mine: dict[str, Upload] = st.session_state.setdefault("uploaded_clips", {})
    refs = {
        key: ClipRef(key, upload.path, upload.sha256, upload.name, private=True)
        for key, upload in reversed(mine.items())
    }
    for clip in sample_clips().values():
        if clip.path.is_file():
            refs[clip.name] = ClipRef(
                clip.name, clip.path, digest(clip.path), f"Sample: {clip.label}", clip.label
            )
    return refs


def choose_clip(upload: Upload) -> None:
    """Offer ``upload`` to this session as a clip; the next run has it chosen."""
    key = f"upload-{upload.sha256[:8]}"
    st.session_state.setdefault("uploaded_clips", {})[key] = upload
    st.session_state["choose_clip"] = key


def models() -> dict[str, ModelRef]:
    """The models this session can choose: the bundled ones, then those it loaded."""
    refs = {}
    try:
        for key, path in bundled_checkpoints().items():
            refs[key] = ModelRef(key, path, digest(path), path.name, "comes with the project")
    except (LensError, FileNotFoundError):
        pass  # there is none, or it went away just now: pages say what to do without
    return refs | st.session_state.setdefault("loaded_models", {})


def offer_systems(keys: Iterable[str]) -> None:
    """Offer those of ``keys`` that are systems trained alike, or models of randomised clips, to
    this session, without loading them: there are too many to offer all.
    """
    alike = "trained alike with the other systems, comes with the project"
    randomised = "trained on randomised clips, comes with the project"
    found = {key: (path, alike) for key, path in system_checkpoints().items()}
    found |= {path.stem: (path, randomised) for path in randomised_checkpoints().values()}
    mine = st.session_state.setdefault("loaded_models", {})
    for key in keys:
        if key in found and key not in mine:
            path, origin = found[key]
            mine[key] = ModelRef(key, path, digest(path), path.name, origin)


def randomised_successor(key: str) -> str | None:
    """The key of the model of randomised clips to ask in place of the model ``key``: what came of a
    bundled model, the GSM for a system trained alike; ``None`` where there is none.
    """
    path = randomised_checkpoints().get("gsm" if key in system_checkpoints() else key)
    return None if path is None else path.stem


def add_model(ref: ModelRef) -> Recognizer:
    """Load a model and offer it to this session; the next choice of models includes it.

    A file that can be chosen already is not offered twice.

    Raises:
        LensError: if it cannot be loaded.
    """
    model = load_model(ref)
    same = (other for other in models().values() if other.content == ref.content)
    ref = next(same, ref)
    if ref.key not in models():
        st.session_state.setdefault("loaded_models", {})[ref.key] = ref
    chosen = list(st.session_state.get("models", []))
    st.session_state["choose_models"] = [*chosen, ref.key] if ref.key not in chosen else chosen
    return model


def add_published(one: Published) -> Recognizer:
    """`add_model` for a published model whose file is here.

    Raises:
        LensError: if it is not the file that was published, or cannot be loaded.
    """
    path = fetch_published(one.name)
    origin = f"published by {one.publisher}"
    return add_model(ModelRef(one.name, path, digest(path), one.file, origin, published=one.name))


def load_model(ref: ModelRef) -> Recognizer:
    """The model of ``ref`` as its file says, in memory once for all sessions.

    Raises:
        LensError: if the file is no checkpoint that fits.
    """
    return _loaded(ref).plain


def fast_model(ref: ModelRef) -> Recognizer:
    """The copy of ``ref``'s model for passes without gradients, in the precision of the settings.

    Raises:
        LensError: if the file is no checkpoint that fits.
    """
    return _loaded(ref).fast


def _read(ref: ModelRef) -> Recognizer:
    if ref.published:
        return read_published(find(ref.published), ref.path, device())
    return load_checkpoint(
        ref.path, ref.num_segments, ref.labels, device(), ref.name, ref.shift_share
    )


def _loaded(ref: ModelRef) -> Loaded:
    def load() -> Loaded:
        model = _read(ref)
        if model.card.sha256 != ref.sha256:
            raise CheckpointError(
                f"{ref.name}: the file was changed since it was chosen; reload the page and choose"
                " it again"
            )
        return Loaded(model, optimize(model, settings().precision))

    return store.keep(
        "models",
        ref.content,
        load,
        size=Loaded.size,
        doing="Loading the model …",
    )
