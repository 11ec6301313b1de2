"""What a system is: everything it does to a 2D network, and how its weights are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gsm_model.models.slots import Backbone


@dataclass(frozen=True)
class System:
    """One way to put time into a 2D network; one file in this folder and one line in the registry.

    ``install`` puts its temporal modules into a backbone. ``marks`` is a regular expression that
    matches the name of a weight that only this system has, empty where it has none of its own.
    ``paper`` is where it was published.
    """

    name: str
    title: str
    paper: str
    install: Callable[[Backbone], None]
    marks: str = ""
