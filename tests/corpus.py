"""Files as strangers upload them: every kind of video, and every kind of trouble. ``python -m
tests.corpus`` prints what becomes of each.

Made with ffmpeg (the one of the package imageio-ffmpeg) from the same 24 small frames, so that the
right frames are known.
"""

from __future__ import annotations

import json
import struct
import subprocess
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from gsm_model.errors import VideoError
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.isolate import read_video

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
SEGMENTS = 4


@dataclass(frozen=True)
class Case:
    """A file and what must become of it: ``frames`` (the right ones, against ffmpeg) or ``error``
    (one whose text has ``says``), or either.

    ``other_frames``: ffmpeg itself cannot say which frames are right (it repeats or leaves out
    some).
    """

    what: str
    path: Path
    outcome: str
    says: str = ""
    other_frames: bool = False


def moving_frames(count: int = 24, height: int = 48, width: int = 64) -> np.ndarray:
    """(count, height, width, 3) uint8: a bright bar that moves to the right on a ground that
    brightens, so that every frame differs.
    """
    frames = np.zeros((count, height, width, 3), np.uint8)
    for index, frame in enumerate(frames):
        frame[:, :, 0] = index * 240 // max(count - 1, 1)
        left = index * width * 3 // (4 * count)
        frame[height // 4 : height * 3 // 4, left : left + max(width // 8, 1)] = 255
    return frames


def encode(
    path: Path,
    *options: str,
    frames: np.ndarray | None = None,
    rate: int = 12,
    before: tuple[str, ...] = (),
) -> Path:
    """``frames`` through ffmpeg with ``options`` to ``path``."""
    frames = moving_frames() if frames is None else frames
    height, width = frames.shape[1:3]
    source = [
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        f"{width}x{height}",
        "-r",
        str(rate),
        "-i",
        "-",
    ]
    _ffmpeg([*before, *source, *options, str(path)], frames.tobytes())
    return path


def _ffmpeg(arguments: list[str], given: bytes = b"") -> bytes:
    done = subprocess.run(
        [FFMPEG, "-v", "error", "-y", *arguments], input=given, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"ffmpeg {' '.join(arguments)}: {done.stderr.decode(errors='replace')[:400]}"
        )
    return done.stdout


def reference_frames(path: Path, shape: tuple[int, int]) -> np.ndarray:
    """All frames of ``path`` as ffmpeg decodes them, upright: (n, height, width, 3) uint8."""
    raw = _ffmpeg(
        [
            "-i",
            str(path),
            "-map",
            "0:v:0",
            "-fps_mode",
            "passthrough",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-",
        ]
    )
    return np.frombuffer(raw, np.uint8).reshape(-1, *shape, 3)


H264 = ("-c:v", "libx264", "-crf", "8", "-pix_fmt", "yuv420p")
# (what it is, file name, options of ffmpeg): these must give their frames.
CODECS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("H.264", "h264.mp4", H264),
    (
        "H.264 with B-frames and open groups",
        "open.mp4",
        (*H264, "-bf", "3", "-g", "6", "-x264-params", "open-gop=1"),
    ),
    ("H.264, 10 bit", "10bit.mp4", ("-c:v", "libx264", "-crf", "8", "-pix_fmt", "yuv420p10le")),
    ("H.264, 4:4:4", "444.mp4", ("-c:v", "libx264", "-crf", "8", "-pix_fmt", "yuv444p")),
    (
        "HEVC",
        "hevc.mp4",
        ("-c:v", "libx265", "-crf", "8", "-pix_fmt", "yuv420p", "-x265-params", "log-level=none"),
    ),
    ("VP9", "vp9.webm", ("-c:v", "libvpx-vp9", "-crf", "10", "-b:v", "0", "-pix_fmt", "yuv420p")),
    (
        "VP9 with alpha",
        "alpha.webm",
        ("-c:v", "libvpx-vp9", "-crf", "10", "-b:v", "0", "-pix_fmt", "yuva420p"),
    ),
    (
        "AV1",
        "av1.mp4",
        ("-c:v", "libaom-av1", "-crf", "10", "-b:v", "0", "-cpu-used", "8", "-pix_fmt", "yuv420p"),
    ),
    ("MPEG-2 in a transport stream", "mpeg2.ts", ("-c:v", "mpeg2video", "-q:v", "2", "-r", "25")),
    (
        "MPEG-2, interlaced",
        "interlaced.mpg",
        (
            "-c:v",
            "mpeg2video",
            "-q:v",
            "2",
            "-r",
            "25",
            "-vf",
            "setfield=tff",
            "-flags",
            "+ildct+ilme",
        ),
    ),
    ("MPEG-4 in AVI", "mpeg4.avi", ("-c:v", "mpeg4", "-q:v", "2")),
    ("Motion JPEG", "mjpeg.avi", ("-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p")),
    ("ProRes", "prores.mov", ("-c:v", "prores_ks", "-profile:v", "2")),
    ("QuickTime animation with alpha", "qtrle.mov", ("-c:v", "qtrle", "-pix_fmt", "argb")),
    ("FFV1 in Matroska", "ffv1.mkv", ("-c:v", "ffv1", "-pix_fmt", "bgr0")),
    ("Theora", "theora.ogv", ("-c:v", "libtheora", "-q:v", "9")),
    ("WMV", "wmv.wmv", ("-c:v", "wmv2", "-q:v", "2")),
    ("Flash video", "flv.flv", ("-c:v", "flv", "-q:v", "2")),
    ("bare H.264 without a container", "bare.h264", (*H264, "-f", "h264")),
    ("GIF", "moving.gif", ("-filter_complex", "split[a][b];[a]palettegen[p];[b][p]paletteuse")),
    ("WebP, animated", "moving.webp", ("-c:v", "libwebp_anim", "-lossless", "1", "-loop", "0")),
    (
        "times below zero",
        "negative.mkv",
        (*H264, "-bf", "3", "-output_ts_offset", "-0.5", "-avoid_negative_ts", "disabled"),
    ),
    (
        "an edit list that leaves out the beginning",
        "edited.mp4",
        (*H264, "-output_ts_offset", "-0.5", "-avoid_negative_ts", "disabled"),
    ),
    (
        "a fragmented MP4",
        "fragmented.mp4",
        (*H264, "-movflags", "frag_keyframe+empty_moov", "-g", "6"),
    ),
)


def make_corpus(folder: Path) -> list[Case]:
    """Write all files into ``folder``; what must become of each."""
    cases = [
        Case(what, encode(folder / name, *options), "frames") for what, name, options in CODECS
    ]
    return cases + _unusual(folder) + _broken(folder) + _hostile(folder)


def _unusual(folder: Path) -> list[Case]:
    """Whole files that are out of the ordinary."""
    frames = moving_frames()
    cases = [
        Case("one frame", encode(folder / "one.mp4", *H264, frames=frames[:1]), "frames"),
        Case(
            "odd sides",
            encode(
                folder / "odd.mkv",
                "-c:v",
                "ffv1",
                "-pix_fmt",
                "bgr0",
                frames=moving_frames(24, 47, 63),
            ),
            "frames",
        ),
        Case(
            "1 × 1 pixel",
            encode(
                folder / "dot.mkv",
                "-c:v",
                "ffv1",
                "-pix_fmt",
                "bgr0",
                frames=moving_frames(4, 1, 1),
            ),
            "frames",
        ),
    ]
    plain = folder / "h264.mp4"
    for degrees in (90, 180, 270):
        path = folder / f"turned{degrees}.mp4"
        _ffmpeg(["-display_rotation", str(degrees), "-i", str(plain), "-c", "copy", str(path)])
        cases.append(Case(f"turned by {degrees}°", path, "frames"))
    variable = folder / "variable.mkv"
    encode(variable, "-vf", "setpts='(N+0.4*mod(N,3))/(12*TB)'", *H264, "-fps_mode", "passthrough")
    cases.append(Case("variable rate", variable, "frames"))
    titled = encode(folder / "titled.avi", "-c:v", "mpeg4", "-q:v", "2", "-metadata", "title=Caf?")
    titled.write_bytes(titled.read_bytes().replace(b"Caf?", b"Caf\xe9"))
    cases.append(Case("a title that is not UTF-8", titled, "frames"))
    note = folder / "note.txt"
    note.write_text("an attachment")
    attached = folder / "attached.mkv"
    _ffmpeg(
        [
            "-i",
            str(plain),
            "-attach",
            str(note),
            "-metadata:s:t",
            "mimetype=text/plain",
            "-c",
            "copy",
            str(attached),
        ]
    )
    cases.append(Case("Matroska with an attachment", attached, "frames"))
    several = folder / "several.mkv"
    _ffmpeg(
        [
            "-i",
            str(plain),
            "-i",
            str(folder / "odd.mkv"),
            "-map",
            "0:v",
            "-map",
            "1:v",
            "-c",
            "copy",
            str(several),
        ]
    )
    cases.append(Case("several video streams: the first", several, "frames"))
    sound = ["-f", "lavfi", "-i", "sine=duration=1"]
    with_sound = folder / "sound-first.mkv"
    _ffmpeg(
        [
            *sound,
            "-i",
            str(plain),
            "-map",
            "0:a",
            "-map",
            "1:v",
            "-c:v",
            "copy",
            "-c:a",
            "aac",
            str(with_sound),
        ]
    )
    cases.append(Case("sound before the picture", with_sound, "frames"))
    wrong = folder / "video.jpg"
    wrong.write_bytes(plain.read_bytes())
    cases.append(Case("a video called .jpg", wrong, "frames"))
    nasty = folder / "a 'b' $(c) ; %d \u202e \N{SNOWMAN} -i & <d>.mp4"
    nasty.write_bytes(plain.read_bytes())
    cases.append(Case("a name of nasty characters", nasty, "frames"))
    sequence = folder / "frame%03d.mp4"
    sequence.write_bytes(plain.read_bytes())
    cases.append(Case("a name that looks like a pattern", sequence, "frames"))
    only_sound, cover = folder / "sound.m4a", folder / "cover.m4a"
    _ffmpeg([*sound, "-c:a", "aac", str(only_sound)])
    picture = encode(folder / "cover.png", "-frames:v", "1", frames=frames[:1])
    _ffmpeg(
        [
            "-i",
            str(only_sound),
            "-i",
            str(picture),
            "-map",
            "0:a",
            "-map",
            "1:v",
            "-c",
            "copy",
            "-disposition:v:0",
            "attached_pic",
            str(cover),
        ]
    )
    cases.append(Case("sound only", only_sound, "error", "no picture track"))
    cases.append(Case("sound with cover art", cover, "error", "no picture track"))
    cases.append(Case("a picture: a clip that stands still", picture, "frames"))
    return cases


def _broken(folder: Path) -> list[Case]:
    """Damaged files: the right frames as far as they go, or an error."""
    cases = []
    for source in ("h264.mp4", "vp9.webm", "mpeg2.ts"):
        content = (folder / source).read_bytes()
        for tenth in range(1, 10):
            path = folder / f"cut{tenth}-{source}"
            path.write_bytes(content[: len(content) * tenth // 10])
            cases.append(
                Case(f"{source} cut after {tenth} tenths", path, "either", other_frames=True)
            )
        flipped = bytearray(content)
        rng = np.random.default_rng(0)
        for place in rng.integers(len(content) // 5, len(content), size=20):
            flipped[place] ^= 1 << int(rng.integers(8))
        path = folder / f"flipped-{source}"
        path.write_bytes(flipped)
        cases.append(Case(f"{source} with 20 flipped bits", path, "either", other_frames=True))
    content = bytearray((folder / "h264.mp4").read_bytes())
    at = content.index(b"stco")
    content[at + 12 : at + 16] = struct.pack(">I", 2**31 - 1)
    (folder / "index.mp4").write_bytes(content)
    cases.append(Case("an index that points past the end", folder / "index.mp4", "error"))
    small, large = (
        encode(folder / "a.ts", *H264),
        encode(folder / "b.ts", *H264, frames=moving_frames(24, 96, 128)),
    )
    (folder / "grows.ts").write_bytes(small.read_bytes() + large.read_bytes())
    cases.append(
        Case("a size that changes midway", folder / "grows.ts", "error", "size changes midway")
    )
    header = folder / "none.mp4"
    _ffmpeg(
        ["-f", "lavfi", "-i", "color=size=64x48:duration=1", *H264, "-frames:v", "0", str(header)]
    )
    cases.append(Case("a header and no frames", header, "error"))
    (folder / "empty.mp4").write_bytes(b"")
    cases.append(Case("an empty file", folder / "empty.mp4", "error", "the file is empty"))
    return cases


def _hostile(folder: Path) -> list[Case]:
    """Files that name other files, or promise more than a machine has."""
    secret = folder / "h264.mp4"
    playlists = {
        "a playlist": (
            "list.m3u8",
            f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n{secret}\n#EXT-X-ENDLIST\n",
        ),
        "a playlist called .mp4": (
            "list.mp4",
            f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        ),
        "a playlist of addresses": (
            "far.m3u8",
            "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        ),
        "a concat file": ("list.ffconcat", f"ffconcat version 1.0\nfile '{secret}'\n"),
        "a concat file called .mp4": ("concat.mp4", f"ffconcat version 1.0\nfile '{secret}'\n"),
        "a DASH manifest": (
            "list.mpd",
            f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>file://{secret}</BaseURL></MPD>',
        ),
        "SDP": (
            "list.sdp",
            "v=0\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        ),
        "HTML": ("page.mp4", "<html><script>alert(1)</script></html>"),
        "plain text": ("notes.mov", "not a video\n" * 50),
        "SVG": (
            "drawing.svg",
            f'<svg xmlns="http://www.w3.org/2000/svg"><image href="file://{secret}"/></svg>',
        ),
    }
    cases = []
    for what, (name, text) in playlists.items():
        (folder / name).write_text(text)
        cases.append(Case(what, folder / name, "error", "not a video"))
    with zipfile.ZipFile(folder / "packed.mp4", "w") as archive:
        archive.write(secret, "h264.mp4")
    cases.append(Case("a ZIP of a video", folder / "packed.mp4", "error", "not a video"))
    (folder / "huge.png").write_bytes(_png(16384, 16384))
    cases.append(
        Case("a PNG of 16,384 × 16,384 pixels", folder / "huge.png", "error", "more than allowed")
    )
    gif = bytearray((folder / "moving.gif").read_bytes())
    gif[6:10] = struct.pack("<HH", 60000, 60000)
    (folder / "huge.gif").write_bytes(gif)
    cases.append(
        Case(
            "a GIF whose header says 60,000 × 60,000",
            folder / "huge.gif",
            "error",
            "more than allowed",
        )
    )
    tall = encode(
        folder / "wide.mkv",
        "-vf",
        "scale=16384:16",
        "-c:v",
        "ffv1",
        "-pix_fmt",
        "bgr0",
        frames=moving_frames(2),
    )
    cases.append(Case("16,384 pixels wide", tall, "error", "more than allowed"))
    hour = encode(folder / "hour.mp4", *H264, frames=np.zeros((3600, 16, 16, 3), np.uint8), rate=1)
    cases.append(Case("an hour long", hour, "error", "more than the 600 s allowed"))
    long = encode(
        folder / "many.mkv",
        "-c:v",
        "ffv1",
        "-pix_fmt",
        "bgr0",
        frames=np.zeros((40000, 2, 2, 3), np.uint8),
        rate=200,
    )
    cases.append(
        Case("40,000 frames in three minutes", long, "error", "more than the 36,000 frames allowed")
    )
    return cases


def _png(width: int, height: int) -> bytes:
    """A PNG that says it is large; what is in it unpacks to far more than the file has."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    rows = zlib.compress(bytes(width * 3 + 1) * 64, 9) * 4
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


@dataclass(frozen=True)
class Found:
    """What became of a file: ``frames`` or ``error``, its text, how long it took, and the largest
    mean difference from ffmpeg's frames (0 … 255), ``None`` where ffmpeg cannot say."""

    outcome: str
    text: str
    seconds: float
    difference: float | None


def try_case(case: Case, read: Callable[..., DecodedVideo] = read_video) -> Found:
    """Read a file as the app does, and compare its frames with ffmpeg's."""
    started = time.perf_counter()
    try:
        video = read(case.path, (SEGMENTS,))
    except VideoError as error:
        return Found("error", str(error), time.perf_counter() - started, None)
    seconds = time.perf_counter() - started
    text = f"{video.info.num_frames} frames of {video.info.width} × {video.info.height}"
    if case.other_frames:
        return Found("frames", text, seconds, None)
    reference = reference_frames(case.path, video.frames.shape[1:3])
    if len(reference) != video.info.num_frames:
        return Found("frames", f"{text}, ffmpeg finds {len(reference)}", seconds, float("inf"))
    differences = np.abs(video.frames.astype(int) - reference[video.indices]).mean((1, 2, 3))
    return Found("frames", text, seconds, float(differences.max()))


def main() -> None:
    """Print the table of all files."""
    with tempfile.TemporaryDirectory() as folder:
        cases = make_corpus(Path(folder))
        print("| file | what becomes of it | seconds |\n|---|---|---:|")
        for case in cases:
            found = try_case(case)
            told = (
                found.text.replace(folder, "…").replace("|", "\\|").replace(case.path.name, "FILE")
            )
            if found.difference is not None:
                told += (
                    f", as ffmpeg decodes them (mean difference at most {found.difference:.1f} of"
                    " 255)"
                )
            print(f"| {case.what} | {told} | {found.seconds:.1f} |", flush=True)
        print(json.dumps({"files": len(cases)}))


if __name__ == "__main__":
    main()
