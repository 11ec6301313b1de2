"""What a person takes away from a page: tables, and the command that gives the same again."""

from __future__ import annotations

import hashlib
import io
import shlex
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from app.components.panels import PanelView
from app.queries.cams import Question
from app.queries.clip_results import SHUFFLE_SEED
from app.queries.comparison import NOTHING_BESIDE, PredictionsRef
from app.queries.comparison import Beside as FilesBeside
from app.shell.session import ClipRef, ModelRef
from gsm_model.confusion.embedding import FEWEST_CLIPS
from gsm_model.confusion.significance import Comparison
from gsm_model.errors import FontError
from gsm_model.explain.cam.report import CamReport
from gsm_model.explain.gates.report import GateReport
from gsm_model.exports.cam import CamFileOptions, cam_files
from gsm_model.exports.confusion import confusion_files, more_figures, significance_files
from gsm_model.exports.gates import GateFileOptions, gate_files
from gsm_model.exports.provenance import (
    Beside,
    Input,
    Recipe,
    caution_of_tables,
    confusions_recipe,
    explain_recipe,
    portable,
)
from gsm_model.figures.presets import PRESETS, PresetName, Width
from gsm_model.io.tables import csv_text
from gsm_model.predict import Prediction
from gsm_model.predictions.join import PairedPredictions
from gsm_model.predictions.table import Predictions

PAIRS_FILE, GROUPS_FILE = "pairs.csv", "groups.txt"


def answers_csv(predictions: list[Prediction]) -> str:
    """One row a model and class; the model by title and file hash."""
    return csv_text(
        [
            {
                "model": prediction.card.name,
                "sha256": prediction.card.sha256,
                "order": prediction.order,
                "frames": " ".join(map(str, prediction.frame_indices)),
                "index": index,
                "label": label,
                "probability": probability,
                "domain": prediction.card.domain,
                "caution": "" if prediction.caution is None else prediction.caution.text,
            }
            for prediction in predictions
            for index, label, probability in prediction.top(len(prediction.logits))
        ]
    )


def predict_command(
    clip: ClipRef,
    models: Sequence[ModelRef],
    segments: int | None,
    order: str,
    top: int,
    one_view: bool = False,
) -> str:
    """The same answers from a terminal in the project's folder; ``one_view``: of one clip, whatever
    the models' own protocol is.
    """
    views = " --views 1" if one_view else ""
    return f"{_command('predict', clip, models, segments)} --order {order} --top {top}{views}"


def order_command(clip: ClipRef, models: Sequence[ModelRef], segments: int | None) -> str:
    """The same order analysis from a terminal in the project's folder."""
    return f"{_command('order', clip, models, segments)} --csv order.csv"


def _command(name: str, clip: ClipRef, models: Sequence[ModelRef], segments: int | None) -> str:
    parts = [f"python -m gsm_model {name}", shlex.quote(portable(clip.path, clip.name))]
    parts += [f"--checkpoint {shlex.quote(portable(ref.path, ref.name))}" for ref in models]
    options = {"segments": _segments(segments, models), **_beside(models).options()}
    parts += [f"--{name} {shlex.quote(str(value))}" for name, value in options.items() if value]
    return " ".join(parts)


def _segments(segments: int | None, models: Sequence[ModelRef]) -> int | None:
    """How many frames a command has to be told: what is chosen on the page, else what was said of
    all models when they were loaded.
    """
    said = {ref.num_segments for ref in models}
    return segments or (said.pop() if len(said) == 1 else None)


def _beside(models: Sequence[ModelRef]) -> Beside:
    """What was said of models when they were loaded; of several the first."""
    labels = next((ref.labels_file for ref in models if ref.labels_file), None)
    share = next((ref.shift_share for ref in models if ref.shift_share), None)
    return Beside(None if labels is None else Input(*labels), share)


def _input(ref: ClipRef | ModelRef | PredictionsRef) -> Input:
    """A file that was chosen on a page, as recipes have it."""
    return Input.of(ref.path, ref.sha256, ref.name)


def gates_command(
    clip: ClipRef, ref: ModelRef, seen: PanelView[GateReport], segments: int | None, width: Width
) -> str:
    """The same files of one model's gates from a terminal in the project's folder."""
    return _gates_recipe(clip, ref, seen, segments, width).command


def _gates_recipe(
    clip: ClipRef, ref: ModelRef, seen: PanelView[GateReport], segments: int | None, width: Width
) -> Recipe:
    order, options = seen.report.prediction.order, {"width": width}
    return explain_recipe(
        *("gates", _input(clip), [_input(ref)], order, SHUFFLE_SEED),
        *(_segments(segments, [ref]), options, "gates", _beside([ref])),
    )


def gates_zip(
    clip: ClipRef,
    ref: ModelRef,
    seen: PanelView[GateReport],
    seconds: float,
    segments: int | None,
    width: Width,
) -> bytes:
    """All files of one model's gates, packed."""
    recipe, options = _gates_recipe(clip, ref, seen, segments, width), GateFileOptions(width=width)
    return packed(gate_files(seen.report, clip.name, seen.frames, seconds, options, recipe))


@dataclass(frozen=True)
class CamExport:
    """What is chosen on the Grad-CAM page: the ``models``, the ``question`` put to them, the
    ``layer`` shown, how maps are shown.
    """

    clip: ClipRef
    models: tuple[ModelRef, ...]
    segments: int | None
    question: Question
    layer: str
    options: CamFileOptions

    def recipe(self) -> Recipe:
        """How the same files are made."""
        target = self.question.target
        options = {
            "target": None if target is None else target.index,
            "versus": None if target is None else target.versus,
            "method": self.question.method,
            "layer": self.layer,
            **{
                name: getattr(self.options, name)
                for name in ("normalise", "signed", "width", "opacity")
            },
        }
        return explain_recipe(
            "gradcam",
            _input(self.clip),
            [_input(ref) for ref in self.models],
            self.question.order,
            SHUFFLE_SEED,
            _segments(self.segments, self.models),
            options,
            "gradcam",
            _beside(self.models),
        )

    def command(self) -> str:
        """The same files from a terminal in the project's folder."""
        return self.recipe().command

    def zip(
        self, reports: Sequence[CamReport], seen: Sequence[np.ndarray], seconds: float
    ) -> bytes:
        """All files of the models' maps, packed."""
        return packed(
            cam_files(
                reports,
                self.clip.name,
                seen,
                seconds,
                self.options,
                self.recipe(),
                self.layer,
            )
        )


def interventions_command(
    clip: ClipRef, models: Sequence[ModelRef], segments: int | None, order: str
) -> str:
    """Every experiment on the gates of ``models`` from a terminal in the project's folder."""
    files, of = [_input(ref) for ref in models], "interventions"
    return explain_recipe(
        *(of, _input(clip), files, order, SHUFFLE_SEED, _segments(segments, models), {}, of),
        _beside(models),
    ).command


@dataclass(frozen=True)
class ConfusionExport:
    """What is chosen on the Confusions page: the ``files`` of A and B; which ``pairs`` (*reversed*,
    *auto*, *mine*), the ``own_pairs`` that a person wrote; what is tested (*pairs*,
    *classes*, *mine*), the ``groups`` of a person's own; how it prints; the models' ``colors`` if
    the command must be told them; what came ``beside`` the files."""

    files: tuple[PredictionsRef, ...]
    pairs: str
    own_pairs: str
    test: str
    groups: str
    preset: PresetName
    italics: bool
    colors: tuple[str, ...]
    beside: FilesBeside = NOTHING_BESIDE

    def recipe(self, more: Sequence[str]) -> Recipe:
        """How the same is made, with the figures ``more``."""
        beside = self.beside.of(self.files)
        options: dict[str, object] = {
            "names": beside.labels_file and beside.labels_file.name,
            "truth": beside.truth and beside.truth.name,
            "encoding": beside.encoding,
            "pairs": PAIRS_FILE if self.own_pairs else self.pairs,
            "preset": self.preset,
            "italics": self.italics,
            "also": more,
            "color": list(self.colors),
        }
        options |= {"groups": GROUPS_FILE} if self.groups else {"test": self.test}
        lists = [
            Input(name, hashlib.sha256(content).hexdigest())
            for name, content in self.lists().items()
        ]
        given = [
            Input(file.name, file.sha256) for file in (beside.labels_file, beside.truth) if file
        ]
        tables = [_input(file) for file in self.files]
        return confusions_recipe(tables, options, "confusions", [*given, *lists])

    def lists(self) -> dict[str, bytes]:
        """The lists that a person wrote, as the files that the command names."""
        texts = {PAIRS_FILE: self.own_pairs, GROUPS_FILE: self.groups}
        return {name: text.encode() for name, text in texts.items() if text}


def confusions_command_line(export: ConfusionExport) -> str:
    """The same comparison from a terminal in the project's folder."""
    return export.recipe([]).command


def slices_command_line(
    files: Sequence[PredictionsRef], beside: FilesBeside, what: Literal["slices", "label-errors"]
) -> str:
    """The same slices or likely label errors from a terminal in the project's folder."""
    given, own = beside.of(files), beside.properties if what == "slices" else None
    options: dict[str, object] = {
        "names": given.labels_file and given.labels_file.name,
        "truth": given.truth and given.truth.name,
        "encoding": given.encoding,
        what: True,
        "properties": own and own.name,
    }
    return confusions_recipe([_input(file) for file in files], options, what).command


def confusions_zip(
    models: list[Predictions],
    paired: PairedPredictions | None,
    rows: list[Comparison],
    pairs: list[tuple[int, int]],
    export: ConfusionExport,
) -> bytes:
    """The figure of ``pairs`` and of the whole matrix, with two models the gains, the table of
    ``rows`` and its caption, with scores the calibration and the scores as points, and the recipe,
    packed."""
    scored = all(model.scores is not None for model in models)
    featured = all(model.features is not None for model in models)
    asked = {
        "gains": paired is not None,
        "matrix": True,
        "calibration": scored,
        "embedding": scored and len(models[0].ids) >= FEWEST_CLIPS,
        "embedding-pairs": scored and len(models[0].ids) >= FEWEST_CLIPS,
        "features": featured and len(models[0].ids) >= FEWEST_CLIPS,
        "features-pairs": featured and len(models[0].ids) >= FEWEST_CLIPS,
    }
    more = [name for name, wanted in asked.items() if wanted]
    preset = replace(PRESETS[export.preset], italics=export.italics)
    try:
        files = confusion_files(models, pairs, preset) | more_figures(
            more, models, paired, pairs, preset, colors=export.colors or None
        )
    except FontError as error:  # the page says so too
        files = {"no-figures.txt": f"{error}\n".encode()}
    files |= (significance_files(paired, rows) if paired else {}) | export.lists()
    about = {
        "pairs": export.pairs,
        "test": export.test,
        "preset": export.preset,
        "italics": export.italics,
    }
    cautions = caution_of_tables(model.origin for model in models)
    files["recipe.json"] = export.recipe(more).json({"options": about, **cautions})
    return packed(files)


def packed(files: Mapping[str, bytes]) -> bytes:
    """``files``, name → content, as one ZIP archive."""
    content_of_all = io.BytesIO()
    with zipfile.ZipFile(content_of_all, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return content_of_all.getvalue()
