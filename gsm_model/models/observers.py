"""Observing and changing what passes through a network, in this thread, while a block runs.

Nothing is left on a model, also after an error; blocks may be nested, the inner one acting on what
the outer one made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from torch import Tensor, nn

from gsm_model.models.probe import (
    FeatureObserver,
    GateObserver,
    OperatorObserver,
    PointObserver,
    Probe,
    ReadingObserver,
)
from gsm_model.models.temporal import GatedModule

_gates: ContextVar[tuple[GateObserver, ...]] = ContextVar("gate_observers", default=())
_operators: ContextVar[tuple[OperatorObserver, ...]] = ContextVar("operators", default=())
_features: ContextVar[tuple[FeatureObserver, ...]] = ContextVar("features", default=())
_points: ContextVar[tuple[PointObserver, ...]] = ContextVar("points", default=())
_readings: ContextVar[tuple[ReadingObserver, ...]] = ContextVar("readings", default=())


def current_probe(clips: int) -> Probe:
    """This thread's observers, for a pass of ``clips`` clips."""
    return Probe(
        clips, _gates.get(), _operators.get(), _features.get(), _points.get(), _readings.get()
    )


@contextmanager
def _added(variable: ContextVar[tuple], entry: object) -> Iterator[None]:
    token = variable.set((*variable.get(), entry))
    try:
        yield
    finally:
        variable.reset(token)


@contextmanager
def observe_gates(observer: GateObserver) -> Iterator[None]:
    """Call ``observer(module, gate) → gate`` for every gate computed by this thread.

    It may return another gate of the same shape, which is then used instead.
    """
    with _added(_gates, observer):
        yield


@contextmanager
def observe_operators(observer: OperatorObserver) -> Iterator[None]:
    """Call ``observer(module, x, out) → out`` for every temporal module this thread runs.

    It may return other features of the shape of ``out``, which are then used instead. Both are as
    the module holds them: `TemporalModule.own_input` and ``own_output`` give the network's units.
    """
    with _added(_operators, observer):
        yield


@contextmanager
def observe_features(observer: FeatureObserver) -> Iterator[None]:
    """Call ``observer(host, conv, features)`` behind every convolution and BatchNorm this thread
    computes.
    """
    with _added(_features, observer):
        yield


@contextmanager
def observe_points(observer: PointObserver) -> Iterator[None]:
    """Call ``observer(host, point, features) → features`` at every point
    (`Recognizer.feature_points`) this thread passes.

    It may return other features of the same shape, which are then used instead.
    """
    with _added(_points, observer):
        yield


@contextmanager
def observe_readings(observer: ReadingObserver) -> Iterator[None]:
    """Call ``observer(module, name, value)`` for everything that modules compute of a clip and
    name, such as *gate*, the gate (N, T, 2, h, w) after all who change it.
    """
    with _added(_readings, observer):
        yield


@contextmanager
def record_gates(model: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Collect the learnt gates of ``model``, a `Recognizer`: layer name → ``(N, T, 2, h, w)`` in
    (−1, 1), in network order.

    Channel 0 gates the half of the channels that moves from t+1 to t, channel 1 the half from t−1
    to t. Each forward inside the block replaces what the one before recorded. Only forwards of this
    thread are seen.
    """
    names = {
        module: name.removeprefix("base_model.")
        for name, module in model.named_modules()
        if isinstance(module, GatedModule) and module.is_learnt
    }
    gates: dict[str, Tensor] = {}

    def record(module: nn.Module, name: str, value: Tensor) -> None:
        if name == "gate" and module in names:
            gates[names[module]] = value.detach()

    with observe_readings(record):
        yield gates
