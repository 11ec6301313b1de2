"""Turned, mirrored and stretched pictures are shown as ffmpeg's command shows them."""

import math
import struct
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from gsm_model.video.decode import decode
from gsm_model.video.geometry import Geometry, geometry, quarter_turns
from gsm_model.video.source import Limits
from tests.corpus import reference_frames
from tests.videos import write_video

ONE, W = 1 << 16, 1 << 30
# Where a step to the right and a step down lead: the eight of the square.
EIGHT = [(a, 0, 0, d) for a, d in product((ONE, -ONE), repeat=2)]
EIGHT += [(0, b, c, 0) for b, c in product((ONE, -ONE), repeat=2)]


def matrix(a, b, c, d, u=0, v=0, w=W):
    return struct.pack("=9i", a, b, u, c, d, v, 0, 0, w)


def turned(degrees):
    cos, sin = (round(ONE * f(math.radians(degrees))) for f in (math.cos, math.sin))
    return cos, sin, -sin, cos


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """An MP4 of two frames with four corners of other colours, its bytes."""
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:24, :32], frame[:24, 32:] = (220, 30, 30), (30, 220, 30)
    frame[24:, :32], frame[24:, 32:] = (30, 30, 220), (220, 220, 30)
    path = tmp_path_factory.mktemp("stored") / "a.mp4"
    return write_video(path, np.stack([frame] * 2)).read_bytes()


def with_matrix(stored, path, a, b, c, d):
    content, at = bytearray(stored), stored.index(b"tkhd") + 44
    content[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, W)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("steps", EIGHT)
def test_every_turn_and_mirroring_is_shown_as_ffmpeg_shows_it(tmp_path, stored, steps):
    path = with_matrix(stored, tmp_path / "a.mp4", *steps)
    info, _, frames = decode(path, lambda info: [0, 1])
    expected = reference_frames(path, frames.shape[1:3])
    np.testing.assert_array_equal(frames, expected)
    assert (info.height, info.width) == frames.shape[1:3]
    a, b, c, d = steps
    assert info.mirrored == any("mirrored" in note for note in info.notes) == (a * d - b * c < 0)


def test_a_matrix_says_where_corners_go_whatever_its_scale_and_place():
    picture = np.arange(6).reshape(2, 3, 1)
    for (a, b, c, d), scale in product(EIGHT, (1, ONE // 3, 3 * ONE)):
        small = [side // ONE * scale for side in (a, b, c, d)]
        turns, mirrored = quarter_turns(matrix(*small))
        shape = (3, 2) if turns % 2 == 0 else (2, 3)
        shown = Geometry(*shape, 90 * turns, mirrored).shown(np.repeat(picture, 3, 2)[None])
        # By hand: the pixel x to the right and y down goes to (ax + cy, bx + dy).
        at = {
            (x * a + y * c, x * b + y * d): picture[y, x, 0] for y, x in product(range(2), range(3))
        }
        columns, rows = sorted({x for x, _ in at}), sorted({y for _, y in at})
        assert shown[0, ..., 0].tolist() == [[at[x, y] for x in columns] for y in rows]


@pytest.mark.parametrize("degrees", [-1, -0.3, 0.3, 0.9])
def test_less_than_a_degree_beside_a_quarter_turn_is_one_as_in_ffmpeg(degrees):
    if abs(degrees) < 1:
        assert quarter_turns(matrix(*turned(90 + degrees))) == (3, False)
    assert quarter_turns(matrix(*turned(5 * degrees + math.copysign(2, degrees)))) is None


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (matrix(*turned(10)), "a turn by 10°"),
        (matrix(*turned(-45)), "a turn by -45°"),
        (matrix(ONE, ONE // 2, 0, ONE), "a distortion"),
        (matrix(ONE, 0, ONE, 0), "a distortion"),
        (matrix(0, 0, 0, 0), "a distortion"),
        (matrix(ONE, 0, 0, ONE, u=9), "a distortion"),
        (matrix(ONE, 0, 0, ONE, w=0), ""),
        (b"short", "damaged"),
    ],
)
def test_a_matrix_of_another_kind_is_ignored_and_said(odd, said):
    shape, notes = geometry(64, 48, odd, None, Limits())
    assert shape == Geometry(64, 48)
    assert len(notes) == 1 and said in notes[0] and "ignored" in notes[0]


def test_a_turn_by_ten_degrees_leaves_the_picture_as_it_is_stored(tmp_path, stored):
    plain = decode(with_matrix(stored, tmp_path / "a.mp4", ONE, 0, 0, ONE), lambda info: [0])
    odd = decode(with_matrix(stored, tmp_path / "b.mp4", *turned(10)), lambda info: [0])
    np.testing.assert_array_equal(odd[2], plain[2])
    assert plain[0].notes == () and "10°" in odd[0].notes[0]


@pytest.mark.parametrize(
    ("pixel", "limits", "shown"),
    [
        (None, Limits(), (64, 48)),
        (Fraction(0), Limits(), (64, 48)),
        (Fraction(1), Limits(), (64, 48)),
        (Fraction(2), Limits(), (128, 48)),
        (Fraction(1, 2), Limits(), (64, 96)),
        (Fraction(12, 11), Limits(), (70, 48)),
        (Fraction(2), Limits(max_width=100), (64, 24)),
        (Fraction(1000), Limits(), (64, 48)),
    ],
)
def test_pixels_are_made_square_within_the_limits(pixel, limits, shown):
    shape, notes = geometry(64, 48, None, pixel, limits)
    assert (shape.width, shape.height) == shown
    assert bool(notes) == (pixel not in (None, 0, 1))
    across, _ = geometry(64, 48, matrix(0, ONE, -ONE, 0), pixel, limits)
    assert (across.width, across.height) == shown[::-1]


def test_a_disc_of_pixels_twice_as_wide_as_high_is_read_as_a_disc(tmp_path):
    y, x = np.mgrid[:96, :64]
    disc = np.where(((x - 32) * 2) ** 2 + (y - 48) ** 2 < 1600, 255, 0).astype(np.uint8)
    frames = np.repeat(disc[None, ..., None], 3, 3)
    path = write_video(tmp_path / "a.mp4", frames, options={"x264-params": "sar=2/1"})
    info, _, read = decode(path, lambda info: [0])
    bright = read[0, ..., 0] > 128
    assert abs(int(bright.any(0).sum()) - int(bright.any(1).sum())) <= 2
    assert (info.width, info.height) == (128, 96) and "(2:1)" in info.notes[0]
