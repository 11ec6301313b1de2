"""Downloads of published models that go on while pages are shown: one a model, whoever asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from gsm_model.errors import LensError
from gsm_model.models.published.catalogue import Published
from gsm_model.models.published.fetch import fetch_published

AT_ONCE = 2  # downloads; others wait for their turn
Fetch = Callable[..., Path]


@dataclass
class Job:
    """One download. ``wanted_by`` are the names of the sessions that asked; ``total`` bytes where
    that is known; at the end there is a ``path`` or a ``fault`` in words.
    """

    one: Published
    wanted_by: set[str]
    cancel: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)
    first: int | None = None
    done: int = 0
    total: int | None = None
    path: Path | None = None
    fault: str = ""

    @property
    def ended(self) -> bool:
        return self.path is not None or bool(self.fault)

    def tell(self, done: int, total: int | None) -> None:
        """Hear how far it is."""
        if self.first is None:
            self.first, self.began = done, time.monotonic()
        self.done, self.total = done, total

    def in_words(self) -> str:
        """How far it is: *41 of 96 MB, 12.3 MB/s*."""
        if self.first is None:
            return "waiting for an answer"
        speed = (self.done - self.first) / 1e6 / max(time.monotonic() - self.began, 0.1)
        total = "" if self.total is None else f" of {self.total / 1e6:,.0f}"
        return f"{self.done / 1e6:,.0f}{total} MB, {speed:.1f} MB/s"

    @property
    def share(self) -> float:
        """How much of it is here, 0 … 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0


class Downloads:
    """The downloads of all sessions; one that nobody waits for any more is stopped."""

    def __init__(self, fetch: Fetch = fetch_published) -> None:
        self._fetch = fetch
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._turns = threading.Semaphore(AT_ONCE)

    def start(self, one: Published, session: str) -> None:
        """Begin to download ``one`` for a session, or wait for the one that runs already."""
        with self._lock:
            job = self._jobs.get(one.name)
            if job is not None and not job.ended and not job.cancel.is_set():
                job.wanted_by.add(session)
                return
            job = self._jobs[one.name] = Job(one, {session})
        threading.Thread(target=self._run, args=(job,), daemon=True, name=one.name).start()

    def _run(self, job: Job) -> None:
        with self._turns:
            try:
                job.path = self._fetch(job.one.name, progress=job.tell, cancel=job.cancel)
            except LensError as error:
                job.fault = str(error)
            except Exception as error:  # a thread has nobody else to tell
                job.fault = f"{job.one.name}: {type(error).__name__}: {error}"

    def of(self, session: str) -> list[Job]:
        """The downloads that a session waits for, also those that have ended."""
        with self._lock:
            return [job for job in self._jobs.values() if session in job.wanted_by]

    def take_ended(self, session: str) -> list[Job]:
        """Those of a session that have ended; it waits for them no longer."""
        ended = [job for job in self.of(session) if job.ended]
        for job in ended:
            self._leave(job, session)
        return ended

    def drop(self, name: str, session: str) -> None:
        """A session wants it no longer; it is stopped if nobody else does."""
        with self._lock:
            job = self._jobs.get(name)
        if job is not None:
            self._leave(job, session)

    def forget(self, session: str) -> None:
        """A session has ended."""
        for job in self.of(session):
            self._leave(job, session)

    def _leave(self, job: Job, session: str) -> None:
        with self._lock:
            job.wanted_by.discard(session)
            if not job.wanted_by:
                job.cancel.set()
                if self._jobs.get(job.one.name) is job:
                    del self._jobs[job.one.name]


@st.cache_resource(show_spinner=False)
def downloads() -> Downloads:
    """Those of this process."""
    return Downloads()
