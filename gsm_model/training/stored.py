"""Training clips that are painted once and read by every run that wants the same ones.

Painting takes longer than a step of a small network, on a GPU many times as long; runs that differ
in nothing but the network, such as those of all systems, share the painted clips.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from gsm_model.data.synthetic_sets import synthetic_set
from gsm_model.errors import DataError
from gsm_model.io.atomic import write_whole
from gsm_model.training.config import TrainConfig
from gsm_model.training.dataset import Augment, SyntheticClips, style_of
from gsm_model.video.transforms import InputSpec

CLIPS_FILE, LABELS_FILE, STATE_FILE = "clips.npy", "labels.npy", "stored.json"
PART = 64  # clips between two notes of how far the painting has come
# What decides what a clip looks like; a run that differs in anything else sees the same clips.
_LOOKS = (
    *("style", "clutter", "camera", "clutter_from", "clutter_steps", "num_segments", "seed"),
    *("crops", "mirror", "batch_size", "directions", "drawn_share"),
)

# Counts up when clips are painted otherwise, so that nobody goes on with a folder of others.
_PAINTING = 2


@dataclass(frozen=True)
class StoredClips(Dataset):
    """Place in the run → (clip (T, P, S, S) uint8, label), as `SyntheticClips`, out of ``clips``
    (n, T, P, S, S) and ``labels`` (n,): place n is place 0 again.
    """

    clips: np.ndarray
    labels: np.ndarray

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        row = place % len(self.labels)
        return torch.from_numpy(self.clips[row].copy()), int(self.labels[row])


def store_clips(
    config: TrainConfig,
    spec: InputSpec,
    folder: Path,
    count: int,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> StoredClips:
    """The clips of the first ``count`` places of a run of ``config`` for a network that takes
    ``spec``, from ``folder``; those that are not there yet are painted, by ``workers`` processes
    (0: this one). A painting that was stopped goes on where it was.

    Raises:
        DataError: if ``folder`` holds other clips, or ``count`` is not positive.
    """
    if count < 1:
        raise DataError(f"{count} clips cannot be stored; give at least 1")
    if config.data:
        raise DataError("only synthetic clips are stored; a list's videos are decoded as they come")
    labels = synthetic_set(style_of(config)).labels
    augment = Augment.of(config, spec, labels)
    wanted = {"clips": _digest(config, spec), "count": count}
    done = _done(folder, wanted)
    planes = 3 * (1 + spec.modality.neighbours)
    shape = (count, config.num_segments, planes, spec.size, spec.size)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / STATE_FILE).exists():
        _claim(folder, {**wanted, "done": 0})
    clips = _array(folder / CLIPS_FILE, np.uint8, shape, done > 0)
    truth = _array(folder / LABELS_FILE, np.int64, (count,), done > 0)
    if done and not 0 <= truth[:done].min() <= truth[:done].max() < len(labels):
        raise DataError(f"{folder / LABELS_FILE}: damaged; remove {folder} to paint its clips anew")
    upcoming = DataLoader(
        SyntheticClips(config, augment),
        batch_size=PART,
        sampler=range(done, count),
        num_workers=workers,
    )
    for painted, of in upcoming:
        clips[done : done + len(of)], truth[done : done + len(of)] = painted.numpy(), of.numpy()
        clips.flush()
        truth.flush()
        done += len(of)
        write_whole(folder / STATE_FILE, json.dumps({**wanted, "done": done}))
        if progress is not None:
            progress(done, count)
    return StoredClips(clips, truth)


def _digest(config: TrainConfig, spec: InputSpec) -> str:
    looks = {name: value for name, value in asdict(config).items() if name in _LOOKS}
    told = [_PAINTING, looks, asdict(spec)]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _done(folder: Path, wanted: dict[str, object]) -> int:
    """How many of the clips are there already."""
    try:
        found = json.loads((folder / STATE_FILE).read_text())
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as error:
        raise DataError(f"{folder / STATE_FILE}: cannot be read ({error})") from None
    if not isinstance(found, dict) or not isinstance(found.get("done"), int):
        raise DataError(f"{folder / STATE_FILE}: damaged; remove {folder} to paint its clips anew")
    if {name: found.get(name) for name in wanted} != wanted:
        raise DataError(
            f"{folder}: holds clips of other looks or another number; choose another folder or"
            " remove this one"
        )
    return min(max(found["done"], 0), wanted["count"])


def _claim(folder: Path, state: dict[str, object]) -> None:
    """Note that clips are painted into ``folder``, which must not hold such files of others."""
    others = [name for name in (CLIPS_FILE, LABELS_FILE) if (folder / name).exists()]
    if others:
        raise DataError(
            f"{folder}: has a {others[0]} but no {STATE_FILE} that says whose it is; choose another"
            " folder"
        )
    write_whole(folder / STATE_FILE, json.dumps(state))


def _array(path: Path, kind: type, shape: tuple[int, ...], there: bool) -> np.memmap:
    """The array in ``path``, laid out anew unless it is ``there``.

    Raises:
        DataError: if what is there is another array, or cut off: mapped, it would be filled up with
            zeros.
    """
    if not there:
        return np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=shape)
    try:
        found = np.lib.format.open_memmap(path, mode="r")
        if (found.dtype, found.shape) == (kind, shape):
            return np.lib.format.open_memmap(path, mode="r+")
    except (OSError, ValueError):  # NumPy's of a file too short for what its head claims
        pass
    raise DataError(f"{path}: damaged, or cut off; remove {path.parent} to paint its clips anew")
