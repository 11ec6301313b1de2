"""The inference-only copy: the same answers, gates, routes, features and maps as the network it was
made from.
"""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from gsm_model import build_recognizer, load_checkpoint, record_gates
from gsm_model.bundled import bundled_checkpoints, sample_clips
from gsm_model.explain.cam.evidence import Target, evidence_of_clips
from gsm_model.explain.cam.report import report_cams
from gsm_model.explain.gates.interventions import Intervention, intervene
from gsm_model.explain.gates.report import layer_gates, record_routing
from gsm_model.explain.order.flow import _replacement_flow
from gsm_model.models.inference.folded_conv import FoldedConv
from gsm_model.models.inference.optimize import PRECISIONS, fold, optimize
from gsm_model.models.observers import observe_points
from gsm_model.models.recognizer import Recognizer
from gsm_model.models.registry import backbones, systems
from gsm_model.models.systems.gsm import GateShiftModule
from gsm_model.models.systems.gsm_folded import FoldedGateShift
from gsm_model.predict import predict
from gsm_model.video.isolate import read_video

# GST-Large is of bottlenecks, and small features magnify the rounding of a flow that is iterated.
# Of an Inception network without exchange everything is in the one with gates and that with shifts.
CASES = [
    pytest.param(
        backbone,
        temporal,
        marks=[pytest.mark.thorough] * (temporal == "none" and "inception" in backbone),
    )
    for backbone in ("bn_inception", "inception_v3", "resnet18", "resnet50")
    for temporal in ("none", "gsm", "tsm")
] + [
    ("resnet50" if temporal in ("gst_large", "repflow") else "resnet18", temporal)
    for temporal in systems()
    if temporal not in ("none", "gsm", "tsm")
]


def lived_in(backbone: str, temporal: str) -> Recognizer:
    """A float64 model whose BatchNorms have scales of both signs, whose gates are open and whose
    classifier is not near zero.

    In float64, because a network of random weights is ill-conditioned: the release's own float32
    gates are off by 7e-4.
    """
    torch.manual_seed(0)
    width = 0.25 if backbone.startswith("resnet") else 1.0
    size = 101 if backbone == "bn_inception" else 75  # which 75 pixels do not go through
    model = build_recognizer(
        backbone, temporal, num_classes=7, num_segments=4, width=width, input_size=size
    ).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            sign = torch.where(torch.rand_like(module.weight) < 0.2, -1.0, 1.0)
            module.weight.data = sign * (0.5 + torch.rand_like(module.weight))
            nn.init.normal_(module.bias, std=0.3)
            nn.init.normal_(module.running_mean, std=0.1)
            module.running_var.uniform_(0.5, 1.5)
        if isinstance(module, GateShiftModule):
            nn.init.normal_(module.conv3D.weight, std=0.05)
            nn.init.normal_(module.conv3D.bias, std=0.2)
    nn.init.normal_(model.new_fc.weight, std=0.3)
    return model.double()


def clip_for(model: Recognizer, clips: int = 2, frames: int = 4) -> torch.Tensor:
    size = model.input.size
    return torch.randn(
        clips,
        frames,
        3,
        size,
        size,
        generator=torch.Generator().manual_seed(1),
        dtype=torch.float64,
    )


def close(found: torch.Tensor, expected: torch.Tensor, share: float = 1e-8) -> None:
    assert found.shape == expected.shape
    error, largest = float((found - expected).abs().max()), float(expected.abs().max())
    assert error <= share * largest


@pytest.mark.parametrize(("backbone", "temporal"), CASES)
def test_logits_gates_routing_features_and_gradients_are_those_of_the_network(backbone, temporal):
    model = lived_in(backbone, temporal)
    fast, clip = fold(model), clip_for(model)
    logits_gates_and_routing_are_alike(model, fast, clip)
    # A flow that is iterated divides by lengths that may be tiny, which magnifies rounding, and the
    # flow of a flow once more.
    share = {"repflow": 1e-6, "flow_of_flow": 1e-4}.get(temporal, 1e-8)
    features_at_every_point_and_their_gradients_are_alike(model, fast, clip[:1], share)


def logits_gates_and_routing_are_alike(model, fast, clip):
    with torch.inference_mode():
        with record_gates(model) as expected, record_routing(model) as routes:
            logits = model.frame_logits(clip)
        with record_gates(fast) as found, record_routing(fast) as fast_routes:
            close(fast.frame_logits(clip), logits)
    assert list(found) == list(expected)
    for name, gate in expected.items():
        torch.testing.assert_close(found[name], gate, atol=1e-8, rtol=0)
    for layer, other in zip(
        layer_gates(model, routes), layer_gates(fast, fast_routes), strict=True
    ):
        assert layer.name == other.name
        # Energies are kept as float32.
        close(torch.from_numpy(other.moving()), torch.from_numpy(layer.moving()), 1e-6)
        for part, energy in layer.parts().items():
            close(torch.from_numpy(other.parts()[part]), torch.from_numpy(energy), 1e-5)


def features_at_every_point_and_their_gradients_are_alike(model, fast, clip, share):
    expected, found = features_and_gradients(model, clip), features_and_gradients(fast, clip)
    assert list(found) == list(expected) == list(model.feature_points())
    for name in expected:
        for one, other in zip(expected[name], found[name], strict=True):
            close(other, one, share)


def features_and_gradients(
    model: Recognizer, clip: torch.Tensor
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """At every point of ``model``: the features, and the gradient of one logit by them."""
    names, features = {place: name for name, place in model.feature_points().items()}, {}

    def keep(host, point, x):
        if (host, point) in names:
            features[names[host, point]] = x
        return x.clone()

    with torch.enable_grad(), observe_points(keep):
        logit = model(clip.requires_grad_())[0, 2]
    features = {name: features[name] for name in model.feature_points()}
    gradients = torch.autograd.grad(logit, list(features.values()))
    return {
        name: (x.detach(), gradient)
        for (name, x), gradient in zip(features.items(), gradients, strict=True)
    }


def test_features_replaced_in_passing_count_as_in_the_network():
    model = lived_in("bn_inception", "gsm")
    fast, clip = fold(model), clip_for(model)
    for point in ("inception_4a:before", "inception_4a:after", "inception_4a"):
        answers = []
        for network in (model, fast):
            place = network.feature_points()[point]
            with (
                torch.inference_mode(),
                observe_points(
                    lambda host, at, x, place=place: x * 0.5 + 1 if (host, at) == place else x
                ),
            ):
                answers.append(network(clip))
        close(answers[1], answers[0])


def test_held_gates_and_replaced_frames_act_as_in_the_network():
    model = lived_in("resnet18", "gsm")
    fast, clip = fold(model), clip_for(model, clips=1)
    with torch.inference_mode():
        for clamp in ("closed", "open", "spatial mean"):
            with intervene(model, Intervention(clamp)):
                expected = model(clip)
            with intervene(fast, Intervention(clamp)):
                close(fast(clip), expected)
    changes, reach = _replacement_flow(model, clip, 0)
    fast_changes, fast_reach = _replacement_flow(fast, clip, 0)
    close(torch.from_numpy(fast_changes), torch.from_numpy(changes), 1e-6)
    for name, expected in reach.items():
        close(torch.from_numpy(fast_reach[name]), torch.from_numpy(expected), 1e-6)


@pytest.mark.parametrize("frames", [1, 2, 9])
@pytest.mark.parametrize("size", [32, 75])
def test_another_number_of_frames_and_size_is_no_other_network(frames, size):
    model = lived_in("resnet18", "gsm")
    fast = fold(model)
    clip = torch.randn(3, frames, 3, size, size, dtype=torch.float64)
    with torch.inference_mode():
        close(fast.frame_logits(clip), model.frame_logits(clip))


def test_a_channel_that_the_gate_ignores_or_the_norm_kills_is_no_trouble():
    model = lived_in("bn_inception", "gsm")
    first, _ = list(model.gate_layers().values())[:2]
    first.bn.weight.data[:5] = 0
    first.bn.bias.data[:5] = torch.linspace(-1, 1, 5)
    second_norm = model.base_model.inception_3b_1x1_bn
    second_norm.weight.data[:3] = 0
    fast, clip = fold(model), clip_for(model)
    assert isinstance(fast.base_model.inception_3b_1x1, nn.Conv2d), (
        "a BatchNorm that cannot be undone is left as it is"
    )
    with torch.inference_mode():
        close(fast(clip), model(clip))


@pytest.fixture(scope="module")
def trained():
    """The bundled models, and a sample clip with the frames they want."""
    paths = bundled_checkpoints().values()
    return [load_checkpoint(path) for path in paths], read_video(
        next(iter(sample_clips().values())).path, [8]
    )


def test_float32_logits_of_the_shipped_models_are_the_same_to_four_digits(trained):
    models, video = trained
    for model in models:
        expected, found = predict(model, video), predict(optimize(model), video)
        np.testing.assert_allclose(
            found.frame_logits,
            expected.frame_logits,
            atol=1e-4 * np.abs(expected.frame_logits).max(),
        )


def test_maps_of_the_shipped_models_are_the_same(trained):
    models, video = trained
    for model in models:
        layers = [list(model.feature_points())[-2], "layer4.1"]
        for method in ("gradcam", "layercam", "gradcam++"):
            one, other = (
                report_cams(network, video, Target(1, versus=0), method, layers)
                for network in (model, optimize(model))
            )
            for layer in layers:
                expected = one.layer(layer).maps
                np.testing.assert_allclose(
                    other.layer(layer).maps, expected, atol=1e-3 * np.abs(expected).max()
                )


@pytest.mark.parametrize("precision", [name for name in PRECISIONS if name != "float32"])
def test_half_precision_gives_the_same_answer_with_float32_gates_and_logits(trained, precision):
    models, video = trained
    for model in models:
        fast = optimize(model, precision)
        assert fast.precision == precision
        with record_gates(fast) as gates:
            found, expected = predict(fast, video), predict(model, video)
        assert found.logits.argmax() == expected.logits.argmax()
        np.testing.assert_allclose(
            found.logits, expected.logits, atol=0.03 * np.abs(expected.logits).max()
        )
        assert all(gate.dtype == torch.float32 for gate in gates.values())
    _, [(_, [evidence])] = evidence_of_clips(
        fast, torch.randn(1, 8, 3, 64, 64), [Target(1)], ["layer4.1"]
    )
    assert evidence.gradients.any(), "maps are made in float32 all the same"


def test_the_original_is_left_as_it_is_and_a_copy_is_not_copied_again():
    model = lived_in("resnet18", "gsm")
    before = copy.deepcopy(model.state_dict())
    fast = optimize(model)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert model.precision is None and all(
        parameter.requires_grad for parameter in model.parameters()
    )
    assert not any(parameter.requires_grad for parameter in fast.parameters())
    assert optimize(fast) is fast
    with pytest.raises(ValueError, match="already"):
        optimize(fast, "bfloat16")
    with pytest.raises(ValueError, match="unknown precision"):
        optimize(model, "float8")
    with pytest.raises(ValueError, match=r"eval\(\)"):
        optimize(model.train())


def test_no_batchnorm_is_left_in_the_way():
    model = optimize(lived_in("resnet50", "gsm"))
    left = [
        name
        for name, module in model.base_model.named_modules()
        if isinstance(module, nn.BatchNorm2d) and ".gsm_" not in name
    ]
    assert (
        left == [] and sum(isinstance(module, FoldedGateShift) for module in model.modules()) == 16
    )


def test_weights_are_packed_on_a_cpu_and_a_copy_packs_its_own(monkeypatch):
    model = lived_in("resnet18", "none")
    fast = optimize(model)
    folded = [module for module in fast.modules() if isinstance(module, FoldedConv)]
    assert all(module.packed is not None for module in folded)
    assert all(
        module.packed is None
        for module in copy.deepcopy(fast).modules()
        if isinstance(module, FoldedConv)
    )

    def broken(*_):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_convolution_weight", broken)
    plain = optimize(model)
    assert all(
        module.packed is None for module in plain.modules() if isinstance(module, FoldedConv)
    )
    with torch.inference_mode():
        close(plain(clip_for(model)), model.float()(clip_for(model)), 1e-3)


@pytest.mark.slow
def test_a_compiled_copy_gives_the_same_and_steps_aside_where_somebody_looks():
    model = lived_in("resnet18", "gsm")
    for stage in ("layer2", "layer3", "layer4"):  # machine code for one takes long enough
        setattr(model.base_model, stage, nn.Sequential())
    model.new_fc = nn.Linear(16, 7).double()
    fast, clip = optimize(model, compiled=True), clip_for(model, clips=1).float()
    with torch.inference_mode():
        close(fast(clip), optimize(model)(clip), 1e-3)
        with record_gates(fast) as gates:
            close(fast(clip), optimize(model)(clip), 1e-3)
    assert len(gates) == 2 and fast.base_model.forward._compiled is not None, (
        "it was compiled indeed"
    )


def test_a_compiler_that_fails_costs_no_answer(monkeypatch, caplog):
    def broken(function, **_):
        def fail(*_):
            raise RuntimeError("no compiler here")

        return fail

    monkeypatch.setattr(torch, "compile", broken)
    model = lived_in("resnet18", "gsm")
    fast, clip = optimize(model, compiled=True), clip_for(model, clips=1).float()
    with torch.inference_mode():
        close(fast(clip), optimize(model)(clip), 1e-3)
        fast(clip)
    assert [record.message for record in caplog.records] == [
        "torch.compile failed (no compiler here); going on without it"
    ]


def test_every_backbone_can_be_optimised():
    for name in backbones():
        if name in ("resnet34", "resnet101"):
            model = build_recognizer(
                name, "gsm", num_classes=3, num_segments=2, width=0.125, input_size=64
            ).eval()
            clip = clip_for(model, 1, 2).float()
            with torch.inference_mode():
                torch.testing.assert_close(optimize(model)(clip), model(clip), atol=1e-4, rtol=1e-3)
