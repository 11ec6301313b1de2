"""How a model is tested: read off its authors' words, kept in files, and followed."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from gsm_model.errors import DataError
from gsm_model.evaluation.loader import Views
from gsm_model.models.card import Card
from gsm_model.models.checkpoints.files import load_checkpoint, save_checkpoint
from gsm_model.models.protocol import UNSTATED, EvalProtocol, parse_protocol
from gsm_model.models.published.catalogue import catalogue
from gsm_model.predict import predict, predict_by_protocol
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.sampling import clip_indices, dense_indices
from gsm_model.video.source import VideoInfo
from gsm_model.video.transforms import InputSpec
from tests.conftest import make_small


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one clip, centre crop", (1, 1, None)),
        ("two clips, three crops", (2, 3, None)),
        ("two clips", (2, 1, None)),
        ("25 frames, ten crops", (1, 10, 25)),
        ("8 frames, centre crop", (1, 1, 8)),
        ("10 clips, three crops", (10, 3, None)),
        (None, (1, 1, None)),
    ],
)
def test_the_authors_words_are_clips_crops_and_frames(text, expected):
    found = parse_protocol(text, "logits", "its authors")
    assert (found.clips, found.crops, found.segments) == expected
    assert ("state none" in found.source) == (text is None)


def test_other_words_are_refused():
    with pytest.raises(ValueError, match="no protocol 'some clips'"):
        parse_protocol("some clips", "logits", "its authors")


def test_every_checkpoint_that_loads_has_a_protocol_that_can_be_followed():
    for one in (one for one in catalogue().values() if one.loadable):
        own = one.protocol
        views = Views(own.clips, own.crops, own.segments)
        assert views.checked(one.sampling).clips == own.clips
    tsm = catalogue()["mmaction2-tsm-r50-sthv2-8f"].protocol
    assert (tsm.clips, tsm.crops, tsm.average) == (2, 3, "probabilities")
    assert catalogue()["mmaction2-tsn-r50-sthv2-8f"].protocol.average == "logits"
    dense = catalogue()["tsm-r50-kinetics400-8f-dense"]
    assert dense.sampling == dense.input().sampling == "dense" and dense.protocol.clips == 10


def test_a_card_keeps_its_protocol_and_a_file_its_sampling(tmp_path):
    own = EvalProtocol(2, 3, 16, "probabilities", "as its authors test it")
    assert Card.from_values(json.loads(Card("m", protocol=own).to_json())).protocol == own
    assert "protocol" not in json.loads(Card("m").to_json())
    with pytest.raises(ValueError, match="protocol"):
        Card.from_values({"title": "m", "protocol": {"crops": 7}})
    model = make_small("tsm")
    model.input = replace(model.input, sampling="dense")
    save_checkpoint(model, tmp_path / "m.safetensors", replace(model.card, protocol=own))
    read = load_checkpoint(tmp_path / "m.safetensors")
    assert (read.input.sampling, read.card.protocol) == ("dense", own)


def video_of(num_frames, size=40):
    frames = np.random.default_rng(0).integers(0, 255, (num_frames, size, size, 3), dtype=np.uint8)
    none = np.zeros((0, 2, 2, 3), np.uint8), np.zeros(0, np.int64)
    return DecodedVideo(
        "v", VideoInfo(num_frames, 25.0, size, size), np.arange(num_frames), frames, *none
    )


def test_a_prediction_by_protocol_is_the_mean_over_its_clips_and_crops():
    model, video = make_small("tsm"), video_of(40)
    model.card = replace(model.card, protocol=EvalProtocol(2, 3, 4))
    found = predict_by_protocol(model, video)
    with torch.inference_mode():
        from gsm_model.video.transforms import to_views

        views = [
            to_views(video.frames[clip_indices(40, 4, clip, 2)], model.input, 3) for clip in (0, 1)
        ]
        expected = model(torch.cat(views)).mean(0).numpy()
    np.testing.assert_allclose(found.logits, expected, rtol=1e-4, atol=1e-6)
    assert found.frame_indices.tolist() == [5, 15, 25, 35]  # of the second clip, the spans' middles
    other = predict(model, video, num_segments=4, crops=3, average="probabilities", clips=2)
    assert other.average == "probabilities" and other.frame_indices.tolist() == [5, 15, 25, 35]


def test_a_dense_model_sees_the_middle_window_or_ten_windows():
    model, video = make_small("tsm"), video_of(164)
    model.input = replace(model.input, sampling="dense")
    assert predict(model, video, num_segments=8).frame_indices.tolist() == list(range(50, 114, 8))
    np.testing.assert_array_equal(clip_indices(164, 8, 3, 10, "dense"), dense_indices(164, 8, 3))
    assert clip_indices(20, 8, 0, 1, "dense").tolist() == [0, 8, 16, 4, 12, 0, 8, 16]


def test_more_than_two_clips_are_for_dense_sampling():
    assert Views.parse("10x3").checked("dense") == Views(10, 3)
    with pytest.raises(DataError, match="make 1 or 2 clips"):
        Views.parse("10x3").checked("even")
    assert str(Views(1, 10, 25)) == "1x10 of 25 frames"
    assert UNSTATED.views == 1 and EvalProtocol(2, 3).views == 6
    assert "2 clips, 3 crops, 8 frames a clip, frames spread evenly, logits averaged" in (
        EvalProtocol(2, 3).in_words(InputSpec.imagenet(224), 8)
    )
    squeezed = UNSTATED.in_words(InputSpec.kinetics(96, 96, 96), 8)
    assert squeezed.startswith("1 clip, the whole picture, squeezed, 8 frames")
    assert "crop" not in squeezed
