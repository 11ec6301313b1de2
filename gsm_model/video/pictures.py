"""Reading pictures as video: an animated GIF or WebP, one picture (a frozen clip), a folder of
numbered frames.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from gsm_model.errors import VideoError
from gsm_model.video.source import (
    SIZE_CHANGES,
    Backend,
    Limits,
    Source,
    VideoInfo,
    check_size,
    reason,
)

_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"BM")
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
_FRAME_NAME = re.compile(r"\D*(\d+)\.(jpe?g|png)", re.IGNORECASE)
PICTURE_FPS = 10.0


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
            milliseconds = picture.info.get("duration") or 1000 / PICTURE_FPS
            width, height = upright.size
            info = VideoInfo(count, 1000 / milliseconds, width, height, kind="picture")
    except Image.DecompressionBombError:
        raise _too_large(name, limits) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, IndexError) as error:
        raise VideoError(f"{name}: not a picture that can be read ({reason(error)})") from None

    def read(wanted: np.ndarray, backend: Backend | None) -> np.ndarray:
        needed, frames = set(wanted.tolist()), []
        try:
            with Image.open(path, formats=_FORMATS) as picture:
                for number, frame in enumerate(ImageSequence.Iterator(picture)):
                    if number in needed:
                        shown = ImageOps.exif_transpose(frame) if info.num_frames == 1 else frame
                        frames.append(np.asarray(shown.convert("RGB")))
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

    return Source(info, read)


def _too_large(name: str, limits: Limits) -> VideoError:
    return VideoError(
        f"{name}: so many pixels are more than allowed ({limits.max_pixels:,} in all); make it"
        " smaller"
    )


def open_folder(path: Path, limits: Limits, name: str) -> Source:
    """A folder of numbered JPEGs or PNGs, in the order of their numbers."""
    numbered = sorted(
        (int(match.group(1)), entry)
        for entry in path.iterdir()
        if (match := _FRAME_NAME.fullmatch(entry.name)) and entry.is_file()
    )
    if not numbered:
        raise VideoError(
            f"{name}: a folder with no numbered .jpg or .png frames in it (such as 00001.jpg)"
        )
    if limits.max_frames is not None and len(numbered) > limits.max_frames:
        raise VideoError(f"{name}: has more than the {limits.max_frames:,} frames allowed")
    first = open_picture(numbered[0][1], limits, f"{name}/{numbered[0][1].name}").info
    info = VideoInfo(len(numbered), PICTURE_FPS, first.width, first.height, kind="folder")

    def read(wanted: np.ndarray, backend: Backend | None) -> np.ndarray:
        frames = []
        for number in wanted:
            file = numbered[number][1]
            frame = open_picture(file, limits, f"{name}/{file.name}").read(np.array([0]), None)[0]
            if frame.shape[:2] != (info.height, info.width):
                raise VideoError(
                    f"{name}/{file.name}: its size differs from the first frame's; all frames must"
                    " have one size"
                )
            frames.append(frame)
        return np.stack(frames)

    return Source(info, read)
