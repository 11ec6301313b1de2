"""Mutated files, seeded: ``python -m tests.fuzz --count 10000`` reads each as the app does and
counts what becomes of them.

Each must be frames or a message, within the decoder's own limits; nothing may be left behind. Nine
of ten decoders are forked, see `tests.forked_decoder`.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil

from gsm_model.errors import VideoError
from gsm_model.video.isolate import read_video
from tests.corpus import CODECS, encode, moving_frames
from tests.forked_decoder import mostly_forked

SOURCES = (
    "h264.mp4",
    "hevc.mp4",
    "vp9.webm",
    "av1.mp4",
    "mpeg2.ts",
    "mpeg4.avi",
    "qtrle.mov",
    "ffv1.mkv",
    "theora.ogv",
    "moving.gif",
    "moving.webp",
)
SEGMENTS = 4


def sources(folder: Path) -> list[bytes]:
    """Small whole files of many kinds."""
    options = {name: given for _, name, given in CODECS}
    return [
        encode(folder / name, *options[name], frames=moving_frames(8, 32, 32)).read_bytes()
        for name in SOURCES
    ]


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """``content`` with one to eight faults: bits flipped, a stretch filled, left out, doubled, or
    all after it cut off.
    """
    found = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        if len(found) < 16:
            break
        # Half of the faults hit the beginning, where the headers are.
        end = len(found) if rng.random() < 0.5 else min(len(found), 400)
        at = int(rng.integers(end))
        length = int(rng.integers(1, 64))
        kind = rng.choice(
            ["flip", "fill", "drop", "double", "cut", "number"],
            p=[0.4, 0.15, 0.15, 0.1, 0.05, 0.15],
        )
        if kind == "flip":
            found[at] ^= 1 << int(rng.integers(8))
        elif kind == "fill":
            found[at : at + length] = bytes([int(rng.integers(256))]) * len(found[at : at + length])
        elif kind == "drop":
            del found[at : at + length]
        elif kind == "double":
            found[at:at] = found[at : at + length]
        elif kind == "cut":
            del found[max(at, 16) :]
        else:  # a length or a count that is far too large
            found[at : at + 4] = b"\x7f\xff\xff\xff"
    return bytes(found)


def read_mutated(folder: Path, contents: list[bytes], number: int) -> tuple[str, float]:
    """What becomes of mutation ``number``, *frames* or what the message begins with, its numbers
    left out, and how long it took.
    """
    rng = np.random.default_rng(number)
    path = folder / f"{number}.bin"
    path.write_bytes(mutated(contents[number % len(contents)], rng))
    started = time.perf_counter()
    try:
        video = read_video(path, (SEGMENTS,))
        assert video.clip(SEGMENTS)[1].shape[0] == SEGMENTS
        outcome = "frames"
    except VideoError as error:
        outcome = re.sub(
            r"\d+(\.\d+)?", "…", re.split(r" \(|[;:] ", str(error).partition(": ")[2])[0]
        )
    finally:
        path.unlink()
    return outcome, time.perf_counter() - started


def fuzz(count: int, first: int = 0, workers: int = 2) -> tuple[Counter, float]:
    """Read mutations ``first`` … ``first + count − 1``: how many became what, and the longest time
    one took.

    Raises:
        AssertionError: if a process or a file is left behind.
    """
    with mostly_forked(), tempfile.TemporaryDirectory() as name:
        before = psutil.Process().children(recursive=True)
        folder = Path(name)
        (folder / "sources").mkdir()
        contents = sources(folder / "sources")
        with ThreadPoolExecutor(workers) as threads:
            found = list(
                threads.map(
                    lambda number: read_mutated(folder, contents, number),
                    range(first, first + count),
                )
            )
        left = [entry.name for entry in folder.iterdir() if entry.name != "sources"]
        assert not left, f"files are left: {left}"
        after = set(psutil.Process().children(recursive=True)) - set(before)
        _, left = psutil.wait_procs(after, timeout=5)
        assert not left, f"decoders are left running: {left}"
    return Counter(outcome for outcome, _ in found), max(seconds for _, seconds in found)


def main() -> None:
    """Run as many as asked for and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    arguments = parser.parse_args()
    counts, longest = fuzz(arguments.count)
    print(
        f"{arguments.count:,} mutated files, the longest took {longest:.1f} s\n\n| what became of"
        " it | files |\n|---|---:|"
    )
    for outcome, number in counts.most_common():
        print(f"| {outcome} | {number:,} |")


if __name__ == "__main__":
    main()
