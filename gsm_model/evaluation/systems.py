"""What each system costs, how far it sees, and what it can tell when all are trained alike: the
table of systems.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch

from gsm_model.bundled import assets
from gsm_model.data.labels import reversed_classes
from gsm_model.data.synthetic.dataset import Split
from gsm_model.evaluation.evaluate import BothWays, measures_of, score_drawn_clips
from gsm_model.evaluation.intervals import measure_share
from gsm_model.evaluation.pairs import pair_accuracies
from gsm_model.evaluation.reversal import ALL_PAIRS
from gsm_model.evaluation.table_check import read_table
from gsm_model.models.card import Measure
from gsm_model.models.cost import cost_of
from gsm_model.models.inputs import FUSED, MotionInput, motion_inputs
from gsm_model.models.recognizer import Recognizer, build_recognizer
from gsm_model.models.registry import systems
from gsm_model.models.systems.system import System
from gsm_model.models.temporal import WHOLE_CLIP
from gsm_model.predictions.table import Predictions
from gsm_model.video.modality import RGB

BACKBONE, FRAMES = "resnet18", 8
GSM_SYSTEM = "gsm"
TABLE_FILE = "systems.json"
SPLITS = tuple(name for name in get_args(Split) if name in ("test", "shifted"))


@dataclass(frozen=True)
class SystemCost:
    """What a system costs on ResNet-18 with 174 classes and clips of 8 frames of 224 × 224 pixels,
    and how many frames back and ahead its scores of a frame can depend on (at most 7 of 8), by its
    structure, no weight being zero; ``measured`` is the same, found by changing frames.
    """

    parameters: int
    macs: int
    back: int
    ahead: int
    measured: tuple[int, int]


def cost_of_system(name: str) -> SystemCost:
    """The cost and the reach of a system."""
    model = build_recognizer(BACKBONE, name, num_segments=FRAMES)
    cost = cost_of(model)
    back, ahead = reach_of(without_zeros(model))
    return SystemCost(cost.parameters, cost.macs, back, ahead, measured_reach(model))


def cost_of_input(name: str) -> dict[str, Any]:
    """Parameters and thousand million multiply-adds a clip of the network or networks that are
    given motion, as the table has them; what computing the motion takes is not among them, but for
    the convolutions that are part of the network.
    """
    given = motion_inputs()
    parts = FUSED if given[name].kind is None else (name,)
    costs = [
        cost_of(
            build_recognizer(
                BACKBONE,
                "none",
                num_segments=FRAMES,
                modality=given[part].modality() if part in given else RGB,
            )
        )
        for part in parts
    ]
    return {
        "parameters": sum(cost.parameters for cost in costs),
        "gmacs": round(sum(cost.macs for cost in costs) / 1e9, 4),
    }


def without_zeros(model: Recognizer) -> Recognizer:
    """``model`` with noise in place of the temporal weights that start at zero."""
    generator = torch.Generator().manual_seed(0)
    for layer in model.temporal_layers():
        for parameter in () if layer.module is None else layer.module.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.data = torch.where(parameter == 0, noise, parameter.data)
    return model


def reach_of(model: Recognizer, frames: int = FRAMES) -> tuple[int, int]:
    """How many frames back and ahead the scores of a frame can depend on in a clip of ``frames``,
    by which of the weights are not zero.
    """
    back = ahead = 0
    for layer in model.temporal_layers():
        if layer.module is not None:
            far = layer.module.reach()
            back, ahead = (
                frames if WHOLE_CLIP in (one, more) else one + more
                for one, more in zip((back, ahead), far, strict=True)
            )
    return min(back, frames - 1), min(ahead, frames - 1)


@torch.inference_mode()
def measured_reach(model: Recognizer, frames: int = FRAMES, size: int = 64) -> tuple[int, int]:
    """How many frames back and ahead the scores of a frame do depend on: each frame of a clip of
    noise, (1, ``frames``, P, ``size``, ``size``), is changed in turn, in float64, so that every
    change is seen. Weights that are zero, such as a new block's last scale, are drawn.
    """
    model = copy.deepcopy(model).double().eval()
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        drawn = torch.randn(weight.shape, generator=generator, dtype=weight.dtype)
        weight.copy_(torch.where(weight == 0, drawn, weight))
    planes = model.input.modality.planes
    clip = torch.randn(1, frames, planes, size, size, generator=generator, dtype=torch.float64)
    scores, back, ahead = model.frame_logits(clip)[0], 0, 0
    for changed in range(frames):
        other = clip.clone()
        other[:, changed] *= -1
        moved = (model.frame_logits(other)[0] - scores).abs().amax(1)
        where = (moved > 1e-13 * scores.abs().max()).nonzero().flatten() - changed
        # A frame behind the changed one looks back at it.
        back, ahead = max(back, int(where.max())), max(ahead, -int(where.min()))
    return back, ahead


def measure_systems(
    models: Mapping[str, Recognizer],
    num_clips: int,
    splits: Sequence[Split] = ("test", "shifted"),
    progress: Callable[[int, int], None] | None = None,
    reference: str | None = None,
) -> dict[str, dict[str, Any]]:
    """What trained models can tell on the same drawn clips, name → a part of the table's row:

    split → figure → value, low, high and n: those of `measures_of`, and which share of answers
    *changes when reversed*; *network*: what was trained; *pairs*: split → pair of classes → the
    same of *within pair*; *against_gsm*: split → *top1* and *within_pair* → on how many of n clips
    *only_this* model, and *only_gsm*, is right. ``reference`` is the name of the model that is the
    GSM; without it, and of it, the last is ``None``.

    Raises:
        DataError: if a model's classes are not those of the drawn set.
    """
    found: dict[str, dict[str, Any]] = {
        name: {
            "network": network_of(model),
            "pairs": {},
            "against_gsm": None if reference in (None, name) else {},
        }
        for name, model in models.items()
    }
    for split in splits:
        tables = score_drawn_clips(list(models.values()), split, num_clips, progress=progress)
        of = dict(zip(models, tables, strict=True))
        for name, both in of.items():
            found[name][split] = {
                measure.metric.replace(" ", "_").replace("-", ""): _numbers(measure)
                for measure in (*measures_of(both), _changed(both))
            }
            found[name]["pairs"][split] = {
                pair.group: _numbers(pair.forward)
                for pair in pair_accuracies(both.forward, both.reversed)
                if pair.group != ALL_PAIRS
            }
            if reference not in (None, name):
                found[name]["against_gsm"][split] = _against(both.forward, of[reference].forward)
    return found


def network_of(model: Recognizer) -> dict[str, Any]:
    """What a figure is of: the backbone, its width, pixels and frames, and parameters."""
    return {
        "backbone": model.architecture.backbone,
        "width": model.architecture.width,
        "size": model.input.size,
        "frames": model.architecture.num_segments,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }


def _within_pair(table: Predictions) -> np.ndarray:
    """Whether the class scores higher than its time reversal, of the clips whose class has one."""
    scores, reverses = table.require_scores(), reversed_classes(table.labels)[table.truth]
    rows = np.flatnonzero(reverses >= 0)
    return scores[rows, table.truth[rows]] > scores[rows, reverses[rows]]


def _against(table: Predictions, gsm: Predictions) -> dict[str, dict[str, int]]:
    """On how many clips just one of the two is right."""
    pairs = {
        "top1": (table.right, gsm.right),
        "within_pair": (_within_pair(table), _within_pair(gsm)),
    }
    return {
        metric: {
            "only_this": int((this & ~other).sum()),
            "only_gsm": int((other & ~this).sum()),
            "n": len(this),
        }
        for metric, (this, other) in pairs.items()
    }


def _changed(both: BothWays) -> Measure:
    changed = both.forward.predicted != both.reversed.predicted
    n = len(changed)
    return measure_share("changes when reversed", int(changed.sum()), n, both.forward.data)


def _numbers(measure: Measure) -> dict[str, float]:
    return {
        "value": round(measure.value, 4),
        "low": round(measure.low, 4),
        "high": round(measure.high, 4),
        "n": measure.n,
    }


def systems_file() -> Path:
    """Where the table that comes with the project is."""
    return assets() / "systems" / TABLE_FILE


def systems_table() -> list[dict[str, Any]]:
    """A row for each registered system, in the registry's order: what it is, what it costs, how far
    it sees and, where it was trained, what it can tell; ``None`` for what was not measured.

    Raises:
        DataError: if the table that comes with the project cannot be read.
    """
    measured = _stored("systems")
    return [_row(system, measured.get(name, {})) for name, system in systems().items()]


def inputs_table() -> list[dict[str, Any]]:
    """The same of what a TSN can be given in place of pictures, in the order of `motion_inputs`.
    Its time beside TSN's, ``latency_ratio``, includes computing the motion.

    Raises: as `systems_table`.
    """
    measured = _stored("inputs")
    return [_row(given, measured.get(name, {})) for name, given in motion_inputs().items()]


def _stored(part: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read_table(systems_file()).get(part, {})
    return found


def _row(what: System | MotionInput, of: Mapping[str, Any]) -> dict[str, Any]:
    measured = (
        *("parameters", "gmacs", "reach", "measured_reach", "latency_ratio", "training_ratio"),
        *(*SPLITS, "filmed"),
        *("network", "pairs", "against_gsm", "checkpoint", "seeds", "ended", "curve", "probes"),
    )
    return {
        "name": what.name,
        "title": what.title,
        "paper": what.paper,
        "idea": what.idea,
        "file": what.file,
        **{name: of.get(name) for name in measured},
    }


def measured(rows: Sequence[Mapping[str, Any]], split: str) -> list[Mapping[str, Any]]:
    """Those of ``rows`` that were trained and measured on ``split``, by *within pair*, the best
    first.
    """
    found = [row for row in rows if row.get(split)]
    return sorted(found, key=lambda row: -row[split]["within_pair"]["value"])


def trainings(row: Mapping[str, Any], split: str) -> list[float]:
    """*Within pair* on ``split`` of each training of a system, by their seeds; empty where just one
    was measured.
    """
    seeds = (row.get("seeds") or {}).items()
    by_seed = sorted(seeds, key=lambda seed: (len(seed[0]), seed[0]))  # 2 before 10
    told = [of[split]["within_pair"]["value"] for _, of in by_seed if of.get(split)]
    return told if len(told) > 1 else []


def trainings_text(row: Mapping[str, Any], split: str) -> str | None:
    """The lowest and the highest of `trainings` in per cent and how many there are:
    ``63.2 to 71.2 (3)``.
    """
    told = trainings(row, split)
    if not told:
        return None
    return f"{100 * min(told):.1f} to {100 * max(told):.1f} ({len(told)})"


def is_trained(row: Mapping[str, Any]) -> bool:
    """Whether a system was trained and measured on any split."""
    return any(row.get(split) for split in SPLITS)


def fate(row: Mapping[str, Any]) -> str:
    """What became of a system's training: *trained*, *diverged* or *not trained*."""
    if is_trained(row):
        return "trained"
    return "diverged" if (row.get("ended") or {}).get("diverged") else "not trained"


def costs_row(cost: SystemCost) -> dict[str, Any]:
    """A cost as the table has it: parameters, thousand million multiply-adds a clip, frames back
    and ahead by its structure and as measured.
    """
    found = asdict(cost)
    return {
        "parameters": found["parameters"],
        "gmacs": round(found["macs"] / 1e9, 4),
        "reach": [found["back"], found["ahead"]],
        "measured_reach": list(cost.measured),
    }
