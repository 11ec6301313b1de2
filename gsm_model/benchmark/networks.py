"""Forward passes: each backbone with each temporal module, in the release's formulation and in
ours, in every precision.
"""

from __future__ import annotations

import copy
import multiprocessing
import resource
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import torch
from torch import nn

from gsm_model.benchmark.released import as_released
from gsm_model.benchmark.timing import Timing, in_turn
from gsm_model.models.cost import cost_of
from gsm_model.models.inference.optimize import PRECISIONS, Precision, optimize
from gsm_model.models.recognizer import Recognizer, build_recognizer
from gsm_model.models.registry import systems
from gsm_model.models.systems.gsm import GateShiftModule

RELEASED = "release's formulation"
PLAIN = "as loaded"


def open_gates(model: Recognizer) -> Recognizer:
    """``model`` with gates and branches that are not zero, as training leaves them, so that none of
    their work can be left out.
    """
    for module in model.modules():
        if isinstance(module, GateShiftModule):
            nn.init.normal_(module.conv3D.weight, std=0.05)
        elif isinstance(module, nn.BatchNorm2d) and not module.weight.any():
            nn.init.ones_(module.weight)
    return model.eval()


def network(backbone: str, temporal: str, num_segments: int) -> Recognizer:
    """An untrained network of the published width."""
    return open_gates(build_recognizer(backbone, temporal, num_segments=num_segments))


def noise(model: Recognizer, num_segments: int, clips: int = 1) -> torch.Tensor:
    """Clips of noise for ``model``, (clips, T, 3, S, S), on its device."""
    size = model.input.size
    clip = torch.randn(
        clips, num_segments, 3, size, size, generator=torch.Generator().manual_seed(0)
    )
    return clip.to(next(model.parameters()).device)


def ways(model: Recognizer, precisions: Sequence[Precision]) -> dict[str, Recognizer]:
    """``model`` in every way it can be run: name → network."""
    released = {RELEASED: as_released(model)} if model.gate_layers() else {}
    plain = copy.deepcopy(model).channels_last()
    return (
        released
        | {PLAIN: plain}
        | {f"optimised, {precision}": optimize(model, precision) for precision in precisions}
    )


def benchmark_networks(
    backbone: str,
    temporals: Sequence[str],
    precisions: Sequence[Precision],
    device: torch.device,
    num_segments: int = 8,
    runs: int = 15,
    progress: Callable[[int, int], None] | None = None,
) -> list[Timing]:
    """One clip of noise through ``backbone`` with each of ``temporals`` in every way, all in turn.
    Ratios are to the release's formulation
    of GSM where it is among them: how many times as long that takes.

    Raises:
        ValueError: for an unknown name, or if ``runs`` is not positive.
    """
    things: dict[str, Callable[[], object]] = {}
    work: dict[str, int] = {}
    clip: torch.Tensor | None = None
    for temporal in temporals:
        model = network(backbone, temporal, num_segments).to(device)
        clip = noise(model, num_segments) if clip is None else clip
        macs = cost_of(model, num_segments).macs
        for how, one in ways(model, precisions).items():
            name = f"{systems()[temporal].title}, {how}"
            things[name] = partial(one, clip)
            work[name] = macs
    with torch.inference_mode():
        seconds = in_turn(things, runs, device, progress)
    reference = next((taken for name, taken in seconds.items() if name.endswith(RELEASED)), None)
    return [
        Timing(name, taken, None if reference is None else reference / taken, work[name])
        for name, taken in seconds.items()
    ]


def over_tsn(timings: Sequence[Timing]) -> dict[str, tuple[float, float, float]]:
    """GSM over TSN in each way both were run: the median, smallest and largest ratio within a
    round.
    """
    by_name = {timing.what: timing.seconds for timing in timings}
    found = {}
    for name, seconds in by_name.items():
        title, how = name.split(", ", 1)
        if title == "GSM" and (tsn := by_name.get(f"TSN, {how}")) is not None:
            row = Timing(how, seconds, seconds / tsn).row()
            found[how] = (row["ratio"], row["ratio_min"], row["ratio_max"])
    return found


def benchmark_lengths(
    backbone: str,
    temporal: str,
    precision: Precision,
    device: torch.device,
    lengths: Sequence[int] = (8, 16),
    runs: int = 15,
) -> list[Timing]:
    """One clip of each of ``lengths`` frames through the optimised network; ratios are to the
    first.
    """
    model = optimize(network(backbone, temporal, lengths[0]).to(device), precision)
    clips = {count: noise(model, count) for count in lengths}
    with torch.inference_mode():
        seconds = in_turn(
            {f"{count} frames": partial(model, clips[count]) for count in lengths},
            runs,
            device,
        )
    first = seconds[f"{lengths[0]} frames"]
    return [Timing(name, taken, taken / first) for name, taken in seconds.items()]


def peak_megabytes(
    backbone: str, temporal: str, how: str, num_segments: int, device: torch.device
) -> float:
    """The most memory that a forward takes beyond what a process with PyTorch holds, weights
    included; measured in a process of its own.

    On a GPU it is what PyTorch asked the device for.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_peak, backbone, temporal, how, num_segments, str(device)).result()


def _peak(backbone: str, temporal: str, how: str, num_segments: int, device: str) -> float:
    before = _begin_anew()
    model = network(backbone, temporal, num_segments).to(device)
    precisions = [one for one in PRECISIONS if how == f"optimised, {one}"]
    one = ways(model, precisions)[how]
    with torch.inference_mode():
        one(noise(model, num_segments))
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 1e6
    return _most_ever() - before


_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _begin_anew() -> float:
    """Forget the most memory this process ever held, where the system can; the megabytes it holds
    now.
    """
    if _CLEAR.exists():
        _CLEAR.write_text("5")
    return _most_ever()


def _most_ever() -> float:
    """The most megabytes this process ever held."""
    if _STATUS.exists():
        return next(
            int(line.split()[1]) / 1e3
            for line in _STATUS.read_text().splitlines()
            if line.startswith("VmHWM")
        )
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
