"""Networks that convolve or attend over time throughout, as backbones of a recogniser.

There is no 2D network in them that temporal modules could join, and most make the clip shorter on
the way: their features have fewer time steps than the clip has frames, and there is one answer for
the whole of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone, Site


class VideoNetwork(Backbone):
    """Frames ``(N·T, 3, H, W)`` → features ``(N·T, num_features)``, or ``(N, num_features)`` where
    time is strided: those of the whole clip.

    Its modules take and give ``(N, C, T, H, W)``, or what `as_frames` and `from_frames` say.
    ``window`` is how many neighbouring time steps of
    the last features its pooling takes together, as if each pair were a step; ``least`` how many
    frames it needs: of a shorter clip it sees the last one again; ``most`` how many it can take,
    ``None`` for any number; ``verb`` what it does over time. ``keeps_time`` where nothing
    strides over time, so that every frame has features of its own.
    """

    window = 1
    least = 1
    most: int | None = None
    verb: Literal["convolve", "attend"] = "convolve"
    keeps_time = False

    def chain(self) -> Iterator[tuple[str, nn.Module]]:
        """Its modules in the order in which they run, each with the title of the block that it is,
        empty for what is none.
        """
        raise NotImplementedError

    def sites(self) -> Sequence[Site]:
        """None: no temporal module can join it."""
        return ()

    def block_ends(self) -> dict[str, tuple[nn.Module, str]]:
        return {title: (module, "") for title, module in self.chain() if title}

    def feature_map(self, x: Tensor, probe: Probe) -> Tensor:
        """The last block's output, ``(N·T', num_features, h, w)`` with T' time steps."""
        x = self.clip_of(x, probe)
        for title, module in self.chain():
            x = module(x)
            if title and probe.points:
                frames = probe.pass_point(module, "", self.as_frames(x))
                x = self.from_frames(frames, len(x))
        return self.as_frames(x)

    def clip_of(self, x: Tensor, probe: Probe) -> Tensor:
        """Frames ``(N·T, 3, H, W)`` as clips ``(N, 3, T, H, W)`` of at least `least` frames."""
        x = probe.by_clip(x).transpose(1, 2)
        if (missing := self.least - x.shape[2]) > 0:
            x = torch.cat([x, x[:, :, -1:].expand(-1, -1, missing, -1, -1)], dim=2)
        return x

    def as_frames(self, x: Tensor) -> Tensor:
        """What a module of the chain gives, as features ``(N·T', C, h, w)``."""
        return x.transpose(1, 2).flatten(0, 1)

    def from_frames(self, frames: Tensor, clips: int) -> Tensor:
        """Features ``(N·T', C, h, w)`` of ``clips`` clips as the chain's modules take them."""
        return frames.unflatten(0, (clips, -1)).transpose(1, 2)

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        steps = probe.by_clip(self.feature_map(x, probe).mean(dim=(2, 3)))
        if self.keeps_time:
            return steps.flatten(0, 1)
        size = min(self.window, steps.shape[1])
        return steps.unfold(1, size, 1).mean(dim=(1, 3))


def in_time(values: Tensor, frames: int) -> Tensor:
    """``(N, T', …)`` of a layer's T' time steps → ``(N, frames, …)``, linearly between them.

    Each stride halves time: a step is centred on every second, fourth, … frame, the first step on
    the first frame; behind the last step its values stay.
    """
    steps, stride = values.shape[1], 1
    if steps >= frames:
        return values[:, :frames]
    while -(-frames // stride) > steps:
        stride *= 2
    at = (torch.arange(frames, device=values.device) / stride).clamp_max(steps - 1)
    before = at.floor().long()
    after = (before + 1).clamp_max(steps - 1)
    share = (at - before).to(values.dtype).view(-1, *[1] * (values.ndim - 2))
    return values[:, before] * (1 - share) + values[:, after] * share


def shared_out(values: Tensor, frames: int) -> Tensor:
    """``(N, T')`` amounts of a layer's time steps → ``(N, frames)``: each step's is shared out over
    the frames for which it counts in `in_time`, so that sums stay as they are.
    """
    steps = values.shape[1]
    if steps == frames:
        return values
    weights = in_time(torch.eye(steps, dtype=values.dtype)[None], frames)[0]
    return values @ (weights / weights.sum(0)).T
