"""Folders that hold optical flow: a model of flow is given it, as if it had been computed of the
frames, and no other model is.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from gsm_model.data.lists import read_video_list
from gsm_model.errors import DataError, VideoError
from gsm_model.evaluation.dataset import ClipSet, batches
from gsm_model.evaluation.loader import Views, wanted_views
from gsm_model.evaluation.stored_flow import for_modality
from gsm_model.models.recognizer import build_recognizer
from gsm_model.motion.stored import flow_bytes
from gsm_model.motion.tvl1 import tvl1_flow
from gsm_model.training.config import TrainConfig
from gsm_model.training.dataset import Augment, ListedClips, collated
from gsm_model.video import motion_planes
from gsm_model.video.clip_input import clip_input
from gsm_model.video.isolate import read_video
from gsm_model.video.modality import RGB, Modality
from gsm_model.video.stored_flow import StoredFlow, fields_of
from gsm_model.video.transforms import normalise
from gsm_model.video.views import views_and_notes
from gsm_model.video.worker import answer
from tests.gsm_model.motion.test_tvl1 import texture

FLOW, SIDE, FRAMES = Modality("flow", 2), 40, 8
NAMES = {"beside": "flow_{}_{:05d}.png", "alone": "{}_{:05d}.png"}


def model_of(modality):
    torch.manual_seed(0)
    model = build_recognizer(
        "resnet18", "none", 2, 2, width=0.0625, input_size=32, modality=modality
    )
    model.input = replace(model.input, size=SIDE, resize=SIDE)  # so that nothing is cut off
    return model.eval()


@pytest.fixture(scope="module")
def moving():
    """A texture that moves a pixel right a frame, and its flow in pixels from frame to frame."""
    frames = torch.stack([texture(t, 0, SIDE).byte().float() for t in range(FRAMES)])
    return frames.byte().numpy(), tvl1_flow(frames[:-1], frames[1:])


@pytest.fixture(scope="module")
def data(tmp_path_factory, moving):
    """A list of the same clip as pictures, with flow beside them, and as flow alone, which lies
    there by mmaction2's rule as ``trunc`` too.
    """
    folder, (frames, flow) = tmp_path_factory.mktemp("flow"), moving
    for name in ("plain", "beside", "alone", "trunc"):
        (folder / name).mkdir()
        if name in ("plain", "beside"):
            for number, frame in enumerate(frames, 1):
                Image.fromarray(frame).save(folder / name / f"img_{number:05d}.png")
        if name != "plain":
            stored = flow_bytes(flow, 127 if name == "trunc" else 128).numpy()
            pattern = NAMES["beside" if name == "beside" else "alone"]
            for number, field in enumerate(stored, 1):
                for axis, plane in zip("xy", field, strict=True):
                    Image.fromarray(plane).save(folder / name / pattern.format(axis, number))
    return folder


def read_list(data, *names):
    path = data / f"{'-'.join(names)}.txt"
    path.write_text("".join(f"{name} {FRAMES} 0\n" for name in names))
    return read_video_list(path, classes=lambda: ("a", "b")).require_clean()


def views_of(data, name, order="forward", crops=1, zero=128, spec=None):
    [entry] = read_list(data, name).entries
    entry = replace(entry, flow_zero=zero)
    wanted = wanted_views(entry, 2, spec or model_of(FLOW).input, Views(1, crops), order)
    return views_and_notes(wanted).views


@pytest.mark.parametrize("name", ["beside", "alone"])
def test_stored_flow_is_that_of_the_frames_and_nothing_is_computed(data, name, monkeypatch):
    expected = motion_planes.flow_planes(views_of(data, "plain"), FLOW, is_bgr=False)
    monkeypatch.setattr(motion_planes, "tvl1_flow", lambda *_, **__: pytest.fail("computed"))
    found = views_of(data, name)
    # The grey of a picture in three planes is not that of one to the last bit: a step of a byte.
    np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=1)
    assert normalise(found, model_of(FLOW).input).shape == (1, 2, 4, SIDE, SIDE)


def test_flow_of_the_other_rule_has_its_zero_moved(data, moving):
    _, flow = moving
    expected = flow_bytes(flow[[2, 3, 5, 6]], 127).numpy().reshape(1, 2, 4, SIDE, SIDE) + 1
    np.testing.assert_array_equal(views_of(data, "trunc", zero=127), expected)
    modality = replace(FLOW, zero=127)
    spec = replace(model_of(FLOW).input, modality=modality)
    np.testing.assert_array_equal(views_of(data, "trunc", zero=127, spec=spec), expected - 1)


def test_stored_flow_turns_round_in_a_reversed_clip_and_is_none_in_a_frozen_one(data):
    there = views_of(data, "alone").astype(int).reshape(2, 2, 2, SIDE, SIDE) - 128
    back = views_of(data, "alone", "reversed").astype(int).reshape(2, 2, 2, SIDE, SIDE) - 128
    np.testing.assert_array_equal(back, -there[::-1, ::-1])
    assert abs(there[:, :, 0]).mean() > 5, "a pixel is 6 steps"
    assert (views_of(data, "alone", "frozen") == 128).all()


def test_a_mirror_image_of_stored_flow_moves_the_other_way(data, moving):
    spec = replace(model_of(FLOW).input, size=32, resize=SIDE)
    views = views_of(data, "alone", crops=10, spec=spec).astype(int) - 128
    assert np.median(views[0, :, 0::2]) == 6 and np.median(views[1, :, 0::2]) == -6
    np.testing.assert_array_equal(views[1, :, 1::2], views[0, :, 1::2, :, ::-1])
    np.testing.assert_array_equal(views[1, :, 0::2], -views[0, :, 0::2, :, ::-1])


def test_between_takes_what_was_read_and_names_what_was_not():
    fields = np.arange(2, dtype=np.uint8).reshape(2, 1, 1, 1) * np.ones((1, 3, 4, 2), np.uint8) + 7
    flow = StoredFlow("f", np.array([3, 5]), fields, 128)
    found = flow.between(np.array([[3, 4, 4], [6, 5, 5]]))[:, 0, 0]
    assert found.tolist() == [[7, 7, 128], [128] * 3, [248, 248, 128], [128] * 3]
    assert fields_of(np.array([[3, 4, 4], [5, 6, 6]])).tolist() == [3, 5]
    with pytest.raises(KeyError, match="4 is missing"):
        flow.between(np.array([[4, 5]]))


def test_a_folder_with_flow_in_the_decoding_process(data):
    """What a process sends is what this one reads; a model of pictures has none of flow alone."""
    flow, rgb = model_of(FLOW), model_of(RGB)
    beside, alone = (read_video(data / name, (2,), neighbours=2) for name in ("beside", "alone"))
    np.testing.assert_array_equal(beside.flow.fields, alone.flow.fields)
    assert beside.info.num_frames == alone.info.num_frames == FRAMES
    expected = normalise(views_of(data, "beside"), flow.input)
    for video in (beside, alone):
        assert video.flow.zero == 128 and "with 128 as no motion" in video.info.notes[-1]
        torch.testing.assert_close(clip_input(flow, video).views, expected)
    assert clip_input(rgb, beside).views.shape == (1, 2, 3, SIDE, SIDE)
    with pytest.raises(VideoError, match=r"alone: holds optical flow, x_%05d.png and y_%05d.png, "):
        clip_input(rgb, alone)


def test_flow_alone_is_read_for_models_of_pictures_to_be_refused_and_drawn_as_colours(data):
    request = {"path": str(data / "alone"), "name": "alone", "segments": [2], "shifts": [0]}
    more = {"clips": [("even", 1)], "preview_frames": 3, "limits": {}, "preview_height": 20}
    header, arrays = answer({**request, **more})
    assert header["flow"]["alone"] and [array.shape for array in arrays] == [
        *((2, SIDE, SIDE, 3), (3, 20, 20, 3), (1, SIDE, SIDE, 2)),
    ]
    red, green, _ = np.median(arrays[0], axis=(0, 1, 2))
    assert red == 255 and green < 128, "to the right is red"


def test_which_byte_is_no_motion_is_read_off_a_list_and_said(data, moving):
    videos = for_modality(read_list(data, "plain", "beside", "alone"), FLOW, 128)
    assert [entry.flow_zero for entry in videos.entries] == [None, 128, 128]
    assert videos.notes[-1] == (
        "optical flow is read from 2 folders (1 without pictures), no motion is 128; that of 1"
        " other clips is computed"
    )
    [entry] = for_modality(read_list(data, "trunc"), FLOW).entries
    assert entry.flow_zero == 127


def test_where_it_cannot_be_read_off_it_is_asked(tmp_path):
    (tmp_path / "fast").mkdir()
    for axis, number in np.ndindex(2, FRAMES):
        picture = Image.fromarray(np.full((9, 9), 200, np.uint8))
        picture.save(tmp_path / "fast" / f"flow_{'xy'[axis]}_{number}.png")
    (tmp_path / "list.txt").write_text("fast 0\n")
    videos = read_video_list(tmp_path, classes=lambda: ("a",))
    with pytest.raises(DataError, match="say which with --flow-zero"):
        for_modality(videos, FLOW)
    [entry] = videos.entries
    wanted = wanted_views(entry, 2, model_of(FLOW).input, Views())
    with pytest.raises(VideoError, match=r"^fast: holds optical flow, .* --flow-zero"):
        views_and_notes(wanted)
    assert views_and_notes(replace(wanted, zero=127)).views.min() == 201


def test_a_list_of_flow_is_refused_by_a_model_of_pictures(data):
    videos = for_modality(read_list(data, "beside", "alone"), RGB)
    assert [entry.id for entry in videos.entries] == ["beside"]
    with pytest.raises(DataError, match="alone: its folder holds optical flow and no pictures; a"):
        videos.require_clean()
    [entry] = read_list(data, "alone").entries
    with pytest.raises(VideoError, match="alone: holds optical flow, .* and no pictures"):
        views_and_notes(wanted_views(entry, 2, model_of(RGB).input, Views()))


def test_clips_with_and_without_stored_flow_are_scored_together(data):
    model, views = model_of(FLOW), [views_of(data, name)[0] for name in ("plain", "alone")]
    clips = ClipSet(None, ("plain", "alone"), np.zeros(2, np.int64), lambda start: iter(views))
    [batch] = batches(model, clips, 0, 4)
    assert batch.errors == ("", "") and batch.clips.shape == (2, 2, 4, SIDE, SIDE)
    torch.testing.assert_close(batch.clips[0], batch.clips[1], atol=1 / 255 / 0.226, rtol=1e-5)


def test_training_takes_stored_flow_and_mirrors_it(data, monkeypatch):
    model = model_of(FLOW)
    spec = replace(model.input, size=32, resize=SIDE)
    config = TrainConfig("none", modality="flow", fields=2, num_segments=2, mirror="plain")
    videos = for_modality(read_list(data, "plain", "beside", "alone"), FLOW, 128)
    clips = ListedClips(config, Augment.of(config, spec, ("a", "b")), videos.entries)
    drawn = [clips[place] for place in range(9)]
    stored = [clip.int() - 128 for clip, _ in drawn if clip.shape == (2, 4, 32, 32)]
    assert len(stored) == 6 and sum(len(clip[0]) == 9 for clip, _ in drawn) == 3
    assert {int(clip[:, 0::2].median()) for clip in stored} == {6, -6}
    planes, labels = collated(drawn[:3], spec)
    assert planes.shape == (3, 2, 4, 32, 32) and labels.tolist() == [0, 0, 0]
