"""What can be asked of a network that strides over time: maps by frame, orders, frames' worth; and
what cannot, said in one sentence.
"""

import json

import numpy as np
import pytest
import torch

from gsm_model.errors import UnsuitableModelError
from gsm_model.explain.cam.evidence import Target, evidence_of_clips
from gsm_model.explain.cam.methods import grad_cam
from gsm_model.explain.cam.names import METHODS, SLOW_METHODS
from gsm_model.explain.cam.report import cams_of_clips, report_cams, steps_in_words
from gsm_model.explain.gates.interventions import Intervention, predict_under
from gsm_model.explain.gates.report import report_gates
from gsm_model.explain.order.flow import information_flow
from gsm_model.explain.order.report import MOST_FRAMES, report_order
from gsm_model.explain.patching.features import places_of
from gsm_model.explain.shapley.frames import frame_shapley
from gsm_model.exports.cam import frame_rows, steps_said
from gsm_model.models.observers import observe_points
from gsm_model.models.video_networks.network import in_time
from gsm_model.predict import predict
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.source import VideoInfo
from gsm_model.video.transforms import frames_as_seen, view_bytes
from tests.video_network import halving_network

LAYERS = ["layer1.0", "layer2.0"]
T = 8


@pytest.fixture(scope="module")
def model():
    return halving_network()


@pytest.fixture(scope="module")
def clip():
    return torch.randn(1, T, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def video():
    frames = np.random.default_rng(0).integers(0, 255, (40, 30, 50, 3), dtype=np.uint8)
    none = np.zeros((0, 2, 2, 3), np.uint8), np.zeros(0, np.int64)
    return DecodedVideo("v", VideoInfo(40, 30.0, 50, 30), np.arange(40), frames, *none)


def test_a_prediction_is_one_answer_of_every_second_frame_of_the_middle(model, video):
    found = predict(model, video)
    assert found.frame_indices.tolist() == list(range(12, 28, 2))  # a window of 16 of 40 frames
    assert not found.scores_frames and found.frame_logits.shape == (1, 5)


def test_frames_are_seen_stretched_to_the_shape_the_network_was_trained_with(model, video):
    """Of 30 × 50 pixels, 36 × 48 and the middle 32 × 32."""
    seen = view_bytes(video.frames[:1], model.input)
    assert seen.shape == (1, 1, 3, 32, 32)
    ramp = np.zeros((1, 30, 50, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(50) * 5, np.arange(30)[:, None] * 8
    [[[across, down, _]]] = view_bytes(ramp, model.input)
    # A pixel is 50/48 wide and 30/36 high in the frame's own; the crop begins 8 and 2 pixels in.
    assert across[16, 16] == pytest.approx(5 * (24.5 * 50 / 48 - 0.5), abs=1.5)
    assert down[16, 16] == pytest.approx(8 * (18.5 * 30 / 36 - 0.5), abs=1.5)
    shown = frames_as_seen(ramp, model.input, 32)[0]
    assert np.abs(shown[8:24, 8:24, 0].astype(int) - across[8:24, 8:24]).max() <= 3
    assert np.abs(shown[8:24, 8:24, 1].astype(int) - down[8:24, 8:24]).max() <= 4


@pytest.mark.parametrize("method", METHODS)
def test_every_frame_gets_a_map_from_fewer_time_steps(model, clip, method):
    for layer in LAYERS if method not in SLOW_METHODS else LAYERS[1:]:
        _, target, [found] = cams_of_clips(model, clip, Target(2), method, [layer])
        _, [(_, [evidence])] = evidence_of_clips(model, clip, [target], [layer])
        steps = {"layer1.0": 4, "layer2.0": 2}[layer]
        assert evidence.features.shape[1] == found.steps == steps
        assert found.maps.shape[:2] == found.evidence.shape == (1, T)
        assert found.evidence.sum() == pytest.approx(evidence.by_frame().sum(), rel=1e-4)
        if method == "gradcam":
            features, gradients = evidence.features[0], evidence.gradients[0]
            maps = grad_cam(features, gradients)
            np.testing.assert_allclose(found.maps[0, :: T // steps], maps, atol=1e-6)
            between = in_time(torch.from_numpy(maps[None]), T)[0].numpy()
            np.testing.assert_allclose(found.maps[0], between, atol=1e-6)


def test_ablation_takes_a_channel_out_of_all_steps_of_its_own_copy(model, clip):
    """By hand: one clip at a time with one channel at zero."""
    layer, target = "layer2.0", Target(1)
    frame_logits, _, [found] = cams_of_clips(model, clip, target, "ablationcam", [layer])
    _, [(_, [evidence])] = evidence_of_clips(model, clip, [target], [layer])
    weights, value = [], float(frame_logits[0, 0, 1])
    for channel in range(6):

        def without(host, point, x, channel=channel):
            x = x.clone()
            if (host, point) == model.feature_points()[layer]:
                x[:, channel] = 0
            return x

        with torch.inference_mode(), observe_points(without):
            weights.append((value - float(model(clip)[0, 1])) / abs(value))
    maps = np.einsum("c,tchw->thw", weights, evidence.features[0])
    np.testing.assert_allclose(found.maps[0, ::4], maps, atol=1e-4 * np.abs(maps).max())


def test_reports_say_how_many_steps_a_layer_holds_and_leave_frames_scores_empty(model, video):
    report = report_cams(model, video, layers=LAYERS)
    said = "Halving (untrained) holds 2 time steps of 8 frames at layer2.0; between them maps are"
    assert steps_in_words(report, "layer2.0").startswith(said)
    assert steps_said([report], "layer2.0")["time steps"].startswith(said)
    rows = frame_rows("v", report, "layer2.0")
    assert len(rows) == T and {row["value"] for row in rows} == {""}
    assert json.dumps(rows)


def test_orders_and_frames_worth_are_measured_as_of_any_model(model, video):
    orders = report_order(model, video, num_segments=4, shuffles=2)
    assert orders.left_out.shape == (4, 5) and orders.swapped.shape == (4, 4, 5)
    assert np.abs(orders.reversed - orders.forward).max() > 1e-4
    worth = frame_shapley(model, video, Target(0), num_segments=4, order_pairs=0)
    assert worth.game.values.shape == worth.evidence.shape == (4,)
    with pytest.raises(UnsuitableModelError, match=f"at most {MOST_FRAMES} frames"):
        report_order(model, video, num_segments=MOST_FRAMES + 1)


@pytest.mark.parametrize(
    "ask",
    [
        report_gates,
        information_flow,
        lambda model, video: places_of(model),
        lambda model, video: predict_under(model, video, [Intervention("closed")]),
    ],
)
def test_what_it_has_no_layers_for_is_refused_in_one_sentence(model, video, ask):
    with pytest.raises(
        UnsuitableModelError, match="throughout and answers once per clip: no layer in it has"
    ):
        ask(model, video)
