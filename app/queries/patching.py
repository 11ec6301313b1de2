"""What the Gates page asks of models about patched features, each computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from app.cache.store import caches, keep
from app.components.downloads import packed
from app.shell.session import ClipRef, ModelRef, load_model, owner
from gsm_model.explain.patching.clips import (
    Align,
    Patching,
    attribution_patching,
    cell_logits,
    clip_pair,
    patch,
)
from gsm_model.explain.patching.features import Side
from gsm_model.exports.patching import patching_files
from gsm_model.exports.provenance import Input, Recipe, portable
from gsm_model.io.names import unique_names
from gsm_model.predictions.table import softmax
from gsm_model.video.decoded import DecodedVideo

Probabilities = dict[int, float]


def _key(ref: ModelRef, clip: ClipRef, align: Align, segments: int) -> tuple:
    return *ref.content, clip.sha256, align, segments


def estimated(
    ref: ModelRef, name: str, clip: ClipRef, video: DecodedVideo, align: Align, segments: int
) -> Patching:
    """The effects of all sides, layers and frames of ``ref``'s model by one backward pass; computed
    once.
    """
    model = load_model(ref)

    def compute() -> Patching:
        pair = clip_pair(model, video, num_segments=segments)
        return attribution_patching(model, pair, align=align)

    key = ("attribution patching", *_key(ref, clip, align, segments))
    found = keep("answers", key, compute, owner(ref, clip))
    return replace(found, card=replace(model.card, alias=name))


def has_exact(ref: ModelRef, clip: ClipRef, align: Align, side: Side, segments: int) -> bool:
    """Whether `exact` is known already."""
    key = ("patching", side, *_key(ref, clip, align, segments))
    return caches()["answers"].has(key, owner(ref, clip))


def exact(
    ref: ModelRef,
    name: str,
    clip: ClipRef,
    video: DecodedVideo,
    align: Align,
    side: Side,
    segments: int,
    progress: Callable[[int, int], None] | None = None,
) -> Patching:
    """The effects of one side, patched in truth at every layer and frame; computed once."""
    model = load_model(ref)

    def compute() -> Patching:
        pair = clip_pair(model, video, num_segments=segments)
        return patch(model, pair, None, align, (side,), progress=progress)

    key = ("patching", side, *_key(ref, clip, align, segments))
    found = keep("answers", key, compute, owner(ref, clip))
    return replace(found, card=replace(model.card, alias=name))


def answer_of_cell(
    ref: ModelRef,
    clip: ClipRef,
    video: DecodedVideo,
    align: Align,
    side: Side,
    layer: str,
    frame: int,
    segments: int,
) -> Probabilities:
    """Class → probability with the features of the reversal at one layer and frame; computed
    once.
    """
    model = load_model(ref)

    def compute() -> Probabilities:
        pair = clip_pair(model, video, num_segments=segments)
        found = softmax(cell_logits(model, pair, side, layer, [frame], align))
        return {index: float(p) for index, p in enumerate(found)}

    key = ("patched cell", side, layer, frame, *_key(ref, clip, align, segments))
    return keep("answers", key, compute, owner(ref, clip), size=lambda found: 64 * len(found))


def patching_recipe(
    clip: ClipRef, refs: Sequence[ModelRef], side: Side, align: Align, segments: int | None
) -> Recipe:
    """The command that makes the same, and what it reads."""
    files = [Input.of(ref.path, ref.sha256, ref.name) for ref in refs]
    parts = ["explain", "patching", portable(clip.path, clip.name), "--reversed"]
    parts += [part for file in files for part in ("--checkpoint", file.name)]
    parts += ["--side", side, "--align", align]
    if segments:
        parts += ["--segments", str(segments)]
    read = (Input.of(clip.path, clip.sha256, clip.name), *files)
    return Recipe((*parts, "--out", "patching"), read)


def patching_zip(
    clip: ClipRef,
    refs: Sequence[ModelRef],
    found: Sequence[Patching],
    side: Side,
    align: Align,
    segments: int | None,
) -> bytes:
    """All files of the models' patching, packed; a folder a model where there are several."""
    recipe = patching_recipe(clip, refs, side, align, segments)
    names = unique_names([ref.key for ref in refs])
    folders = [f"{name}/" if len(refs) > 1 else "" for name in names]
    return packed(
        {
            f"{folder}{name}": content
            for folder, one in zip(folders, found, strict=True)
            for name, content in patching_files(clip.name, one, side, recipe).items()
        }
    )
