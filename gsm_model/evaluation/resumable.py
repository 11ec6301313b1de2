"""A long run that writes its table in parts, so that one that was stopped goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from gsm_model.errors import DataError


class Part(Protocol):
    """A table, or part of one: what it is of, and its clips in order."""

    @property
    def origin(self) -> object: ...

    @property
    def ids(self) -> tuple[str, ...]: ...


Table = TypeVar("Table", bound=Part)


class Parts(Generic[Table]):
    """The finished parts of the table that will be ``out``; they lie in ``out`` + ``.parts`` until
    it is whole.

    Raises:
        DataError: if parts are there that are not of ``origin``, or not of the clips ``ids``, in
            order.
    """

    def __init__(
        self,
        out: Path,
        origin: object,
        ids: tuple[str, ...],
        read: Callable[[Path], Table],
        write: Callable[[Table, Path], None],
    ) -> None:
        self.out, self.write = out, write
        self.folder = out.with_name(out.name + ".parts")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.finished = [read(path) for path in sorted(self.folder.glob("*.parquet"))]
        if any(part.origin != origin for part in self.finished):
            raise DataError(
                f"{self.folder}: holds part of another run (model, data, order or views differ);"
                " remove it or choose another --out"
            )
        done = tuple(id for part in self.finished for id in part.ids)
        if done != ids[: len(done)]:
            raise DataError(
                f"{self.folder}: holds part of a run on another list; remove it or choose another"
                " --out"
            )

    @property
    def done(self) -> int:
        """How many clips are in the finished parts."""
        return sum(len(part.ids) for part in self.finished)

    def add(self, part: Table) -> None:
        """Keep one more part."""
        self.write(part, self.folder / f"{len(self.finished):06d}.parquet")
        self.finished.append(part)

    def close(self, whole: Table) -> Table:
        """Write the ``whole`` table, remove the parts, and return it."""
        self.write(whole, self.out)
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()
        return whole
