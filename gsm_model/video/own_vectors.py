"""The motion vectors that a video file itself holds, decoded from its start. Runs in the decoding
process; `gsm_model.video.isolate.read_vectors` asks for it.

Only codecs that predict a frame from the one shown before it have vectors that say how things move
from frame to frame: MPEG-4 part 2, as CoViAR's and DMC-Net's data is encoded, and its forerunners.
H.264 and HEVC choose among several frames and do not tell which in what FFmpeg exports; of VP9 and
AV1 it exports nothing. For those there are the vectors of the frames encoded anew
(`gsm_model.motion.vectors`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.video.frame import PictureType

from gsm_model.errors import VideoError
from gsm_model.motion.vectors import flow_of_blocks, moved_from
from gsm_model.video.source import Limits, check_size, reason
from gsm_model.video.video_files import chosen_track, open_container

ONE_REFERENCE = ("mpeg4", "msmpeg4v2", "msmpeg4", "h263", "flv1", "mpeg2video", "mpeg1video")
_INSTEAD = "encode it as MPEG-4 without B-frames, or use the vectors of its frames encoded anew"


def vectors_of(
    path: Path, indices: np.ndarray, accumulate: bool, limits: Limits, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """The vectors of the frames at ascending ``indices`` (n,), with the sign of flow, (n, 2, H, W)
    float32 at the size that is stored, and the frames (n,) int64 that they count from: the frame
    before each, or, to ``accumulate``, the last one that is coded alone. Such a frame counts from
    itself.

    Raises:
        VideoError: if the file is no video, has not these frames, is over ``limits``, or its codec
            predicts frames otherwise than each from the one before.

    Source: Wu and others, "Compressed Video Action Recognition", CVPR 2018, section 3.1: a place's
    vectors are followed back, frame by frame, to the frame that is coded alone.
    """
    wanted, found = set(indices.tolist()), {}
    try:
        for number, since, flow in _walk(path, accumulate, limits, name):
            if number in wanted:
                found[number] = flow, since
            if number >= indices[-1]:
                break
    except av.error.FFmpegError as error:
        raise VideoError(f"{name}: not a video that can be read ({reason(error)})") from None
    if missing := sorted(wanted - set(found)):
        raise VideoError(f"{name}: frame {missing[0]} was asked for; it has not so many")
    chosen = [found[index] for index in indices.tolist()]
    flows, since = zip(*chosen, strict=True)
    return np.stack(flows), np.array(since, dtype=np.int64)


def _walk(
    path: Path, accumulate: bool, limits: Limits, name: str
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Frame by frame: its number, the frame its vectors count from, and its flow (2, H, W)."""
    with open_container(path) as container:
        stream, _ = chosen_track(container, name)
        context = stream.codec_context
        check_size(context.width, context.height, limits, name)
        if context.codec.name not in ONE_REFERENCE:
            raise VideoError(
                f"{name}: is coded as {context.codec.name}, whose vectors do not say how things"
                f" move from frame to frame; {_INSTEAD}"
            )
        context.options = {"flags2": "+export_mvs"}
        key, total = 0, None
        for number, frame in enumerate(container.decode(stream)):
            if frame.pict_type == PictureType.B:
                raise VideoError(
                    f"{name}: frame {number} is predicted from a later one too; {_INSTEAD}"
                )
            flow = flow_of_blocks(frame)
            if number == 0 or frame.pict_type == PictureType.I:
                key, total = number, np.zeros_like(flow)
                yield number, number, total
                continue
            if not accumulate:
                yield number, number - 1, flow
                continue
            assert total is not None
            total = flow + moved_from(total, flow)
            yield number, key, total
