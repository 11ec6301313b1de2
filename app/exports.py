"""What a person takes away from a page: tables, and the command that gives the same again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from app.session import ClipRef, ModelRef
from gsm_model.predict import Prediction
from gsm_model.shipped import assets
from gsm_model.tables import csv_text


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
            }
            for prediction in predictions
            for index, label, probability in prediction.top(len(prediction.logits))
        ]
    )


def command_file(path: Path, name: str) -> str:
    """A file as a command names it in the project's folder; a person's own files go by the names they gave them."""
    root = assets().parent
    return shlex.quote(str(path.relative_to(root)) if path.is_relative_to(root) else name)


def predict_command(clip: ClipRef, models: Sequence[ModelRef], segments: int | None, order: str, top: int) -> str:
    """The same answers from a terminal in the project's folder."""
    return f"{_command('predict', clip, models, segments)} --order {order} --top {top}"


def order_command(clip: ClipRef, models: Sequence[ModelRef], segments: int | None) -> str:
    """The same order analysis from a terminal in the project's folder."""
    return f"{_command('order', clip, models, segments)} --csv order.csv"


def _command(name: str, clip: ClipRef, models: Sequence[ModelRef], segments: int | None) -> str:
    parts = [f"python -m gsm_model {name}", command_file(clip.path, clip.name)]
    parts += [f"--checkpoint {command_file(ref.path, ref.name)}" for ref in models]
    if segments:
        parts.append(f"--segments {segments}")
    return " ".join(parts)
