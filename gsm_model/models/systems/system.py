"""What a system is: everything it does to a 2D network, and how its weights are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import Branch


@dataclass(frozen=True)
class System:
    """One way to put time into a 2D network; one file in this folder and one line in the registry.

    ``install`` puts its temporal modules into a backbone. ``marks`` is a regular expression that
    matches the name of a weight that only this system has, empty where it has none of its own.
    ``paper`` is where it was published, ``idea`` what it is about, in three sentences of plain
    text, and ``drawing`` what of the clip meets where; their sum is what it gives.
    """

    name: str
    title: str
    paper: str
    install: Callable[[Backbone], None]
    marks: str = ""
    idea: str = ""
    drawing: tuple[Branch, ...] = ()

    @property
    def file(self) -> str:
        """The file it is in, from the project's folder: ``gsm_model/models/systems/gsm.py``."""
        return self.install.__module__.replace(".", "/") + ".py"
