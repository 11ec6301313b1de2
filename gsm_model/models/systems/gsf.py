"""GSF: a Gate-Shift Module whose shifted and remaining features are fused, channel by channel.

Source: Sudhakaran, Escalera, Lanz, "Gate-Shift-Fuse for Video Action Recognition", TPAMI 2023, and
the authors' release (swathikirans/GSF, ``gsf.py``). With y = gate·x shifted by one frame as in a
GSM and r = x − y, the output is f·y + (1 − f)·r instead of y + r. The fusion weights f are made for
each half of the channels: the means of y and of r over each frame are a picture of two planes over
(channel, frame); a 3×3 convolution and a sigmoid turn it into one weight a channel and frame.

It stands where a GSM stands. It does not start as the 2D network: gates start as PyTorch starts a
convolution, and with gates of 0 the output is (1 − f)·x. Receptive field: one frame by the shift,
one by the gate's kernel, one by the fusion's.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from gsm_model.models.inference.basis import Basis
from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import IN_FRAME, Branch, Link, Step
from gsm_model.models.systems.gsm import GateShiftModule, interleaved
from gsm_model.models.systems.gsm_folded import interleave_order
from gsm_model.models.systems.system import System
from gsm_model.models.temporal import ClipReading, TemporalModule

HALVES = ("from the next frame", "from the previous frame")


class GateShiftFuse(GateShiftModule):
    """Gate, shift by one frame, fuse, interleave: ``(N, T, C, H, W)`` → the same shape.

    The parameters carry the release's names. ``ratio`` is the share of the channels it works on in
    per cent, the first ones, rounded up to an even number; the others pass.

    Raises:
        ValueError: if the number of channels it works on is not a multiple of 4.
    """

    is_pure_shift = False
    clip_readings = (
        ClipReading(
            "fusion",
            "Fusion weights: how much of the shifted features each channel keeps",
            ("frame", "kind", "channel"),
            HALVES,
        ),
    )
    # Of a BatchNorm behind it that is folded in, (2, C/2, 1, 1) in the order of its input.
    scale: Tensor | None
    shift: Tensor | None

    def __init__(self, channels: int, ratio: int = 100) -> None:
        super().__init__(fused_channels(channels, ratio))
        self.ratio = ratio
        self.conv3D.reset_parameters()
        self.channel_conv1 = nn.Conv2d(2, 1, 3, padding=1)
        self.channel_conv2 = nn.Conv2d(2, 1, 3, padding=1)
        self.register_buffer("scale", None, persistent=False)
        self.register_buffer("shift", None, persistent=False)
        self.rest: Basis | None = None

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        used = x[:, :, : self.channels]
        moved, kept = self._moved_and_kept(used, probe.gate(self, self._gate(used)))
        weights = self.fusion(moved, kept)
        probe.read(self, "fusion", weights)
        weights = weights[..., None, None]
        if self.scale is None or self.shift is None:
            out = torch.lerp(kept, moved, weights.to(x.dtype))
        else:
            out = torch.addcmul(self.shift.to(x.dtype), moved, (weights * self.scale).to(x.dtype))
            out = torch.addcmul(out, kept, ((1 - weights) * self.scale).to(x.dtype))
        return self._whole(out, x)

    def _gate(self, used: Tensor) -> Tensor:
        """Gates in the precision of the weights, whatever that of the features."""
        return self.gate(used.to(self.conv3D.weight.dtype))

    def _moved_and_kept(self, used: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """Both ``(N, T, 2, C/2, H, W)``: y = gate·x one frame on, zero at the ends, and x − y."""
        halves = used.unflatten(2, (2, self.channels // 2))
        gated = halves * gate.to(used.dtype).unsqueeze(3)
        moved = torch.zeros_like(gated)
        moved[:, :-1, 0] = gated[:, 1:, 0]
        moved[:, 1:, 1] = gated[:, :-1, 1]
        return moved, halves - gated

    def fusion(self, moved: Tensor, kept: Tensor) -> Tensor:
        """The fusion weights ``(N, T, 2, C/2)`` in (0, 1), by the channels that enter."""
        planes = torch.stack([moved.mean((4, 5)), kept.mean((4, 5))], dim=1)  # N, 2, T, half, C/2
        planes = planes.permute(3, 0, 1, 4, 2).to(self.channel_conv1.weight.dtype)
        convolutions = (self.channel_conv1, self.channel_conv2)
        weights = [conv(one)[:, 0] for conv, one in zip(convolutions, planes, strict=True)]
        return torch.sigmoid(torch.stack(weights, dim=1)).permute(0, 3, 1, 2)

    def _whole(self, halves: Tensor, x: Tensor) -> Tensor:
        """The output: ``halves`` interleaved, and behind them the channels of ``x`` that pass."""
        last = x.shape[2] > 1 and x.stride(2) == 1 and not x.is_contiguous()
        out, passing = interleaved(halves, last), x[:, :, self.channels :]
        if not passing.shape[2]:
            return out
        passing = passing if self.rest is None else self.rest.apply_to(passing).to(x.dtype)
        return torch.cat([out, passing], dim=2)

    def contributions(self, x: Tensor) -> Iterator[tuple[int, Tensor, Tensor]]:
        """(1 − f)·(x − y) of a frame's own, f·y of its neighbours, gates and weights held."""
        used, frames = x[:, :, : self.channels], torch.arange(x.shape[1])
        moved, kept = self._moved_and_kept(used, self._gate(used))
        weights = self.fusion(moved, kept)[..., None, None].to(x.dtype)
        nothing = torch.zeros_like(x)
        last = x.stride(2) == 1 and not x.is_contiguous()
        own = interleaved((1 - weights) * kept, last)
        yield 0, frames, torch.cat([own, x[:, :, self.channels :]], dim=2)
        for half, distance, targets in ((0, 1, frames[:-1]), (1, -1, frames[1:])):
            arriving = torch.zeros_like(moved)
            arriving[:, :, half] = (weights * moved)[:, :, half]
            whole = torch.cat([interleaved(arriving, last), nothing[:, :, self.channels :]], dim=2)
            yield distance, targets, whole[:, targets]

    def gated_channels(self, channels: int) -> tuple[slice, slice]:
        half = fused_channels(channels, self.ratio) // 2
        return slice(0, half), slice(half, 2 * half)

    def reach(self) -> tuple[int, int]:
        """By which taps of the gates and of the fusion are not zero."""
        frames = {0}
        fusions = (self.channel_conv1, self.channel_conv2)
        for sign, gate, bias, fusion in zip(
            (1, -1), self.conv3D.weight, self.gate_bias, fusions, strict=True
        ):
            looks = {tap - 1 for tap in range(3) if gate[:, tap].any()}
            is_open = bool(looks) or bool(bias)
            moved = {sign + look for look in looks | {0}} if is_open else set()
            frames |= looks | moved
            for plane, seen in ((0, moved), (1, looks | {0})):
                taps = [tap - 1 for tap in range(3) if fusion.weight[0, plane, :, tap].any()]
                frames |= {at + tap for at in seen for tap in taps}
        return -min(frames), max(frames)

    def absorbed(self, norm: nn.BatchNorm2d) -> TemporalModule:
        folded = copy.deepcopy(self)
        folded.basis = Basis.of(norm)
        scale, shift = folded.basis.scale, folded.basis.shift
        order = interleave_order(self.channels, scale.device).argsort()
        folded.scale, folded.shift = (
            part[: self.channels][order].view(2, -1, 1, 1) for part in (scale, shift)
        )
        folded.rest = Basis(scale[self.channels :], shift[self.channels :])
        return folded

    def at_precision(self, dtype: torch.dtype) -> None:
        """Gates and fusion weights stay in float32."""


def fused_channels(channels: int, ratio: int) -> int:
    """How many of ``channels`` a ratio of so many per cent takes, rounded up to an even number."""
    count = channels * ratio // 100
    return count + count % 2


def install(backbone: Backbone, ratio: int = 100) -> None:
    """One module a block, between a convolution and its BatchNorm, as a GSM."""
    for site in backbone.sites():
        site.insert(lambda channels: GateShiftFuse(channels, ratio), "before_norm", "gsf")


SYSTEM = System(
    name="gsf",
    title="GSF",
    paper="Sudhakaran, Escalera, Lanz: Gate-Shift-Fuse for Video Action Recognition. TPAMI 2023",
    install=install,
    marks=r"(^|\.)gsf_[^.]+\.channel_conv1\.weight$",
    idea=(
        "As in a GSM, learnt gates move part of the features to a neighbouring frame. What moved"
        " and what remained are then weighed against each other by channel and frame, instead of"
        " added. The weights are made of the means of both over each frame, by a small convolution"
        " over channels and frames."
    ),
    drawing=(
        Branch(
            (
                IN_FRAME,
                Step(
                    "gated shift, both weighed",
                    (
                        Link((1,), (0, 1), mixes=False, kind="gated"),
                        Link((-1,), (2, 3), mixes=False, kind="gated"),
                        Link((0,), mixes=False, kind="gated"),
                    ),
                ),
            )
        ),
    ),
)
