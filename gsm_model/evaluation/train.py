"""Training a recogniser on Reversible Actions: drawn on the fly, resumable at any step.

Batch k of a run is always clips k·B … k·B + B − 1 of the training split with random numbers drawn from
the step's own seed, so a run that was stopped and resumed has seen exactly what an uninterrupted one
would have.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from gsm_model.data.reversible.actions import LABELS
from gsm_model.data.reversible.dataset import draw_clip
from gsm_model.errors import DataError
from gsm_model.models.recognizer import Recognizer, build_recognizer
from gsm_model.video.sampling import training_indices
from gsm_model.video.transforms import InputSpec, normalise

STATE_FILE, LOG_FILE, CONFIG_FILE = "state.pt", "log.csv", "config.json"


@dataclass(frozen=True)
class TrainConfig:
    """All of a training run. ``learning_rate`` is the one-cycle peak; ``precision`` is one of Fabric's."""

    temporal: str
    backbone: str = "resnet18"
    width: float = 0.5
    num_segments: int = 8
    input_size: int = 96
    steps: int = 2000
    batch_size: int = 16
    learning_rate: float = 0.002
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    dropout: float = 0.2
    seed: int = 0
    precision: str = "bf16-mixed"
    save_every: int = 50

    @classmethod
    def read(cls, path: Path) -> TrainConfig:
        """Read a JSON file of the fields above.

        Raises:
            DataError: if the file is no JSON object, or has an unknown, missing or mistyped key.
        """
        try:
            values = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise DataError(f"{path.name}: not a readable JSON file ({error})") from None
        known = {field.name: field.type for field in fields(cls)}
        if not isinstance(values, dict) or "temporal" not in values:
            raise DataError(f"{path.name}: a training configuration is an object with at least 'temporal'")
        for key, value in values.items():
            if key not in known:
                raise DataError(f"{path.name}: unknown key {key!r}; there are {', '.join(known)}")
            kind = {"str": str, "int": int, "float": (int, float)}[known[key]]
            if not isinstance(value, kind) or isinstance(value, bool):
                raise DataError(f"{path.name}: {key!r} must be of type {known[key]}, got {value!r}")
        return cls(**values)


class DrawnTrainingClips(Dataset):
    """Index → (clip (T, 3, S, S) uint8, label): one frame drawn at random from each segment, cropped at random."""

    def __init__(self, num_segments: int, spec: InputSpec, seed: int) -> None:
        self.num_segments, self.spec, self.seed = num_segments, spec, seed

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        clip = draw_clip("train", index)
        rng = np.random.default_rng((self.seed, index))
        indices = training_indices(clip.num_frames, self.num_segments, rng)
        frames = clip.frames(indices, self.spec.resize, self.spec.resize)
        top, left = rng.integers(self.spec.resize - self.spec.size + 1, size=2)
        crop = frames[:, top : top + self.spec.size, left : left + self.spec.size]
        return torch.from_numpy(crop.transpose(0, 3, 1, 2).copy()), clip.label


def train(config: TrainConfig, out: Path, workers: int = 1, progress: Callable[[int, int, float], None] | None = None) -> Recognizer:
    """Train, or go on with the run whose state lies in ``out``; returns the trained model in evaluation mode.

    Writes ``config.json``, ``state.pt`` (every ``save_every`` steps, atomically) and ``log.csv`` (step,
    loss, accuracy, learning rate) to ``out``. ``progress(step, steps, loss)`` is called after each step.

    Raises:
        DataError: if ``out`` holds a run with another configuration.
    """
    out.mkdir(parents=True, exist_ok=True)
    _claim_folder(config, out)
    torch.manual_seed(config.seed)
    fabric = Fabric(accelerator="auto", devices=1, precision=config.precision)
    model = build_recognizer(
        config.backbone, config.temporal, len(LABELS), config.num_segments, config.width, config.input_size, config.dropout
    ).channels_last()
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=config.steps, pct_start=0.08)
    first = _load_state(out, model, optimizer, schedule)
    wrapped, optimizer = fabric.setup(model, optimizer)
    _trim_log(out / LOG_FILE, first)
    clips = DrawnTrainingClips(config.num_segments, model.input, config.seed)
    order = range(first * config.batch_size, config.steps * config.batch_size)
    loader = DataLoader(clips, batch_size=config.batch_size, sampler=order, num_workers=workers)
    model.train()
    for step, (frames, labels) in enumerate(loader, start=first):
        torch.manual_seed(config.seed * 1_000_003 + step)
        batch = fabric.to_device(normalise(frames.numpy(), model.input))
        labels = fabric.to_device(labels)
        logits = wrapped(batch)
        loss = F.cross_entropy(logits.float(), labels, label_smoothing=config.label_smoothing)
        fabric.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
        rate = schedule.get_last_lr()[0]
        schedule.step()
        _log(out / LOG_FILE, step, loss.item(), (logits.argmax(1) == labels).float().mean().item(), rate)
        if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
            _save_state(out, step + 1, model, optimizer, schedule)
        if progress is not None:
            progress(step + 1, config.steps, loss.item())
    return model.eval()


def _claim_folder(config: TrainConfig, out: Path) -> None:
    text = json.dumps(asdict(config), indent=2) + "\n"
    path = out / CONFIG_FILE
    if path.exists() and path.read_text() != text:
        raise DataError(f"{out}: holds a run with another configuration; choose another folder or remove this one")
    path.write_text(text)


def _save_state(out: Path, step: int, model, optimizer, schedule) -> None:
    state = {"step": step, "model": model.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
    unfinished = out / (STATE_FILE + ".part")
    torch.save(state, unfinished)
    unfinished.replace(out / STATE_FILE)


def _load_state(out: Path, model, optimizer, schedule) -> int:
    """The number of steps already taken; the three objects take up where they were."""
    path = out / STATE_FILE
    if not path.exists():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return state["step"]


def _trim_log(path: Path, steps: int) -> None:
    """Keep the rows of the first ``steps`` steps: those after the saved state will be run again."""
    rows = path.read_text().splitlines() if path.exists() else []
    path.write_text("\n".join([*(rows or ["step,loss,accuracy,learning_rate"])[: steps + 1], ""]))


def _log(path: Path, step: int, loss: float, accuracy: float, rate: float) -> None:
    with path.open("a", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow([step, f"{loss:.5f}", f"{accuracy:.4f}", f"{rate:.6g}"])
