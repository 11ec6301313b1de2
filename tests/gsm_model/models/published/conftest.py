"""A server of published files, a cache folder of the test's own, and rows of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gsm_model.models.published import catalogue, transfer
from gsm_model.models.published.catalogue import Published, find
from tests.file_server import FileServer, serving


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as one:
        yield one


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """The cache folder; a failed try is repeated at once."""
    monkeypatch.setenv("GATE_SHIFT_LENS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GATE_SHIFT_LENS_DOWNLOADS", raising=False)
    monkeypatch.setattr(transfer, "FIRST_WAIT", 0.0)
    return tmp_path / "cache"


@pytest.fixture
def listed(monkeypatch):
    """``listed(name, **changes)``: that row of the catalogue, changed for this test."""
    rows = dict(catalogue.catalogue())
    monkeypatch.setattr(catalogue, "catalogue", lambda: rows)

    def change(name: str, **changes: object) -> Published:
        rows[name] = replace(find(name), **changes)
        return rows[name]

    return change
