"""Maps of whole clips: each method against an independent computation, what they leave behind, and
what they refuse.
"""

import copy
import threading

import numpy as np
import pytest
import torch

from gsm_model.explain.cam.evidence import Target, evidence_of_clips
from gsm_model.explain.cam.names import METHODS, SLOW_METHODS
from gsm_model.explain.cam.report import cams_of_clips, last_layer, report_cams
from gsm_model.explain.cam.scale import scaled
from gsm_model.models.observers import observe_points
from gsm_model.models.recognizer import build_recognizer
from gsm_model.predict import predict
from tests.conftest import fill, make_small, released_weights
from tests.reference_packages import reference_package

T = 4


@pytest.fixture(scope="module")
def clips():
    return torch.randn(2, T, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module", params=["gsm", "tsm", "none"])
def model(request):
    return make_small(request.param)


def plain(model, clip, target, layer):
    """Features and gradients of one clip by a forward hook and ``backward`` on a copy: no code of
    the module under test.
    """
    network = copy.deepcopy(model).eval()
    stage, block = layer.split(".")
    kept = {}

    def keep(module, _, output):
        kept["x"] = output
        output.retain_grad()

    getattr(network.base_model, stage)[int(block)].register_forward_hook(keep)
    target.value(network(clip[None])[0]).backward()
    return kept["x"].detach().numpy(), kept["x"].grad.numpy()


FORMULAS = {
    "gradcam": lambda x, g: (g.mean((2, 3), keepdims=True) * x).sum(1),
    "hirescam": lambda x, g: (g * x).sum(1),
    "layercam": lambda x, g: (np.maximum(g, 0) * x).sum(1),
    "xgradcam": lambda x, g: (
        (g * x / (x.sum((2, 3), keepdims=True) + 1e-7)).sum((2, 3), keepdims=True) * x
    ).sum(1),
    "gradcam++": lambda x, g: (_plus_plus(x, g)[:, :, None, None] * x).sum(1),
}


def _plus_plus(x, g):
    alpha = g**2 / (2 * g**2 + x.sum((2, 3), keepdims=True) * g**3 + 1e-6)
    return (np.maximum(g, 0) * np.where(g != 0, alpha, 0)).sum((2, 3))


@pytest.mark.parametrize("target", [Target(2), Target(2, 0)])
@pytest.mark.parametrize("layer", ["layer2.1", "layer4.1"])
@pytest.mark.parametrize("method", FORMULAS)
def test_methods_of_gradients_equal_their_formulas_on_plain_autograd(
    model, clips, method, layer, target
):
    _, _, [found] = cams_of_clips(model, clips, target, method, [layer])
    for clip, maps, evidence in zip(clips, found.maps, found.evidence, strict=True):
        x, gradient = plain(model, clip, target, layer)
        expected = FORMULAS[method](x, gradient)
        np.testing.assert_allclose(
            maps, expected, atol=1e-5 * max(np.abs(expected).max(), 1e-9), rtol=1e-4
        )
        np.testing.assert_allclose(evidence, (x * gradient).sum((1, 2, 3)), rtol=1e-4, atol=1e-3)


def test_the_formulas_are_the_packages_run_as_it_is_meant_to_be(clips):
    """The package hooked into a plain network whose batch is the clip: for a TSN, whose frames do
    not know each other, the same maps.
    """
    model = make_small("none")
    package = reference_package("pytorch_grad_cam")

    class Frames(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = copy.deepcopy(model)

        def forward(self, frames):
            return self.network(frames[None])

    wrapped = Frames()
    cam = package.GradCAM(wrapped, [wrapped.network.base_model.layer4[-1]])
    expected = cam(clips[0], [lambda logits: logits[2]])  # rectified, then each frame from 0 to 1
    [ours] = scaled(
        [cams_of_clips(model, clips[:1], Target(2), "gradcam", ["layer4.1"])[2][0].maps[0]], "frame"
    )
    small = torch.nn.functional.interpolate(
        torch.from_numpy(expected)[:, None], ours.maps.shape[1:], mode="area"
    )[:, 0].numpy()
    for one, other in zip(ours.maps, small, strict=True):
        if one.std() > 0:
            assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.9


def test_eigencam_is_the_first_principal_component_over_the_whole_clip(model, clips):
    _, [(_, [evidence])] = evidence_of_clips(model, clips[:1], [Target(0)], ["layer3.1"])
    _, _, [found] = cams_of_clips(model, clips[:1], Target(0), "eigencam", ["layer3.1"])
    rows = (
        np.moveaxis(evidence.features[0], 1, -1)
        .reshape(-1, evidence.features.shape[2])
        .astype(np.float64)
    )
    _, _, directions = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    projected = ((rows - rows.mean(0)) @ directions[0]).reshape(found.maps[0].shape)
    projected *= np.sign(projected.ravel()[np.abs(projected).argmax()])
    np.testing.assert_allclose(found.maps[0], projected, atol=1e-3 * np.abs(projected).max())


def test_scorecam_weighs_channels_by_the_softmax_of_what_is_seen_through_them(clips):
    model, target, layer = make_small("gsm"), Target(1), "layer3.1"
    _, _, [found] = cams_of_clips(model, clips[:1], target, "scorecam", [layer])
    x, _ = plain(model, clips[0], target, layer)
    scores = []
    for channel in range(x.shape[1]):
        mask = torch.nn.functional.interpolate(
            torch.from_numpy(x[:, [channel]]), (64, 64), mode="bilinear", align_corners=True
        )
        mask = (mask - mask.min()) / (mask.max() - mask.min() + 1e-8)
        scores.append(float(target.value(model((clips[0] * mask)[None])).detach()))
    weights = np.exp(scores - np.max(scores))
    np.testing.assert_allclose(
        found.maps[0], np.einsum("c,tchw->thw", weights / weights.sum(), x), rtol=1e-3, atol=1e-5
    )


def test_ablationcam_weighs_channels_by_what_is_lost_without_them(clips):
    model, target, layer = make_small("gsm"), Target(1, 3), "layer3.1"
    told = []
    _, _, [found] = cams_of_clips(
        model, clips[:1], target, "ablationcam", [layer], lambda *done: told.append(done)
    )
    x, _ = plain(model, clips[0], target, layer)
    value = float(target.value(model(clips[:1])).detach())
    block, weights = model.base_model.layer3[1], []
    for channel in range(x.shape[1]):
        handle = block.register_forward_hook(
            lambda _, __, out, channel=channel: out.index_fill(1, torch.tensor([channel]), 0)
        )
        weights.append((value - float(target.value(model(clips[:1])).detach())) / abs(value))
        handle.remove()
    np.testing.assert_allclose(
        found.maps[0], np.einsum("c,tchw->thw", weights, x), rtol=1e-3, atol=1e-5
    )
    assert told[-1] == (x.shape[1], x.shape[1]) and len(told) > 1


def test_frames_fed_one_by_one_give_maps_that_belong_to_no_clip(clips):
    """In a network that moves features between frames, a lone frame's map is another; in one that
    does not, it is the same.
    """
    for kind, same in (("gsm", False), ("none", True)):
        model = make_small(kind)
        whole = cams_of_clips(model, clips[:1], Target(1), "gradcam", ["layer4.1"])[2][0].maps[0]
        alone = np.concatenate(
            [
                cams_of_clips(model, clips[:1, [t]], Target(1), "gradcam", ["layer4.1"])[2][0].maps[
                    0
                ]
                for t in range(T)
            ]
        )
        # Alone, a frame is the whole mean and not a part of it.
        assert np.allclose(whole, alone / T, atol=1e-6) == same


def test_in_the_last_block_evidence_is_the_frames_own_score_up_to_the_bias(clips):
    model = make_small("gsm")
    frame_logits, _, [found] = cams_of_clips(
        model, clips, Target(2), "gradcam", [last_layer(model)]
    )
    own = (frame_logits[..., 2] - float(model.new_fc.bias[2].detach())) / T
    np.testing.assert_allclose(found.evidence, own, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_left_on_the_model(clips, method):
    model = make_small("gsm").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.eval()
    cams_of_clips(model, clips[:1], None, method, ["layer4.1"])
    with pytest.raises(ValueError, match="no class 99"):
        cams_of_clips(model, clips[:1], Target(99), method, ["layer4.1"])
    assert all(parameter.grad is None for parameter in model.parameters()) and not model.training
    assert not any(module._forward_hooks or module._backward_hooks for module in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_an_error_in_the_middle_leaves_no_tap(clips):
    model = make_small("gsm")

    def fail(host, point, x):
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"), observe_points(fail):
        model(clips)
    assert model(clips).shape == (2, 5)


def test_two_threads_on_one_model_get_their_own_maps():
    model = make_small("gsm")
    several = [
        torch.randn(1, T, 3, 64, 64, generator=torch.Generator().manual_seed(seed))
        for seed in range(4)
    ]
    alone = [
        cams_of_clips(model, clip, Target(seed), "layercam", ["layer3.1"])[2][0].maps
        for seed, clip in enumerate(several)
    ]
    found = {}

    def work(seed):
        for _ in range(5):
            found.setdefault(seed, []).append(
                cams_of_clips(model, several[seed], Target(seed), "layercam", ["layer3.1"])[2][
                    0
                ].maps
            )

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(4):
        for maps in found[seed]:
            np.testing.assert_allclose(maps, alone[seed], atol=1e-6)


def test_a_model_in_half_precision_is_looked_at_in_float32_and_stays_as_it_is(clips):
    model = make_small("gsm")
    rounded = copy.deepcopy(model).half()
    found = cams_of_clips(rounded, clips[:1], Target(1), "gradcam", ["layer4.1"])[2][0].maps
    expected = cams_of_clips(
        copy.deepcopy(rounded).float(), clips[:1], Target(1), "gradcam", ["layer4.1"]
    )[2][0].maps
    np.testing.assert_array_equal(found, expected)
    assert next(rounded.parameters()).dtype == torch.float16


def test_a_report_is_of_the_order_it_was_asked_for_and_of_the_answer_by_default(drawn_model, video):
    forward, backward = (
        report_cams(drawn_model, video, order=order) for order in ("forward", "reversed")
    )
    answer = predict(drawn_model, video)
    np.testing.assert_allclose(forward.prediction.frame_logits, answer.frame_logits, atol=1e-4)
    assert forward.target == Target(int(answer.logits.argmax()))
    assert (
        backward.prediction.frame_indices.tolist()
        == forward.prediction.frame_indices[::-1].tolist()
    )
    value = forward.frame_values().mean()
    assert value == pytest.approx(float(answer.logits[forward.target.index]), abs=1e-4)
    assert forward.layers[0].layer == last_layer(drawn_model)
    with pytest.raises(KeyError):
        forward.layer("layer1.0")


@pytest.mark.parametrize(
    ("method", "layers", "target", "message"),
    [
        ("smoothcam", ["layer4.1"], Target(0), "no method 'smoothcam'"),
        ("gradcam", ["layer9.1"], Target(0), "no layer 'layer9.1'"),
        ("scorecam", ["layer4.1", "layer3.1"], Target(0), "one layer at a time"),
        ("gradcam", ["layer4.1"], Target(5), "no class 5; the model knows 5"),
        ("gradcam", ["layer4.1"], Target(1, 1), "set against itself"),
    ],
)
def test_what_cannot_be_asked_is_refused(clips, method, layers, target, message):
    with pytest.raises(ValueError, match=message):
        cams_of_clips(make_small("gsm"), clips, target, method, layers)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fixture", "backbone", "temporal"),
    [
        ("bninception_tsn_8f", "bn_inception", "none"),
        ("bninception_gsm_8f", "bn_inception", "gsm"),
        ("inceptionv3_gsm_8f", "inception_v3", "gsm"),
    ],
)
def test_the_published_networks_give_maps_of_sixteen_frames_at_every_block(
    fixture, backbone, temporal
):
    model = build_recognizer(
        backbone, temporal, num_classes=174, num_segments=16, input_size=101
    ).eval()
    model.load_state_dict(
        {key.removeprefix("module."): tensor for key, tensor in released_weights(fixture).items()}
    )
    clip = torch.from_numpy(fill.clip(16, model.input.size))
    layers = list(model.feature_points())
    frame_logits, target, found = cams_of_clips(model, clip, None, "gradcam", layers)
    assert (
        target.index == frame_logits[0].mean(0).argmax() and [one.layer for one in found] == layers
    )
    for one in found:
        assert one.maps.shape[:2] == (1, 16) and np.isfinite(one.maps).all()
    assert found[-1].maps[0].any()
    sites = {name.partition(":")[0] for name in layers if ":" in name}
    assert len(sites) == 10 and sites < set(layers)


def test_slow_methods_are_those_that_need_the_network_again():
    assert set(SLOW_METHODS) < set(METHODS)
