"""From a finished training run to a checkpoint that says what it is and how good it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gsm_model.data.lists import VideoList
from gsm_model.data.own_clips import all_drawn
from gsm_model.data.synthetic.dataset import Split
from gsm_model.data.synthetic_sets import Style, synthetic_set
from gsm_model.errors import DataError
from gsm_model.evaluation.evaluate import measures_of, score_drawn_clips
from gsm_model.evaluation.probes import profile_of, score_probes
from gsm_model.models.card import Card, Domain, Measure
from gsm_model.models.checkpoints.files import load_checkpoint, save_checkpoint, title_of
from gsm_model.models.recognizer import Recognizer
from gsm_model.training.config import TrainConfig
from gsm_model.training.dataset import looks_of, style_of
from gsm_model.training.optim import build_model
from gsm_model.training.train import CONFIG_FILE, STATE_FILE, labels_of, read_state

CHECKPOINT_FILE = "model.safetensors"  # what every run calls its checkpoint


def pack_run(
    run: Path,
    target: Path,
    num_clips: int,
    videos: VideoList | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Recognizer:
    """Write the model of a finished run to ``target``, weights in float16.

    With ``num_clips`` 0 nothing is measured. What was trained on synthetic clips is measured, as
    written, on ``num_clips`` clips of each test split, what was trained on randomised ones on their
    test split first; what was trained on the probes is measured on theirs; what was trained on
    ``videos`` is to be measured on a list of its own, with `score_list`.

    Raises:
        DataError: if ``run`` holds no finished run.
    """
    config = TrainConfig.read(run / CONFIG_FILE)
    if not (run / STATE_FILE).is_file():
        raise DataError(f"{run}: holds no training state; train first")
    state = read_state(run / STATE_FILE)
    if state["step"] < config.steps:
        raise DataError(
            f"{run}: stopped after {state['step']} of {config.steps} steps; train on with the same"
            " command"
        )
    made = synthetic_set(style_of(config))
    labels = made.labels if videos is None else labels_of(videos)
    model = build_model(config, len(labels))
    model.load_state_dict(state["model"])
    title = title_of(model.architecture)
    card = Card(
        title=f"{title}, {config.style}" if config.style in ("randomised", "motions") else title,
        provenance="trained",
        labels=labels,
        training_data=_training_data(config, videos),
        domain=_domain(videos),
        recipe=(
            f"from {_start(config.initial)}, {config.steps:,} steps of"
            f" {config.batch_size} clips,"
            f" {config.optimizer}, {config.schedule} to {config.learning_rate:g},"
            f" {config.precision}, seed {config.seed}"
        ),
    )
    save_checkpoint(model, target, card, half=True)
    stored = load_checkpoint(target)
    if videos is not None or num_clips == 0:
        return stored
    measures = (
        _profiled(stored, config, num_clips, progress)
        if made.style == "probes"
        else _measured(stored, made.style, num_clips, progress)
    )
    save_checkpoint(stored, target, replace(card, measures=measures), half=True)
    return load_checkpoint(target)


def _start(initial: str) -> str:
    """What a training began from, in a word; a run's file by its folder, for all are called
    alike.
    """
    path = Path(initial)
    return (
        path.parent.name
        if path.name == CHECKPOINT_FILE and path.parent.name
        else path.name or "scratch"
    )


def _training_data(config: TrainConfig, videos: VideoList | None) -> str:
    seen = f"{config.steps * config.batch_size:,} clips seen"
    if videos is None:
        made = synthetic_set(style_of(config))
        if made.style == "probes":
            return f"{made.title}, {len(made.labels) // 2} questions: {seen}"
        return f"Reversible Actions, {len(made.labels) // 2} pairs, {made.style}: {seen}"
    return f"{videos.name}, {len(videos.entries):,} videos, {seen}"


def _domain(videos: VideoList | None) -> Domain:
    drawn = videos is None or all_drawn([entry.path for entry in videos.entries])
    return "drawn" if drawn else "filmed"


def _measured(
    model: Recognizer,
    style: Style,
    num_clips: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[Measure, ...]:
    splits: list[tuple[Style, Split]] = [("drawn", "test"), ("drawn", "shifted")]
    if style == "randomised":
        splits = [("randomised", "test"), *splits]
    if style == "motions":  # a network of these does not know the classes of the drawn set
        splits = [("motions", "test")]
    found: list[Measure] = []
    for style, split in splits:
        [both] = score_drawn_clips([model], split, num_clips, progress=progress, style=style)
        found += measures_of(both)
    return tuple(found)


def _profiled(
    model: Recognizer,
    config: TrainConfig,
    num_clips: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[Measure, ...]:
    """The share of right answers to each probe, on as busy clips as it was trained on."""
    [table] = score_probes([model], num_clips // 2 * 2, looks_of(config), progress=progress)
    return tuple(
        replace(result.right, metric=result.probe)
        for result in profile_of(table, config.num_segments)
        if result.distance is None
    )
