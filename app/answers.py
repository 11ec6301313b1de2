"""Models' answers to labelled clips, as the Confusions page has them: the files to choose from, and the caches of what is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st

from app.session import digest
from app.uploads import Upload
from gsm_model.confusion.answers import Answers, Joined, read_answers
from gsm_model.confusion.calibration import Reliability, reliability
from gsm_model.confusion.embedding import Embedding, Method, embed
from gsm_model.confusion.pairs import Pair
from gsm_model.confusion.significance import Comparison, compare
from gsm_model.figures.confusion import pairs_figure
from gsm_model.figures.presets import PRESETS
from gsm_model.figures.style import figure_bytes
from gsm_model.shipped import prediction_files


@dataclass(frozen=True)
class AnswersRef:
    """A file of a model's answers a session can choose: ``key`` for links, the file, what it is called."""

    key: str
    path: Path
    sha256: str
    name: str

    @property
    def needs_labels(self) -> bool:
        """Whether the kind of file may lack class names."""
        return self.path.suffix in (".npz", ".csv", ".json")


@dataclass(frozen=True)
class Beside:
    """What came with files of answers that do not say it: class names, and the list with the true classes of a submission."""

    labels: tuple[str, ...] | None = None
    truth: Upload | None = None


def answers_files() -> dict[str, AnswersRef]:
    """The files of answers this session can choose: the shipped models' on the test split, then those it dropped."""
    shipped = [path for path in prediction_files() if path.stem.endswith("_test_forward")]
    refs = {path.stem.split("_")[0]: AnswersRef(path.stem.split("_")[0], path, digest(path), path.name) for path in shipped}
    mine: dict[str, Upload] = st.session_state.setdefault("uploaded_answers", {})
    return refs | {key: AnswersRef(key, upload.path, upload.sha256, upload.name) for key, upload in mine.items()}


@st.cache_data(show_spinner="Reading the answers …", max_size="512MB")
def _answers(digest: str, labels: tuple[str, ...] | None, truth: str | None, name: str, _path: Path, _truth: Upload | None) -> Answers:
    # By name too: some answers bear their file's name, and nobody is shown another's.
    listed = (None, None) if _truth is None else (_truth.path, _truth.name)
    return read_answers(_path, labels, listed[0], name, listed[1])


def answers_file(file: AnswersRef, beside: Beside) -> Answers:
    """The answers in ``file``, read once for each content and name.

    Raises:
        LensError: if it holds none, or they do not fit together.
    """
    labels = beside.labels if file.needs_labels else None
    truth = beside.truth if file.path.suffix == ".json" else None
    return _answers(file.sha256, labels, truth and f"{truth.sha256} {truth.name}", file.name, file.path, truth)


def _told_apart(models: Sequence[Answers]) -> tuple[str, ...]:
    """What tells these answers from others: their files, which decide what clips they share, and all that is shown of them."""
    return tuple(repr((model.sha256, model.model, model.data, model.labels)) for model in models)


@st.cache_data(show_spinner="Comparing …", max_entries=64)
def _comparisons(digests: tuple[str, ...], groups: str, _joined: Joined, _groups: Mapping[str, np.ndarray]) -> list[Comparison]:
    return compare(_joined, _groups)


def comparisons(joined: Joined, groups: Mapping[str, np.ndarray]) -> list[Comparison]:
    """Two models compared on all clips and on each of ``groups``; computed once for each pair of files and groups."""
    content = repr([(name, np.packbits(mask).tobytes()) for name, mask in groups.items()])
    return _comparisons(_told_apart((joined.a, joined.b)), content, joined, groups)


@st.cache_data(show_spinner=False, max_entries=64)
def _reliabilities(digests: tuple[str, ...], _models: list[Answers]) -> list[Reliability]:
    return [reliability(model) for model in _models if model.scores is not None]


def reliabilities(models: list[Answers]) -> list[Reliability]:
    """The calibration of those of ``models`` that have scores; computed once for these files together."""
    return _reliabilities(_told_apart(models), models)


@st.cache_data(show_spinner="Laying the scores out in a plane …", max_entries=32)
def _embedded(digests: tuple[str, ...], method: Method, _models: list[Answers]) -> list[Embedding]:
    return [embed(model, method) for model in _models]


def embeddings(models: list[Answers], method: Method) -> list[Embedding]:
    """The scores of ``models`` as points; computed once for these files together.

    Raises:
        LensError: if they have no scores or too few clips.
    """
    return _embedded(_told_apart(models), method, models)


@st.cache_data(show_spinner="Drawing the figure …", max_size="128MB")
def _figure(digests: tuple[str, ...], pairs: tuple[Pair, ...], preset: str, italics: bool, _models: list[Answers]) -> bytes:
    return figure_bytes(pairs_figure(_models, pairs, replace(PRESETS[preset], italics=italics)), "png", 200)


def confusion_figure(models: list[Answers], pairs: list[Pair], preset: str, italics: bool) -> bytes:
    """The figure of pairs as it prints, PNG; drawn once."""
    return _figure(_told_apart(models), tuple(pairs), preset, italics, models)
