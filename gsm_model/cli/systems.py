"""``systems``: the ways to put time into a 2D network that this package has."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def systems(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False,
) -> None:
    """Every registered system: its name for --system and configurations, its title, its paper."""
    from gsm_model.models.registry import systems as registered

    entries = [
        {"name": system.name, "title": system.title, "paper": system.paper}
        for system in registered().values()
    ]
    if as_json:
        typer.echo(json.dumps(entries, ensure_ascii=False, indent=1))
        return
    for entry in entries:
        typer.echo(f"{entry['name']:<10} {entry['title']:<10} {entry['paper']}")
