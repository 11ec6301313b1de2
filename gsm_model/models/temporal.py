"""Temporal modules: whatever mixes the frames of a clip inside a network that otherwise sees each
frame alone.

*Nothing crosses time* needs no gate: let every frame stand among copies of itself and run the
module; what comes out is the module with time taken away (`TemporalModule.alone`). What a module
adds to that is what crosses time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gsm_model.models.inference.basis import Basis
from gsm_model.models.probe import Probe

# The reach of a module that looks at the whole clip, however long: beyond any clip.
WHOLE_CLIP = 1 << 20


@dataclass(frozen=True)
class ClipReading:
    """One named quantity that a module computes of a clip and is worth showing.

    The module passes it to `Probe.read` under ``name``: a tensor with an axis for the clip and one
    for each of ``axes``, which are *frame*, *kind*, *channel*, *row*, *column*; what has rows and
    columns is a map over the picture. ``labels`` name the kinds; ``title`` and ``unit`` say what
    the values are, ``is_signed`` whether their sign tells something.
    """

    name: str
    title: str
    axes: tuple[str, ...]
    labels: tuple[str, ...]
    unit: str = ""
    is_signed: bool = False

    @property
    def is_map(self) -> bool:
        """Whether it has a value for each place of the picture."""
        return "row" in self.axes


# The axes of a map over the picture, for each frame and kind.
MAP_AXES = ("frame", "kind", "row", "column")


@dataclass(frozen=True)
class Reading:
    """One named quantity of a module that is worth showing.

    ``values`` is a float32 tensor on the CPU with one axis for each of ``axes`` (*channel*, *tap*,
    …), in ``unit``; ``labels`` name the places of the last axis, where it has names.
    """

    name: str
    title: str
    axes: tuple[str, ...]
    values: Tensor
    unit: str = ""
    labels: tuple[str, ...] = ()


class TemporalModule(nn.Module):
    """Features ``(N, T, C, H, W)`` → features; T is read from the shape.

    It stands in a network where a system puts it: between two layers, or in place of a convolution,
    whose change of channels and size it then makes. Threads share modules: nothing of a clip may be
    kept in ``self``.
    """

    # How a folded module holds what enters and leaves it, where that is not the network's own.
    entering: Basis | None
    basis: Basis | None
    # What it computes of a clip and passes to `Probe.read`.
    clip_readings: tuple[ClipReading, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.entering = None
        self.basis = None

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        raise NotImplementedError

    def reach(self) -> tuple[int, int]:
        """The temporal receptive field: how many frames back and ahead of t the output at t can
        depend on, by which of the weights are not zero; `WHOLE_CLIP` where it is all of them.
        """
        raise NotImplementedError

    def readings(self, norm: nn.Module | None = None) -> tuple[Reading, ...]:
        """What its weights say, and those of the BatchNorm ``norm`` behind it; none by default."""
        return ()

    def absorbed(self, norm: nn.BatchNorm2d) -> TemporalModule | None:
        """A copy for inference with ``norm``, the BatchNorm behind it, folded in; ``None`` where it
        cannot be.

        The copy says by ``basis`` how its output stands to its own before the BatchNorm and by
        ``entering`` what it wants of the convolution in front of it.
        """
        return None

    def own_input(self, x: Tensor) -> Tensor:
        """What enters, ``(N, T, C, H, W)``, in the network's own units."""
        return x if self.entering is None else self.entering.undo(x)

    def own_output(self, x: Tensor) -> Tensor:
        """What leaves, ``(N, T, C, H, W)``, in the network's own units."""
        return x if self.basis is None else self.basis.undo(x)

    def alone(self, x: Tensor) -> Tensor:
        """The output where nothing crosses time: every frame of ``x`` (N, T, C, H, W) among copies
        of itself. Equal to the output for a still clip, but for what padding does at its ends.
        """
        last = x.shape[1] - 1
        back, ahead = (last if far == WHOLE_CLIP else far for far in self.reach())
        copies = x.flatten(0, 1)[:, None].expand(-1, back + 1 + ahead, *x.shape[2:])
        return self(copies.contiguous(), Probe(len(copies)))[:, back].unflatten(0, x.shape[:2])

    def cut(self, x: Tensor, from_next: bool, from_previous: bool) -> Tensor:
        """The output where nothing comes from later frames, or from earlier ones, or both.

        In place of the frames beyond t, and of the padding beyond the ends of the clip, the output
        at t sees copies of frame t. A module that looks at the whole clip sees a clip of the same
        length.
        """
        if from_next and from_previous:
            return self.alone(x)
        if not (from_next or from_previous):
            return self(x, Probe(len(x)))
        (back, ahead), t = self.reach(), x.shape[1]
        parts = []
        for frame in range(t):
            here = x[:, frame, None]
            far, cut = (ahead, t - 1 - frame) if from_next else (back, frame)
            still = here.expand(-1, cut if far == WHOLE_CLIP else far, -1, -1, -1)
            clip = [x[:, : frame + 1], still] if from_next else [still, x[:, frame:]]
            out = self(torch.cat(clip, dim=1), Probe(len(x)))
            parts.append(out[:, frame if from_next else still.shape[1]])
        return torch.stack(parts, dim=1)

    def contributions(self, x: Tensor) -> Iterator[tuple[int, Tensor, Tensor]]:
        """What each frame of ``x`` (N, T, C, H, W) contributes to each frame of the output.

        Yields, for every distance d the module reaches, d itself (source frame − output frame), the
        output frames (K,) int64 that have such a source, and the contributions (N, K, C', H', W'):
        the output at t less what it is with frame t + d blank (zero), gates held as they are. For a
        gated shift these are exactly (1 − g)·x of a frame's own and g·x of its neighbours; for a
        convolution over time its taps' terms.
        """
        held: dict[nn.Module, Tensor] = {}

        def record(module: nn.Module, gate: Tensor) -> Tensor:
            held[module] = gate
            return gate

        n, t = x.shape[:2]
        out = self.own_output(self(x, Probe(n, gates=(record,))))
        hold = Probe(n, gates=(lambda module, gate: held[module],))
        back, ahead = (min(far, t - 1) for far in self.reach())
        frames, period = torch.arange(t), back + ahead + 1
        without = []
        for phase in range(min(period, t)):
            blank = (frames % period == phase).to(x.device)
            blanked = x.masked_fill(blank.view(1, -1, 1, 1, 1), 0)
            without.append(self.own_output(self(blanked, hold)))
        for distance in range(-back, ahead + 1):
            targets = frames[(frames + distance >= 0) & (frames + distance < t)]
            parts = [
                out[:, at] - without[(at + distance) % period][:, at] for at in targets.tolist()
            ]
            yield distance, targets, torch.stack(parts, dim=1)


class GatedModule(TemporalModule):
    """A module that moves gated features by one frame: gate 0 from t+1 to t, gate 1 from t−1 to t.

    What it adds to a frame is gate·x of a neighbour, and what it takes from it gate·x of its own.
    It passes its gates through ``probe.gate``, so that they can be seen and replaced.
    ``is_learnt`` is false where they are the same whatever the features, ``is_pure_shift`` where
    more than the gates decides what comes from other frames, so that gates of 0 do not close it and
    a gate alone does not say how much arrives.
    """

    is_learnt = True
    is_pure_shift = True

    def gated_channels(self, channels: int) -> tuple[slice, slice]:
        """Which of ``channels`` input channels each of the two gates rules; the others stay."""
        raise NotImplementedError

    def alone(self, x: Tensor) -> Tensor:
        return self.cut(x, True, True) if self.is_pure_shift else super().alone(x)

    def cut(self, x: Tensor, from_next: bool, from_previous: bool) -> Tensor:
        """The output with the gates of the directions that are cut at 0; where these do not close
        it, the output among copies, as of any module.
        """
        if not self.is_pure_shift:
            return super().cut(x, from_next, from_previous)

        def close(module: nn.Module, gate: Tensor) -> Tensor:
            gate = gate.clone()
            gate[:, :, 0] *= not from_next
            gate[:, :, 1] *= not from_previous
            return gate

        return self(x, Probe(len(x), gates=(close,)))
