"""What the channels of the chosen models carry, on drawn clips, each computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from app.cache.store import caches, keep
from app.components.downloads import packed
from app.shell.session import ModelRef, load_model, owner
from gsm_model.explain.channels.contrast import Contrast
from gsm_model.explain.channels.features import Side
from gsm_model.explain.channels.report import ChannelReport, study_channels
from gsm_model.exports.channels import channels_files
from gsm_model.exports.provenance import Input, Recipe
from gsm_model.io.names import unique_names

Study = tuple[ChannelReport, Contrast]


def _key(ref: ModelRef, clips: int) -> tuple:
    return "channels", *ref.content, clips


def has_study(ref: ModelRef, clips: int) -> bool:
    """Whether `study` is known already."""
    return caches()["tables"].has(_key(ref, clips), owner(ref))


def study(
    ref: ModelRef, name: str, clips: int, progress: Callable[[int, int], None] | None = None
) -> Study:
    """What the channels of ``ref``'s model, shown as ``name``, carry; computed once.

    Raises:
        LensError: if the model sees motion between frames.
    """
    model = load_model(ref)
    report, contrast = keep(
        "tables",
        _key(ref, clips),
        lambda: _without_values(study_channels(model, clips, progress=progress)),
        owner(ref),
    )
    card = replace(model.card, alias=name)
    return replace(report, card=card), replace(contrast, card=card)


def _without_values(found: Study) -> Study:
    """Without the channels' values themselves, which no page shows and are most of the memory."""
    report, contrast = found
    none = {key: values[:0] for key, values in report.pooled.items()}
    return replace(report, pooled=none), contrast


def channels_recipe(refs: Sequence[ModelRef], clips: int, side: Side) -> Recipe:
    """The command that makes the same, and what it reads."""
    files = [Input.of(ref.path, ref.sha256, ref.name) for ref in refs]
    parts = [part for file in files for part in ("--checkpoint", file.name)]
    arguments = ("explain", "channels", *parts, "--clips", str(clips), "--side", side)
    return Recipe((*arguments, "--out", "channels"), tuple(files))


def channels_zip(refs: Sequence[ModelRef], found: Sequence[Study], clips: int, side: Side) -> bytes:
    """All files of the models' channels, packed; a folder a model where there are several."""
    recipe = channels_recipe(refs, clips, side)
    names = unique_names([ref.key for ref in refs])
    folders = [f"{name}/" if len(refs) > 1 else "" for name in names]
    return packed(
        {
            f"{folder}{name}": content
            for folder, (report, contrast) in zip(folders, found, strict=True)
            for name, content in channels_files(report, contrast, side, recipe).items()
        }
    )
