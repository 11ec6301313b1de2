"""The configuration of a training run: every key, its meaning, its default, and the file it is read
from.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from gsm_model.data.probes.plans import check_frames
from gsm_model.errors import DataError
from gsm_model.video.modality import (
    LARGEST_INPUT,
    MAX_FIELDS,
    MAX_SEGMENTS,
    SMALLEST_INPUT,
    Kind,
    Modality,
)

# As Lightning Fabric has them; here, so that a configuration is read without it.
PRECISIONS = (
    *("32-true", "bf16-mixed", "16-mixed", "64-true", "bf16-true", "16-true"),
    *("transformer-engine", "transformer-engine-float16", "32", "bf16", "16", "64"),
)
_KINDS: dict[str, Any] = {"str": str, "int": int, "float": (int, float)}


def _key(default: Any, help: str, *choices: str) -> Any:
    return field(default=default, metadata={"help": help, "choices": choices})


@dataclass(frozen=True)
class TrainConfig:
    """All of a training run. Each field's meaning is in its metadata; `describe` lists them.

    The release's recipe (Something-Something) is: ``optimizer`` sgd, ``learning_rate`` 0.01,
    ``momentum`` 0.9, ``weight_decay`` 5e-4, ``groups`` release, ``schedule`` cosine with ``warmup``
    10 of 60 epochs, ``batch_size`` 32 with ``accumulate`` 2, ``clip_gradient`` 20, ``dropout`` 0.5,
    ``label_smoothing`` 0, ``crops`` multi-scale, ``mirror`` something-something, ``batch_norm`` all
    (``--npb``). TSN's own recipe has ``batch_norm`` first.
    """

    temporal: str = field(
        metadata={"help": "temporal module: none (TSN), gsm or tsm", "choices": ()}
    )
    backbone: str = _key(
        "resnet18", "bn_inception, inception_v3, resnet18, resnet34, resnet50 or resnet101"
    )
    shift_blocks: str = _key(
        "", "blocks of a TSM that shift, such as layer3.1 layer4.1; empty: all"
    )
    width: float = _key(0.5, "share of the channels of a ResNet or BN-Inception")
    modality: str = _key(
        "RGB",
        "what of the frames the network takes: them, their differences, their optical flow, flow"
        " that it learns to compute (TVNet), or a codec's motion vectors and residuals (DMC-Net)",
        "RGB",
        "differences",
        "flow",
        "learnt flow",
        "motion vectors",
    )
    fields: int = _key(5, "differences or fields of flow a segment")
    num_segments: int = _key(8, "frames of a clip, or segments of differences or flow")
    input_size: int = _key(96, "pixels a side of the network's input")
    data: str = _key(
        "", "a list of labelled videos that evaluate --data takes; empty: the drawn set"
    )
    videos: str = _key("", "the folder the list's videos lie in, if not its own")
    labels: str = _key("", "a label file for the list")
    target: str = _key(
        "verb", "what an EPIC-Kitchens clip is labelled with", "verb", "noun", "action"
    )
    columns: str = _key("", "the list's columns, such as path,offset,num_frames,label")
    first_label: int = _key(
        -1, "the index of the list's first class, 0 or 1; -1: read off the list"
    )
    series: str = _key("", "which pictures of folders with several, such as img_%05d.jpg")
    style: str = _key(
        "drawn",
        "without a list: the drawn clips, the randomised ones, which vary in all they can, those of"
        " them that are nothing but motion, or the temporal probes",
        "drawn",
        "randomised",
        "motions",
        "probes",
    )
    clutter: float = _key(
        1.0, "how busy and how spoilt the randomised clips and the probes are, in 0 to 1"
    )
    camera: float = _key(0.0, "how far the camera of the probes jumps, in 0 to 1")
    clutter_from: float = _key(0.0, "the clutter of the first step")
    clutter_steps: int = _key(0, "steps in which it rises to 'clutter'; 0: it is there at once")
    directions: str = _key(
        "one",
        "drawn and randomised clips: each in the direction of its class alone; both, every clip"
        " being followed by its reversal, a clip of the reversed class; or both and still, these"
        " two being followed by one of their frames, frozen, once as a clip of either class, so"
        " that what stands still is taught to say nothing of the direction",
        "one",
        "both",
        "both and still",
    )
    drawn_share: float = _key(0.0, "share of drawn clips among the randomised ones")
    initial: str = _key(
        "",
        "what to start from (also called init): a checkpoint's file, of the same network or of a"
        " TSN or TSM of the same backbone, or a name of models list or imagenet-resnet50 and the"
        " like; with train-alike {run} in it stands for the run's name, such as gsm-seed0; empty:"
        " random weights",
    )
    batch_norm: str = _key(
        "all",
        "which BatchNorms learn: all, or the first alone, the backbone's others staying as the"
        " weights that training starts from have them (partial BatchNorm, as in TSN)",
        "all",
        "first",
    )
    view: str = _key(
        "centre",
        "what of the picture the network sees: its centre, cut out as a square, or the whole of it,"
        " squeezed into a square",
        "centre",
        "whole",
    )
    crops: str = _key(
        "random",
        "training crops: random places, or the release's multi-scale",
        "random",
        "multi-scale",
    )
    mirror: str = _key(
        "none",
        "mirror half of the clips; something-something swaps its left and right labels",
        "none",
        "plain",
        "something-something",
    )
    steps: int = _key(2000, "optimiser steps")
    batch_size: int = _key(16, "clips a step, over all processes and accumulated parts")
    accumulate: int = _key(1, "parts of a batch that are run one after the other")
    optimizer: str = _key("adamw", "adamw or sgd", "adamw", "sgd")
    learning_rate: float = _key(0.002, "the highest learning rate")
    momentum: float = _key(0.9, "SGD's momentum")
    weight_decay: float = _key(0.02, "weight decay")
    groups: str = _key(
        "one", "release: biases learn twice as fast and do not decay", "one", "release"
    )
    schedule: str = _key(
        "one-cycle",
        "one-cycle, or a linear warm-up and then a cosine to zero",
        "one-cycle",
        "cosine",
    )
    warmup: float = _key(0.08, "share of the steps in which the learning rate rises")
    clip_gradient: float = _key(0.0, "largest L2 norm of the gradient; 0: any")
    label_smoothing: float = _key(0.05, "share of the target spread over all classes")
    dropout: float = _key(0.2, "dropout before the classifier")
    seed: int = _key(0, "of weights, sampling, crops and dropout")
    precision: str = _key(
        "bf16-mixed",
        "one of Lightning Fabric's, such as 32-true, bf16-mixed, 16-mixed",
        *PRECISIONS,
    )
    save_every: int = _key(50, "steps between two saved states")

    def __post_init__(self) -> None:
        for entry in fields(self):
            value, choices = getattr(self, entry.name), entry.metadata["choices"]
            if choices and value not in choices:
                raise DataError(f"{entry.name!r} is {value!r}; there are {', '.join(choices)}")
            if str(entry.type) == "float" and not _is_finite(value):
                raise DataError(f"{entry.name!r} must be a finite number, got {value}")
        for name, low in (
            *(("steps", 1), ("batch_size", 1), ("accumulate", 1), ("save_every", 1)),
            *(("clip_gradient", 0), ("momentum", 0), ("weight_decay", 0)),
            *(("clutter_steps", 0), ("first_label", -1)),
        ):
            if getattr(self, name) < low:
                raise DataError(f"{name!r} must be at least {low}, got {getattr(self, name)}")
        for name, low, high in (
            ("warmup", 0, 1),
            ("label_smoothing", 0, 1),
            ("dropout", 0, 1),
            ("learning_rate", 0, 1000),
            ("clutter", 0, 1),
            ("camera", 0, 1),
            ("clutter_from", 0, 1),
            ("drawn_share", 0, 1),
            ("fields", 1, MAX_FIELDS),
            ("num_segments", 1, MAX_SEGMENTS),
            ("input_size", SMALLEST_INPUT, LARGEST_INPUT),
            ("seed", 0, 2**32 - 1),
        ):
            if not low <= getattr(self, name) <= high:
                raise DataError(f"{name!r} must be in {low} to {high}, got {getattr(self, name)}")
        # Where the rise ends with the first or with the last step, one-cycle divides by zero.
        if self.schedule == "one-cycle" and (self.warmup == 1 or self.warmup * self.steps == 1):
            raise DataError(
                f"'warmup' is {self.warmup} of {self.steps} steps, which leaves one-cycle no step"
                f" to {'fall' if self.warmup == 1 else 'rise'} in; choose another share"
            )
        if self.style == "probes" and not self.data:
            try:
                check_frames(self.num_segments)
            except ValueError as error:
                raise DataError(f"'num_segments': {error}") from None
        if self.directions != "one" and (self.data or self.style == "probes"):
            raise DataError(
                f"'directions' {self.directions} needs the drawn or the randomised clips: of no"
                " others the reversal is known to be a clip of the reversed class"
            )
        if self.drawn_share and (self.data or self.style != "randomised"):
            raise DataError("'drawn_share' needs 'style' randomised and no 'data'")
        if self.batch_size % self.accumulate:
            raise DataError(
                f"a batch of {self.batch_size} cannot be run in {self.accumulate} equal parts"
            )

    @property
    def seen(self) -> Modality:
        """What of the frames the network takes."""
        return Modality(cast(Kind, self.modality), 1 if self.modality == "RGB" else self.fields)

    def clutter_at(self, step: int) -> float:
        """The clutter of the randomised clips of ``step``: from ``clutter_from`` it rises in a
        straight line to ``clutter``, which it has from step ``clutter_steps`` on.
        """
        if step >= self.clutter_steps:
            return self.clutter
        done = step / self.clutter_steps
        return self.clutter_from + (self.clutter - self.clutter_from) * done

    @classmethod
    def read(cls, path: Path) -> TrainConfig:
        """Read a JSON file of these keys.

        Raises:
            DataError: if the file is no JSON object, or has an unknown, missing, mistyped or
                impossible value.
        """
        try:
            values = json.loads(path.read_text())
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(f"{path.name}: not a readable JSON file ({error})") from None
        known = {entry.name: str(entry.type) for entry in fields(cls)}
        if not isinstance(values, dict) or "temporal" not in values:
            raise DataError(
                f"{path.name}: a training configuration is an object with at least 'temporal'"
            )
        if "init" in values and "initial" not in values:
            values["initial"] = values.pop("init")
        for key, value in values.items():
            if key not in known:
                raise DataError(f"{path.name}: unknown key {key!r}; there are {', '.join(known)}")
            if not isinstance(value, _KINDS[known[key]]) or isinstance(value, bool):
                raise DataError(f"{path.name}: {key!r} must be of type {known[key]}, got {value!r}")
        try:
            return cls(**values)
        except DataError as error:
            raise DataError(f"{path.name}: {error}") from None


def _is_finite(value: float) -> bool:
    """Whether it is a number that a float can hold."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def describe() -> str:
    """Every key with its type, meaning and default, one a line."""
    lines = []
    for entry in fields(TrainConfig):
        default = "required" if entry.name == "temporal" else f"default {entry.default!r}"
        lines.append(f"{entry.name} ({entry.type}): {entry.metadata['help']}; {default}")
    return "\n\n".join(lines)
