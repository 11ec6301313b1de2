"""What one forward pass knows beside its features: how many clips it holds, and who observes it.

It travels through the network as an argument, never as state of a module or as a hook, so that
threads with different clips can share one model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from gsm_model.models.temporal import TemporalModule

# A gated module and its gate (N, T, 2, h, w); returns the gate to go on with.
GateObserver = Callable[[nn.Module, Tensor], Tensor]
# A temporal module, the features (N, T, C, H, W) that enter it and those that leave it; returns the
# features to go on with. Both are as the module holds them (`TemporalModule.own_input`).
OperatorObserver = Callable[["TemporalModule", Tensor, Tensor], Tensor]
# A host, the name of its convolution, and the features (N, T, C, H, W) behind that convolution's
# BatchNorm, which may be overwritten later in the pass.
FeatureObserver = Callable[[nn.Module, str, Tensor], None]
# A module, the name of a point in it and the features (N·T, C, H, W) there; returns those to go on
# with.
PointObserver = Callable[[nn.Module, str, Tensor], Tensor]

# A module, the name of something it computed of the clip, and its value, such as its final gate.
ReadingObserver = Callable[[nn.Module, str, Tensor], None]


@dataclass(frozen=True)
class Probe:
    """The observers of one forward pass of ``clips`` clips.

    T is read from the shape of the features, so that a stride in time is nothing special. Points
    are the end of a block (its name in the host, empty where the host is the block) and, at a
    convolution where a temporal module stands or could stand, ``{conv}:before`` and
    ``{conv}:after`` it.
    """

    clips: int = 1
    gates: tuple[GateObserver, ...] = ()
    operators: tuple[OperatorObserver, ...] = ()
    features: tuple[FeatureObserver, ...] = ()
    points: tuple[PointObserver, ...] = ()
    readings: tuple[ReadingObserver, ...] = ()

    @property
    def is_bare(self) -> bool:
        """Whether nobody observes this pass."""
        return not (self.gates or self.operators or self.features or self.points or self.readings)

    def by_clip(self, features: Tensor) -> Tensor:
        """``(N·T, C, H, W)`` → ``(N, T, C, H, W)``, without a copy."""
        return features.unflatten(0, (self.clips, -1))

    def gate(self, module: nn.Module, gate: Tensor) -> Tensor:
        """Offer ``gate`` (N, T, 2, h, w) to every observer in turn."""
        for observer in self.gates:
            gate = observer(module, gate)
        self.read(module, "gate", gate)
        return gate

    def read(self, module: nn.Module, name: str, value: Tensor) -> None:
        """Let those who observe readings see ``value``, which ``module`` calls ``name``."""
        for observer in self.readings:
            observer(module, name, value)

    def through(self, module: TemporalModule, features: Tensor) -> Tensor:
        """``features`` (N·T, C, H, W) through ``module`` and past those who observe operators."""
        x = self.by_clip(features)
        out = module(x, self)
        for observer in self.operators:
            out = observer(module, x, out)
        return out.flatten(0, 1)

    def show(self, host: nn.Module, conv: str, features: Tensor) -> None:
        """Let those who observe features see ``features`` (N·T, C, H, W) behind ``conv``."""
        for observer in self.features:
            observer(host, conv, self.by_clip(features))

    def pass_point(self, host: nn.Module, point: str, features: Tensor) -> Tensor:
        """Offer ``features`` (N·T, C, H, W) at a point of ``host`` to every observer in turn."""
        for observer in self.points:
            features = observer(host, point, features)
        return features
