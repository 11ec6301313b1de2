"""All systems trained alike, and networks that are given motion: one recipe, the same clips in the
same order, one backbone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from lightning_fabric import Fabric

from gsm_model.errors import CheckpointError, DataError
from gsm_model.models.inputs import motion_inputs
from gsm_model.models.recognizer import Recognizer
from gsm_model.models.registry import systems
from gsm_model.training.config import TrainConfig
from gsm_model.training.log import LOG_FILE, read_log
from gsm_model.training.optim import build_model
from gsm_model.training.publish import CHECKPOINT_FILE, pack_run
from gsm_model.training.stored import StoredClips, store_clips
from gsm_model.training.train import check_folder, train

LAST = 100  # steps whose mean loss says how a run ended


@dataclass(frozen=True)
class AlikeRun:
    """One training of a system, or of a TSN that is given motion: its name in the registry
    (`systems`, `motion_inputs`) and the seed of its weights.
    """

    system: str
    seed: int

    @property
    def name(self) -> str:
        """What its folder and its checkpoint are called."""
        return f"{self.system}-seed{self.seed}"


@dataclass(frozen=True)
class Ended:
    """How a run ended: the steps it took, the mean loss and accuracy of the last ones, and whether
    that loss or the weights were no numbers any more.
    """

    steps: int
    loss: float
    accuracy: float
    diverged: bool


def alike_runs(names: Iterable[str], seeds: int = 1) -> tuple[AlikeRun, ...]:
    """The runs of the systems and inputs ``names``, the first seed of all before the second of any.

    Raises:
        DataError: for a name that is none's, or that of a fusion, which is not trained.
    """
    names = tuple(names)
    trained = (name for name, one in motion_inputs().items() if one.kind is not None)
    known = (*systems(), *trained)
    for name in names:
        if name not in known:
            raise DataError(f"unknown system {name!r}; there are {', '.join(known)}")
    return tuple(AlikeRun(name, seed) for seed in range(seeds) for name in names)


def train_alike(
    recipe: TrainConfig,
    runs: Sequence[AlikeRun],
    out: Path,
    stored_clips: int | None = None,
    workers: int = 1,
    fabric: Fabric | None = None,
    progress: Callable[[AlikeRun, int, int, float], None] | None = None,
    painting: Callable[[int, int], None] | None = None,
    initial: Callable[[AlikeRun], Recognizer] | None = None,
) -> dict[AlikeRun, Ended]:
    """Train each of ``runs`` by ``recipe``, whose ``temporal`` and weights' seed are the run's.

    Clips are painted once, into ``out/clips``, those with frames to compute motion of into a folder
    beside it; the clips, their order and their crops are those of
    the recipe's own seed for every run. A run that was stopped goes on, one that has ended is left
    as it is. Each run has a folder in ``out`` with what `train` writes and ``model.safetensors``.
    A run that diverged has no checkpoint. ``stored_clips`` is how many clips are painted (all of
    the run's if not given);
    ``initial`` gives the model that a run starts from, where ``recipe.initial`` names one
    (`start_of`): a TSN, from whose weights each system starts by its own rule, or the same system
    as another recipe left it.
    ``progress(run, step, steps, loss)`` and ``painting(done, all)`` are told how far it is.

    Raises:
        DataError: if ``out`` holds runs or clips of another recipe.
    """
    count = stored_clips or recipe.steps * recipe.batch_size
    clips: dict[int, StoredClips] = {}
    ended = {}
    for run in runs:
        folder, config = out / run.name, config_of(recipe, run)
        check_folder(config, folder)
        if not (folder / CHECKPOINT_FILE).is_file():
            more = config.seen.neighbours
            if more not in clips:
                clips[more] = _painted(recipe, more, out, count, workers, painting)
            tell = None if progress is None else _telling(progress, run)
            given = None if initial is None else initial(run)
            train(config, folder, None, 0, fabric, tell, given, clips[more])
            _pack(folder)
        ended[run] = ended_as(folder)
    return ended


def config_of(recipe: TrainConfig, run: AlikeRun) -> TrainConfig:
    """The whole configuration of ``run``: a network that is given motion is a TSN, and of one field
    a segment, as clips of the probes have no more frames than segments.
    """
    own = replace(recipe, seed=run.seed, initial=start_of(recipe, run))
    given = motion_inputs().get(run.system)
    if given is None:
        return replace(own, temporal=run.system)
    return replace(own, temporal="none", modality=given.modality().kind, fields=1)


def _painted(
    recipe: TrainConfig,
    more: int,
    out: Path,
    count: int,
    workers: int,
    painting: Callable[[int, int], None] | None,
) -> StoredClips:
    """The clips of all runs that need so many frames ``more`` of a segment, whatever they make of
    them.
    """
    if more:
        recipe = replace(recipe, modality="differences", fields=more)
    folder = out / (f"clips-{more}-more" if more else "clips")
    spec = build_model(recipe, 1).input
    return store_clips(recipe, spec, folder, count, workers, painting)


def start_of(recipe: TrainConfig, run: AlikeRun) -> str:
    """What ``run`` starts from: the ``initial`` of ``recipe``, in which ``{run}`` stands for the
    run's name, so that each goes on from its own.
    """
    return recipe.initial.replace("{run}", run.name)


def _pack(folder: Path) -> None:
    """The checkpoint of the run in ``folder``; none where its weights are no numbers any more."""
    try:
        pack_run(folder, folder / CHECKPOINT_FILE, 0)
    except CheckpointError:
        (folder / CHECKPOINT_FILE).unlink(missing_ok=True)


def _telling(
    progress: Callable[[AlikeRun, int, int, float], None], run: AlikeRun
) -> Callable[[int, int, float], None]:
    return lambda step, steps, loss: progress(run, step, steps, loss)


def ended_as(folder: Path) -> Ended:
    """How the run in ``folder`` ended, by its log and whether there is a checkpoint.

    Raises:
        DataError: if there is no log of a run.
    """
    log = read_log(folder / LOG_FILE)
    loss, accuracy = (float(np.mean(log[name][-LAST:])) for name in ("loss", "accuracy"))
    numbers = math.isfinite(loss) and (folder / CHECKPOINT_FILE).is_file()
    return Ended(len(log["step"]), loss, accuracy, not numbers)


def curve_of(folder: Path, points: int = 60) -> list[dict[str, float]]:
    """The learning curve of a run in about ``points`` means over equally many steps: step (the
    last of them), loss, accuracy and, where it was logged, within-pair accuracy on training clips.
    """
    log = read_log(folder / LOG_FILE)
    parts = np.array_split(np.arange(len(log["step"])), min(points, len(log["step"])))
    told = [
        name
        for name in ("loss", "accuracy", "within_pair")
        if name in log and not np.isnan(log[name]).any()
    ]
    return [
        {
            "step": float(log["step"][part[-1]]),
            **{name: round(float(log[name][part].mean()), 4) for name in told},
        }
        for part in parts
    ]
