"""The processes that run one command together, from their launch to their end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@contextmanager
def together(
    device: str | None, devices: int, nodes: int, precision: str | None = None
) -> Iterator[Fabric]:
    """``devices`` processes on each of ``nodes`` machines, each of which goes through the block as
    one of them.

    One of several ends with the block, and whoever waits for its exit code gets 0. It ends at once:
    gloo's threads let go of Python's tensors a moment after a collective is done, and abort if the
    interpreter is gone by then, whether the group was destroyed before or not.
    """
    from lightning_fabric import Fabric

    fabric = Fabric(
        accelerator=device.split(":")[0] if device else "auto",
        devices=devices,
        num_nodes=nodes,
        precision=precision,  # type: ignore[arg-type]  # Fabric refuses unknown names
    )
    fabric.launch()
    yield fabric
    if fabric.world_size > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
