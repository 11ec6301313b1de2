"""What one model saw and what was found of it: the same for gates and for maps of where a model
looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, overload

import numpy as np

from gsm_model.explain.cam.report import CamReport, LayerMaps
from gsm_model.explain.gates.layers import LayerExchange
from gsm_model.explain.gates.report import GateReport

Report = TypeVar("Report", GateReport, CamReport)


@dataclass(frozen=True)
class PanelView(Generic[Report]):
    """One model's report on one order of the frames, the frames as it saw them (T, S, S, 3) uint8,
    and its colour.
    """

    report: Report
    frames: np.ndarray
    color: str

    @property
    def name(self) -> str:
        """What the panel is called: the model, and the order if it is not the frames' own."""
        order = self.report.prediction.order
        return self.report.card.name + ("" if order == "forward" else f", {order}")

    @overload
    def layer(self: PanelView[GateReport], title: str, titles: Sequence[str]) -> LayerExchange: ...

    @overload
    def layer(self: PanelView[CamReport], title: str, titles: Sequence[str]) -> LayerMaps: ...

    def layer(self, title: str, titles: Sequence[str]) -> LayerExchange | LayerMaps:
        """The layer called ``title``; where a network has none of that name, the last one of the
        same block, else the one as deep among ``titles``.
        """
        by_title = {layer.title: layer for layer in self.report.layers}
        by_block = {layer.title.split(" ")[0]: layer for layer in self.report.layers}
        if title in by_title:
            return by_title[title]
        if title.split(" ")[0] in by_block:
            return by_block[title.split(" ")[0]]
        depth = list(titles).index(title) / max(1, len(titles) - 1)
        return self.report.layers[round(depth * (len(self.report.layers) - 1))]


def layer_titles(seen: Sequence[PanelView[Report]]) -> list[str]:
    """The layers to choose among: those of the first model."""
    return [layer.title for layer in seen[0].report.layers]


def by_length(seen: Sequence[PanelView[Report]]) -> dict[int, list[PanelView[Report]]]:
    """Those that can stand in one picture, by their number of frames."""
    groups: dict[int, list[PanelView[Report]]] = {}
    for one in seen:
        groups.setdefault(len(one.frames), []).append(one)
    return groups


def same_pictures(first: PanelView[Report], second: PanelView[Report]) -> list[int]:
    """For every frame of ``first``, where ``second`` shows the same one; the same place where it
    does not, or shows it more than once.
    """
    there = second.report.prediction.frame_indices.tolist()
    indices = first.report.prediction.frame_indices.tolist()
    return [
        there.index(index) if there.count(index) == 1 else place
        for place, index in enumerate(indices)
    ]


def captions(one: PanelView[Report]) -> tuple[str, ...]:
    """What stands under each frame: its number in the video."""
    return tuple(f"frame {index}" for index in one.report.prediction.frame_indices)


def lighter(color: str) -> str:
    """``color`` (hex) half way to grey, for the same model beside itself."""
    return "#" + "".join(
        f"{(int(color[start : start + 2], 16) + 150) // 2:02X}" for start in (1, 3, 5)
    )
