"""Is a checkpoint used as it was trained? A handful of other ways, tried on a few labelled clips.

Each way (another order of the classes or colours, another mean, number of segments, sampling, with
the shift or without) answers the same clips from one decoding. Whether it fits better than what is
given is McNemar's exact test on the clips, corrected after Holm for the number of ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from statsmodels.stats.multitest import multipletests

from gsm_model.confusion.significance import mcnemar
from gsm_model.data.labels import label_list, label_lists
from gsm_model.data.lists import Entry, VideoList
from gsm_model.errors import CheckpointError, DataError, VideoError
from gsm_model.evaluation.dataset import list_origin
from gsm_model.evaluation.intervals import measure_share
from gsm_model.evaluation.loader import AHEAD, Views, wanted_views
from gsm_model.models.card import Measure
from gsm_model.models.checkpoints.put_right import recoloured, shifted_by
from gsm_model.models.inference.out_of_memory import within_memory
from gsm_model.models.recognizer import Recognizer
from gsm_model.models.systems.tsm import Shift
from gsm_model.models.video_networks.network import VideoNetwork
from gsm_model.predictions.table import softmax
from gsm_model.video.pool import DecoderPool
from gsm_model.video.sampling import Sampling
from gsm_model.video.source import DATA_SET, Limits
from gsm_model.video.transforms import NORMALISATIONS, InputSpec, normalise

Kind = Literal["colours", "mean and deviation", "segments", "sampling", "shift", "class order"]
LEVEL = 0.05
_CLIPS_A_PASS = 8
_MOST_FRAMES = 64  # that are tried
_KEEP = 1e-6  # classes without clips keep their places


@dataclass(frozen=True)
class Alternative:
    """One other way to use a checkpoint: what differs, how many clips it gets right, how many of
    them only it gets right (``gained``) and only the given way does (``lost``), McNemar's exact
    two-sided ``p`` and that corrected after Holm; ``option`` is what to pass for it.
    """

    kind: Kind
    name: str
    right: Measure
    gained: int
    lost: int
    p: float
    p_holm: float
    option: str

    @property
    def advice(self) -> str:
        """What to do with it."""
        if self.kind == "class order":
            return f"Pass {self.option}."
        if self.kind == "segments":
            return f"Pass {self.option} to predict or convert."
        return f"Write the file anew: convert IN OUT.safetensors {self.option}."

    @property
    def fits_better(self) -> bool:
        """Whether it is right on more clips, and that is not chance."""
        return self.gained > self.lost and self.p_holm < LEVEL


@dataclass(frozen=True)
class CheckUp:
    """What a check-up found: how many clips the model gets right as ``given``, every
    ``alternatives``, the best first, and the errors of clips that could not be read.

    ``diagonal`` is the mean probability of the true class, ``diagonal_permuted`` the same after the
    permutation of the classes that makes it largest, ``order`` (K,) that permutation: the output
    that each class has. It is fitted on the very clips, so it is never lower.
    """

    given: Measure
    alternatives: tuple[Alternative, ...]
    diagonal: float
    diagonal_permuted: float
    order: np.ndarray
    chance: float
    errors: tuple[str, ...] = ()

    @property
    def better(self) -> Alternative | None:
        """The alternative that fits best of those that fit better than what is given."""
        return next((one for one in self.alternatives if one.fits_better), None)

    @property
    def verdict(self) -> str:
        """The finding in one or two sentences."""
        given, n = self.given, self.given.n
        as_given = f"as given it is right on {_share(given)}"
        if self.better is not None:
            one = self.better
            return (
                f"{one.kind}: {one.name} fits better: right on {_share(one.right)}, {as_given}"
                f" (p = {one.p_holm:.2g} after Holm, {len(self.alternatives)} alternatives tried)."
                f" {one.advice}"
            )
        most = max((one.right.value for one in self.alternatives), default=0.0)
        if given.low > self.chance and given.value >= most:
            return (
                f"Used as it was trained, as far as {n} clips show: {as_given}, no alternative on"
                " more."
            )
        first = self.alternatives[0]
        undecided = (
            f"{n} clips cannot decide: {as_given}, the best alternative ({first.kind}:"
            f" {first.name}) on {_share(first.right)} (p = {first.p_holm:.2g} after Holm)."
        )
        if given.low > self.chance:
            return f"{undecided} Give more --clips to tell them apart."
        if self.diagonal_permuted > 2 * self.diagonal + 0.2:
            undecided += (
                " With its classes in another order it would fit these clips: give more clips of"
                " each class, so that an order can be found on some and tested on others."
            )
        return (
            f"{undecided} Neither is more than a guess ({100 * self.chance:.0f} %) can be: the"
            " clips may be of other classes, or the file another network."
        )


def _share(measure: Measure) -> str:
    return f"{round(measure.value * measure.n)} of {measure.n} clips"


@dataclass(frozen=True)
class _Way:
    """A way to be tried by a pass of its own."""

    kind: Kind
    name: str
    option: str
    spec: InputSpec
    segments: int
    model: Recognizer


def check_checkpoint(
    model: Recognizer,
    videos: VideoList,
    clips: int = 50,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    limits: Limits = DATA_SET,
) -> CheckUp:
    """Try other ways to use ``model`` on ``clips`` labelled clips of ``videos``, taken from all of
    its classes in turn; one view a clip, the centre crop.

    Raises:
        DataError: if the list names classes the model has not, no clip could be read, or the model
            sees motion, whose colours and mean are others.
    """
    if model.input.modality.kind != "RGB":
        raise DataError(
            f"{model.card.name} sees {model.input.modality.title}; a check-up is of RGB"
        )
    list_origin(model, videos, str(Views()), "forward")  # raises where they do not fit
    entries = _spread(videos.entries, clips)
    ways = list(_ways(model))
    others = ways[1:]
    scores: list[list[np.ndarray]] = [[] for _ in ways]
    labels: list[int] = []
    errors: list[str] = []
    read = _read(model, entries, ways, workers, limits)
    done = 0
    while block := list(islice(read, _CLIPS_A_PASS)):
        done += len(block)
        errors += [found for _, found in block if isinstance(found, str)]
        whole = [(entry, found) for entry, found in block if not isinstance(found, str)]
        if whole:
            labels += [entry.label for entry, _ in whole]
            for way, rows in zip(ways, scores, strict=True):
                rows.append(_score(way, [found for _, found in whole]))
        if progress is not None:
            progress(done, len(entries))
    if not labels:
        raise DataError(f"{videos.name}: none of {len(entries)} clips could be read: {errors[0]}")
    truth = np.array(labels)
    found = [np.concatenate(rows) for rows in scores]
    right = found[0].argmax(1) == truth
    tried = [
        *(
            (way.kind, way.name, way.option, logits.argmax(1) == truth)
            for way, logits in zip(others, found[1:], strict=True)
        ),
        *_class_orders(model.card.labels, found[0], truth),
    ]
    p = softmax(found[0])
    order = best_order(p, truth)
    return CheckUp(
        measure_share("top-1", int(right.sum()), len(truth), videos.name),
        _compared(right, tried, videos.name),
        float(p[np.arange(len(truth)), truth].mean()),
        float(p[np.arange(len(truth)), order[truth]].mean()),
        order,
        1 / model.architecture.num_classes,
        tuple(errors),
    )


def _spread(entries: Sequence[Entry], count: int) -> list[Entry]:
    """``count`` of ``entries``, a first one of every class, then a second one, and so on; which, is
    drawn.
    """
    drawn = [entries[place] for place in np.random.default_rng(0).permutation(len(entries))]
    turns: dict[int, int] = {}
    ranked: list[tuple[int, int, Entry]] = []
    for entry in drawn:
        turns[entry.label] = turns.get(entry.label, 0) + 1
        ranked.append((turns[entry.label], len(ranked), entry))
    return [entry for _, _, entry in sorted(ranked, key=lambda one: one[:2])[:count]]


def _ways(model: Recognizer) -> Iterator[_Way]:
    """The given way first."""
    spec, a = model.input, model.architecture
    given = _Way("colours", "as given", "", spec, a.num_segments, model)
    yield given
    flipped: Literal["RGB", "BGR"] = "BGR" if spec.channels == "RGB" else "RGB"
    yield replace(
        given, name=flipped, option=f"--colours {flipped}", spec=recoloured(spec, flipped)
    )
    for name, values in NORMALISATIONS.items():
        for channels in (spec.channels, flipped):
            other = values.applied(replace(spec, channels=channels))
            # Of the other order of colours only the conventions that releases have.
            if other == spec or (channels == flipped and channels != values.usual):
                continue
            option = f"--normalise {name}"
            if channels == flipped:
                option += f" --colours {channels}"
            yield replace(
                given,
                kind="mean and deviation",
                name=f"{name}, {channels}",
                option=option,
                spec=other,
            )
    t = a.num_segments
    base = model.base_model
    most = (base.most if isinstance(base, VideoNetwork) else None) or _MOST_FRAMES
    for count in sorted({max(1, t // 2), 2 * t, 8, 16} - {t}):
        if count <= most:
            yield replace(
                given,
                kind="segments",
                name=f"{count} frames",
                option=f"--segments {count}",
                segments=count,
            )
    sampling: Sampling = "dense" if spec.sampling == "even" else "even"
    yield replace(
        given,
        kind="sampling",
        name=sampling,
        option=f"--sampling {sampling}",
        spec=replace(spec, sampling=sampling),
    )
    for name, option, other_model in _shifts(model):
        yield replace(given, kind="shift", name=name, option=option, model=other_model)


def _shifts(model: Recognizer) -> Iterator[tuple[str, str, Recognizer]]:
    """The same weights without the shift, with it, or with another share: a shift has no weights,
    so a file may lack it or have too much of it.
    """
    a = model.architecture
    shares: list[int | None] = []
    if a.temporal == "tsm":
        shares = [None, 4 if (a.shift or Shift()).share == 8 else 8]
    elif a.temporal == "none":
        shares = [8]
    for share in shares:
        try:
            other = shifted_by(model, share)
        except CheckpointError:  # this backbone has no place for it
            continue
        name = "off" if share is None else f"1/{share} of the channels each way"
        yield name, "--no-shift" if share is None else f"--shift --shift-share {share}", other


_Frames = dict[tuple[int, Sampling], np.ndarray]


def _read(
    model: Recognizer, entries: Sequence[Entry], ways: Sequence[_Way], workers: int, limits: Limits
) -> Iterator[tuple[Entry, _Frames | str]]:
    """Each clip as every way samples it, (T, 3, S, S) uint8 in the model's order of colours, from
    one decoding; or what was wrong with it.
    """
    wanted = list(dict.fromkeys((way.segments, way.spec.sampling) for way in ways))
    requests = (
        replace(
            wanted_views(entry, wanted[0][0], model.input, Views(), limits=limits),
            also=tuple(wanted[1:]),
        ).request()
        for entry in entries
    )
    with closing(DecoderPool(workers, reuse=True).ask_ahead(requests, AHEAD)) as answers:
        for entry, answer in zip(entries, answers, strict=True):
            if isinstance(answer, VideoError):
                yield entry, str(answer)
                continue
            arrays = [array.reshape(-1, *array.shape[-3:]) for array in answer.arrays]
            yield entry, dict(zip(wanted, arrays, strict=True))


def _score(way: _Way, clips: Sequence[_Frames]) -> np.ndarray:
    """(n, K) float32 logits of ``clips`` that were cut for the given way's order of colours."""
    views = np.stack([frames[way.segments, way.spec.sampling] for frames in clips])
    if way.spec.channels != way.model.input.channels:
        views = views[:, :, ::-1]
    with torch.inference_mode():
        logits, _ = within_memory(
            way.model, normalise(np.ascontiguousarray(views), way.spec), way.model
        )
    return logits.float().cpu().numpy()


def _class_orders(
    labels: tuple[str, ...] | None, logits: np.ndarray, truth: np.ndarray
) -> Iterator[tuple[Kind, str, str, np.ndarray]]:
    """Other orders of the classes, each with which clips it gets right."""
    k, answers = logits.shape[1], logits.argmax(1)
    for by, option in ((1, "--first-label 1"), (-1, "--first-label 0")):
        right = answers == (truth - by) % k
        yield (
            "class order",
            f"labels of the list less {by}".replace("less -1", "plus 1"),
            option,
            right,
        )
    orders = {}
    if labels is not None:
        orders["alphabetical"] = tuple(sorted(labels))
        orders |= {name: label_list(name) for name in label_lists()}
    for name, names in orders.items():
        if labels is not None and names != labels and sorted(names) == sorted(labels):
            # Output j is names[j]; the clip's class is labels[truth].
            place = {label: index for index, label in enumerate(names)}
            outputs = np.array([place[label] for label in labels])
            yield (
                "class order",
                f"as in the list {name}" if name != "alphabetical" else name,
                f"--labels with the classes in the order {name}",
                answers == outputs[truth],
            )
    yield (
        "class order",
        "fitted to the other half of the clips",
        "--labels with the order that --labels-out writes",
        _cross_fitted(softmax(logits), truth),
    )


def best_order(p: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The permutation (K,) that gives each class the output with which the probabilities ``p`` (n,
    K) of clips of the classes ``truth`` (n,) sum to the most; classes without clips keep theirs
    where they can.

    Source: Kuhn and Munkres' assignment, scipy's.
    """
    k = p.shape[1]
    mass = np.zeros((k, k))
    np.add.at(mass, truth, p)
    mass[np.arange(k), np.arange(k)] += _KEEP
    return linear_sum_assignment(mass, maximize=True)[1]


def _cross_fitted(p: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Which clips are right under the order that was fitted to the other half of each class's."""
    seen: dict[int, int] = {}
    half = np.zeros(len(truth), np.int64)
    for row, label in enumerate(truth.tolist()):
        half[row] = seen[label] = 1 - seen.get(label, 1)
    right = np.zeros(len(truth), bool)
    for side in (0, 1):
        order = best_order(p[half != side], truth[half != side])
        mine = half == side
        right[mine] = p[mine].argmax(1) == order[truth[mine]]
    return right


def _compared(
    given: np.ndarray, tried: Sequence[tuple[Kind, str, str, np.ndarray]], data: str
) -> tuple[Alternative, ...]:
    gained = [int((right & ~given).sum()) for *_, right in tried]
    lost = [int((given & ~right).sum()) for *_, right in tried]
    p = [mcnemar(*pair) for pair in zip(lost, gained, strict=True)]
    holm = multipletests(p, method="holm")[1].tolist()
    found = [
        Alternative(
            kind,
            name,
            measure_share("top-1", int(right.sum()), len(right), data),
            *(gained[row], lost[row], p[row], holm[row], option),
        )
        for row, (kind, name, option, right) in enumerate(tried)
    ]
    return tuple(sorted(found, key=lambda one: (-one.right.value, one.p_holm)))
