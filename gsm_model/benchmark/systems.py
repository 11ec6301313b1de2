"""How long each system, and each network that is given motion, takes beside TSN."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count

import numpy as np
import torch
from torch import Tensor, nn

from gsm_model.benchmark.timing import in_turn
from gsm_model.evaluation.systems import BACKBONE, FRAMES, without_zeros
from gsm_model.models.inputs import FUSED, motion_inputs
from gsm_model.models.recognizer import build_recognizer
from gsm_model.models.tvnet import TVNet
from gsm_model.video.modality import RGB, Modality
from gsm_model.video.transforms import normalise


def latency_ratios(
    names: Sequence[str],
    device: torch.device,
    runs: int = 15,
    width: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, dict[str, float]]:
    """How many times as long as TSN a forward pass of each system takes on ``device``, one clip of
    noise, all in turn: name → median, smallest and largest ``ratio`` over ``runs`` rounds.
    """
    return _ratios(_forward, names, device, runs, width, progress)


def training_ratios(
    names: Sequence[str],
    device: torch.device,
    runs: int = 5,
    width: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, dict[str, float]]:
    """The same of a step of training: forward, backward, and a step of plain gradient descent."""
    return _ratios(_step, names, device, runs, width, progress)


def _ratios(
    prepare: Callable[[nn.Module, Tensor], Callable[[], object]],
    names: Sequence[str],
    device: torch.device,
    runs: int,
    width: float,
    progress: Callable[[int, int], None] | None,
) -> dict[str, dict[str, float]]:
    """How many times as long as TSN's takes what ``prepare(network, clip)`` makes of each."""
    models = {
        name: without_zeros(build_recognizer(BACKBONE, name, num_segments=FRAMES, width=width))
        .eval()
        .channels_last()
        .to(device)
        for name in dict.fromkeys(("none", *names))
    }
    size = models["none"].input.size
    clip = torch.randn(1, FRAMES, 3, size, size, generator=torch.Generator().manual_seed(0))
    clip = clip.to(device)
    does = {name: prepare(model, clip) for name, model in models.items()}
    return _over_tsn(in_turn(does, runs, device, progress), runs)


def _forward(model: nn.Module, clip: Tensor) -> Callable[[], object]:
    def once() -> object:
        with torch.inference_mode():
            return model(clip)

    return once


def _step(model: nn.Module, clip: Tensor) -> Callable[[], object]:
    optimizer = torch.optim.SGD(model.train().parameters(), lr=0.0)
    truth = torch.zeros(len(clip), dtype=torch.int64, device=clip.device)

    def once() -> object:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(clip), truth).backward()
        optimizer.step()
        return truth

    return once


def input_ratios(
    names: Sequence[str],
    device: torch.device,
    runs: int = 5,
    width: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, dict[str, float]]:
    """The same of networks that are given motion, from the frames on: what computing the motion
    takes is counted, in TSN as in all that the frames are normalised. ``motion`` is the part of
    the ratio that is the motion's alone, the median too: of TVNet its layers, of DMC-Net the
    vectors without the cue. Two streams take the sum.
    """
    given = motion_inputs()
    seen = {"none": RGB} | {
        name: given[name].modality()
        for name in dict.fromkeys((*names, FUSED[1]))
        if given[name].kind is not None
    }
    answers, motions = {}, {}
    for name, modality in seen.items():
        answers[name], motions[name] = _from_frames(modality, device, width)
    seconds = in_turn(answers, runs, device, progress)
    alone = in_turn(motions, runs, device)
    for name in names:
        if given[name].kind is None:
            seconds[name] = seconds[FUSED[0]] + seconds[FUSED[1]]
            alone[name] = alone[FUSED[1]]
    found = _over_tsn(seconds, runs)
    tsn = float(np.median(seconds["none"]))
    return {
        name: {**found[name], "motion": round(float(np.median(alone[name])) / tsn, 4)}
        for name in names
    }


def _from_frames(
    modality: Modality, device: torch.device, width: float
) -> tuple[Callable[[], object], Callable[[], object]]:
    """A clip's answer from its frames on, and its motion alone, each time of other frames, since
    flow that was computed once is kept.
    """
    model = (
        build_recognizer(BACKBONE, "none", num_segments=FRAMES, width=width, modality=modality)
        .eval()
        .channels_last()
        .to(device)
    )
    clips = count()

    def frames() -> Tensor:
        clip = _moving_texture(model.input.size, modality.neighbours, next(clips))
        return normalise(clip, model.input).to(device)

    def answer() -> object:
        with torch.inference_mode():
            return model(frames())

    def motion() -> object:
        with torch.inference_mode():
            return model.front(frames()[0]) if isinstance(model.front, TVNet) else frames()

    return answer, motion


def _moving_texture(size: int, more: int, number: int) -> np.ndarray:
    """A clip (1, T, 3·(1 + more), S, S) uint8 of squares that move by a pixel a frame; ``number``
    draws them.
    """
    rng = np.random.default_rng(number)
    coarse = rng.integers(0, 256, (3, -(-size // 8), -(-size // 8)), np.uint8)
    texture = coarse.repeat(8, 1).repeat(8, 2)[:, :size, :size]
    moved = [np.roll(texture, k, axis=2) for k in range(FRAMES + more)]
    return np.stack([np.concatenate(moved[k : k + 1 + more]) for k in range(FRAMES)])[None]


def _over_tsn(seconds: Mapping[str, np.ndarray], runs: int) -> dict[str, dict[str, float]]:
    ratios = {name: taken / seconds["none"] for name, taken in seconds.items()}
    return {
        name: {
            "ratio": round(float(np.median(ratio)), 3),
            "low": round(float(ratio.min()), 3),
            "high": round(float(ratio.max()), 3),
            "runs": runs,
        }
        for name, ratio in ratios.items()
    }
