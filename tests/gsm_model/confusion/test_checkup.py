"""The check-up finds how a model was spoilt, on clips that it names itself when used rightly."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gsm_model.confusion import checkup
from gsm_model.confusion.checkup import best_order, check_checkpoint
from gsm_model.data.lists import Entry, VideoList
from gsm_model.errors import CheckpointError, DataError
from gsm_model.evaluation.loader import Views, wanted_views
from gsm_model.models.checkpoints.put_right import put_right, shifted_by
from gsm_model.video.clip_input import cut_clip
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.source import VideoInfo
from gsm_model.video.views import ViewsWanted, read_views, views_and_notes
from tests.conftest import make_small
from tests.video_network import halving_network
from tests.videos import constant_rate

CLIPS, FRAMES, SIDE = 32, 80, 36
LABELS = ("e", "a", "d", "b", "c")  # not in the order of the alphabet


def videos():
    """Clips whose colours, places and times all vary."""
    rng = np.random.default_rng(3)
    none = np.zeros((0, 2, 2, 3), np.uint8), np.zeros(0, np.int64)
    for number in range(CLIPS):
        base = rng.integers(0, 256, (FRAMES, 3, 3, 3)).repeat(12, 1).repeat(12, 2)
        drift = rng.integers(0, 256, (1, 1, 1, 3))
        frames = ((base + 2 * drift) // 3).astype(np.uint8)
        info = VideoInfo(FRAMES, 25.0, SIDE, SIDE)
        yield DecodedVideo(f"v{number}", info, np.arange(FRAMES), frames, *none)


VIDEOS = list(videos())


def logits_of(model):
    clips = [
        cut_clip(video, model.input, model.architecture.num_segments).normalised(model.input).views
        for video in VIDEOS
    ]
    with torch.inference_mode():
        return model(torch.cat(clips)).numpy()


@pytest.fixture(scope="module")
def right():
    """A TSM that says each of its five classes of some of the clips."""
    model = make_small("tsm")
    model.card = replace(model.card, labels=LABELS)
    with torch.no_grad():
        model.new_fc.bias -= torch.from_numpy(logits_of(model).mean(0))
    return model


@pytest.fixture
def clips_of(right, monkeypatch):
    """A list of the clips that ``spoilt`` answers otherwise than the right model, with its labels;
    what is read of them is what a decoding process would cut.
    """
    truth = logits_of(right).argmax(1)

    def read(model, entries, ways, workers, limits):
        wanted = dict.fromkeys((way.segments, way.spec.sampling) for way in ways)
        for entry in entries:
            video = VIDEOS[int(entry.id)]
            yield (
                entry,
                {
                    (t, how): cut_clip(video, replace(model.input, sampling=how), t).views[0]
                    for t, how in wanted
                },
            )

    monkeypatch.setattr(checkup, "_read", read)

    def make(answers):
        rows = [row for row in range(CLIPS) if answers[row] != truth[row]]
        rows *= -(-12 // len(rows))  # as many as the exact test needs
        entries = [Entry(str(row), Path(f"{row}.mp4"), int(truth[row])) for row in rows]
        return VideoList("list", tuple(entries), ())

    return make


SPOILT = {
    "colours": lambda model: put_right(model, colours="BGR"),
    "mean and deviation": lambda model: put_right(model, normalisation="caffe"),
    "segments": lambda model: _segments(model, 8),
    "sampling": lambda model: put_right(model, sampling="dense"),
    "shift": lambda model: shifted_by(model, None),
}


def _segments(model, count):
    model.architecture = replace(model.architecture, num_segments=count)
    return model


def copy_of(model):
    other = make_small("tsm")
    other.load_state_dict(model.state_dict())
    other.card, other.input = model.card, model.input
    return other


@pytest.mark.parametrize("kind", SPOILT)
def test_what_was_spoilt_is_found_with_what_to_pass(right, clips_of, kind):
    spoilt = SPOILT[kind](copy_of(right))
    found = check_checkpoint(spoilt, clips_of(logits_of(spoilt).argmax(1)), CLIPS)
    assert found.given.value == 0 and found.given.n >= 10
    assert found.better.kind == kind and found.better.right.value == 1
    assert found.better.gained == found.given.n and found.better.lost == 0
    # McNemar's exact test by hand: every one of n discordant clips on one side.
    assert found.better.p == pytest.approx(2 * 0.5**found.given.n)
    assert found.better.p < found.better.p_holm <= len(found.alternatives) * found.better.p * 1.001
    options = {
        "colours": "--colours RGB",
        "mean and deviation": "--normalise imagenet",
        "segments": "--segments",
        "sampling": "--sampling even",
        "shift": "--shift --shift-share 8",
    }
    assert options[kind] in found.verdict


def test_an_alphabetical_label_file_and_labels_that_count_from_one_are_found(right, clips_of):
    everything = clips_of(np.full(CLIPS, -1))
    spoilt = copy_of(right)
    spoilt.card = replace(spoilt.card, labels=tuple(sorted(LABELS)))
    # The list names its classes; by the wrong file they have these indices.
    place = {label: index for index, label in enumerate(spoilt.card.labels)}
    entries = [replace(one, label=place[LABELS[one.label]]) for one in everything.entries]
    found = check_checkpoint(spoilt, replace(everything, entries=tuple(entries)), CLIPS)
    assert found.better.kind == "class order" and "fitted" in found.better.name
    assert found.diagonal_permuted > found.diagonal
    assert [LABELS[output] for output in found.order] == list(spoilt.card.labels)
    entries = [replace(one, label=one.label + 1) for one in everything.entries if one.label < 4]
    found = check_checkpoint(right, replace(everything, entries=tuple(entries)), CLIPS)
    assert found.better.right.value == 1 and "--first-label 1" in {
        one.option for one in found.alternatives if one.right.value == 1
    }


def test_a_model_that_is_used_rightly_stays_as_it_is(right, clips_of):
    found = check_checkpoint(right, clips_of(np.full(CLIPS, -1)), CLIPS)
    assert found.given.value == 1 and found.better is None
    assert found.verdict.startswith("Used as it was trained")


def test_a_few_clips_cannot_decide_and_that_is_said(right, clips_of):
    spoilt = put_right(copy_of(right), colours="BGR")
    found = check_checkpoint(spoilt, clips_of(logits_of(spoilt).argmax(1)), 4)
    assert found.given.n == 4 and found.better is None
    assert found.verdict.startswith("4 clips cannot decide") and "a guess" in found.verdict


def test_the_best_order_is_the_permutation_and_leaves_classes_without_clips():
    p = np.full((4, 4), 0.1)
    p[[0, 1, 2, 3], [1, 1, 0, 0]] = 0.7
    assert best_order(p, np.array([0, 0, 1, 1])).tolist() == [1, 0, 2, 3]


def test_what_is_no_tsm_has_no_shift_to_take_away():
    with pytest.raises(CheckpointError, match="only a TSM and a TSN"):
        shifted_by(make_small("gsm"), None)


def test_a_network_of_one_number_of_frames_is_not_given_more():
    model = halving_network()
    counts = {way.segments for way in checkup._ways(model)}
    assert counts == {4, 8, 16}
    model.base_model.most = 8
    assert {way.segments for way in checkup._ways(model)} == {4, 8}


def test_clips_that_cannot_be_read_end_the_check_up(right, monkeypatch):
    monkeypatch.setattr(
        checkup, "_read", lambda *rest: iter([(Entry("0", Path("0.mp4"), 0), "0: damaged")])
    )
    listed = VideoList("list", (Entry("0", Path("0.mp4"), 0),), ())
    with pytest.raises(DataError, match="none of 1 clips could be read: 0: damaged"):
        check_checkpoint(right, listed)


def test_other_numbers_of_frames_and_samplings_are_cut_from_one_decoding(tmp_path, moving_bar):
    path, spec = constant_rate(tmp_path / "clip.mp4", moving_bar), make_small("tsm").input
    entry = Entry("clip", path, 0)

    def alone(count, how):
        return read_views(wanted_views(entry, count, replace(spec, sampling=how), Views()))

    both = replace(wanted_views(entry, 4, spec, Views()), also=((8, "even"), (4, "dense")))
    read = views_and_notes(ViewsWanted.of(both.request()))
    np.testing.assert_array_equal(read.views, alone(4, "even"))
    for found, (count, how) in zip(read.also, both.also, strict=True):
        np.testing.assert_array_equal(found, alone(count, how))
