"""Maps over drawn clips, where it is known what moves: how often, and how much of, each method's
map lies on it, by layer and by model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice, product
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from torch import Tensor

from gsm_model.data.labels import reversed_classes
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.data.synthetic.dataset import Split, draw_clip
from gsm_model.data.synthetic.scene import MASK_ROLES
from gsm_model.errors import DataError
from gsm_model.evaluation.dataset import HEIGHT, WIDTH, drawn_ids, drawn_origin, drawn_video
from gsm_model.evaluation.intervals import measure_mean, measure_share
from gsm_model.evaluation.resumable import Parts
from gsm_model.explain.cam.evidence import Evidence, Target, evidence_of_clips
from gsm_model.explain.cam.faithfulness import (
    CENTRE,
    CHANGE,
    blind_maps,
    centre_blob,
    change_map,
    curves_of,
)
from gsm_model.explain.cam.methods import cam_of_evidence
from gsm_model.explain.cam.names import METHODS, SLOW_METHODS, Method
from gsm_model.explain.cam.pointing import cell_weights, point_at
from gsm_model.explain.cam.sanity import rank_correlation
from gsm_model.io.tables import list_column, list_values, read_table, what_table_says, write_table
from gsm_model.models.card import Measure
from gsm_model.models.recognizer import Recognizer
from gsm_model.predictions.table import Provenance
from gsm_model.video.clip_input import clip_input
from gsm_model.video.transforms import masks_as_seen

TargetKind = Literal["class", "contrast"]
TARGET_KINDS: tuple[TargetKind, ...] = (
    "class",
    "contrast",
)  # the true class; the true class rather than its time reversal
FAST_METHODS: tuple[Method, ...] = tuple(method for method in METHODS if method not in SLOW_METHODS)
MOVING = (MASK_ROLES.index("actor"), MASK_ROLES.index("hand"))
BLOCK_CLIPS = 20
GUESS_CELLS = 6  # a side: the grid of blind maps


@dataclass(frozen=True)
class CamOrigin:
    """What a table is of: model, data and classes, its columns' (target kind, method, layer), and
    whether the maps were tried.
    """

    data: Provenance
    columns: tuple[tuple[str, str, str], ...]
    trials: bool = False


@dataclass(frozen=True)
class CamTable:
    """n clips by k maps. ``hits`` (n, k) int64: the kind of thing (`MASK_ROLES`) at the map's
    largest cell, −1 for an empty map; ``energies`` (n, k, 4) float32: the share of the map on each
    kind; ``areas`` (n, 4): the share of the clip that each covers.

    ``others`` (n, k) float32: Spearman's ρ of the map with that of the time-reversed class, which a
    map that says something of the class differs from; NaN for contrasts. ``tried`` (n, k) float32:
    each map's area (`Curves.area`), and ``blind`` (n, 3) those of a centre blob, of the change
    between frames and the mean of five random maps, all for the true class; NaN where maps were not
    tried, and for contrasts. ``guesses`` (n, 2, 2) float32: for the centre blob and the change
    between frames, whether its largest cell is on what moves (0 or 1), and the share of it that is.
    """

    origin: CamOrigin
    ids: tuple[str, ...]
    hits: np.ndarray
    energies: np.ndarray
    areas: np.ndarray
    others: np.ndarray
    tried: np.ndarray
    blind: np.ndarray
    guesses: np.ndarray


ARRAYS = ("hits", "energies", "areas", "others", "tried", "blind", "guesses")
GUESSES = (CENTRE, CHANGE)


def block_layers(model: Recognizer) -> list[str]:
    """The outputs of all blocks, and before and after the gate of the last two that can have
    one.
    """
    points = list(model.feature_points())
    sides = [name for name in points if ":" in name]
    return [name for name in points if ":" not in name or name in sides[-4:]]


def score_cams(
    model: Recognizer,
    split: Split,
    count: int,
    out: Path,
    methods: Sequence[Method] = FAST_METHODS,
    layers: Sequence[str] | None = None,
    trials: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> CamTable:
    """Maps of ``model`` for the first ``count`` clips of a drawn split, for the true class and for
    it rather than its time reversal, against what is known to move; with ``trials`` also by
    deletion and insertion, which takes 34 passes a map. Written to ``out`` (parquet). A run that
    was stopped goes on where it was.

    Raises:
        DataError: if the model's classes are not those of the drawn set, or parts of another run
            are in the way.
        ValueError: for an unknown or slow method, or an unknown layer.
    """
    layers = block_layers(model) if layers is None else list(layers)
    for method in methods:
        if method not in FAST_METHODS:
            raise ValueError(f"no fast method {method!r}; there are {', '.join(FAST_METHODS)}")
    origin = CamOrigin(
        drawn_origin(model, split, count), tuple(product(TARGET_KINDS, methods, layers)), trials
    )
    ids = drawn_ids(split, count)
    parts = Parts(out, origin, ids, read_cam_table, write_cam_table)
    upcoming: Iterator[int] = iter(range(parts.done, count))
    while numbers := list(islice(upcoming, BLOCK_CLIPS)):
        rows = [_of_clip(model, split, number, methods, layers, trials) for number in numbers]
        arrays = [np.stack(column) for column in zip(*rows, strict=True)]
        parts.add(CamTable(origin, tuple(ids[number] for number in numbers), *arrays))
        if progress is not None:
            progress(parts.done, count)
    return parts.close(_join(origin, parts.finished))


def _of_clip(
    model: Recognizer,
    split: Split,
    number: int,
    methods: Sequence[Method],
    layers: Sequence[str],
    trials: bool,
) -> tuple[np.ndarray, ...]:
    """The row of one clip in each of `ARRAYS`."""
    clip, t = draw_clip(split, number), model.architecture.num_segments
    neighbours = model.input.modality.neighbours
    given = clip_input(model, drawn_video(clip, [t], neighbours=neighbours))
    kinds = masks_as_seen(clip.masks(given.frame_indices, HEIGHT, WIDTH), model.input)
    views = given.views
    reverse = int(reversed_classes(LABELS)[clip.label])
    targets = [Target(clip.label), Target(clip.label, reverse), Target(reverse)]
    _, [(_, own), (_, contrast), (_, other)] = evidence_of_clips(model, views, targets, layers)
    grids = {one.features.shape[-2:] for one in own}
    weights = {grid: cell_weights(kinds, len(MASK_ROLES), *grid) for grid in grids}
    of_no_class = (
        {one.layer: cam_of_evidence("eigencam", one)[0] for one in own}
        if "eigencam" in methods
        else {}
    )

    def maps_of(method: Method, one: Evidence) -> np.ndarray:
        # EigenCAM knows no target: one map serves all.
        return of_no_class[one.layer] if method == "eigencam" else cam_of_evidence(method, one)[0]

    hits, energies, others, tried = [], [], [], []
    for evidence, (method, place) in (
        (of, key) for of in (own, contrast) for key in product(methods, range(len(layers)))
    ):
        maps = maps_of(method, evidence[place])
        found = point_at(maps, kinds, len(MASK_ROLES), weights[maps.shape[1:]])
        hits.append(found.hit)
        energies.append(found.energy)
        others.append(
            rank_correlation(maps, maps_of(method, other[place])) if evidence is own else np.nan
        )
        try_it = trials and evidence is own
        tried.append(
            curves_of(model, views[0], targets[0], method, maps).area if try_it else np.nan
        )
    blind = _blind_areas(model, views[0], targets[0]) if trials else np.full(3, np.nan)
    guesses = []
    for maps in (centre_blob(t, GUESS_CELLS, GUESS_CELLS), change_map(views[0].numpy())):
        guess = point_at(maps, kinds, len(MASK_ROLES))
        guesses.append((guess.hit in MOVING, guess.energy[list(MOVING)].sum()))
    rows = hits, energies, found.area, others, tried, blind, guesses
    return tuple(np.array(row, np.int64 if row is hits else np.float32) for row in rows)


def _blind_areas(model: Recognizer, clip: Tensor, target: Target) -> np.ndarray:
    """(3,): the areas of the centre blob, of the change between frames, and the mean of the random
    maps.
    """
    centre, change, *random = [
        curves_of(model, clip, target, name, maps).area
        for name, maps in blind_maps(clip, GUESS_CELLS, GUESS_CELLS)
    ]
    return np.array([centre, change, np.mean(random)])


def _join(origin: CamOrigin, parts: Sequence[CamTable]) -> CamTable:
    arrays = (np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS)
    return CamTable(origin, tuple(id for part in parts for id in part.ids), *arrays)


def cam_scores(table: CamTable) -> list[dict]:
    """A row a map: the share of clips whose largest cell is on what moves (Wilson's 95 % interval),
    the mean share of the map that is (Student's), and what a map without knowledge would reach: the
    mean share of the clip that moves. Clips in which nothing moves but the camera are left out.
    ``other_class``: the mean ρ with the map of the time-reversed class."""
    data = table.origin.data
    area = table.areas[:, MOVING].sum(1)
    moving = area > 0
    rows = []
    for column, (kind, method, layer) in enumerate(table.origin.columns):
        on = np.isin(table.hits[moving, column], MOVING)
        energy = table.energies[moving, column][:, MOVING].sum(1)
        energy = energy[np.isfinite(energy)]
        hit = measure_share("hit", int(on.sum()), len(on), data.data)
        share = (
            measure_mean("energy", energy.astype(np.float64), data.data) if len(energy) else None
        )
        others = table.others[:, column]
        others = others[np.isfinite(others)]
        rows.append(
            {
                "target": kind,
                "method": method,
                "layer": layer,
                **{"hit": hit.value, "hit_low": hit.low, "hit_high": hit.high},
                **_bounded("energy", share),
                "area": float(area[moving].mean()),
                "other_class": float(others.mean()) if len(others) else None,
                **_trial_figures(table, column),
                **_guess_figures(table.guesses[moving]),
                "n": len(on),
                "empty": int((table.hits[moving, column] < 0).sum()),
                **{"model": data.model, "checkpoint": data.checkpoint, "data": data.data},
            }
        )
    return rows


def _bounded(name: str, mean: Measure | None) -> dict[str, float | None]:
    """A mean of shares with its interval, held within 0 … 1; ``None`` where every map is empty."""
    ends = {"": "value", "_low": "low", "_high": "high"}
    return {
        f"{name}{end}": None if mean is None else min(max(getattr(mean, of), 0.0), 1.0)
        for end, of in ends.items()
    }


def _guess_figures(guesses: np.ndarray) -> dict[str, float]:
    """How often the largest place of each blind map is on what moves, and the mean share of it that
    is.
    """
    means = guesses.astype(np.float64).mean(0)
    keys = [(place, name.split()[0]) for place, name in enumerate(GUESSES)]
    return {
        f"{name}_{what}": float(means[place, number])
        for place, name in keys
        for number, what in enumerate(("hit", "energy"))
    }


def _trial_figures(table: CamTable, column: int) -> dict[str, float | None]:
    """The mean area with Student's interval, the share of clips on which it is above all three
    blind maps' with Wilson's, and their means.
    """
    tried = table.tried[:, column].astype(np.float64)
    names = (
        "tried",
        "tried_low",
        "tried_high",
        "beats",
        "beats_low",
        "beats_high",
        "centre",
        "change",
        "random",
    )
    if not np.isfinite(tried).all() or not len(tried):
        return dict.fromkeys(names)
    data = table.origin.data.data
    area = measure_mean("area", tried, data)
    beats = tried > table.blind.max(1)
    share = measure_share("beats", int(beats.sum()), len(beats), data)
    values = (
        area.value,
        area.low,
        area.high,
        share.value,
        share.low,
        share.high,
        *table.blind.mean(0).tolist(),
    )
    return dict(zip(names, values, strict=True))


def write_cam_table(table: CamTable, path: Path) -> None:
    """Write ``table``; the file appears whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    floats = {
        "energies": table.energies,
        "areas": table.areas,
        "others": table.others,
        "tried": table.tried,
        "blind": table.blind,
        "guesses": table.guesses,
    }
    columns = {
        "id": pa.array(table.ids, pa.string()),
        "hits": list_column(table.hits.astype(np.int8)),
        **{name: list_column(values.astype(np.float32)) for name, values in floats.items()},
    }
    write_table(pa.table(columns), {**asdict(table.origin), "kinds": MASK_ROLES}, path)


def read_cam_table(path: Path, name: str = "") -> CamTable:
    """Read a table that `write_cam_table` wrote.

    Raises:
        DataError: if the file is missing, damaged, or no such table.
    """
    try:
        table = read_table(path)
        about = what_table_says(table)
        origin = Provenance(**{**about["data"], "labels": tuple(about["data"]["labels"])})
        columns = tuple(tuple(column) for column in about["columns"])
        k, roles = len(columns), len(MASK_ROLES)
        shapes = {
            "hits": (k,),
            "energies": (k, roles),
            "areas": (roles,),
            "others": (k,),
            "tried": (k,),
            "blind": (3,),
            "guesses": (2, 2),
        }
        arrays = {column: list_values(table, column, *shape) for column, shape in shapes.items()}
        ids = tuple(table["id"].to_pylist())
    except (OSError, KeyError, TypeError, ValueError, AttributeError, pa.ArrowException) as error:
        raise DataError(
            f"{name or path.name}: not a table of maps ({type(error).__name__}); write one with"
            " 'explain gradcam'"
        ) from None
    return CamTable(
        CamOrigin(origin, columns, bool(about["trials"])),
        ids,
        **{**arrays, "hits": arrays["hits"].astype(np.int64)},
    )
