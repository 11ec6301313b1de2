"""What all figures share: colours, and files that come out the same each time."""

from __future__ import annotations

import io
import textwrap
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import PlaceHolderLayoutEngine

from gsm_model.figures.fonts import give_fonts
from gsm_model.figures.pgf import pgf_bytes
from gsm_model.io.atomic import write_whole

PRINT_DPI = 600  # dots an inch, what journals ask of pictures
FORMATS = (
    "pdf",
    "svg",
    "png",
)  # of every figure; of those without pictures also pgf, see `formats_of`

# Okabe and Ito's colours, told apart by the colour-blind.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00")
INK = "#16212E"
# Even steps of lightness from both ends to the middle; ends bright enough to see a picture through
# them.
GATE_STOPS = ("#0060A0", "#74B0DA", "#F7F7F7", "#F0A879", "#D55E00")
# From nothing to all, for shares: light to dark, distinct in grey and to the colour-blind.
SHARE_STOPS = ("#F7F7F7", "#A6CBE3", "#4F94C4", "#1F5F94", "#0B2F57")
MARKERS = ("o", "s", "^", "D", "v")
DASHES = ("-", "--", "-.", ":")

_SMALL_CHARACTERS, _SMALL_LINE = 21, 0.11  # an inch, and inches, of text of 6 points

# (left, bottom, right, top) → (left, bottom, width, height)
_CORNERS_TO_SIZE = np.array([[1, 0, -1, 0], [0, 1, 0, -1], [0, 0, 1, 0], [0, 0, 0, 1]])


@dataclass(frozen=True)
class SeriesStyle:
    """How one of several series is drawn: a colour, a marker and a dash of matplotlib's."""

    color: str
    marker: str
    dash: str


def series_style(number: int) -> SeriesStyle:
    """The style of the series ``number``, from 0 on.

    Colours come again after six, each time with the next marker and the next dash: of the first 24
    series no two share colour and marker, nor colour and dash.
    """
    turn, place = divmod(number, len(COLORS) + 1)
    dash = 3 if place == len(COLORS) else place
    return SeriesStyle(
        (*COLORS, INK)[place],
        MARKERS[(place + turn) % len(MARKERS)],
        DASHES[(dash + turn) % len(DASHES)],
    )


def gate_colors() -> Colormap:
    """The scale of gates, for −1 … 1: blue takes a difference, white leaves, orange swaps; the
    colour-blind tell its ends apart.
    """
    return LinearSegmentedColormap.from_list("gates", GATE_STOPS)


def share_colors() -> Colormap:
    """The scale of shares, for 0 … 1."""
    return LinearSegmentedColormap.from_list("shares", SHARE_STOPS)


def caution_below(figure: Figure, text: str) -> None:
    """Write ``text`` under all of ``figure``, which grows by it; nothing where there is none."""
    if not text:
        return
    width, height = figure.get_size_inches()
    lines = textwrap.wrap(text, int(width * _SMALL_CHARACTERS))
    figure.set_size_inches(width, height + len(lines) * _SMALL_LINE)
    figure.supxlabel("\n".join(lines), fontsize=6, color=COLORS[4])


def figure_bytes(figure: Figure, kind: str, dpi: int | None = None) -> bytes:
    """``figure`` as a ``pdf``, ``svg``, ``png`` (of ``dpi`` dots an inch, `PRINT_DPI` if not given)
    or ``pgf`` file: fonts embedded or text kept as text, no date, the same bytes each time.

    Raises:
        ValueError: for another kind of file, or PGF of a figure with pictures in it.
        FontError: if no installed font has the characters of its text.
    """
    if kind not in (*FORMATS, "pgf"):
        raise ValueError(f"no figure as {kind!r}; there are {', '.join(FORMATS)}, pgf")
    give_fonts(figure)
    _settle(figure)
    if kind == "pgf":
        return pgf_bytes(figure)
    metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}[kind]
    file = io.BytesIO()
    with mpl.rc_context(
        {"pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "gate-shift-lens"}
    ):
        dots = (dpi or PRINT_DPI) if kind == "png" else None
        figure.savefig(file, format=kind, dpi=dots, metadata=metadata)
    return file.getvalue()


def formats_of(figure: Figure) -> tuple[str, ...]:
    """The kinds of file that ``figure`` can be: `FORMATS`, and PGF, which holds no pictures, if it
    has none.
    """
    return FORMATS if any(axes.images for axes in figure.axes) else (*FORMATS, "pgf")


def figure_files(name: str, figure: Figure) -> dict[str, bytes]:
    """``figure`` as files called ``name``, one of each of its formats."""
    return {f"{name}.{kind}": figure_bytes(figure, kind) for kind in formats_of(figure)}


def _settle(figure: Figure) -> None:
    """Lay ``figure`` out once and for all, in steps of a millionth: the solver's last digits differ
    from run to run.
    """
    if isinstance(figure.get_layout_engine(), PlaceHolderLayoutEngine | None):
        return  # nothing to lay out, or laid out before
    dpi = figure.dpi
    # At few dots an inch, text is measured in whole dots, and comes out wider in print.
    figure.set_dpi(600)
    figure.draw_without_rendering()
    figure.set_dpi(dpi)
    figure.set_layout_engine("none")
    for part in figure.subfigs:
        part.bbox_relative.set_points(part.bbox_relative.get_points().round(6))
    for axes in figure.axes:
        axes.set_position(
            axes.get_position(original=True).get_points().round(6).ravel() @ _CORNERS_TO_SIZE
        )


def save_figure(figure: Figure, path: Path) -> None:
    """Write ``figure`` in the format of ``path``'s ending.

    Raises:
        ValueError: if that is none of `FORMATS`.
        FontError: if no installed font has the characters of its text.
        OSError: if it cannot be written.
    """
    write_whole(path, figure_bytes(figure, path.suffix.removeprefix(".")))
