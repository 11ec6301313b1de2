"""The part of a picture that a container says is to be shown: boxes and elements written by hand,
and a video that is read through them.
"""

import struct

import av
import numpy as np
import pytest

from gsm_model.video.container_crop import Crop, container_crop
from gsm_model.video.geometry import geometry
from gsm_model.video.source import Limits
from gsm_model.video.video_files import open_video

W, H = 64, 48


def box(kind, content):
    return struct.pack(">I4s", 8 + len(content), kind) + content


def mp4(*apertures, size=(W, H)):
    """A file with a track for each of ``apertures``, ``None`` for one without."""
    tracks = b""
    for aperture in apertures:
        inner = b"" if aperture is None else box(b"clap", struct.pack(">8i", *aperture))
        entry = box(b"avc1", bytes(24) + struct.pack(">2H", *size) + bytes(50) + inner)
        content = box(b"stsd", bytes(8) + entry)
        for kind in (b"stbl", b"minf", b"mdia", b"trak"):
            content = box(kind, content)
        tracks += content
    return box(b"ftyp", b"isom") + box(b"moov", box(b"mvhd", bytes(100)) + tracks)


def element(id, content):
    return bytes.fromhex(id) + bytes([0x40 | len(content) >> 8, len(content) & 255]) + content


def matroska(**crops):
    ids = {"bottom": "54aa", "top": "54bb", "left": "54cc", "right": "54dd"}
    video = element("b0", bytes([W])) + element("ba", bytes([H]))
    video += b"".join(element(ids[name], bytes([value])) for name, value in crops.items())
    track = element("ae", element("83", b"\x01") + element("e0", video))
    segment = b"\x18\x53\x80\x67\x01" + b"\xff" * 7  # of unknown size, as streams have
    return element("1a45dfa3", b"") + segment + element("ec", b"pad") + element("1654ae6b", track)


@pytest.mark.parametrize(
    ("content", "crop"),
    [
        (mp4((32, 1, 24, 1, 0, 1, 0, 1)), Crop(16, 12, 16, 12)),
        (mp4((64, 2, 72, 3, 8, 1, -6, 1)), Crop(24, 6, 8, 18)),
        (mp4((W, 1, H, 1, 0, 1, 0, 1)), Crop()),
        (mp4(None), Crop()),
        (mp4(None, (32, 1, 24, 1, 0, 1, 0, 1)), Crop()),  # which of two is not known
        (mp4((32, 1, 24, 1, 0, 1, 0, 1), size=(320, 240)), Crop()),
        (mp4((32, 0, 24, 1, 0, 1, 0, 1)), Crop()),
        (mp4((128, 1, 24, 1, 0, 1, 0, 1)), Crop()),
        (mp4((0, 1, 24, 1, 0, 1, 0, 1)), Crop()),
        (matroska(left=4, right=6, top=2), Crop(4, 2, 6, 0)),
        (matroska(), Crop()),
        (matroska(left=60, right=10), Crop()),
        (b"", Crop()),
        (b"RIFF....AVI ", Crop()),
    ],
)
def test_what_a_container_leaves_out(tmp_path, content, crop):
    (tmp_path / "v").write_bytes(content)
    assert container_crop(tmp_path / "v", W, H) == crop
    for cut in range(0, len(content), 7):  # damaged files say nothing, or the same
        (tmp_path / "v").write_bytes(content[:cut])
        assert container_crop(tmp_path / "v", W, H) in (crop, Crop())


def test_a_picture_is_cut_before_it_is_turned_and_stretched():
    shape, said = geometry(W, H, None, None, Limits(), Crop(4, 2, 6, 0))
    assert (shape.width, shape.height) == (54, 46)
    assert said == ["of 64 × 48 stored pixels 54 × 46 are shown, as its container says"]
    frames = np.arange(W * H * 3, dtype=np.int64).reshape(1, H, W, 3).astype(np.uint8)
    assert np.array_equal(shape.shown(frames), frames[:, 2:, 4:58])


def test_a_video_with_a_clean_aperture_shows_it(tmp_path):
    path = tmp_path / "v.mp4"
    picture = np.full((H, W, 3), 20, np.uint8)
    picture[12:36, 16:48] = 200
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = W, H, "yuv420p"
        for _ in range(4):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    content = path.read_bytes()
    assert content.find(b"moov") > content.find(b"mdat")  # so that no offset changes
    entry = content.find(b"avc1", content.find(b"stsd")) - 4
    extra = box(b"clap", struct.pack(">8i", 32, 1, 24, 1, 0, 1, 0, 1))
    changed = bytearray(content)
    (size,) = struct.unpack_from(">I", content, entry)
    changed[entry + size : entry + size] = extra
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        at = content.rfind(kind, 0, entry + 8) - 4
        struct.pack_into(">I", changed, at, struct.unpack_from(">I", content, at)[0] + len(extra))
    path.write_bytes(changed)
    video = open_video(path, Limits(), "v")
    frames = video.read(np.array([0, 3]), None)
    assert frames.shape == (2, 24, 32, 3) and frames.min() > 150
    assert (video.info.width, video.info.height) == (32, 24)
    assert "of 64 × 48 stored pixels 32 × 24 are shown" in " ".join(video.info.notes)
