"""Decoding: a video file, an animated picture, a picture or a folder of frames → RGB arrays.

Only the frames that are asked for are converted. decord reads first where it is installed; PyAV reads
where it is not, where it fails, and where it is known to be wrong (rotated video, open groups of
pictures). Both give the same
bytes. This module needs neither torch nor anything of the models, so that it can run in a small process
of its own (`gsm_model.video.isolate`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
import numpy as np
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from gsm_model.errors import VideoError

Backend = Literal["decord", "pyav"]
CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,ogg,flv,asf,h264,hevc,m4v,mjpeg,ivf,mxf,obu"
_OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}
_PICTURE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b"BM")
_PICTURE_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
_FRAME_NAME = re.compile(r"\D*(\d+)\.(jpe?g|png)", re.IGNORECASE)
PICTURE_FPS = 10.0


@dataclass(frozen=True)
class Limits:
    """The largest file, video and picture that are read. Settings, not properties of any model."""

    max_bytes: int = 300 * 2**20
    max_seconds: float = 600.0
    max_frames: int = 36_000
    max_width: int = 4096
    max_height: int = 4096
    max_pixels: int = 4096 * 2304


@dataclass(frozen=True)
class VideoInfo:
    """What a file says of itself: upright ``width`` and ``height`` in pixels, ``rotation`` in degrees already obeyed."""

    num_frames: int
    fps: float
    width: int
    height: int
    rotation: int = 0
    kind: Literal["video", "picture", "folder"] = "video"

    @property
    def seconds(self) -> float:
        return self.num_frames / self.fps


Choose = Callable[[VideoInfo], Sequence[int] | np.ndarray]


def decode(
    path: Path, choose: Choose, limits: Limits | None = None, name: str | None = None, backend: Backend | None = None
) -> tuple[VideoInfo, np.ndarray, np.ndarray]:
    """Read the frames that ``choose`` names: (info, indices (n,) int64 as chosen, frames (n, H, W, 3) uint8 RGB, upright).

    ``choose`` is given what the file says of itself and returns 0-based indices, in any order, repeats
    allowed. ``name`` is what messages call the file. ``backend`` forces one reader of video files.

    Raises:
        VideoError: if the file is no video or picture, is damaged, or exceeds ``limits``.
    """
    limits, name = limits or Limits(), name or path.name
    source = open_source(path, limits, name)
    indices = np.asarray(choose(source.info), dtype=np.int64)
    if indices.size == 0 or indices.min() < 0 or indices.max() >= source.info.num_frames:
        raise VideoError(f"{name}: frames {indices.tolist()} were asked of a video of {source.info.num_frames}")
    wanted = np.unique(indices)
    frames = source.read(wanted, backend)
    return source.info, indices, frames[np.searchsorted(wanted, indices)]


@dataclass(frozen=True)
class Source:
    """An opened file: what it says of itself, and how to read ascending, distinct frame indices of it."""

    info: VideoInfo
    read: Callable[[np.ndarray, Backend | None], np.ndarray]


def open_source(path: Path, limits: Limits, name: str) -> Source:
    """Find out what ``path`` is and check it against ``limits``.

    Raises:
        VideoError: as `decode`.
    """
    if path.is_dir():
        return _open_folder(path, limits, name)
    if not path.is_file():
        raise VideoError(f"{name}: there is no such file")
    size = path.stat().st_size
    if size == 0:
        raise VideoError(f"{name}: the file is empty")
    if size > limits.max_bytes:
        raise VideoError(f"{name}: {size / 2**20:.0f} MB is more than the {limits.max_bytes / 2**20:.0f} MB allowed; cut or compress it")
    with path.open("rb") as file:
        start = file.read(12)
    if start.startswith(_PICTURE_STARTS) and not (start.startswith(b"RIFF") and start[8:12] != b"WEBP"):
        return _open_picture(path, limits, name)
    return _open_video(path, limits, name)


# Video files


@dataclass(frozen=True)
class _Index:
    """Presentation times of all frames, ascending, and which of them a reader can start at.

    ``clean_keys``: nothing after a key frame needs anything before it, as far as the file tells.
    """

    times: tuple[int, ...]
    keys: tuple[bool, ...]
    clean_keys: bool


def _open_video(path: Path, limits: Limits, name: str) -> Source:
    info, index = _probe(path, limits, name)

    def read(wanted: np.ndarray, backend: Backend | None) -> np.ndarray:
        frames = None
        # decord returns rotated pictures garbled, and wrong frames after jumping to a key frame that is not clean.
        if backend != "pyav" and info.rotation == 0 and index.clean_keys:
            frames = _read_with_decord(path, wanted, info)
        if frames is None:
            if backend == "decord":
                raise VideoError(f"{name}: decord cannot read this file")
            frames = _read_with_pyav(path, wanted, info, index, name)
        return frames

    return Source(info, read)


def _probe(path: Path, limits: Limits, name: str) -> tuple[VideoInfo, _Index]:
    try:
        with av.open(str(path), options=dict(_OPEN_OPTIONS)) as container:
            stream = _video_stream(container, name)
            width, height = stream.codec_context.width, stream.codec_context.height
            _check_size(width, height, limits, name)
            first = next(container.decode(stream), None)
            if first is None:
                raise VideoError(f"{name}: there is not one whole frame in it")
            container.seek(0)
            index = _index_packets(container, stream, limits, name)
            rate = stream.average_rate or stream.guessed_rate or stream.base_rate
            fps = float(rate) if rate else 25.0
            if len(index.times) / fps > limits.max_seconds:
                raise VideoError(f"{name}: {len(index.times) / fps:.0f} s is more than the {limits.max_seconds:.0f} s allowed; cut it")
            rotation = int(round(first.rotation / 90) * 90) % 360
            width, height = (first.height, first.width) if rotation % 180 else (first.width, first.height)
            return VideoInfo(len(index.times), fps, width, height, rotation), index
    except av.error.FFmpegError as error:
        raise VideoError(
            f"{name}: not a video that can be read ({_reason(error)}). Upload an MP4, WebM, MOV, AVI, GIF or picture"
        ) from None


def _video_stream(container, name: str):
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            if stream.codec_context is None:
                raise VideoError(f"{name}: its codec is not one that can be decoded here")
            stream.thread_type = "SLICE"
            return stream
    raise VideoError(f"{name}: there is no picture track in it, only sound or data")


def _check_size(width: int, height: int, limits: Limits, name: str) -> None:
    if width < 1 or height < 1:
        raise VideoError(f"{name}: the file states no picture size")
    if width > limits.max_width or height > limits.max_height or width * height > limits.max_pixels:
        raise VideoError(f"{name}: {width} × {height} pixels are more than allowed ({limits.max_pixels:,} in all); make it smaller")


def _index_packets(container, stream, limits: Limits, name: str) -> _Index:
    entries: list[tuple[int, bool]] = []
    codec, clean = stream.codec_context, True
    for packet in container.demux(stream):
        if packet.size == 0 or packet.is_discard:
            continue
        time = packet.pts if packet.pts is not None else packet.dts
        entries.append((time if time is not None else len(entries), packet.is_keyframe))
        if packet.is_keyframe and clean:
            clean = codec.name == "h264" and _has_idr(bytes(packet), codec.extradata or b"")
        if len(entries) > limits.max_frames:
            raise VideoError(f"{name}: has more than the {limits.max_frames:,} frames allowed; cut it")
    if not entries:
        raise VideoError(f"{name}: there is not one frame in it")
    entries.sort(key=lambda entry: entry[0])
    times, keys = zip(*entries, strict=True)
    return _Index(times, keys, clean or sum(keys) == 1)


def _has_idr(packet: bytes, extradata: bytes) -> bool:
    """Whether an H.264 key frame is an instantaneous decoder refresh: unit type 5 (ITU-T H.264, table 7-1)."""
    if not extradata.startswith(b"\x01"):  # start codes between the units
        return any(part[0] & 31 == 5 for part in packet.split(b"\0\0\1")[1:] if part)
    length_bytes, at = (extradata[4] & 3) + 1, 0
    while at + length_bytes < len(packet):
        if packet[at + length_bytes] & 31 == 5:
            return True
        at += length_bytes + int.from_bytes(packet[at : at + length_bytes], "big")
    return False


def _read_with_decord(path: Path, wanted: np.ndarray, info: VideoInfo) -> np.ndarray | None:
    """The frames, or ``None`` where decord is not installed or does not see the same video as PyAV."""
    try:
        import decord
    except (ImportError, OSError):
        return None
    try:
        reader = decord.VideoReader(str(path), num_threads=1)
        if len(reader) != info.num_frames:
            return None
        frames = reader.get_batch(wanted.tolist()).asnumpy()
    except (decord.DECORDError, RuntimeError, IndexError):
        return None
    return frames if frames.shape == (len(wanted), info.height, info.width, 3) else None


def _read_with_pyav(path: Path, wanted: np.ndarray, info: VideoInfo, index: _Index, name: str) -> np.ndarray:
    """Decode forward, jumping to a later key frame where that saves decoding; convert only the wanted frames."""
    found: dict[int, np.ndarray] = {}
    position = {time: number for number, time in enumerate(index.times)}
    exact = len(position) == len(index.times)
    try:
        with av.open(str(path), options=dict(_OPEN_OPTIONS)) as container:
            stream = _video_stream(container, name)
            if exact:
                _read_by_time(container, stream, wanted, index, position, found)
            else:
                _read_by_count(container, stream, wanted, found)
    except av.error.FFmpegError as error:
        raise VideoError(f"{name}: damaged at frame {len(found)} of those needed ({_reason(error)}); export it again") from None
    missing = [int(number) for number in wanted if int(number) not in found]
    if missing:
        raise VideoError(
            f"{name}: {len(missing)} of the {len(wanted)} frames needed cannot be decoded (frame {missing[0]} first); export it again"
        )
    frames = [np.rot90(found[int(number)], info.rotation // 90) for number in wanted]
    if any(frame.shape != (info.height, info.width, 3) for frame in frames):
        raise VideoError(f"{name}: its picture size changes midway; export it at one size")
    return np.stack(frames)


def _read_by_time(container, stream, wanted: np.ndarray, index: _Index, position: dict[int, int], found: dict) -> None:
    keyframes = [number for number, key in enumerate(index.keys) if key]
    at = -1
    remaining = [int(number) for number in wanted]
    while remaining:
        start = max((number for number in keyframes if number <= remaining[0]), default=0)
        if start > at:
            container.seek(index.times[start], stream=stream, backward=True)
        progressed = False
        for frame in container.decode(stream):
            number = position.get(frame.pts if frame.pts is not None else frame.dts)
            if number is None:
                continue
            at = number
            if number in remaining:
                found[number] = frame.to_ndarray(format="rgb24")
                remaining.remove(number)
                progressed = True
                jump = remaining and max((key for key in keyframes if key <= remaining[0]), default=0) > at
                if not remaining or jump:
                    break
        if not progressed:
            return


def _read_by_count(container, stream, wanted: np.ndarray, found: dict) -> None:
    """For files whose time stamps repeat or lack: count the frames as they come."""
    last = int(wanted[-1])
    needed = set(wanted.tolist())
    for number, frame in enumerate(container.decode(stream)):
        if number in needed:
            found[number] = frame.to_ndarray(format="rgb24")
        if number >= last:
            break


# Pictures and folders


def _open_picture(path: Path, limits: Limits, name: str) -> Source:
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    try:
        with Image.open(path, formats=_PICTURE_FORMATS) as picture:
            _check_size(*picture.size, limits, name)
            count = getattr(picture, "n_frames", 1)
            if count > limits.max_frames:
                raise VideoError(f"{name}: has more than the {limits.max_frames:,} frames allowed; cut it")
            upright = ImageOps.exif_transpose(picture) if count == 1 else picture
            milliseconds = picture.info.get("duration") or 1000 / PICTURE_FPS
            info = VideoInfo(count, 1000 / milliseconds, *upright.size, kind="picture")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise VideoError(f"{name}: not a picture that can be read ({_reason(error)})") from None

    def read(wanted: np.ndarray, backend: Backend | None) -> np.ndarray:
        needed, frames = set(wanted.tolist()), []
        try:
            with Image.open(path, formats=_PICTURE_FORMATS) as picture:
                for number, frame in enumerate(ImageSequence.Iterator(picture)):
                    if number in needed:
                        shown = ImageOps.exif_transpose(frame) if info.num_frames == 1 else frame
                        frames.append(np.asarray(shown.convert("RGB")))
                    if number >= wanted[-1]:
                        break
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            raise VideoError(f"{name}: the picture is damaged ({_reason(error)})") from None
        return np.stack(frames)

    return Source(info, read)


def _open_folder(path: Path, limits: Limits, name: str) -> Source:
    """A folder of numbered JPEGs or PNGs, in the order of their numbers."""
    numbered = sorted(
        (int(match.group(1)), entry) for entry in path.iterdir() if (match := _FRAME_NAME.fullmatch(entry.name)) and entry.is_file()
    )
    if not numbered:
        raise VideoError(f"{name}: a folder with no numbered .jpg or .png frames in it (such as 00001.jpg)")
    if len(numbered) > limits.max_frames:
        raise VideoError(f"{name}: has more than the {limits.max_frames:,} frames allowed")
    first = _open_picture(numbered[0][1], limits, f"{name}/{numbered[0][1].name}").info
    info = VideoInfo(len(numbered), PICTURE_FPS, first.width, first.height, kind="folder")

    def read(wanted: np.ndarray, backend: Backend | None) -> np.ndarray:
        frames = []
        for number in wanted:
            file = numbered[number][1]
            frame = _open_picture(file, limits, f"{name}/{file.name}").read(np.array([0]), None)[0]
            if frame.shape[:2] != (info.height, info.width):
                raise VideoError(f"{name}/{file.name}: its size differs from the first frame's; all frames must have one size")
            frames.append(frame)
        return np.stack(frames)

    return Source(info, read)


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text.splitlines()[0][:120] if text else type(error).__name__
