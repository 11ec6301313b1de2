"""The widths and text sizes of venues. Needs no matplotlib, so that the command line can list them
at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

COLUMN, PAGE = 3.25, 6.875  # inches: one column and the full width of a CVPR page
Width = Literal["column", "page"]
WIDTHS: dict[Width, float] = {"column": COLUMN, "page": PAGE}


@dataclass(frozen=True)
class Preset:
    """What a venue prints: the ``width`` of a figure in inches, the size of its text in points;
    ``italics`` sets the open words of class names, such as *something*, in italics."""

    width: float
    font: float
    italics: bool = False

    @property
    def small(self) -> float:
        """The size of labels beside the figure's own text, in points; none is smaller than 6."""
        return max(self.font - 1, 6)


PresetName = Literal[
    "cvpr-column",
    "cvpr-page",
    "neurips",
    "icml-column",
    "nature-column",
    "nature-page",
    "thesis",
    "slide",
]
PRESETS: dict[PresetName, Preset] = {
    "cvpr-column": Preset(COLUMN, 7),
    "cvpr-page": Preset(PAGE, 7),
    "neurips": Preset(5.5, 8),
    "icml-column": Preset(3.25, 7),
    "nature-column": Preset(3.5, 6),
    "nature-page": Preset(7.2, 6),
    "thesis": Preset(5.9, 9),
    "slide": Preset(10, 14),
}
