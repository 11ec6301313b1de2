"""Results of long computations, kept by content: computed once however many ask at a time, bounded
in bytes, forgotten oldest first.

Streamlit's own cache cannot show progress from inside a computation; this one can, and one that is
cancelled leaves nothing behind.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

Result = TypeVar("Result")


class OnceCache:
    """At most ``max_bytes`` of results, by key."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._kept: OrderedDict[tuple[str | None, Hashable], tuple[object, int]] = OrderedDict()
        self._turns: dict[Hashable, list] = {}  # key → [lock, how many hold or await it]
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
        key = (owner, key)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
            turn = self._turns.setdefault(key, [threading.Lock(), 0])
            turn[1] += 1
        try:
            with turn[0]:
                with self._lock:
                    if key in self._kept:
                        return self._kept[key][0]
                result = compute()
                self._keep(key, result, size(result))
                return result
        finally:
            with self._lock:
                turn[1] -= 1
                if not turn[1]:
                    self._turns.pop(key, None)

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

    def _keep(self, key: Hashable, result: object, size: int) -> None:
        with self._lock:
            self._kept[key] = (result, size)
            while (
                sum(taken for _, taken in self._kept.values()) > self.max_bytes
                and len(self._kept) > 1
            ):
                self._kept.popitem(last=False)
