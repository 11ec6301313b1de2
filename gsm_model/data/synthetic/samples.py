"""The sample clips that come with the project, as H.264: a drawn one of each class, and randomised
ones, which are as near to film as can be had without filming.
"""

from __future__ import annotations

import json
from pathlib import Path

from gsm_model.data.randomised.actions import LABELS as RANDOMISED_LABELS
from gsm_model.data.randomised.dataset import randomised_clip
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.data.synthetic.dataset import FPS, draw_clip
from gsm_model.data.synthetic_sets import SyntheticClip
from gsm_model.io.atomic import write_whole
from gsm_model.video.encode import to_mp4

# Clip numbers of the validation split, chosen by eye so that the action is plain to see.
CHOSEN = {
    "unfolding": (1, 1),
    "folding": (0, 0),
    "putting-in-front": (2, 2),
    "removing-revealing": (3, 3),
    "opening": (4, 24),
    "closing": (5, 25),
    "covering": (6, 6),
    "uncovering": (7, 47),
    "moving-up": (8, 28),
    "moving-down": (9, 29),
    "putting-into": (10, 10),
    "taking-out": (11, 11),
    "moving-closer": (12, 12),
    "moving-away": (13, 13),
    "pushing-right": (14, 14),
    "pushing-left": (15, 15),
    "approaching": (16, 16),
    "receding": (17, 17),
    "burying": (18, 58),
    "digging-out": (19, 19),
}
# Of the randomised clips: the class, the number, and the clutter.
RANDOMISED = {
    "pushing-right-photographs": ("Pushing something from left to right", 103, 0.7),
}
HEIGHT, WIDTH = 240, 320


def write_samples(out: Path) -> list[Path]:
    """Draw and encode every sample clip into ``out``, with ``clips.json`` beside them; returns the
    files written.
    """
    out.mkdir(parents=True, exist_ok=True)
    written, entries = [], []

    def write(name: str, clip: SyntheticClip, label: str, **which: object) -> None:
        path = out / f"{name}.mp4"
        frames = clip.frames(range(clip.num_frames), HEIGHT, WIDTH)
        write_whole(path, to_mp4(frames, FPS, quality=27))
        written.append(path)
        entries.append(
            {"name": name, "label": label, "file": path.name, "split": "validation", **which}
        )

    for name, (label, index) in CHOSEN.items():
        write(name, draw_clip("validation", index, label), LABELS[label], index=index)
    for name, (shown, index, clutter) in RANDOMISED.items():
        clip = randomised_clip("validation", index, RANDOMISED_LABELS.index(shown), clutter)
        write(name, clip, shown, style="randomised", index=index, clutter=clutter)
    index_file = out / "clips.json"
    write_whole(index_file, json.dumps(entries, indent=2, ensure_ascii=False) + "\n")
    return [*written, index_file]
