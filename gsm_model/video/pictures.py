"""Reading pictures as video: an animated GIF or WebP, one picture (a frozen clip), a folder of
numbered frames.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from gsm_model.errors import VideoError
from gsm_model.motion.pictures import largest_move, wheel
from gsm_model.motion.stored import flow_of_bytes, zero_of
from gsm_model.video.colours import TRANSPARENT, on_black
from gsm_model.video.frame_folders import Frames, Series, frames_of
from gsm_model.video.picture_times import frame_lengths
from gsm_model.video.source import (
    SIZE_CHANGES,
    Backend,
    Limits,
    Source,
    VideoInfo,
    check_size,
    reason,
)
from gsm_model.video.stored_flow import FlowFiles
from gsm_model.video.timing import from_lengths

_STARTS = (
    *(b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"BM"),
    *(b"II*\0", b"MM\0*"),  # TIFF, either byte order
)
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
PICTURE_FPS = 10.0
ASSUMED_RATE = f"a folder states no frame rate: {PICTURE_FPS:g} frames a second are assumed"


def is_picture(start: bytes) -> bool:
    """Whether a file that begins with ``start`` (12 bytes or more) is a picture; RIFF is WebP's
    container and AVI's.
    """
    return start.startswith(_STARTS) and not (start.startswith(b"RIFF") and start[8:12] != b"WEBP")


def open_picture(path: Path, limits: Limits, name: str) -> Source:
    """Look into a picture; raises `VideoError` if it is none, damaged, or over ``limits``."""
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            width, height = picture.size
            check_size(width, height, limits, name)
            count = getattr(picture, "n_frames", 1)
            if limits.max_frames is not None and count > limits.max_frames:
                raise VideoError(
                    f"{name}: has more than the {limits.max_frames:,} frames allowed; cut it"
                )
            upright = ImageOps.exif_transpose(picture) if count == 1 else picture
            width, height = upright.size
            notes = [TRANSPARENT] if picture.has_transparency_data else []
    except Image.DecompressionBombError:
        raise _too_large(name, limits) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, IndexError) as error:
        raise VideoError(f"{name}: not a picture that can be read ({reason(error)})") from None
    lengths, said = frame_lengths(path, count)
    timing = from_lengths(lengths)
    info = VideoInfo(
        count,
        timing.fps,
        width,
        height,
        kind="picture",
        duration=timing.duration,
        notes=(*said, *timing.notes, *notes),
    )

    def read(wanted: np.ndarray, backend: Backend | None) -> np.ndarray:
        needed, frames = set(wanted.tolist()), []
        try:
            with Image.open(path, formats=_FORMATS) as picture:
                for number, frame in enumerate(ImageSequence.Iterator(picture)):
                    if number in needed:
                        shown = ImageOps.exif_transpose(frame) if info.num_frames == 1 else frame
                        frames.append(_rgb(shown, name))
                    if number >= wanted[-1]:
                        break
        except (
            Image.DecompressionBombError
        ):  # a GIF's frame may reach over the size that its header states
            raise _too_large(name, limits) from None
        except (OSError, ValueError, SyntaxError, EOFError, IndexError) as error:
            raise VideoError(f"{name}: the picture is damaged ({reason(error)})") from None
        if len({frame.shape for frame in frames}) > 1:
            raise VideoError(f"{name}: {SIZE_CHANGES}")
        return np.stack(frames)

    return Source(info, read, timing.times)


def _rgb(picture: Image.Image, name: str) -> np.ndarray:
    """(H, W, 3) uint8, on black where it is transparent; Pillow would cut 16 bits off at 255, and
    not scale them.
    """
    if picture.has_transparency_data:
        return on_black(np.asarray(picture.convert("RGBA")))
    if picture.mode.startswith("I;16"):
        grey = (np.asarray(picture).astype(np.uint16) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if picture.mode in ("I", "F"):
        raise VideoError(f"{name}: has 32 bits a pixel; save it with 8")
    return np.asarray(picture.convert("RGB"))


def _too_large(name: str, limits: Limits) -> VideoError:
    return VideoError(
        f"{name}: so many pixels are more than allowed ({limits.max_pixels:,} in all); make it"
        " smaller"
    )


def open_folder(path: Path, limits: Limits, name: str, series: str | None = None) -> Source:
    """A folder of numbered pictures, in the order of their numbers; ``series`` says which of
    several (`frames_of`). Optical flow that lies in it can be read too.
    """
    frames = frames_of(path, name, series)
    if limits.max_frames is not None and frames.count > limits.max_frames:
        raise VideoError(f"{name}: has more than the {limits.max_frames:,} frames allowed")
    pictures = _Numbered(path, limits, name, frames.series)
    info = VideoInfo(
        frames.count,
        PICTURE_FPS,
        pictures.width,
        pictures.height,
        kind="folder",
        notes=(*frames.notes, *{TRANSPARENT}.intersection(pictures.notes), ASSUMED_RATE),
        runs=frames.runs,
    )
    flow = None if frames.flow is None else _flow_files(path, limits, name, frames)

    def read(wanted: np.ndarray, backend: Backend | None) -> np.ndarray:
        return pictures.read(wanted)

    def drawn(wanted: np.ndarray, backend: Backend | None) -> np.ndarray:
        assert flow is not None
        last = flow.count - 1  # the last frame has no motion to another
        stored = flow.look(np.minimum(wanted, last)).transpose(0, 3, 1, 2)
        moved = flow_of_bytes(stored, zero_of(flow.sample()) or 128)
        return wheel(moved, largest_move(moved))

    return Source(info, drawn if frames.alone else read, flow=flow, alone=frames.alone)


class _Numbered:
    """A series of pictures in ``folder``, all of the first one's size."""

    def __init__(self, folder: Path, limits: Limits, name: str, series: Series) -> None:
        self._folder, self._limits, self._name, self._files = folder, limits, name, series.files
        first = open_picture(folder / self._files[0], limits, f"{name}/{self._files[0]}").info
        self.width, self.height, self.notes = first.width, first.height, first.notes

    def read(self, places: np.ndarray) -> np.ndarray:
        """The pictures at ``places`` (n,) of the series: (n, H, W, 3) uint8."""
        pictures = []
        for place in places:
            file, name = self._folder / self._files[place], f"{self._name}/{self._files[place]}"
            picture = open_picture(file, self._limits, name).read(np.array([0]), None)[0]
            if picture.shape[:2] != (self.height, self.width):
                raise VideoError(
                    f"{name}: its size differs from the first frame's; all frames must"
                    " have one size"
                )
            pictures.append(picture)
        return np.stack(pictures)


def _flow_files(path: Path, limits: Limits, name: str, frames: Frames) -> FlowFiles:
    """The optical flow that lies in a folder, found by the numbers of the frames it starts at."""
    stored = frames.flow
    assert stored is not None
    right, down = (_Numbered(path, limits, name, series) for series in (stored.right, stored.down))
    if (right.width, right.height) != (down.width, down.height):
        raise VideoError(f"{name}: the files of {stored.name} have not one size")
    places = {number: place for place, number in enumerate(stored.right.numbers)}

    def look(wanted: np.ndarray) -> np.ndarray:
        return np.stack([one.read(wanted)[..., 0] for one in (right, down)], axis=-1)

    def read(wanted: np.ndarray) -> np.ndarray:
        numbers = [frames.series.numbers[place] for place in wanted]
        if missing := [number for number in numbers if number not in places]:
            raise VideoError(
                f"{name}: of its optical flow, {stored.name}, number {missing[0]} is missing"
            )
        return look(np.array([places[number] for number in numbers], dtype=np.int64))

    return FlowFiles(stored.name, len(places), read, look)
