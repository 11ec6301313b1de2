"""Writing the drawn set to files: real videos or numbered frames, with list, labels and data
card.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PIL import Image

from gsm_model.data.own_clips import OwnClip
from gsm_model.data.synthetic.dataset import FPS, Split
from gsm_model.data.synthetic_sets import Looks, Style, SyntheticClip, synthetic_set
from gsm_model.errors import DataError
from gsm_model.io.atomic import write_whole
from gsm_model.video.encode import to_mp4

Format = Literal["mp4", "frames"]
LIST_FILE, LABELS_FILE, CARD_FILE = "list.txt", "labels.txt", "README.md"
_CARD = """# {title}, {split} split

{clips} clips of {classes} classes, {per_class} a class, {width} × {height} pixels, {fps:g} frames a second, as {format}.

**What it is.** {what}{note}

**What it is not.** It is no evidence about real footage. Nothing in it was filmed, no person is shown{sources}.

**Files.** `{list_file}` has a line `path num_frames label` for each clip, `{labels_file}` the class names in index order.

**Made by** `python -m gsm_model make-dataset OUT {option}--split {split} --clips-per-class {per_class} --format {format}`. Clips are numbered; the same number is the same clip on every machine.
"""  # noqa: E501
_PAIRS = (
    "Short clips made by a program, in pairs of actions that are each other's time reversal. A clip"
    " of one class played backwards is a fair clip of the reversed class: both are made from the"
    " same distribution of scenes, so no single frame tells the direction. Objects, patterns,"
    " backgrounds, passers-by, things in the way, light, shadow, camera motion, noise, speed and"
    " pauses all vary. The class names are Something-Something's."
)
_PROBES = (
    "Short clips made by a program, two classes for each question about time. Both classes of a"
    " question contain exactly the same frames (before compression); only their order differs."
    " Clips 2k and 2k + 1 are the two orders of the same frames. The questions *color* and *side*"
    " are controls that a single frame answers."
)
_SHIFTED_NOTE = (
    " The patterns, outlines and camera motions of this split are in none of the others."
)
_NO_SOURCES = ", and it holds no data from elsewhere"
_PHOTOGRAPHS = (
    ". Its textures are noise, collages and nine photographs: two that scikit-learn bundles,"
    " *china.jpg* by danielbuechele (https://www.flickr.com/photos/danielbuechele/6061409035) and"
    " *flower.jpg* by vultilion (https://www.flickr.com/photos/vultilion/6056698931), both CC BY"
    " 2.0 (https://creativecommons.org/licenses/by/2.0/), and seven of scikit-image's, CC0 or in"
    " the public domain: Eileen Collins (NASA), a launch (SpaceX), a cat (Stéfan van der Walt), a"
    " cup of coffee (Rachel Michetti, Pikolo Espresso Bar), grass (linolafett), bricks and gravel"
    " (CC0Textures); cut up and recoloured. Whoever passes these clips on passes these names on"
)


def write_dataset(
    out: Path,
    split: Split,
    clips_per_class: int,
    format: Format,
    height: int = 240,
    width: int = 320,
    progress: Callable[[int, int], None] | None = None,
    style: Style = "drawn",
    looks: Looks | None = None,
) -> Path:
    """Draw ``clips_per_class`` clips of every class of ``split`` into ``out``; returns the list
    file.

    Raises:
        DataError: if ``out`` exists and is not empty, or the set has no such split.
    """
    looks = looks or Looks()
    found = synthetic_set(style, looks)
    found.require_split(split)
    if out.exists() and any(out.iterdir()):
        raise DataError(f"{out}: is not empty; choose a new folder")
    out.mkdir(parents=True, exist_ok=True)
    total, lines = clips_per_class * len(found.labels), []
    for index in range(total):
        clip = found.draw(split, index)
        name = f"{index:06d}" + (".mp4" if format == "mp4" else "")
        mark = OwnClip(style, split, index, looks).mark()
        _write_clip(clip, out / name, format, height, width, mark)
        lines.append(f"{name} {clip.num_frames} {clip.label}")
        if progress is not None:
            progress(index + 1, total)
    write_whole(out / LIST_FILE, "\n".join(lines) + "\n")
    write_whole(out / LABELS_FILE, "\n".join(found.labels) + "\n")
    card = _CARD.format(
        title=found.title,
        what=_PROBES if style == "probes" else _PAIRS,
        note=_SHIFTED_NOTE if split == "shifted" else "",
        sources=_PHOTOGRAPHS if style in ("randomised", "motions") else _NO_SOURCES,
        option="".join(f"{option} " for option in _options(style, looks)),
        split=split,
        clips=total,
        classes=len(found.labels),
        per_class=clips_per_class,
        width=width,
        height=height,
        fps=FPS,
        format=format,
        list_file=LIST_FILE,
        labels_file=LABELS_FILE,
    )
    write_whole(out / CARD_FILE, card)
    return out / LIST_FILE


def _options(style: Style, looks: Looks) -> list[str]:
    """The options of the command that make these clips."""
    if style == "drawn":
        return []
    options = [f"--style {style}"]
    if looks.clutter is not None:
        options.append(f"--clutter {looks.clutter:g}")
    if style == "probes":
        options += [f"--camera {looks.camera:g}", f"--frames {looks.num_frames}"]
    return options


def _write_clip(
    clip: SyntheticClip, path: Path, format: Format, height: int, width: int, mark: str
) -> None:
    frames = clip.frames(range(clip.num_frames), height, width)
    if format == "mp4":
        write_whole(path, to_mp4(frames, FPS, quality=20, comment=mark))
        return
    path.mkdir()
    for number, frame in enumerate(frames, start=1):
        Image.fromarray(frame).save(path / f"{number:05d}.jpg", quality=92, comment=mark)
