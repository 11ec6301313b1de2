"""What the Order page asks of models about single frames, each computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.cache.store import caches, keep
from app.components.downloads import packed
from app.queries.clip_results import SHUFFLE_SEED
from app.shell.session import ClipRef, ModelRef, fast_model, owner
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.shapley.frames import Filling, FrameShapley, frame_shapley
from gsm_model.exports.provenance import Input, Recipe, portable
from gsm_model.exports.shapley import shapley_files
from gsm_model.io.names import unique_names
from gsm_model.video.decoded import DecodedVideo


@dataclass(frozen=True)
class FrameQuestion:
    """What is asked of every model: of which class the frames are worth what, and what stands for a
    missing frame.
    """

    target: Target
    filling: Filling


def _key(ref: ModelRef, clip: ClipRef, asked: FrameQuestion, segments: int) -> tuple:
    return "shapley", *ref.content, clip.sha256, asked, segments


def has_frame_values(ref: ModelRef, clip: ClipRef, asked: FrameQuestion, segments: int) -> bool:
    """Whether `frame_values` are known already."""
    return caches()["answers"].has(_key(ref, clip, asked, segments), owner(ref, clip))


def frame_values(
    ref: ModelRef,
    name: str,
    clip: ClipRef,
    video: DecodedVideo,
    asked: FrameQuestion,
    segments: int,
    progress: Callable[[int, int], None] | None = None,
) -> FrameShapley:
    """What each frame is worth to ``ref``'s model, shown as ``name``; computed once."""
    model = fast_model(ref)

    def compute() -> FrameShapley:
        return frame_shapley(
            *(model, video, asked.target, asked.filling),
            num_segments=segments,
            seed=SHUFFLE_SEED,
            progress=progress,
        )

    found = keep("answers", _key(ref, clip, asked, segments), compute, owner(ref, clip))
    return replace(found, card=replace(model.card, alias=name))


def shapley_recipe(
    clip: ClipRef, refs: Sequence[ModelRef], asked: FrameQuestion, segments: int | None
) -> Recipe:
    """The command that makes the same, and what it reads."""
    files = [Input.of(ref.path, ref.sha256, ref.name) for ref in refs]
    parts = ["order", "shapley", portable(clip.path, clip.name)]
    parts += [part for file in files for part in ("--checkpoint", file.name)]
    parts += ["--target", str(asked.target.index)]
    if asked.target.versus is not None:
        parts += ["--versus", str(asked.target.versus)]
    parts += ["--filling", asked.filling]
    if segments:
        parts += ["--segments", str(segments)]
    read = (Input.of(clip.path, clip.sha256, clip.name), *files)
    return Recipe((*parts, "--out", "shapley"), read)


def shapley_zip(
    clip: ClipRef,
    refs: Sequence[ModelRef],
    found: Sequence[FrameShapley],
    asked: FrameQuestion,
    segments: int | None,
) -> bytes:
    """All files of the models' frame values, packed; a folder a model where there are several."""
    recipe = shapley_recipe(clip, refs, asked, segments)
    names = unique_names([ref.key for ref in refs])
    folders = [f"{name}/" if len(refs) > 1 else "" for name in names]
    return packed(
        {
            f"{folder}{name}": content
            for folder, one in zip(folders, found, strict=True)
            for name, content in shapley_files(clip.name, one, recipe).items()
        }
    )
