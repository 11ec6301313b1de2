"""Colours as ffmpeg's command converts them, transparency on black, and what is said of both."""

import numpy as np
import pytest
from PIL import Image

from gsm_model.video.colours import on_black
from gsm_model.video.decode import decode
from tests.corpus import H264, encode, reference_frames

X264 = ("-c:v", "libx264", "-qp", "0")
FFV1 = ("-c:v", "ffv1")


def matrix(name, span, out="yuv444p"):
    scale = f"scale=out_color_matrix={name}:out_range={span}"
    tag = {"bt601": "smpte170m", "bt2020": "bt2020nc"}.get(name, name)
    return ("-vf", scale, "-pix_fmt", out, "-colorspace", tag, "-color_range", span)


def tagged(primaries, transfer):
    return ("-vf", f"setparams=color_primaries={primaries}:color_trc={transfer}")


@pytest.fixture(scope="module")
def colourful():
    """(3, 48, 64, 3) uint8: all of the colours, slowly changing from place to place."""
    y, x = np.mgrid[:48, :64]
    planes = [np.stack([4 * x, 5 * y, 2 * (x + y) + 10 * n], -1) for n in range(3)]
    return np.stack(planes).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("a.mp4", (*X264, *matrix("bt709", "tv")), None),
        ("a.mp4", (*X264, *matrix("bt709", "pc")), None),
        ("a.mp4", (*X264, *matrix("bt601", "tv")), None),
        ("a.mp4", (*X264, *matrix("bt601", "pc")), None),
        ("a.mkv", (*FFV1, *matrix("bt709", "pc")), None),
        ("a.mp4", (*X264, *matrix("bt2020", "tv", "yuv444p10le")), None),
        ("a.mkv", (*FFV1, "-pix_fmt", "yuv420p10le"), None),
        ("a.mkv", (*FFV1, "-pix_fmt", "yuv420p12le"), None),
        ("a.mkv", (*FFV1, "-pix_fmt", "gray16le"), None),
        ("a.mkv", (*FFV1, "-pix_fmt", "yuv420p10le", *tagged("bt2020", "smpte2084")), "HDR (PQ)"),
        ("a.mp4", (*X264, *tagged("bt2020", "arib-std-b67")), "HDR (HLG)"),
        ("a.mp4", (*X264, *tagged("bt2020", "bt709")), "colours are those of BT.2020"),
        (
            "a.mpg",
            ("-c:v", "mpeg2video", "-r", "25", "-vf", "setfield=tff", "-flags", "+ildct+ilme"),
            "interlaced",
        ),
    ],
)
def test_colours_are_those_of_ffmpeg(tmp_path, colourful, name, options, said):
    path = encode(tmp_path / name, *options, frames=colourful)
    info, _, frames = decode(path, lambda info: range(info.num_frames))
    _, _, by_pyav = decode(path, lambda info: range(info.num_frames), backend="pyav")
    reference = reference_frames(path, frames.shape[1:3])
    np.testing.assert_array_equal(frames, reference)
    np.testing.assert_array_equal(by_pyav, reference)
    assert len(info.notes) == (said is not None) and (said or "") in "".join(info.notes)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le", "bgr0"])
def test_odd_sides_are_converted_as_ffmpeg_does(tmp_path, colourful, pix_fmt):
    path = encode(tmp_path / "a.mkv", *FFV1, "-pix_fmt", pix_fmt, frames=colourful[:, :47, :63])
    _, _, frames = decode(path, lambda info: [0, 2])
    np.testing.assert_array_equal(frames, reference_frames(path, (47, 63))[[0, 2]])


def clear_left(count=4):
    """(count, 48, 64, 4) uint8: white and green pixels, the left half fully transparent."""
    frames = np.full((count, 48, 64, 4), 255, np.uint8)
    frames[:, :, 40:, [0, 2]] = 0
    frames[:, :, :32, 3] = 0
    return frames


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.webm", ("-c:v", "libvpx-vp9", "-lossless", "1", "-pix_fmt", "yuva420p")),
        ("b.webm", ("-c:v", "libvpx", "-auto-alt-ref", "0", "-b:v", "2M", "-pix_fmt", "yuva420p")),
        ("a.mov", ("-c:v", "qtrle", "-pix_fmt", "argb")),
        ("b.mov", ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le")),
        ("c.mov", ("-c:v", "png", "-pix_fmt", "rgba")),
        ("a.mkv", (*FFV1, "-pix_fmt", "yuva444p")),
    ],
)
def test_what_is_transparent_in_a_video_is_black_and_said(tmp_path, name, options):
    mask = "geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='255*gt(X,31)'"
    opaque = clear_left(12)[..., :3].copy()
    path = encode(tmp_path / name, "-vf", f"format=yuva444p,{mask}", *options, frames=opaque)
    info, _, frames = decode(path, lambda info: [9, 0, 5])
    assert info.num_frames == 12
    assert frames[:, :, :28].max() <= 2 and frames[:, :, 42:, 1].min() >= 250
    assert [note for note in info.notes if "shown on black" in note]


@pytest.mark.parametrize("name", ["a.png", "a.webp", "b.png", "b.webp", "b.gif"])
def test_what_is_transparent_in_a_picture_is_black_and_said(tmp_path, name):
    pictures = [Image.fromarray(frame) for frame in clear_left()]
    for number, picture in enumerate(pictures):  # frames that are alike would be stored as one
        picture.putpixel((60, number), (0, 0, 255, 255))
    cleared = 1 if name.endswith("png") else 2  # each frame's place, before the next one
    more = {"save_all": True, "append_images": pictures[1:], "duration": 100, "disposal": cleared}
    webp = {"lossless": True, "exact": True} if name.endswith("webp") else {}
    pictures[0].save(tmp_path / name, **(more if name.startswith("b") else {}), **webp)
    info, _, frames = decode(tmp_path / name, lambda info: range(info.num_frames))
    assert info.num_frames == (4 if name.startswith("b") else 1)
    assert (frames[:, :, :32] == 0).all() and (frames[:, 5:, 42:, 1] == 255).all()
    assert [note for note in info.notes if "shown on black" in note]


@pytest.mark.parametrize("mode", ["LA", "P", "RGB"])
def test_a_pictures_transparency_counts_however_it_is_stored(tmp_path, mode):
    picture = Image.fromarray(clear_left(1)[0])
    if mode == "RGB":  # one colour that stands for nothing
        picture.convert("RGB").save(tmp_path / "a.png", transparency=(255, 255, 255))
    else:
        (picture.quantize(4) if mode == "P" else picture.convert(mode)).save(tmp_path / "a.png")
    info, _, frames = decode(tmp_path / "a.png", lambda info: [0])
    assert (frames[0, :, :32] == 0).all() and frames[0, 0, 50, 1] > 0
    assert any("shown on black" in note for note in info.notes)


def test_half_transparent_is_half_as_bright():
    pixels = np.array([[200, 100, 0, 128], [255, 255, 255, 255], [9, 9, 9, 0]], np.uint8)
    assert on_black(pixels).tolist() == [[100, 50, 0], [255, 255, 255], [0, 0, 0]]


def test_a_grey_picture_of_16_bits_is_not_cut_off(tmp_path):
    Image.fromarray(np.full((8, 8), 40000, np.uint16)).save(tmp_path / "a.png")
    assert (decode(tmp_path / "a.png", lambda info: [0])[2] == 40000 >> 8).all()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.avi", (*H264, "-bf", "3", "-g", "8")),
        ("b.avi", ("-c:v", "libxvid", "-q:v", "2", "-bf", "2", "-g", "8")),
        ("c.avi", ("-c:v", "mpeg4", "-q:v", "2", "-bf", "2", "-g", "8")),
    ],
)
def test_b_frames_in_an_avi_which_has_no_times_of_showing_are_read_in_order(
    tmp_path, name, options
):
    path = encode(tmp_path / name, *options)
    reference = reference_frames(path, (48, 64))
    for backend in (None, "pyav"):
        info, _, frames = decode(path, lambda info: range(info.num_frames), backend=backend)
        assert info.num_frames == len(reference)
        np.testing.assert_array_equal(frames, reference)
        _, _, some = decode(path, lambda info: [13, 2, 7], backend=backend)
        np.testing.assert_array_equal(some, reference[[13, 2, 7]])


def test_an_animation_whose_later_frames_alone_are_transparent_is_on_black_there(tmp_path):
    frames = clear_left(2)
    frames[0, ..., 3] = 255
    pictures = [Image.fromarray(frame) for frame in frames]
    pictures[0].save(tmp_path / "a.webp", save_all=True, append_images=pictures[1:], lossless=True)
    read = decode(tmp_path / "a.webp", lambda info: [0, 1])[2]
    assert (read[0, :, :32] == 255).all() and (read[1, :, :32] == 0).all()
