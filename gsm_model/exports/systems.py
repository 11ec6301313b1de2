"""The systems trained alike as files for print: the figure, the table for LaTeX, caption and
recipe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gsm_model.confusion.system_differences import SystemDifference, differences_to_gsm
from gsm_model.confusion.tables import p_text
from gsm_model.errors import DataError
from gsm_model.evaluation.systems import fate, is_trained, measured, trainings_text
from gsm_model.exports.provenance import Recipe
from gsm_model.figures.style import figure_bytes
from gsm_model.figures.systems import systems_figure
from gsm_model.io.latex import latex_escape

Row = Mapping[str, Any]
HEADS = (
    *("", "M", "GMAC", "latency", "reach"),
    *("top-1", "within pair", "trainings", "changes", "− GSM", "p (Holm)"),
)
SPLIT_NAMES = {
    "test": "drawn test clips",
    "shifted": "drawn clips unlike those of the training (shifted)",
}


def figure_of_systems(
    name: str, kind: str, rows: Sequence[Row], split: str, recipe: Recipe
) -> dict[str, bytes]:
    """``name.kind``, ``name.caption.txt`` and ``name.recipe.json``.

    Raises:
        DataError: if none of ``rows`` was measured on ``split``.
    """
    shown = measured(rows, split)
    if not shown:
        raise DataError(
            f"no system was trained and measured on {split} clips; see train-alike and"
            " measure-systems"
        )
    return {
        f"{name}.{kind}": figure_bytes(systems_figure(shown, split), kind),
        f"{name}.caption.txt": systems_caption(rows, split).encode(),
        f"{name}.recipe.json": recipe.json({"split": split}),
    }


def latex_of_systems(
    name: str, rows: Sequence[Row], split: str, recipe: Recipe
) -> dict[str, bytes]:
    """``name.tex``, ``name.caption.tex`` and ``name.recipe.json``."""
    caption = (
        latex_escape(systems_caption(rows, split)).replace("−", "$-$").replace("×", r"$\times$")
    )
    return {
        f"{name}.tex": systems_latex(rows, split).encode(),
        f"{name}.caption.tex": caption.encode(),
        f"{name}.recipe.json": recipe.json({"split": split}),
    }


def systems_latex(rows: Sequence[Row], split: str) -> str:
    """A booktabs ``tabular``: those measured on ``split`` first, the best within pairs on top."""
    best = measured(rows, split)
    others = [row for row in rows if not row.get(split)]
    differences = differences_to_gsm(rows, split, "within_pair")
    lines = [r"\begin{tabular}{lrrrlrrrrrr}", r"\toprule", _line(HEADS), r"\midrule"]
    lines += [_line(_cells(row, split, differences.get(row["name"]))) for row in best]
    if best and others:
        lines.append(r"\midrule")
    lines += [_line(_cells(row, split, None)) for row in others]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _line(cells: Sequence[str]) -> str:
    texts = [latex_escape(cell) for cell in cells]
    return " & ".join(texts).replace("−", "$-$").replace("×", r"$\times$") + r" \\"


def _cells(row: Row, split: str, difference: SystemDifference | None) -> list[str]:
    figures = row.get(split)
    told = ["–"] * 4
    if figures:
        top1, within, changes = (
            _share(figures.get(figure))
            for figure in ("top1", "within_pair", "changes_when_reversed")
        )
        told = [top1, within, trainings_text(row, split) or "–", changes]
    elif not is_trained(row):
        told = [fate(row), "–", "–", "–"]
    beside = ["–", "–"]
    if difference is not None:
        beside = [signed(difference.difference), p_text(difference.p_holm)]
    return [row["title"], *_cost(row), *told, *beside]


def _cost(row: Row) -> list[str]:
    latency = row.get("latency_ratio")
    return [
        "–" if row["parameters"] is None else f"{row['parameters'] / 1e6:.2f}",
        "–" if row["gmacs"] is None else f"{row['gmacs']:.1f}",
        "–" if latency is None else f"×{latency['ratio']:.2f}",
        reach_text(row["reach"]),
    ]


def reach_text(reach: Sequence[int] | None) -> str:
    """How many frames back and ahead: ``−7 … +7``."""
    if reach is None:
        return "–"
    back, ahead = reach
    earliest = f"−{back}" if back else "0"
    latest = f"+{ahead}" if ahead else "0"
    return f"{earliest} … {latest}"


def signed(share: float) -> str:
    """A difference in points: ``−3.1``."""
    return f"{100 * share:+.1f}".replace("-", "−")


def _share(figure: Mapping[str, float] | None) -> str:
    if figure is None:
        return "–"
    ends = f"{100 * figure['low']:.1f} to {100 * figure['high']:.1f}"
    return f"{100 * figure['value']:.1f} ({ends})"


def systems_caption(rows: Sequence[Row], split: str) -> str:
    """What the table and the figure show, of what, and what they do not show."""
    shown = measured(rows, split)
    cost = (
        "Parameters (millions), multiply-adds (thousand million a clip) and reach (frames back and"
        " ahead of 8) are of a ResNet-18 of full width with 174 classes and 224 × 224 pixels;"
        " latency is the ratio to TSN, the median of rounds in turn"
    )
    clocks = {row["latency_ratio"]["name"] for row in rows if row.get("latency_ratio")}
    cost += f", on {' and '.join(sorted(clocks))}." if clocks else "."
    if not shown:
        return f"Systems; none was trained and measured on {SPLIT_NAMES[split]}. {cost}\n"
    n = shown[0][split]["top1"]["n"]
    text = (
        f"Systems trained alike{trained_network(shown)}, on the same {n:,}"
        f" {SPLIT_NAMES[split]}; of each the first training, in % with 95 % intervals (Wilson)."
        " Within pair: the class scores higher than its time reversal; chance is 50 %. Trainings:"
        " its lowest and highest of several trainings, and how many (small marks in the figure);"
        " the intervals are of clips alone. Changes: answers that"
        f" change when the frames are reversed. {cost}"
    )
    tested = differences_to_gsm(rows, split, "within_pair")
    if tested:
        text += (
            " − GSM: the difference of within pair to GSM in points on the same clips, with the p"
            f" of McNemar's exact test, corrected after Holm for {len(tested)} systems; of these"
            " trained networks, while another seed of a system may differ."
        )
    missing = [row["title"] for row in rows if not row.get(split)]
    if missing:
        text += f" Not trained or not measured: {', '.join(missing)}."
    return text + "\n"


def trained_network(rows: Sequence[Row]) -> str:
    """What was trained, and in how many steps where these are the same, in brackets behind a word;
    empty where ``rows`` do not say it or are not of the same.
    """
    networks = [row.get("network") for row in rows]
    same = {(of["backbone"], of["width"], of["size"], of["frames"]) for of in networks if of}
    if None in networks or len(same) != 1:
        return ""
    [(backbone, width, size, frames)] = same
    steps = {((row.get("seeds") or {}).get("0") or {}).get("steps") for row in rows}
    [count] = steps if len(steps) == 1 else [None]
    took = "" if count is None else f", {count:,} steps"
    return (
        f" ({backbone} of {width:g} of its width, {frames} frames of {size} × {size} pixels{took})"
    )
