"""What a machine with a GPU is for: ``python -m tests.gpu OUT`` checks every system on the device
against the CPU, times all of them, trains what is not trained, and measures it.

Each part writes its results to OUT as soon as it has them, so that a run that is cut off loses only
what it was at; a second call goes on. ``--device cpu --small`` runs all of it in little, to see
that it works before a GPU is at hand.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch

from gsm_model.benchmark.networks import benchmark_networks
from gsm_model.benchmark.systems import latency_ratios
from gsm_model.benchmark.timing import machine
from gsm_model.bundled import assets, bundled_checkpoints
from gsm_model.models.checkpoints.files import load_checkpoint
from gsm_model.models.inference.optimize import PRECISIONS, optimize
from gsm_model.models.recognizer import Recognizer, best_device, build_recognizer
from gsm_model.models.registry import systems
from gsm_model.training.alike import CHECKPOINT_FILE, AlikeRun, alike_runs, train_alike
from gsm_model.training.config import TrainConfig

# Largest difference of logits to the CPU's, over the largest logit.
ALLOWED = {"float32": 1e-3, "bfloat16": 0.08, "float16": 0.02}
MORE_SEEDS = ("none", "tsm", "gsm")


def agreement(device: torch.device, names: list[str]) -> dict[str, dict[str, float]]:
    """Each system's logits on ``device`` against the CPU's float32, by precision."""
    found = {}
    clip = torch.randn(2, 8, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for name in names:
        torch.manual_seed(0)
        model = build_recognizer("resnet18", name, 12, width=0.25, input_size=64).eval()
        with torch.inference_mode():
            expected = model(clip)
            found[name] = {
                precision: _difference(_on(model, precision, device), clip.to(device), expected)
                for precision in PRECISIONS
            }
    return found


def _on(model: Recognizer, precision: str, device: torch.device) -> Recognizer:
    moved = copy.deepcopy(model).to(device)
    return optimize(moved, precision)  # type: ignore[arg-type]  # one of PRECISIONS


def _difference(model: Recognizer, clip: torch.Tensor, expected: torch.Tensor) -> float:
    got = model(clip).float().cpu()
    return float((got - expected).abs().max() / expected.abs().max().clamp_min(1e-12))


def bundled_agree(device: torch.device) -> dict[str, float]:
    """The bundled models on ``device`` against the CPU, on noise."""
    clip = torch.randn(1, 8, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    found = {}
    for name, path in bundled_checkpoints().items():
        model = load_checkpoint(path).eval()
        with torch.inference_mode():
            expected = model(clip)
            found[name] = _difference(model.to(device), clip.to(device), expected)
    return found


def benchmarks(device: torch.device, small: bool) -> dict[str, object]:
    """All systems against TSN, and the published networks in every formulation and precision."""
    runs = 3 if small else 30
    found: dict[str, object] = {
        "systems": latency_ratios(list(systems()), device, runs, 0.125 if small else 1.0)
    }
    for backbone in () if small else ("bn_inception", "inception_v3", "resnet50"):
        rows = benchmark_networks(
            backbone, ["none", "tsm", "gsm"], list(PRECISIONS), device, runs=runs
        )
        found[backbone] = [row.row() for row in rows]
    return found


def training(out: Path, small: bool, until: float) -> dict[str, object]:
    """Every system trained alike, on the temporal probes and from there on the actions, more seeds
    for some, until the time is over.
    """
    folder, stored = assets() / "training", None
    probes, actions = (
        TrainConfig.read(folder / f"{name}.json") for name in ("alike-probes", "alike")
    )
    if small:
        stored = 4
        probes, actions = (
            replace(recipe, steps=2, batch_size=2, width=0.125, input_size=32)
            for recipe in (probes, actions)
        )
    workers = 0 if small else 12

    def on_the_probes(run: AlikeRun) -> Recognizer:
        return load_checkpoint(out / "probes" / run.name / CHECKPOINT_FILE)

    runs: list[AlikeRun] = [
        *alike_runs(systems()),
        *(run for run in alike_runs(MORE_SEEDS, 3) if run.seed > 0),
    ]
    found: dict[str, object] = {}
    for run in runs:
        if time.monotonic() > until:
            found["left"] = [one.name for one in runs if one.name not in found]
            break
        train_alike(probes, [run], out / "probes", stored, workers)
        ended = train_alike(actions, [run], out / "runs", stored, workers, initial=on_the_probes)
        found[run.name] = asdict(ended[run])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--device", default=None)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--minutes", type=float, default=9.0, help="when to begin no further run")
    options = parser.parse_args()
    device = torch.device(options.device) if options.device else best_device()
    until = time.monotonic() + 60 * options.minutes
    options.out.mkdir(parents=True, exist_ok=True)
    names = list(systems())

    def part(name: str, do: Callable[[], dict]) -> None:
        started = time.monotonic()
        result = {"machine": machine(device), "result": do()}
        result["seconds"] = round(time.monotonic() - started, 1)
        (options.out / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
        print(f"{name}: {result['seconds']} s", flush=True)

    differences: dict[str, dict[str, float]] = {}
    part("agreement", lambda: differences.update(agreement(device, names)) or differences)
    part("bundled", lambda: bundled_agree(device))
    part("benchmarks", lambda: benchmarks(device, options.small))
    part("training", lambda: training(options.out, options.small, until))
    wrong = [
        f"{name}, {precision}: {value:.2g}"
        for name, of in differences.items()
        for precision, value in of.items()
        if not value <= ALLOWED[precision]
    ]
    print("\n".join(wrong) or "every system agrees with the CPU")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
