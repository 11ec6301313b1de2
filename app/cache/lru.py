"""Results of long computations, kept by content: computed once however many ask at a time, bounded
in bytes, forgotten oldest first.

Streamlit's own cache cannot show progress from inside a computation; this one can, and one that is
cancelled leaves nothing behind.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

Result = TypeVar("Result")
_Key = tuple[str | None, Hashable]  # the owner, and what the result is of


@dataclass
class _Turn:
    """Who computes a result just now: ``users`` hold or await the lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0


class OnceCache:
    """At most ``max_bytes`` of results, by key."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        # What a key maps to is of the type that its callers compute.
        self._kept: OrderedDict[_Key, tuple[Any, int]] = OrderedDict()
        self._turns: dict[_Key, _Turn] = {}
        self._lock = threading.Lock()

    def get(
        self,
        key: Hashable,
        compute: Callable[[], Result],
        size: Callable[[Result], int],
        owner: str | None = None,
    ) -> Result:
        """The result of ``compute`` for ``key``: what is kept, or what somebody else is computing
        just now, or computed here.

        ``size`` says how many bytes a result takes. What ``compute`` raises is raised, and nothing
        is kept. A result with an ``owner`` is given to that owner alone, until `forget`.
        """
        owned = (owner, key)
        with self._lock:
            if owned in self._kept:
                self._kept.move_to_end(owned)
                return self._kept[owned][0]
            turn = self._turns.setdefault(owned, _Turn())
            turn.users += 1
        try:
            with turn.lock:
                with self._lock:
                    if owned in self._kept:
                        return self._kept[owned][0]
                result = compute()
                self._keep(owned, result, size(result))
                return result
        finally:
            with self._lock:
                turn.users -= 1
                if not turn.users:
                    self._turns.pop(owned, None)

    def has(self, key: Hashable, owner: str | None = None) -> bool:
        """Whether a result is kept for ``key``."""
        with self._lock:
            return (owner, key) in self._kept

    def forget(self, owner: str) -> None:
        """Drop all that is ``owner``'s."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == owner]:
                del self._kept[key]

    def usage(self) -> tuple[int, int]:
        """How many results are kept, and their bytes."""
        with self._lock:
            return len(self._kept), sum(taken for _, taken in self._kept.values())

    def _keep(self, key: _Key, result: object, size: int) -> None:
        with self._lock:
            self._kept[key] = (result, size)
            while (
                sum(taken for _, taken in self._kept.values()) > self.max_bytes
                and len(self._kept) > 1
            ):
                self._kept.popitem(last=False)
