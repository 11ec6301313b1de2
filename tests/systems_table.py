"""A made-up table of systems: figures that nobody measured, to show pages and figures with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gsm_model.data.labels import reversed_class
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.evaluation.intervals import measure_share

N = 1000
PAIRS = tuple(
    f"{label} / {reversed_class(label)}" for label in LABELS[::2]
)  # each class is followed by its reversal


def share(value: float, n: int = N) -> dict[str, float]:
    """A figure of about ``value`` with its interval."""
    one = measure_share("", round(min(max(value, 0), 1) * n), n, "")
    return {"value": one.value, "low": one.low, "high": one.high, "n": n}


def filled(within_pair: float, against: tuple[int, int] | None, seed: int) -> dict[str, object]:
    """What measuring adds to the row of a system that is right within pairs in so many clips."""
    rng = np.random.default_rng(seed)
    row: dict[str, object] = {"pairs": {}, "against_gsm": None if against is None else {}}
    for split, less in (("test", 0.0), ("shifted", 0.08)):
        right = within_pair - less
        row[split] = {
            "top1": share(0.93 * right),
            "class_mean": share(0.93 * right),
            "within_pair": share(right),
            "pair": share(0.95 - less),
            "reversed_to_reversed_class": share(1.7 * (right - 0.45)),
            "changes_when_reversed": share(1.9 * (right - 0.5)),
        }
        row["pairs"][split] = {
            pair: share(right + float(rng.uniform(-0.12, 0.05)), N // len(PAIRS)) for pair in PAIRS
        }
        if against is not None:
            counts = {"only_this": against[0], "only_gsm": against[1], "n": N}
            row["against_gsm"][split] = {"top1": counts, "within_pair": counts}
    steps = np.linspace(50, 3000, 60)
    row["curve"] = [
        {
            "step": float(step),
            "loss": float(3 * np.exp(-step / 900)),
            "accuracy": float(0.9 * within_pair * (1 - np.exp(-step / 700))),
        }
        for step in steps
    ]
    row["ended"] = {"diverged": False, "loss": 0.2}
    row["network"] = {
        "backbone": "resnet18",
        "width": 0.25,
        "size": 64,
        "frames": 8,
        "parameters": 712_000,
    }
    return row


def of_probes(value: float) -> dict[str, object]:
    """What a system tells of time that is right in ``value`` of all clips."""
    places = [("which first", None), ("which first", 1), ("direction", None), ("color", None)]
    results = [
        {"probe": probe, "control": probe == "color", "distance": apart, **share(value, 224)}
        for probe, apart in places
    ]
    network = {"backbone": "resnet18", "width": 0.25, "size": 48, "frames": 8}
    data = "Temporal Probes, test split, clutter 0.3"
    return {"results": results, "data": data, "network": network, "steps": 500, "batch": 16}


def write_table(
    assets: Path, measured: dict[str, tuple[float, tuple[int, int] | None]], names: Sequence[str]
) -> Path:
    """``systems/systems.json`` in ``assets`` with ``names``, of which those ``measured`` (name →
    within pair, clips that only it and only GSM gets right) are trained.
    """
    table = assets / "systems" / "systems.json"
    table.parent.mkdir(parents=True, exist_ok=True)
    rows = {
        name: {"parameters": 11_000_000 + 10**6 * k, "gmacs": 14.5 + k, "reach": [7, 7 - k % 7]}
        | (filled(*measured[name], k) if name in measured else {})
        for k, name in enumerate(names)
    }
    table.write_text(json.dumps({"systems": rows}))
    return table
