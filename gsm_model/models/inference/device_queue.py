"""Whose turn it is on a device: one forward at a time, first come first served, and those who wait
can be told where they stand.

Two forwards at once take longer than one after the other, and on a GPU can run out of memory. A
long piece of work takes a new turn for each of its passes, so that others come between them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch

from gsm_model.errors import LensError

LOOK_SECONDS = 0.2  # how often those who wait are told where they stand


class BusyError(LensError):
    """Too many are waiting for a device, or one has waited too long."""


@dataclass(frozen=True)
class QueueLimits:
    """How a thread waits: ``tell(ahead)`` is called a few times a second with how many are before
    it, and may raise to give the place up; with more than ``most_ahead`` before it, or after
    ``seconds``, it is refused."""

    tell: Callable[[int], None]
    most_ahead: int
    seconds: float


_waiting: ContextVar[QueueLimits | None] = ContextVar("waiting", default=None)


class _Queue:
    """Those who use or await one device, in the order of their coming; the first has the turn."""

    def __init__(self) -> None:
        self.tickets: list[object] = []
        self.changed = threading.Condition()

    @contextmanager
    def turn(self) -> Iterator[None]:
        limits, ticket = _waiting.get(), object()
        with self.changed:
            if limits is not None and len(self.tickets) > limits.most_ahead:
                raise BusyError(
                    f"the models are busy with {len(self.tickets)} others; try again in a minute"
                )
            self.tickets.append(ticket)
        try:
            self._wait(ticket, limits)
            yield
        finally:
            with self.changed:
                self.tickets.remove(ticket)
                self.changed.notify_all()

    def _wait(self, ticket: object, limits: QueueLimits | None) -> None:
        since = time.monotonic()
        while True:
            with self.changed:
                if self.tickets[0] is ticket:
                    return
                self.changed.wait(None if limits is None else LOOK_SECONDS)
                ahead = self.tickets.index(ticket)
            if limits is None or not ahead:
                continue
            if time.monotonic() - since > limits.seconds:
                raise BusyError(
                    f"waited {limits.seconds:.0f} seconds, and {ahead} are still ahead of yours;"
                    " try again in a minute"
                )
            limits.tell(ahead)


_queues: dict[torch.device, _Queue] = {}
_queues_lock = threading.Lock()


def device_turn(device: torch.device) -> AbstractContextManager[None]:
    """The turn on ``device``, as a context: entered when all who came before have left.

    Raises:
        BusyError: inside `within_limits`, if too many are before or it takes too long.
    """
    with _queues_lock:
        queue = _queues.setdefault(device, _Queue())
    return queue.turn()


@contextmanager
def within_limits(tell: Callable[[int], None], most_ahead: int, seconds: float) -> Iterator[None]:
    """Wait for turns in this thread as `QueueLimits` says, inside the block. Without it a thread
    waits as long as it takes.
    """
    token = _waiting.set(QueueLimits(tell, most_ahead, seconds))
    try:
        yield
    finally:
        _waiting.reset(token)


def queue_lengths() -> dict[str, int]:
    """For each device that was ever used, how many use or await it just now."""
    with _queues_lock:
        queues = dict(_queues)
    return {str(device): len(queue.tickets) for device, queue in queues.items()}
