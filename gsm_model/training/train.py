"""Training a recogniser, on the drawn set or on a list of videos: resumable at any step, on one
process or several.

What is run at a step depends on the step alone, so a run that was stopped and resumed has seen
exactly what an uninterrupted one would have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from lightning_fabric.loggers import TensorBoardLogger
from lightning_fabric.wrappers import _FabricModule
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader, Dataset

from gsm_model.data.labels import reversed_classes
from gsm_model.data.lists import VideoList
from gsm_model.data.synthetic_sets import synthetic_set
from gsm_model.errors import DataError
from gsm_model.io.atomic import whole_file, write_whole
from gsm_model.models.recognizer import Recognizer
from gsm_model.training.config import TrainConfig
from gsm_model.training.dataset import (
    Augment,
    ListedClips,
    RunPlaces,
    SyntheticClips,
    collated,
    style_of,
)
from gsm_model.training.log import LOG_FILE, append_to_log, begin_log
from gsm_model.training.optim import build_model, build_optimizer, build_schedule, set_training
from gsm_model.training.start import started_model
from gsm_model.video.transforms import InputSpec, normalise

STATE_FILE, CONFIG_FILE, TENSORBOARD_FOLDER = "state.pt", "config.json", "tensorboard"


def train(
    config: TrainConfig,
    out: Path,
    videos: VideoList | None = None,
    workers: int = 1,
    fabric: Fabric | None = None,
    progress: Callable[[int, int, float], None] | None = None,
    initial: Recognizer | None = None,
    stored: Dataset | None = None,
    notice: Callable[[str], None] | None = None,
    build: Callable[[TrainConfig, int], Recognizer] = build_model,
) -> Recognizer:
    """Train, or go on with the run whose state lies in ``out``; returns the trained model in
    evaluation mode.

    ``videos`` is the list that ``config.data`` names, ``None`` for synthetic clips. ``initial`` is
    the model that ``config.initial`` names (`initial_model`); a run that goes on does not need it.
    ``stored`` are synthetic clips that were painted before (`store_clips`). ``fabric``
    carries device, precision and processes; the batch of ``config`` is that of all processes
    together. Writes ``config.json``, ``state.pt`` (every ``save_every`` steps, atomically),
    ``log.csv`` (`gsm_model.training.log`) and the same for TensorBoard in
    ``tensorboard/`` to ``out``; `gsm_model.figures.training.draw_run` draws it.
    ``progress(step, steps, loss)`` is called after each step, ``notice`` with a sentence on what
    was taken of ``initial``. ``build`` makes the untrained network for a number of classes where
    it is another than that of ``config``'s system.

    Raises:
        DataError: if ``out`` holds a run with another configuration, the list has no labels or
            clips, the batch cannot be dealt equally, or the initial checkpoint is of another
            network, or missing.
    """
    begins = not (out / STATE_FILE).exists()
    if begins and config.initial and initial is None:
        raise DataError(
            f"the configuration starts from {config.initial!r}, which was not given; give the model"
            " it names (initial_model)"
        )
    fabric = fabric or Fabric(
        accelerator="auto",
        devices=1,
        precision=config.precision,  # type: ignore[arg-type]  # Fabric refuses unknown names
    )
    if config.batch_size % (config.accumulate * fabric.world_size):
        parts = f"{config.accumulate} parts in each of {fabric.world_size} processes"
        raise DataError(f"a batch of {config.batch_size} cannot be run in {parts}")
    labels = synthetic_set(style_of(config)).labels if videos is None else labels_of(videos)
    torch.manual_seed(config.seed)
    model = build(config, len(labels))
    if initial is not None and begins:
        model, said = started_model(config, labels, initial)
        if notice is not None:
            notice(said)
    model = model.channels_last()
    set_training(model, config)
    optimizer = build_optimizer(model, config)
    schedule = build_schedule(optimizer, config)
    if fabric.global_rank == 0:  # now that the configuration is known to be one that can be run
        out.mkdir(parents=True, exist_ok=True)
        _claim_folder(config, out)
    fabric.barrier()
    first = _load_state(out, model, optimizer, schedule)
    wrapped, optimizer = fabric.setup(model, optimizer)
    if fabric.global_rank == 0:
        begin_log(out / LOG_FILE, first)
        # What TensorBoard was told after the saved state is told again: it forgets all from
        # purge_step on.
        board = TensorBoardLogger(out, name="", version=TENSORBOARD_FOLDER, purge_step=first)
    augment = Augment.of(config, model.input, labels)
    clips = stored or (
        SyntheticClips(config, augment, "cpu" if workers else fabric.device)
        if videos is None
        else ListedClips(config, augment, videos.entries)
    )
    places = RunPlaces(config, first, fabric.global_rank, fabric.world_size)
    together = partial(collated, spec=model.input) if videos is not None else None
    batches = iter(
        DataLoader(
            clips,
            batch_size=places.part,
            sampler=places,
            num_workers=workers,
            collate_fn=together,
        )
    )
    set_training(model, config)
    reverses = fabric.to_device(torch.from_numpy(reversed_classes(labels)))
    for step in range(first, config.steps):
        rate = float(schedule.get_last_lr()[0])
        took = _step(fabric, wrapped, optimizer, config, model.input, batches, step, reverses)
        schedule.step()
        if fabric.global_rank == 0:
            row = {**took, "learning_rate": rate}
            append_to_log(out / LOG_FILE, {"step": step, **row})
            board.log_metrics({k: value for k, value in row.items() if value == value}, step)
            if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
                _save_state(out, step + 1, model, optimizer, schedule)
            if progress is not None:
                progress(step + 1, config.steps, took["loss"])
    if fabric.global_rank == 0:
        board.finalize("success")
    return model.eval()


def labels_of(videos: VideoList) -> tuple[str, ...]:
    """The class names of a list to train on.

    Raises:
        DataError: if the list has none, or no clip.
    """
    if videos.labels is None:
        raise DataError(
            f"{videos.name}: training needs the names of its classes; give a label file"
        )
    if not videos.entries:
        raise DataError(f"{videos.name}: no clip is left to train on")
    return videos.labels


def _step(
    fabric: Fabric,
    model: _FabricModule,
    optimizer: Optimizer,
    config: TrainConfig,
    spec: InputSpec,
    batches: Iterator[tuple[Tensor, Tensor]],
    step: int,
    reverses: Tensor,
) -> dict[str, float]:
    """One optimiser step over all parts of a batch; returns *loss*, *accuracy* and *within_pair* of
    the whole batch, the last NaN where no clip's class has its reversal (``reverses``, (K,) int64)
    among the classes.
    """
    sums = torch.zeros(4, device=fabric.device)
    for turn in range(config.accumulate):
        part = turn * fabric.world_size + fabric.global_rank
        torch.manual_seed(config.seed * 1_000_003 + step + part * 2**40)
        frames, labels = next(batches)
        clip, labels = fabric.to_device(normalise(frames.numpy(), spec)), fabric.to_device(labels)
        with fabric.no_backward_sync(model, enabled=turn + 1 < config.accumulate):
            logits = model(clip)
            loss = F.cross_entropy(logits.float(), labels, label_smoothing=config.label_smoothing)
            fabric.backward(loss / config.accumulate)
        sums += _told(loss.detach(), logits.detach(), labels, reverses)
    if config.clip_gradient:
        fabric.clip_gradients(model, optimizer, max_norm=config.clip_gradient)
    optimizer.step()
    optimizer.zero_grad()
    means = fabric.all_reduce(sums / config.accumulate, reduce_op="mean")
    assert isinstance(means, Tensor)
    mean_loss, accuracy, above, paired = means.tolist()
    within = above / paired if paired else float("nan")
    return {"loss": mean_loss, "accuracy": accuracy, "within_pair": within}


def _told(loss: Tensor, logits: Tensor, labels: Tensor, reverses: Tensor) -> Tensor:
    """Of the clips of a part (4,): the loss, the share that is answered right, that whose class
    scores above its reversal, and that whose class has one.
    """
    rows, others = torch.arange(len(labels), device=labels.device), reverses[labels]
    paired = others >= 0
    above = paired & (logits[rows, labels] > logits[rows, others])
    right = logits.argmax(1) == labels
    return torch.stack([loss, *(each.float().mean() for each in (right, above, paired))])


def check_folder(config: TrainConfig, out: Path) -> None:
    """Refuse a folder that holds the run of another configuration.

    Raises:
        DataError: if it does, or if what it holds has no configuration, or none that can be read.
    """
    path = out / CONFIG_FILE
    if not path.exists():
        if (out / STATE_FILE).exists():
            raise DataError(
                f"{out}: holds the state of a run but not its {CONFIG_FILE}, so of which is not"
                " known; bring it back, or choose another folder"
            )
        return
    if TrainConfig.read(path) != config:
        raise DataError(
            f"{out}: holds a run with another configuration; choose another folder or remove"
            " this one"
        )


def _claim_folder(config: TrainConfig, out: Path) -> None:
    check_folder(config, out)
    write_whole(out / CONFIG_FILE, json.dumps(asdict(config), indent=2) + "\n")


def _save_state(
    out: Path, step: int, model: nn.Module, optimizer: Optimizer, schedule: LRScheduler
) -> None:
    state = {
        "step": step,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
    }
    with whole_file(out / STATE_FILE) as unfinished, unfinished.open("wb") as file:
        torch.save(state, file)


def _load_state(out: Path, model: nn.Module, optimizer: Optimizer, schedule: LRScheduler) -> int:
    """The number of steps already taken; the three objects take up where they were.

    Raises:
        DataError: if the file is damaged, or not the state of such a run.
    """
    path = out / STATE_FILE
    if not path.exists():
        return 0
    state = read_state(path)
    try:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
    except (LookupError, TypeError, ValueError, RuntimeError, AttributeError):
        raise _unreadable(path) from None
    return state["step"]


def read_state(path: Path) -> dict[str, Any]:
    """The saved state of a run: *step*, *model*, *optimizer* and *schedule*.

    Raises:
        DataError: if the file is damaged, or no such state.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, LookupError, TypeError, ValueError, RuntimeError, UnpicklingError):
        raise _unreadable(path) from None
    whole = isinstance(state, dict) and {"step", "model", "optimizer", "schedule"} <= set(state)
    if not whole or not isinstance(state["step"], int):
        raise _unreadable(path)
    return state


def _unreadable(path: Path) -> DataError:
    return DataError(
        f"{path}: damaged, or not the state of this run; restore it, or remove its folder and train"
        " again"
    )
