"""Reading video files: which frames there are, and the wanted ones of them.

decord reads first where it is installed; PyAV reads where it is not, where it fails, and where
decord was found to be wrong: turned or mirrored video, several streams, transparency, more than 8
bits, odd sides, interlaced video, and key frames at which decoding cannot start afresh. Both give
the same bytes. Only the wanted frames are converted.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gsm_model.errors import VideoError
from gsm_model.video.colours import (
    TRANSPARENT,
    Converter,
    alpha_decoder,
    colour_notes,
    is_plain,
)
from gsm_model.video.container_crop import container_crop
from gsm_model.video.geometry import Geometry, geometry
from gsm_model.video.source import (
    SIZE_CHANGES,
    Backend,
    Limits,
    Source,
    VideoInfo,
    check_size,
    reason,
)
from gsm_model.video.timing import Timing, from_stamps

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,ogg,flv,asf,h264,hevc,m4v,mjpeg,ivf,mxf,obu"  # noqa: E501
_OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}


# Containers that are none: their frames have no time stamps, or such as ffmpeg made up.
_BARE = {"h264", "hevc", "m4v", "mjpeg", "mpegvideo", "obu"}
# Codecs of pictures: a cover that is not marked as one is of these.
_PICTURE_CODECS = {"bmp", "gif", "mjpeg", "png", "tiff", "webp"}
_ASSUMED_RATE = 25.0  # ffmpeg's, where a file states none
# ffmpeg's command counts the stream that is marked as the default as so many pixels larger.
_DEFAULT_STREAM = 5_000_000


@dataclass(frozen=True)
class _Index:
    """Presentation times of all frames in ticks, ascending, and which of them a reader can start
    at.

    ``clean_keys``: nothing after a key frame needs anything before it, as far as the file tells.
    ``in_order``: the times are those of the frames as they are shown. An AVI has them in the order
    of decoding only, which for B-frames is another.
    ``missing`` frames have no time stamp, and the last one decoded lasts ``last`` ticks.
    """

    times: tuple[int, ...]
    keys: tuple[bool, ...]
    clean_keys: bool
    in_order: bool
    missing: int
    last: int

    @property
    def exact(self) -> bool:
        """Whether every frame can be told by its time."""
        return self.in_order and len(set(self.times)) == len(self.times)


@dataclass(frozen=True)
class _Found:
    """What was found out about a file before its frames are read.

    ``stored`` is a frame's height and width before it is turned and scaled. ``decoder`` is the one
    to take in the place of ffmpeg's own choice, if any; ``plain`` whether decord gives the right
    pixels.
    """

    name: str
    info: VideoInfo
    index: _Index
    times: np.ndarray
    stored: tuple[int, int]
    geometry: Geometry
    decoder: str | None
    plain: bool


def open_video(path: Path, limits: Limits, name: str) -> Source:
    """Look into a video file; its frames are read when asked for.

    Raises:
        VideoError: if it is no video, damaged, or over ``limits``.
        MemoryError: if it takes more memory than the process may have.
    """
    try:
        found = _probe(path, limits, name)
    except av.error.FFmpegError as error:
        _raise_if_memory(error)
        raise VideoError(
            f"{name}: not a video that can be read ({reason(error)}). Upload an MP4, WebM, MOV,"
            " AVI, GIF or picture"
        ) from None

    def read(wanted: np.ndarray, backend: Backend | None) -> np.ndarray:
        frames = None
        # decord gives wrong frames after jumping to a key frame that is not clean, or where times
        # repeat.
        index = found.index
        if backend != "pyav" and found.plain and index.clean_keys and index.exact:
            frames = _read_with_decord(path, wanted, found)
        if frames is None:
            if backend == "decord":
                raise VideoError(f"{name}: decord cannot read this file")
            frames = _read_with_pyav(path, wanted, found)
        return found.geometry.shown(frames)

    return Source(found.info, read, found.times)


def open_container(path: Path) -> InputContainer:
    """The container, with titles and the like of any encoding: nothing here reads them, and they
    must not cost the frames.
    """
    return av.open(str(path), options=dict(_OPEN_OPTIONS), metadata_errors="replace")


def _raise_if_memory(error: av.error.FFmpegError) -> None:
    if error.errno == errno.ENOMEM:
        raise MemoryError from error


def _probe(path: Path, limits: Limits, name: str) -> _Found:
    notes: list[str] = []
    with open_container(path) as container:
        stream, said = chosen_track(container, name)
        notes += said
        context = stream.codec_context
        check_size(context.width, context.height, limits, name)
        first = next(container.decode(stream), None)
        if first is None:
            raise VideoError(f"{name}: there is not one whole frame in it")
        many = len(container.streams.video) > 1
        see_through = stream.metadata.get("alpha_mode") == "1"
        decoder = alpha_decoder(context.codec.name) if see_through else None
        in_order = not (context.has_b_frames and container.format.name == "avi")
        if see_through and decoder is None:
            notes.append("its transparency cannot be read here: its colours are shown without it")
        stored = first.height, first.width
        pixel = stream.sample_aspect_ratio
        crop = container_crop(path, first.width, first.height)
        shape, said = geometry(first.width, first.height, _matrix(first), pixel, limits, crop)
        notes += said
        check_size(shape.width, shape.height, limits, name)
    plain = is_plain(first) and not many and decoder is None
    if decoder is not None or any(part.is_alpha for part in first.format.components):
        notes.append(TRANSPARENT)
    notes += colour_notes(first)
    # Opened anew: a bare stream cannot be wound back.
    with open_container(path) as container:
        stream, _ = chosen_track(container, name)
        index = _index_packets(container, stream, limits, name, in_order)
        timing = _timing(container, stream, index)
    if limits.max_seconds is not None and timing.duration > limits.max_seconds:
        raise VideoError(
            f"{name}: {timing.duration:.0f} s is more than the"
            f" {limits.max_seconds:.0f} s allowed; cut it"
        )
    info = VideoInfo(
        len(index.times),
        timing.fps,
        shape.width,
        shape.height,
        shape.rotation,
        mirrored=shape.mirrored,
        duration=timing.duration,
        notes=(*timing.notes, *notes),
    )
    plain = plain and not shape.rotation and not shape.mirrored
    return _Found(name, info, index, timing.times, stored, shape, decoder, plain)


def _matrix(frame: VideoFrame) -> bytes | None:
    """The display matrix of a frame, from its container or its own data."""
    try:
        return bytes(cast(SideDataContainer, frame.side_data)[Type.DISPLAYMATRIX])
    except KeyError:
        return None


def _timing(container: InputContainer, stream: VideoStream, index: _Index) -> Timing:
    rate = float(stream.average_rate or stream.guessed_rate or stream.base_rate or _ASSUMED_RATE)
    tick = float(stream.time_base or 0)
    bare = bool(_BARE.intersection(container.format.name.split(",")))
    missing = len(index.times) if bare or not tick else index.missing
    stamps = np.array(index.times, dtype=np.float64) * tick
    return from_stamps(stamps, index.last * tick, rate, missing, tick)


def chosen_track(container: InputContainer, name: str) -> tuple[VideoStream, list[str]]:
    """The main picture track, and what is to be said of the choice: as ffmpeg's command chooses,
    the largest, the one marked as the default before others; a cover picture only where it is
    marked as none and there is nothing else.
    """
    covers = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    tracks = [stream for stream in container.streams.video if not stream.disposition & covers]
    if not tracks:
        raise VideoError(f"{name}: there is no picture track in it, only sound or data")
    known = [stream for stream in tracks if stream.codec_context is not None]
    if not known:
        raise VideoError(f"{name}: its codec is not one that can be decoded here")

    def rank(stream: VideoStream) -> tuple[bool, int]:
        context = stream.codec_context
        still = context.codec.name in _PICTURE_CODECS or stream.frames == 1
        marked = bool(stream.disposition & av.stream.Disposition.default)
        return not still, context.width * context.height + _DEFAULT_STREAM * marked

    chosen = max(known, key=rank)  # the first of equals
    chosen.thread_type = "SLICE"
    if len(tracks) == 1:
        return chosen, []
    size = f"{chosen.codec_context.width} × {chosen.codec_context.height}"
    place = tracks.index(chosen) + 1
    return chosen, [f"it has {len(tracks)} picture tracks: number {place}, {size}, is shown"]


def _index_packets(
    container: InputContainer, stream: VideoStream, limits: Limits, name: str, in_order: bool
) -> _Index:
    entries: list[tuple[int, bool]] = []
    codec, clean = stream.codec_context, True
    missing = last = 0
    for packet in container.demux(stream):
        if packet.size == 0 or packet.is_discard:
            continue
        time = packet.pts if packet.pts is not None else packet.dts
        missing += time is None
        last = packet.duration or 0
        entries.append((time if time is not None else len(entries), packet.is_keyframe))
        if packet.is_keyframe and clean:
            clean = codec.name == "h264" and _has_idr(bytes(packet), codec.extradata or b"")
        if limits.max_frames is not None and len(entries) > limits.max_frames:
            raise VideoError(
                f"{name}: has more than the {limits.max_frames:,} frames allowed; cut it"
            )
    if not entries:
        raise VideoError(f"{name}: there is not one frame in it")
    entries.sort(key=lambda entry: entry[0])
    times, keys = zip(*entries, strict=True)
    return _Index(times, keys, clean or sum(keys) == 1, in_order, missing, last)


def _has_idr(packet: bytes, extradata: bytes) -> bool:
    """Whether an H.264 key frame is an instantaneous decoder refresh: unit type 5 (ITU-T H.264,
    table 7-1).
    """
    if not extradata.startswith(b"\x01"):  # start codes between the units
        return any(part[0] & 31 == 5 for part in packet.split(b"\0\0\1")[1:] if part)
    length_bytes, at = (extradata[4] & 3) + 1, 0
    while at + length_bytes < len(packet):
        if packet[at + length_bytes] & 31 == 5:
            return True
        at += length_bytes + int.from_bytes(packet[at : at + length_bytes], "big")
    return False


def _read_with_decord(path: Path, wanted: np.ndarray, found: _Found) -> np.ndarray | None:
    """The frames, or ``None`` where decord is not installed or does not see the same video as
    PyAV.
    """
    try:
        import decord
    except (ImportError, OSError):
        return None
    try:
        # Without the tolerance, frames that cannot be decoded are silently the ones beside them.
        reader = decord.VideoReader(str(path), num_threads=1, fault_tol=1e-9)
        if len(reader) != found.info.num_frames:
            return None
        frames = reader.get_batch(wanted.tolist()).asnumpy()
    except (decord.DECORDError, decord.DECORDLimitReachedError, RuntimeError, IndexError):
        return None
    return frames if frames.shape[1:] == (*found.stored, 3) else None


def _read_with_pyav(path: Path, wanted: np.ndarray, found: _Found) -> np.ndarray:
    """Decode forward, jumping to a later key frame where that saves decoding; convert only the
    wanted frames.
    """
    # By time, jumping; where jumps miss, as they do in transport streams, from the start; where
    # frames bear other times than their packets, or none, by counting.
    exact = found.index.exact
    ways = (_read_by_time, _read_in_one_go, _read_by_count) if exact else (_read_by_count,)
    fault = ""
    for read in ways:
        frames: dict[int, np.ndarray] = {}
        try:
            with open_container(path) as container:
                read(_Reading(container, found, frames), wanted)
        except av.error.FFmpegError as error:
            _raise_if_memory(error)
            fault = fault or f"damaged at frame {len(frames)} of those needed ({reason(error)})"
        missing = [int(number) for number in wanted if int(number) not in frames]
        if not missing:
            break
        fault = (
            fault
            or f"{len(missing)} of the {len(wanted)} frames needed cannot be decoded (frame {missing[0]} first)"  # noqa: E501
        )
    else:
        raise VideoError(f"{found.name}: {fault}; export it again")
    chosen = [frames[int(number)] for number in wanted]
    if any(frame.shape != (*found.stored, 3) for frame in chosen):
        raise VideoError(f"{found.name}: {SIZE_CHANGES}")
    return np.stack(chosen)


class _Reading:
    """One reading of a file's frames into ``frames``, number → (H, W, 3) uint8 RGB."""

    def __init__(
        self, container: InputContainer, found: _Found, frames: dict[int, np.ndarray]
    ) -> None:
        self.container, self.index, self.frames = container, found.index, frames
        self.stream, _ = chosen_track(container, found.name)
        self._decoder = found.decoder
        self._numbers = {time: number for number, time in enumerate(found.index.times)}
        self._converter = Converter()

    def decode(self) -> Iterator[VideoFrame]:
        """Frames from where the container stands."""
        if self._decoder is None:
            yield from self.container.decode(self.stream)
            return
        context = av.CodecContext.create(self._decoder, "r")
        assert isinstance(context, av.VideoCodecContext)
        context.thread_count = 1
        for packet in self.container.demux(self.stream):
            yield from context.decode(packet)

    def number(self, frame: VideoFrame) -> int | None:
        """Which frame of the file this is, by its time; ``None`` if that is no frame's."""
        time = frame.pts if frame.pts is not None else frame.dts
        return None if time is None else self._numbers.get(time)

    def keep(self, number: int, frame: VideoFrame) -> None:
        self.frames[number] = self._converter.rgb(frame)


def _read_by_time(reading: _Reading, wanted: np.ndarray) -> None:
    index = reading.index
    keyframes = [number for number, key in enumerate(index.keys) if key]
    at = -1
    remaining = [int(number) for number in wanted]
    while remaining:
        start = max((number for number in keyframes if number <= remaining[0]), default=0)
        if start > at:
            reading.container.seek(index.times[start], stream=reading.stream, backward=True)
        progressed, progressed_to = False, -1
        for frame in reading.decode():
            number = reading.number(frame)
            if number is None:
                continue
            if progressed_to > number:  # its times are not those at which frames are shown
                reading.frames.clear()
                return
            at = progressed_to = number
            if number in remaining:
                reading.keep(number, frame)
                remaining.remove(number)
                progressed = True
                jump = (
                    remaining
                    and max((key for key in keyframes if key <= remaining[0]), default=0) > at
                )
                if not remaining or jump:
                    break
        if not progressed:
            return


def _read_in_one_go(reading: _Reading, wanted: np.ndarray) -> None:
    """From the first frame on, without a jump."""
    needed, at = set(wanted.tolist()), -1
    for frame in reading.decode():
        number = reading.number(frame)
        if number is None:
            continue
        if number < at:
            reading.frames.clear()
            return
        at = number
        if number in needed:
            reading.keep(number, frame)


def _read_by_count(reading: _Reading, wanted: np.ndarray) -> None:
    """For files whose time stamps repeat or lack: count the frames as they come. Where not all
    come, no count can be trusted.
    """
    needed, count = set(wanted.tolist()), 0
    for number, frame in enumerate(reading.decode()):
        count = number + 1
        if number in needed:
            reading.keep(number, frame)
    if count != len(reading.index.times):
        reading.frames.clear()
