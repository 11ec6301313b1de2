"""A model's temporal report card: how right it is with the frames as they are and otherwise, with
temporal exchange cut, and which classes need the order.

Sources: Huang and others, "What makes a video a video", CVPR 2018 (frames chosen by an oracle);
Sevilla-Lara and others, "Only time can tell", WACV 2021 (classes that need time, by shuffling).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gsm_model.confusion.significance import Comparison, class_groups, compare
from gsm_model.data.labels import reversed_classes
from gsm_model.evaluation.dataset import ClipSet, require_still_frames
from gsm_model.evaluation.intervals import measure_mean, measure_share
from gsm_model.evaluation.reversal import ALL_PAIRS
from gsm_model.explain.gates.intervention_dataset import InterventionTable, run_interventions
from gsm_model.explain.gates.interventions import FrameOrder, Intervention
from gsm_model.models.card import Measure
from gsm_model.models.recognizer import Recognizer
from gsm_model.predictions.join import PairedPredictions
from gsm_model.predictions.table import Predictions, Provenance
from gsm_model.video.sampling import order_positions

SHUFFLES = 20
LEVEL = 0.05  # of the corrected tests
FORWARD, REVERSED, FROZEN = "none", "reversed", "frozen"
CLOSED_FROM = "closed from {} on"


@dataclass(frozen=True)
class PairShare:
    """Of the clips of ``group``, a pair of classes that are each other's time reversal, or all
    pairs: how often the class scores higher than its reversal, ``forward``; lower, with the frames
    ``reversed``; and ``both``, of which a model that does not see the order has none.
    """

    group: str
    forward: Measure
    reversed: Measure
    both: Measure


@dataclass(frozen=True)
class TemporalCard:
    """One model on n clips.

    ``measures`` are shares of the clips, each with its interval: *forward*, *reversed*, *shuffled*
    (the mean over the shuffles), *best shuffle* (right in any of them), *frozen* (the middle frame
    throughout), *best single frame* (right with any one frame throughout), and, where classes have
    their time reversal among the classes, *within pair*, *reversed to reversed class* (the answer
    to the reversed frames is the reversed class) and *errors to reversed class*, of the errors
    forward. ``cut`` has for each layer the top-1 and the within-pair accuracy (``None`` without
    pairs) with all temporal exchange closed from it on. ``classes`` compare, class by class, the
    commonest answer to the shuffled frames (A) with that to the frames as they are (B).
    """

    origin: Provenance
    n: int
    failed: int
    shuffles: int
    measures: tuple[Measure, ...]
    pairs: tuple[PairShare, ...]
    cut: tuple[tuple[str, Measure, Measure | None], ...]
    classes: tuple[Comparison, ...]

    def measure(self, metric: str) -> Measure | None:
        """The measure of that name, ``None`` where there is none."""
        return next((one for one in self.measures if one.metric == metric), None)

    @property
    def need_time(self) -> tuple[str, ...]:
        """The classes of which significantly more clips are right in order than shuffled."""
        return tuple(one.name for one in self.classes if one.p_holm < LEVEL and one.difference > 0)

    @property
    def no_need_shown(self) -> tuple[str, ...]:
        """The other classes: no need of the order was shown, which is not that there is none."""
        return tuple(one.name for one in self.classes if one.name not in self.need_time)


def card_plan(model: Recognizer, shuffles: int = SHUFFLES) -> dict[str, Intervention | FrameOrder]:
    """What a card asks of ``model``, by name, beside the clips as they are: every order of the
    frames, and temporal exchange closed from each layer on.
    """
    t = model.architecture.num_segments
    orders = {
        REVERSED: order_positions(t, "reversed"),
        FROZEN: order_positions(t, "frozen"),
        **{f"shuffled {k + 1}": order_positions(t, "shuffled", k) for k in range(shuffles)},
        **{f"frame {frame + 1}": np.full(t, frame) for frame in range(t)},
    }
    plan: dict[str, Intervention | FrameOrder] = {
        name: FrameOrder(tuple(positions.tolist())) for name, positions in orders.items()
    }
    layers = [layer for layer in model.temporal_layers() if layer.module is not None]
    for place, layer in enumerate(layers):
        group = tuple(one.name for one in layers[place:])
        plan[CLOSED_FROM.format(layer.title)] = Intervention("closed", group)
    return plan


def run_card(
    model: Recognizer,
    clip_set: ClipSet,
    out: Path,
    shuffles: int = SHUFFLES,
    progress: Callable[[int, int], None] | None = None,
) -> TemporalCard:
    """Score ``clip_set`` under all of `card_plan`, keep the table at ``out`` (parquet), and make
    the card of it. A run that was stopped goes on where it was.

    Raises:
        DataError: if no clip could be read, the model sees motion between frames, or parts of
            another run are in the way.
    """
    require_still_frames(model, "a report card")
    plan = card_plan(model, shuffles)
    return card_of(run_interventions(model, clip_set, plan, out, progress))


def card_of(table: InterventionTable) -> TemporalCard:
    """The card of a table that was made with `card_plan`."""
    rows = np.array([not error for error in table.errors])
    labels, answers, margins = table.labels[rows], table.answers[rows], table.margins[rows]
    columns = {name: place for place, name in enumerate(table.origin.interventions)}
    right = answers == labels[:, None]
    origin, n = table.origin.data, int(rows.sum())
    shuffled = [columns[name] for name in columns if name.startswith("shuffled ")]
    single = [columns[name] for name in columns if name.startswith("frame ")]

    def share(metric: str, hits: np.ndarray) -> Measure:
        return measure_share(metric, int(hits.sum()), len(hits), origin.data)

    measures = [
        share("forward", right[:, columns[FORWARD]]),
        share("reversed", right[:, columns[REVERSED]]),
        measure_mean("shuffled", right[:, shuffled].mean(1), origin.data),
        share("best shuffle", right[:, shuffled].any(1)),
        share("frozen", right[:, columns[FROZEN]]),
        share("best single frame", right[:, single].any(1)),
    ]
    reverses = reversed_classes(origin.labels)[labels]
    paired = reverses >= 0
    if paired.any():
        wrong = paired & ~right[:, columns[FORWARD]]
        turned = answers[:, columns[REVERSED]] == reverses
        measures.append(share("within pair", margins[paired, columns[FORWARD]] > 0))
        measures.append(share("reversed to reversed class", turned[paired]))
        if wrong.any():
            to_reversed = answers[:, columns[FORWARD]] == reverses
            measures.append(share("errors to reversed class", to_reversed[wrong]))
    cut = []
    for name, place in columns.items():
        if name.startswith("closed from "):
            layer = name.removeprefix("closed from ").removesuffix(" on")
            within = share("within pair", margins[paired, place] > 0) if paired.any() else None
            cut.append((layer, share("top-1", right[:, place]), within))
    return TemporalCard(
        origin,
        n,
        len(rows) - n,
        len(shuffled),
        tuple(measures),
        _pairs(origin, labels, margins[:, [columns[FORWARD], columns[REVERSED]]]),
        tuple(cut),
        _classes(table, rows, answers[:, shuffled], answers[:, columns[FORWARD]]),
    )


def _pairs(origin: Provenance, labels: np.ndarray, margins: np.ndarray) -> tuple[PairShare, ...]:
    """``margins`` (n, 2), forward and reversed, NaN for clips of no pair."""
    names, reverses = origin.labels, reversed_classes(origin.labels)
    first = np.minimum(labels, reverses[labels])
    ahead, back = margins[:, 0] > 0, margins[:, 1] < 0

    def of(group: str, chosen: np.ndarray) -> PairShare:
        found = (
            measure_share(metric, int(hits[chosen].sum()), int(chosen.sum()), origin.data)
            for metric, hits in (("forward", ahead), ("reversed", back), ("both", ahead & back))
        )
        return PairShare(group, *found)

    paired = reverses[labels] >= 0
    if not paired.any():
        return ()
    groups = [
        of(f"{names[k]} / {names[reverses[k]]}", paired & (first == k))
        for k in np.unique(first[paired])
    ]
    return (of(ALL_PAIRS, paired), *groups)


def _classes(
    table: InterventionTable, rows: np.ndarray, shuffled: np.ndarray, forward: np.ndarray
) -> tuple[Comparison, ...]:
    """McNemar's exact test in every class that has clips, corrected after Holm."""
    k = len(table.origin.data.labels)
    commonest = np.array([np.bincount(answers, minlength=k).argmax() for answers in shuffled])
    ids = tuple(id for id, row in zip(table.ids, rows, strict=True) if row)
    truth = table.labels[rows]
    a, b = (
        Predictions(
            replace(table.origin.data, order=order), ids, truth, None, ("",) * len(ids), answers
        )
        for order, answers in (("shuffled", commonest), ("forward", forward))
    )
    paired = PairedPredictions(a, b, 0, 0)
    return tuple(compare(paired, class_groups(paired))[1:])


def card_rows(card: TemporalCard) -> list[dict]:
    """Every figure of a card as a row: what it is, of what, with the ends of its interval."""
    about = {
        "model": card.origin.model,
        "checkpoint": card.origin.checkpoint,
        "data": card.origin.data,
    }
    rows = [_row("accuracy", one.metric, one, about) for one in card.measures]
    for pair in card.pairs:
        for metric in ("forward", "reversed", "both"):
            one = getattr(pair, metric)
            rows.append(_row(f"within pair, {metric}", pair.group, one, about))
    for layer, top1, within in card.cut:
        rows.append(_row("top-1, exchange cut from here on", layer, top1, about))
        if within is not None:
            rows.append(_row("within pair, exchange cut from here on", layer, within, about))
    for test in card.classes:
        one = Measure("", test.difference, test.low, test.high, test.n, card.origin.data)
        row = _row("in order less shuffled", test.name, one, about)
        rows.append(row | {"p": test.p, "p_holm": test.p_holm, "need": test.name in card.need_time})
    return rows


def _row(what: str, of: str, one: Measure, about: dict[str, str]) -> dict:
    return {
        "what": what,
        "of": of,
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "n": one.n,
        "p": None,
        "p_holm": None,
        "need": None,
        **about,
    }
