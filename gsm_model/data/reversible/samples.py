"""The sample clips that ship with the project: one of each class, as H.264."""

from __future__ import annotations

import json
from pathlib import Path

from gsm_model.data.reversible.actions import LABELS
from gsm_model.data.reversible.dataset import FPS, draw_clip
from gsm_model.video.encode import to_mp4

# Clip numbers of the validation split, chosen by eye so that the action is plain to see.
CHOSEN = {
    "unfolding": (1, 101),
    "folding": (0, 200),
    "putting-in-front": (2, 302),
    "removing-revealing": (3, 403),
    "moving-up": (4, 504),
    "moving-down": (5, 605),
}
HEIGHT, WIDTH = 240, 320


def write_samples(out: Path) -> list[Path]:
    """Draw and encode every sample clip into ``out``, with ``clips.json`` beside them; returns the files written."""
    out.mkdir(parents=True, exist_ok=True)
    written, entries = [], []
    for name, (label, index) in CHOSEN.items():
        clip = draw_clip("validation", index, label)
        path = out / f"{name}.mp4"
        path.write_bytes(to_mp4(clip.frames(range(clip.num_frames), HEIGHT, WIDTH), FPS, quality=24))
        written.append(path)
        entries.append({"name": name, "label": LABELS[label], "file": path.name, "split": "validation", "index": index})
    index_file = out / "clips.json"
    index_file.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return [*written, index_file]
