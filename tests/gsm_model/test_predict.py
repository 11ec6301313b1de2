"""From a video to an answer: orders, views, the number of frames."""

import numpy as np
import pytest
import torch

from gsm_model.predict import average_views, predict, softmax
from gsm_model.video.isolate import read_video
from gsm_model.video.transforms import to_views
from tests.conftest import make_small
from tests.videos import constant_rate


@pytest.fixture
def video(tmp_path, moving_bar):
    return read_video(constant_rate(tmp_path / "clip.mp4", moving_bar), (4, 7))


def test_the_answer_is_the_models_own_on_the_sampled_frames(video, small_gsm):
    prediction = predict(small_gsm, video)
    indices, frames = video.clip(4)
    with torch.inference_mode():
        expected = small_gsm(to_views(frames, small_gsm.input))[0]
    np.testing.assert_allclose(prediction.logits, expected, atol=1e-5)
    np.testing.assert_allclose(prediction.probabilities, torch.softmax(expected, 0), atol=1e-6)
    assert prediction.frame_indices.tolist() == indices.tolist()


def test_the_order_is_that_in_which_the_model_sees_the_frames(video, small_gsm):
    forward, backward = predict(small_gsm, video), predict(small_gsm, video, "reversed")
    assert backward.frame_indices.tolist() == forward.frame_indices.tolist()[::-1]
    assert np.abs(forward.logits - backward.logits).max() > 1e-3
    shuffled = predict(small_gsm, video, "shuffled", seed=3)
    assert sorted(shuffled.frame_indices) == sorted(forward.frame_indices)


def test_reversing_the_frames_of_a_tsn_reverses_its_frame_scores_and_keeps_its_answer(video):
    model = make_small("none")
    forward, backward = predict(model, video), predict(model, video, "reversed")
    np.testing.assert_allclose(backward.frame_logits[::-1], forward.frame_logits, atol=1e-5)
    np.testing.assert_allclose(backward.logits, forward.logits, atol=1e-5)


def test_views_are_averaged_before_the_softmax(video, small_gsm):
    _, frames = video.clip(4)
    with torch.inference_mode():
        expected = small_gsm(to_views(frames, small_gsm.input, crops=10)).mean(0)
    np.testing.assert_allclose(predict(small_gsm, video, crops=10).logits, expected, atol=1e-5)


def test_another_number_of_frames_needs_no_other_model(video, small_gsm):
    assert predict(small_gsm, video, num_segments=7).frame_logits.shape == (7, 5)


def test_the_likeliest_classes_come_first_and_have_names(video, small_gsm):
    top = predict(small_gsm, video).top(3)
    assert [entry[2] for entry in top] == sorted((entry[2] for entry in top), reverse=True)
    assert top[0][1] == f"class {top[0][0]}"


def test_softmax_survives_large_scores():
    np.testing.assert_allclose(softmax(np.array([1000.0, 1000.0, -1000.0])), [0.5, 0.5, 0.0])


def test_probabilities_of_the_crops_can_be_averaged_in_place_of_logits(video, small_gsm):
    _, frames = video.clip(4)
    with torch.inference_mode():
        views = small_gsm(to_views(frames, small_gsm.input, crops=3)).double()
    found = predict(small_gsm, video, crops=3, average="probabilities")
    expected = (views.exp() / views.exp().sum(1, keepdim=True)).mean(0)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    by_logits = predict(small_gsm, video, crops=3)
    assert (found.average, by_logits.average) == ("probabilities", "logits")
    assert np.abs(found.probabilities - by_logits.probabilities).max() > 1e-5
    np.testing.assert_array_equal(found.frame_logits, by_logits.frame_logits)


def test_views_averaged_by_hand():
    # Two views with probabilities of 3 : 1 and of 1 : 9.
    logits = torch.tensor([[3.0, 1.0], [1.0, 9.0]]).log()
    by_probability = average_views(logits, "probabilities").exp()
    torch.testing.assert_close(by_probability, torch.tensor([0.425, 0.575]))  # (.75 + .1) / 2
    by_logit = average_views(logits).softmax(0)
    torch.testing.assert_close(by_logit, torch.tensor([1.0, 3.0**0.5]) / (1 + 3.0**0.5))
    torch.testing.assert_close(
        average_views(torch.tensor([[1000.0, 0.0], [0.0, 0.0]]), "probabilities").exp(),
        torch.tensor([0.75, 0.25]),
    )
    with pytest.raises(ValueError, match="unknown average 'votes'"):
        average_views(logits, "votes")
