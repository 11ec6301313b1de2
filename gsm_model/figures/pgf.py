"""Figures as PGF: drawing commands that LaTeX sets in the document's own fonts. Made without a
LaTeX.

Matplotlib's own way to PGF asks an installed LaTeX how wide every text is. Text here is measured in
matplotlib's font instead, which is wider than those of the usual classes of documents, so that what
fits in one fits in the other.
"""

from __future__ import annotations

import io
import re
from typing import Literal

import matplotlib as mpl
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.backends.backend_pgf import RendererPgf
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.transforms import Affine2DBase
from numpy.typing import ArrayLike

from gsm_model.io.latex import latex_escape

_HEAD = r"""%% Put \usepackage{pgf} into the preamble and the figure into the text with \input.
\begingroup%
\makeatletter%
\begin{pgfpicture}%
"""
_FOOT = r"""\end{pgfpicture}%
\makeatother%
\endgroup%
"""
_ITALIC = re.compile(r"\$\\mathit\{([^}]*)\}\$")


class _Renderer(RendererPgf):
    """Matplotlib's PGF commands, with text that is escaped and measured here."""

    def __init__(self, figure: Figure, file: io.StringIO) -> None:
        super().__init__(figure, file)
        self._ruler = RendererAgg(10, 10, figure.dpi)

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: FontProperties,
        angle: float,
        ismath: bool | Literal["TeX"] = False,
        mtext: Text | None = None,
    ) -> None:
        super().draw_text(
            gc, x, y, _as_latex(s) if ismath else latex_escape(s), prop, angle, ismath, mtext
        )

    def draw_image(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        im: ArrayLike,
        transform: Affine2DBase | None = None,
    ) -> None:
        raise ValueError("a figure with pictures in it cannot be PGF; take PDF")

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: bool | Literal["TeX"]
    ) -> tuple[float, float, float]:
        return self._ruler.get_text_width_height_descent(s, prop, ismath)


def _as_latex(text: str) -> str:
    r"""Text with ``$\mathit{…}$`` in it, which is what `in_print` makes italic: that as
    ``\textit``, the rest plain.
    """
    parts = _ITALIC.split(text)
    return "".join(
        rf"\textit{{{latex_escape(part.replace(chr(92) + ' ', ' '))}}}"
        if number % 2
        else latex_escape(part.replace(r"\$", "$"))
        for number, part in enumerate(parts)
    )


def pgf_bytes(figure: Figure) -> bytes:
    """``figure``, laid out already, as a PGF picture of its size.

    Raises:
        ValueError: if there is a picture (an image, a photograph) in it.
    """
    file = io.StringIO()
    width, height = figure.get_size_inches()
    file.write(_HEAD)
    file.write(
        f"\\pgfpathrectangle{{\\pgfpointorigin}}{{\\pgfqpoint{{{width:f}in}}{{{height:f}in}}}}%\n"
    )
    file.write("\\pgfusepath{use as bounding box, clip}%\n")
    with mpl.rc_context({"pgf.rcfonts": False}):
        figure.draw(_Renderer(figure, file))
    file.write(_FOOT)
    return file.getvalue().encode()
