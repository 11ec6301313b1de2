"""From a finished training run to a checkpoint that says what it is and how good it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from gsm_model.data.reversible.actions import LABELS, PAIRS
from gsm_model.data.reversible.dataset import Split
from gsm_model.errors import DataError
from gsm_model.evaluation.config import TrainConfig
from gsm_model.evaluation.evaluate import measures_of, score_drawn_clips
from gsm_model.evaluation.train import CONFIG_FILE, STATE_FILE
from gsm_model.models.card import Card, Measure
from gsm_model.models.checkpoints import BACKBONE_TITLES, load_checkpoint, save_checkpoint
from gsm_model.models.recognizer import Recognizer, build_recognizer
from gsm_model.models.registry import temporal_kinds


def pack_run(run: Path, target: Path, num_clips: int, progress: Callable[[int, int], None] | None = None) -> Recognizer:
    """Write the model of a finished run to ``target``, weights in float16, and measure what was written.

    Raises:
        DataError: if ``run`` holds no finished run.
    """
    config = TrainConfig.read(run / CONFIG_FILE)
    if not (run / STATE_FILE).is_file():
        raise DataError(f"{run}: holds no training state; train first")
    state = torch.load(run / STATE_FILE, map_location="cpu", weights_only=True)
    if state["step"] < config.steps:
        raise DataError(f"{run}: stopped after {state['step']} of {config.steps} steps; train on with the same command")
    model = build_recognizer(
        config.backbone, config.temporal, len(LABELS), config.num_segments, config.width, config.input_size, config.dropout
    )
    model.load_state_dict(state["model"])
    kind = temporal_kinds()[config.temporal].title
    card = Card(
        title=f"{kind} {BACKBONE_TITLES[config.backbone]}",
        provenance="trained",
        labels=LABELS,
        training_data=f"Reversible Actions, {len(PAIRS)} pairs, drawn: {config.steps * config.batch_size:,} clips",
        recipe=f"from scratch, {config.steps:,} steps of {config.batch_size} clips, AdamW, one cycle to {config.learning_rate:g}, "
        f"{config.precision}, seed {config.seed}",
    )
    save_checkpoint(model, target, card, half=True)
    stored = load_checkpoint(target)
    measures = [m for split in ("test", "shifted") for m in _measured(stored, split, num_clips, progress)]
    save_checkpoint(stored, target, replace(card, measures=tuple(measures)), half=True)
    return load_checkpoint(target)


def _measured(model: Recognizer, split: Split, num_clips: int, progress: Callable[[int, int], None] | None) -> tuple[Measure, ...]:
    [both] = score_drawn_clips([model], split, num_clips, progress=progress)
    return measures_of(both)
