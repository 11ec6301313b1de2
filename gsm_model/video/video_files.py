"""Reading video files: which frames there are, and the wanted ones of them.

decord reads first where it is installed; PyAV reads where it is not, where it fails, and where
decord
was found to be wrong: rotated video, and key frames at which decoding cannot start afresh. Both
give the same bytes. Only the wanted frames are converted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

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

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,ogg,flv,asf,h264,hevc,m4v,mjpeg,ivf,mxf,obu"  # noqa: E501
_OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}


@dataclass(frozen=True)
class _Index:
    """Presentation times of all frames, ascending, and which of them a reader can start at.

    ``clean_keys``: nothing after a key frame needs anything before it, as far as the file tells.
    """

    times: tuple[int, ...]
    keys: tuple[bool, ...]
    clean_keys: bool

    @property
    def exact(self) -> bool:
        """Whether every frame has a time of its own."""
        return len(set(self.times)) == len(self.times)


def open_video(path: Path, limits: Limits, name: str) -> Source:
    """Look into a video file; its frames are read when asked for.

    Raises:
        VideoError: if it is no video, damaged, or over ``limits``.
    """
    info, index = _probe(path, limits, name)

    def read(wanted: np.ndarray, backend: Backend | None) -> np.ndarray:
        frames = None
        # decord returns rotated pictures garbled, and wrong frames after jumping to a key frame
        # that is not clean, or where times repeat.
        if backend != "pyav" and info.rotation == 0 and index.clean_keys and index.exact:
            frames = _read_with_decord(path, wanted, info)
        if frames is None:
            if backend == "decord":
                raise VideoError(f"{name}: decord cannot read this file")
            frames = _read_with_pyav(path, wanted, info, index, name)
        return frames

    return Source(info, read)


def _open(path: Path) -> InputContainer:
    """The container, with titles and the like of any encoding: nothing here reads them, and they
    must not cost the frames.
    """
    return av.open(str(path), options=dict(_OPEN_OPTIONS), metadata_errors="replace")


def _probe(path: Path, limits: Limits, name: str) -> tuple[VideoInfo, _Index]:
    try:
        with _open(path) as container:
            stream = _video_stream(container, name)
            width, height = stream.codec_context.width, stream.codec_context.height
            check_size(width, height, limits, name)
            first = next(container.decode(stream), None)
            if first is None:
                raise VideoError(f"{name}: there is not one whole frame in it")
            rate = stream.average_rate or stream.guessed_rate or stream.base_rate
            fps = float(rate) if rate else 25.0
        # Opened anew: a bare stream cannot be wound back.
        with _open(path) as container:
            index = _index_packets(container, _video_stream(container, name), limits, name)
            seconds = len(index.times) / fps
            if limits.max_seconds is not None and seconds > limits.max_seconds:
                raise VideoError(
                    f"{name}: {seconds:.0f} s is more than the"
                    f" {limits.max_seconds:.0f} s allowed; cut it"
                )
            rotation = int(round(first.rotation / 90) * 90) % 360
            width, height = (
                (first.height, first.width) if rotation % 180 else (first.width, first.height)
            )
            return VideoInfo(len(index.times), fps, width, height, rotation), index
    except av.error.FFmpegError as error:
        raise VideoError(
            f"{name}: not a video that can be read ({reason(error)}). Upload an MP4, WebM, MOV,"
            " AVI, GIF or picture"
        ) from None


def _video_stream(container: InputContainer, name: str) -> VideoStream:
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            if stream.codec_context is None:
                raise VideoError(f"{name}: its codec is not one that can be decoded here")
            stream.thread_type = "SLICE"
            return stream
    raise VideoError(f"{name}: there is no picture track in it, only sound or data")


def _index_packets(
    container: InputContainer, stream: VideoStream, limits: Limits, name: str
) -> _Index:
    entries: list[tuple[int, bool]] = []
    codec, clean = stream.codec_context, True
    for packet in container.demux(stream):
        if packet.size == 0 or packet.is_discard:
            continue
        time = packet.pts if packet.pts is not None else packet.dts
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
    return _Index(times, keys, clean or sum(keys) == 1)


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


def _read_with_decord(path: Path, wanted: np.ndarray, info: VideoInfo) -> np.ndarray | None:
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
        if len(reader) != info.num_frames:
            return None
        frames = reader.get_batch(wanted.tolist()).asnumpy()
    except (decord.DECORDError, decord.DECORDLimitReachedError, RuntimeError, IndexError):
        return None
    return frames if frames.shape == (len(wanted), info.height, info.width, 3) else None


def _read_with_pyav(
    path: Path, wanted: np.ndarray, info: VideoInfo, index: _Index, name: str
) -> np.ndarray:
    """Decode forward, jumping to a later key frame where that saves decoding; convert only the
    wanted frames.
    """
    position = {time: number for number, time in enumerate(index.times)}
    # By time, jumping; where jumps miss, as they do in transport streams, from the start; where
    # frames bear other times than their packets, or none, by counting.
    ways = (_read_by_time, _read_in_one_go, _read_by_count) if index.exact else (_read_by_count,)
    fault = ""
    for read in ways:
        found: dict[int, np.ndarray] = {}
        try:
            with _open(path) as container:
                read(container, _video_stream(container, name), wanted, index, position, found)
        except av.error.FFmpegError as error:
            fault = fault or f"damaged at frame {len(found)} of those needed ({reason(error)})"
        missing = [int(number) for number in wanted if int(number) not in found]
        if not missing:
            break
        fault = (
            fault
            or f"{len(missing)} of the {len(wanted)} frames needed cannot be decoded (frame {missing[0]} first)"  # noqa: E501
        )
    else:
        raise VideoError(f"{name}: {fault}; export it again")
    frames = [np.rot90(found[int(number)], info.rotation // 90) for number in wanted]
    if any(frame.shape != (info.height, info.width, 3) for frame in frames):
        raise VideoError(f"{name}: {SIZE_CHANGES}")
    return np.stack(frames)


def _number(frame: VideoFrame, position: dict[int, int]) -> int | None:
    time = frame.pts if frame.pts is not None else frame.dts
    return None if time is None else position.get(time)


def _read_by_time(
    container: InputContainer,
    stream: VideoStream,
    wanted: np.ndarray,
    index: _Index,
    position: dict[int, int],
    found: dict[int, np.ndarray],
) -> None:
    keyframes = [number for number, key in enumerate(index.keys) if key]
    at = -1
    remaining = [int(number) for number in wanted]
    while remaining:
        start = max((number for number in keyframes if number <= remaining[0]), default=0)
        if start > at:
            container.seek(index.times[start], stream=stream, backward=True)
        progressed = False
        for frame in container.decode(stream):
            number = _number(frame, position)
            if number is None:
                continue
            at = number
            if number in remaining:
                found[number] = frame.to_ndarray(format="rgb24")
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


def _read_in_one_go(
    container: InputContainer,
    stream: VideoStream,
    wanted: np.ndarray,
    index: _Index,
    position: dict[int, int],
    found: dict[int, np.ndarray],
) -> None:
    """From the first frame on, without a jump."""
    needed = set(wanted.tolist())
    for frame in container.decode(stream):
        number = _number(frame, position)
        if number is not None and number in needed:
            found[number] = frame.to_ndarray(format="rgb24")


def _read_by_count(
    container: InputContainer,
    stream: VideoStream,
    wanted: np.ndarray,
    index: _Index,
    position: dict[int, int],
    found: dict[int, np.ndarray],
) -> None:
    """For files whose time stamps repeat or lack: count the frames as they come. Where not all
    come, no count can be trusted.
    """
    needed, count = set(wanted.tolist()), 0
    for number, frame in enumerate(container.decode(stream)):
        count = number + 1
        if number in needed:
            found[number] = frame.to_ndarray(format="rgb24")
    if count != len(index.times):
        found.clear()
