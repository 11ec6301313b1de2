"""What systems, and networks that are given motion, can tell of time as files for print: the
figure, the table for LaTeX, caption and recipe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gsm_model.errors import DataError
from gsm_model.evaluation.intervals import measure_share
from gsm_model.evaluation.system_probes import (
    ORDERED_BY,
    columns_of,
    probed,
    probes_recipe,
    share_of,
)
from gsm_model.exports.provenance import Recipe
from gsm_model.figures.style import figure_bytes
from gsm_model.figures.system_probes import system_probes_figure
from gsm_model.io.latex import latex_escape

Row = Mapping[str, Any]


def figure_of_probes(name: str, kind: str, rows: Sequence[Row], recipe: Recipe) -> dict[str, bytes]:
    """``name.kind``, ``name.caption.txt`` and ``name.recipe.json``.

    Raises:
        DataError: if none of ``rows`` was measured on the temporal probes.
    """
    return {
        f"{name}.{kind}": figure_bytes(system_probes_figure(_probed(rows)), kind),
        f"{name}.caption.txt": probes_caption(rows).encode(),
        f"{name}.recipe.json": recipe.json({"split": "probes"}),
    }


def latex_of_probes(name: str, rows: Sequence[Row], recipe: Recipe) -> dict[str, bytes]:
    """``name.tex``, ``name.caption.tex`` and ``name.recipe.json``.

    Raises: as `figure_of_probes`.
    """
    return {
        f"{name}.tex": probes_latex(rows).encode(),
        f"{name}.caption.tex": _in_latex(probes_caption(rows)).encode(),
        f"{name}.recipe.json": recipe.json({"split": "probes"}),
    }


def probes_latex(rows: Sequence[Row]) -> str:
    """A booktabs ``tabular`` of those that were measured, the best at *which first* on top.

    Raises: as `figure_of_probes`.
    """
    shown = _probed(rows)
    probes = [probe for probe, apart in columns_of(shown) if apart is None]
    heads = ("", "M", "GMAC", "time", "motion", *probes)
    lines = [rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}", r"\toprule", _line(heads)]
    lines += [r"\midrule", *(_line(_cells(row, probes)) for row in shown)]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def probes_caption(rows: Sequence[Row]) -> str:
    """What figure and table show, of what.

    Raises: as `figure_of_probes`.
    """
    shown = _probed(rows)
    scenes = share_of(shown[0], ORDERED_BY)["n"]
    half = measure_share("", scenes // 2, scenes, "")
    points = 50 * (half.high - half.low)
    clocks = {row["latency_ratio"]["name"] for row in shown if row.get("latency_ratio")}
    where = f", on {' and '.join(sorted(clocks))}" if clocks else ""
    return (
        "Right answers to the temporal probes in %, trained alike,"
        f" {probes_recipe(shown)}. A share of one half has a 95 % interval (Wilson) of"
        f" ± {points:.0f} points. Parameters (millions) and multiply-adds (thousand million"
        " a clip) are of a ResNet-18 of full width with 174 classes and 8 frames of 224 × 224"
        f" pixels; time is an answer's over TSN's{where}, for networks that are given motion from"
        " the frames on, and motion the part of it that computing the motion takes.\n"
    )


def _probed(rows: Sequence[Row]) -> list[Row]:
    if shown := probed(rows):
        return shown
    raise DataError(
        "no system was trained and measured on the temporal probes; see train-alike and"
        " measure-systems"
    )


def _cells(row: Row, probes: Sequence[str]) -> list[str]:
    taken = row.get("latency_ratio") or {}
    return [
        row["title"],
        "–" if row["parameters"] is None else f"{row['parameters'] / 1e6:.2f}",
        "–" if row["gmacs"] is None else f"{row['gmacs']:.1f}",
        *(f"×{taken[key]:.2f}" if key in taken else "–" for key in ("ratio", "motion")),
        *(f"{100 * share_of(row, probe)['value']:.0f}" for probe in probes),
    ]


def _line(cells: Sequence[str]) -> str:
    return _in_latex(" & ".join(map(latex_escape, cells)), escaped=True) + r" \\"


def _in_latex(text: str, escaped: bool = False) -> str:
    text = text if escaped else latex_escape(text)
    return text.replace("×", r"$\times$").replace("±", r"$\pm$")
