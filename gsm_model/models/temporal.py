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

    def __init__(self) -> None:
        super().__init__()
        self.entering = None
        self.basis = None

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        raise NotImplementedError

    def reach(self) -> tuple[int, int]:
        """The temporal receptive field: how many frames back and ahead of t the output at t can
        depend on, by which of the weights are not zero.
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
        back, ahead = self.reach()
        copies = x.flatten(0, 1)[:, None].expand(-1, back + 1 + ahead, *x.shape[2:])
        return self(copies.contiguous(), Probe(len(copies)))[:, back].unflatten(0, x.shape[:2])

    def cut(self, x: Tensor, from_next: bool, from_previous: bool) -> Tensor:
        """The output where nothing comes from later frames, or from earlier ones, or both.

        In place of the frames beyond t, and of the padding beyond the ends of the clip, the output
        at t sees copies of frame t.
        """
        if from_next and from_previous:
            return self.alone(x)
        if not (from_next or from_previous):
            return self(x, Probe(len(x)))
        (back, ahead), t = self.reach(), x.shape[1]
        parts = []
        for frame in range(t):
            here = x[:, frame, None]
            if from_next:
                clip = torch.cat([x[:, : frame + 1], here.expand(-1, ahead, -1, -1, -1)], dim=1)
            else:
                clip = torch.cat([here.expand(-1, back, -1, -1, -1), x[:, frame:]], dim=1)
            parts.append(self(clip, Probe(len(x)))[:, frame if from_next else back])
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
    ``is_learnt`` is false where they are the same whatever the features.
    """

    is_learnt = True

    def gated_channels(self, channels: int) -> tuple[slice, slice]:
        """Which of ``channels`` input channels each of the two gates rules; the others stay."""
        raise NotImplementedError

    def alone(self, x: Tensor) -> Tensor:
        return self.cut(x, True, True)

    def cut(self, x: Tensor, from_next: bool, from_previous: bool) -> Tensor:
        """The output with the gates of the directions that are cut at 0."""

        def close(module: nn.Module, gate: Tensor) -> Tensor:
            gate = gate.clone()
            gate[:, :, 0] *= not from_next
            gate[:, :, 1] *= not from_previous
            return gate

        return self(x, Probe(len(x), gates=(close,)))
