"""The table of systems and its tests, read and computed once for each content of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from gsm_model.confusion.system_differences import (
    Figure,
    SystemDifference,
    differences_to_gsm,
)
from gsm_model.evaluation.systems import inputs_table, systems_file, systems_table

Key = tuple[Path, float]


def _key() -> Key:
    """What decides the content: the file and when it was changed."""
    path = systems_file()
    return path, path.stat().st_mtime if path.is_file() else 0.0


@st.cache_data(max_entries=4, show_spinner=False)
def _rows(key: Key) -> list[dict[str, Any]]:
    return systems_table()


@st.cache_data(max_entries=4, show_spinner=False)
def _inputs(key: Key) -> list[dict[str, Any]]:
    return inputs_table()


@st.cache_data(max_entries=16, show_spinner=False)
def _differences(key: Key, split: str, figure: Figure) -> dict[str, SystemDifference]:
    return differences_to_gsm(_rows(key), split, figure)


def rows_of_systems() -> list[dict[str, Any]]:
    """The rows of `systems_table`.

    Raises:
        DataError: if the file cannot be read.
    """
    return _rows(_key())


def rows_of_inputs() -> list[dict[str, Any]]:
    """The rows of `inputs_table`.

    Raises: as `rows_of_systems`.
    """
    return _inputs(_key())


def beside_gsm(split: str, figure: Figure = "within_pair") -> dict[str, SystemDifference]:
    """`differences_to_gsm` of the table."""
    return _differences(_key(), split, figure)
