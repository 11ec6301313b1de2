"""Comparisons as tables for papers: CSV, LaTeX and Markdown, and the caption that goes with the
figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from gsm_model.confusion.significance import DRAWS, FEWEST_DISCORDANT, Comparison
from gsm_model.io.latex import latex_escape
from gsm_model.predictions.join import PairedPredictions

HEADS = ("", "n", "A", "B", "only A", "only B", "B − A", "95 % interval", "p", "Holm", "BH")


def comparison_rows(rows: Sequence[Comparison]) -> list[dict]:
    """One row a comparison, columns as in `Comparison`."""
    return [asdict(row) for row in rows]


def latex_table(rows: Sequence[Comparison]) -> str:
    """A booktabs ``tabular``; every character that LaTeX would take for its own is escaped."""
    heads = " & ".join(latex_escape(head).replace("−", "$-$") for head in HEADS)
    # Names of pairs are long: their column wraps, so that the table fits a page.
    lines = [
        r"\begin{tabular}{p{0.3\linewidth}rrrrrrlrrr}",
        r"\toprule",
        heads + r" \\",
        r"\midrule",
    ]
    for row in rows:
        name, *cells = _cells(row)
        lines.append(
            " & ".join(
                [latex_escape(name), *(latex_escape(cell).replace("−", "$-$") for cell in cells)]
            )
            + r" \\"
        )
        if row is rows[0] and len(rows) > 1:
            lines.append(r"\midrule")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def markdown_table(rows: Sequence[Comparison]) -> str:
    """A Markdown table; bars in names are escaped."""
    lines = ["| " + " | ".join(HEADS) + " |", "|---" + "|---:" * (len(HEADS) - 1) + "|"]
    lines += [
        "| " + " | ".join(cell.replace("|", "\\|") for cell in _cells(row)) + " |" for row in rows
    ]
    return "\n".join(lines) + "\n"


def _cells(row: Comparison) -> list[str]:
    interval = f"{_signed(row.low)} to {_signed(row.high)}"
    shares = [f"{100 * row.accuracy_a:.1f}", f"{100 * row.accuracy_b:.1f}"]
    counts = [f"{row.only_a_right:,}", f"{row.only_b_right:,}"]
    return [
        row.name,
        f"{row.n:,}",
        *shares,
        *counts,
        _signed(row.difference),
        interval,
        *map(p_text, (row.p, row.p_holm, row.p_bh)),
    ]


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def p_text(p: float) -> str:
    """``0.0412`` → ``0.041``; very small ones as a bound, never 0."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def caption(paired: PairedPredictions, rows: Sequence[Comparison], blocks: str = "") -> str:
    """The text under the figure: who is compared, on what and how many clips, the test, its
    corrections, the interval, and its limits.
    """
    a, b, whole = paired.a, paired.b, rows[0]
    resampled = (
        f"{DRAWS:,} resamples of whole {blocks}" if blocks else f"{DRAWS:,} resamples of the clips"
    )
    text = (
        f"{a.model} (A) and {b.model} (B) on the same {whole.n:,} clips of {a.data}. Accuracy"
        f" {100 * whole.accuracy_a:.1f} % and {100 * whole.accuracy_b:.1f} %, difference"
        f" {_signed(whole.difference)} points (95 % paired bootstrap interval, {resampled}:"
        f" {_signed(whole.low)} to {_signed(whole.high)}; McNemar's exact test, p"
        f" {_equals(whole.p)})."
    )
    family = len(rows) - 1
    if family > 1:
        text += (
            f" The other {family} tests are corrected for their number after Holm and after"
            " Benjamini and Hochberg."
        )
    few = [row.name for row in rows if row.too_few]
    if few:
        text += (
            f" On {len(few)} of the {len(rows)} groups the models disagree on fewer than"
            f" {FEWEST_DISCORDANT} clips, so that no outcome could reach 5 %."
        )
    if any(row.low == row.high for row in rows):
        text += " An interval of no width says only that the models agree on every clip there is."
    if paired.only_in_a or paired.only_in_b:
        text += (
            f" {paired.only_in_a:,} clips that only A's file has and {paired.only_in_b:,} that only"
            " B's has are left out."
        )
    for said in dict.fromkeys((a.origin.caution, b.origin.caution)):
        text += f" {said}" if said else ""
    return text + "\n"


def _equals(p: float) -> str:
    return p_text(p) if p < 0.001 else f"= {p_text(p)}"
