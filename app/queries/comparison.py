"""Models' answers to labelled clips, as the Confusions page has them: the files to choose from, and
the caches of what is made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import streamlit as st

from app.cache.store import keep
from app.shell.session import digest, user_session
from app.shell.uploads import Upload
from gsm_model.bundled import prediction_files
from gsm_model.confusion.calibration import Reliability, reliability
from gsm_model.confusion.embedding import Embedding, Method, Of, embed
from gsm_model.confusion.label_errors import LabelErrors, find_label_errors
from gsm_model.confusion.pairs import Pair
from gsm_model.confusion.significance import Comparison, compare
from gsm_model.confusion.slices import (
    SliceResult,
    measure_slices,
    read_properties,
    with_properties,
)
from gsm_model.figures.confusion import pairs_figure
from gsm_model.figures.presets import PRESETS, PresetName
from gsm_model.figures.style import figure_bytes
from gsm_model.io.names import short_names
from gsm_model.predictions.join import PairedPredictions
from gsm_model.predictions.read import read_predictions
from gsm_model.predictions.table import Predictions

Result = TypeVar("Result")


@dataclass(frozen=True)
class PredictionsRef:
    """A file of a model's answers a session can choose: ``key`` for links, the file, what it is
    called; ``private`` if it was dropped.
    """

    key: str
    path: Path
    sha256: str
    name: str
    private: bool = False

    @property
    def needs_labels(self) -> bool:
        """Whether the kind of file may lack class names."""
        return self.path.suffix != ".parquet"


@dataclass(frozen=True)
class Beside:
    """What came with files of answers that do not say it: class names and the file they are from,
    the list with the true classes of a submission, the encoding of text, if a person chose it, and
    properties of the clips.
    """

    labels: tuple[str, ...] | None = None
    truth: Upload | None = None
    encoding: str | None = None
    labels_file: Upload | None = None
    properties: Upload | None = None

    def of(self, files: Sequence[PredictionsRef]) -> Beside:
        """What of it ``files`` are read with."""
        suffixes = {file.path.suffix for file in files}
        return Beside(
            self.labels if any(file.needs_labels for file in files) else None,
            self.truth if ".json" in suffixes else None,
            self.encoding if suffixes & TEXT else None,
            self.labels_file if any(file.needs_labels for file in files) else None,
        )


NOTHING_BESIDE = Beside()
TEXT = frozenset((".csv", ".tsv", ".txt", ".json", ".jsonl"))


def prediction_refs() -> dict[str, PredictionsRef]:
    """The files of answers this session can choose: the bundled models' on the test split, then
    those it dropped.
    """
    ending = "_test_forward.parquet"
    bundled = [path for path in prediction_files() if path.name.endswith(ending)]
    models = [path.with_name(path.name.removesuffix(ending)) for path in bundled]
    refs = {
        key: PredictionsRef(key, path, digest(path), path.name)
        for key, path in zip(short_names(models), bundled, strict=True)
    }
    mine: dict[str, Upload] = st.session_state.setdefault("uploaded_answers", {})
    return refs | {
        key: PredictionsRef(key, upload.path, upload.sha256, upload.name, private=True)
        for key, upload in mine.items()
    }


def predictions_of(file: PredictionsRef, beside: Beside) -> Predictions:
    """The answers in ``file``, read once for each content and name.

    Raises:
        LensError: if it holds none, or they do not fit together.
    """
    labels = beside.labels if file.needs_labels else None
    truth = beside.truth if file.path.suffix == ".json" else None
    listed = (None, None) if truth is None else (truth.path, truth.name)
    # By name too: some answers bear their file's name, and nobody is shown another's.
    listed_as = truth and (truth.sha256, truth.name)
    key = ("answers", file.sha256, labels, listed_as, file.name, beside.encoding)
    owner = user_session().name if file.private or truth is not None else None
    return keep(
        "tables",
        key,
        lambda: read_predictions(
            file.path, labels, listed[0], file.name, listed[1], beside.encoding
        ),
        owner,
        doing="Reading the answers …",
    )


def _told_apart(models: Sequence[Predictions]) -> tuple[str, ...]:
    """What tells these answers from others: their files, which decide what clips they share, and
    all that is shown of them.
    """
    return tuple(repr((model.sha256, model.model, model.data, model.labels)) for model in models)


def comparisons(paired: PairedPredictions, groups: Mapping[str, np.ndarray]) -> list[Comparison]:
    """Two models compared on all clips and on each of ``groups``; computed once for each pair of
    files and groups.
    """
    content = repr([(name, np.packbits(mask).tobytes()) for name, mask in groups.items()])
    return _once(
        "tables",
        (paired.a, paired.b),
        ("compared", content),
        lambda: compare(paired, groups),
        "Comparing …",
    )


def reliabilities(models: list[Predictions]) -> list[Reliability]:
    """The calibration of those of ``models`` that have scores; computed once for these files
    together.
    """
    return _once(
        "tables",
        models,
        ("reliable",),
        lambda: [reliability(model) for model in models if model.scores is not None],
    )


def embeddings(models: list[Predictions], method: Method, of: Of = "scores") -> list[Embedding]:
    """The scores or features of ``models`` as points; computed once for these files together.

    Raises:
        LensError: if they have none, or too few clips.
    """
    return _once(
        "tables",
        models,
        ("embedded", method, of),
        lambda: [embed(model, method, of=of) for model in models],
        f"Laying the {of} out in a plane …",
    )


def slice_results(
    models: list[Predictions], paired: PairedPredictions | None, properties: Upload | None = None
) -> list[SliceResult]:
    """The models on every slice of their clips, by ``properties`` of a person's own too; computed
    once for these files together.

    Raises:
        LensError: if nothing is known of the clips, or ``properties`` cannot be read.
    """

    def measure() -> list[SliceResult]:
        if properties is None:
            return measure_slices(models, paired)
        own = read_properties(properties.path, models, properties.name)
        return measure_slices(with_properties(models, own), paired)

    key = ("slices", properties and (properties.sha256, properties.name))
    return _once("tables", models, key, measure, "Cutting the clips into slices …", properties)


def label_errors(models: list[Predictions]) -> list[LabelErrors]:
    """The likely label errors by each of ``models``; computed once for these files together.

    Raises:
        LensError: if they have no scores.
    """
    return _once(
        "tables",
        models,
        ("label errors",),
        lambda: [find_label_errors(model) for model in models],
        "Looking for wrong labels …",
    )


def confusion_figure(
    models: list[Predictions], pairs: list[Pair], preset: PresetName, italics: bool
) -> bytes:
    """The figure of pairs as it prints, PNG; drawn once."""

    def draw() -> bytes:
        return figure_bytes(
            pairs_figure(models, pairs, replace(PRESETS[preset], italics=italics)), "png", 200
        )

    return _once("figures", models, (tuple(pairs), preset, italics), draw, "Drawing the figure …")


def _once(
    kind: str,
    models: Sequence[Predictions],
    key: tuple,
    compute: Callable[[], Result],
    doing: str = "",
    own: Upload | None = None,
) -> Result:
    """What is computed of ``models``' answers, once; for this session alone where a file of its
    ``own`` is among them or goes with them.
    """
    bundled = {ref.sha256 for ref in prediction_refs().values() if not ref.private}
    everybodys = own is None and all(model.sha256 in bundled for model in models)
    owner = None if everybodys else user_session().name
    return keep(kind, (*key, _told_apart(models)), compute, owner, doing=doing)
