"""GSF against the authors' release, and the truths of its definition."""

import numpy as np
import pytest
import torch
from torch import nn

from gsm_model import build_recognizer, load_checkpoint, save_checkpoint
from gsm_model.explain.gates.layers import LayerGates
from gsm_model.explain.gates.report import report_gates
from gsm_model.models.cost import cost_of
from gsm_model.models.observers import observe_readings
from gsm_model.models.probe import Probe
from gsm_model.models.systems.gsf import GateShiftFuse, fused_channels
from gsm_model.models.systems.gsm import GateShiftModule
from tests.conftest import PARITY, fill, make_small, released_weights

FIXTURE = PARITY / "systems" / "gsf_r50_ratio100_8f"


def random_module(channels: int = 8, ratio: int = 100) -> GateShiftFuse:
    module = GateShiftFuse(channels, ratio).eval()
    nn.init.normal_(module.bn.bias, std=0.3)
    nn.init.normal_(module.bn.weight, 1, 0.3)
    return module


@pytest.mark.slow
def test_logits_gates_and_fusion_weights_are_those_of_the_release(tmp_path):
    reference = np.load(FIXTURE.with_suffix(".npz"))
    weights = released_weights("systems/gsf_r50_ratio100_8f")
    torch.save({"state_dict": {f"module.{k}": v for k, v in weights.items()}}, tmp_path / "gsf.pth")
    model = load_checkpoint(tmp_path / "gsf.pth")
    assert model.card.layout == "GSF release" and model.card.title == "GSF ResNet-50"
    found: dict[str, torch.Tensor] = {}
    names = {module: name for name, module in model.named_modules()}

    def see(module, name, value):
        found[f"{name}:{names[module]}".replace(".gsf_conv3", ".gsf")] = value[0]

    with torch.inference_mode(), observe_readings(see):
        frame_logits = model.frame_logits(torch.from_numpy(fill.clip(8, 112)))[0]
    ours = {"frame_logits": frame_logits, "logits": frame_logits.mean(0, keepdim=True)}
    for name in reference:
        kind, _, layer = name.partition(":")
        if kind == "gate":
            ours[name] = found[name].transpose(0, 1)
        elif kind == "fuse":
            half = int(layer[-1]) - 1
            ours[name] = found[f"fusion:{layer[:-2]}"][:, half].T
        error = np.abs(ours[name].numpy() - reference[name]).max() / np.abs(reference[name]).max()
        assert error <= (1e-4 if kind.endswith("logits") else 1e-3), (name, error)


def test_with_fusion_convolutions_at_zero_it_is_half_a_gsm_with_the_same_gate():
    fused, plain = random_module(), GateShiftModule(8).eval()
    for convolution in (fused.channel_conv1, fused.channel_conv2):
        nn.init.zeros_(convolution.weight)
        nn.init.zeros_(convolution.bias)
    plain.load_state_dict({k: v for k, v in fused.state_dict().items() if "channel" not in k})
    x = torch.randn(2, 5, 8, 4, 4)
    with torch.inference_mode():
        torch.testing.assert_close(fused(x, Probe(2)), plain(x, Probe(2)) / 2, atol=1e-6, rtol=0)


def test_a_gate_of_zero_leaves_one_less_the_fusion_weight_of_each_channel():
    module, seen = random_module(), []
    nn.init.zeros_(module.conv3D.weight)
    nn.init.zeros_(module.conv3D.bias)
    x = torch.randn(1, 5, 8, 4, 4)
    with torch.inference_mode():
        out = module(x, Probe(readings=(lambda module, name, value: seen.append((name, value)),)))
    weights = dict(seen)["fusion"].flatten(2)
    # Channels 0 1 2 3 of a half leave as 0 2 1 3: (2, C/4) transposed.
    expected = ((1 - weights)[..., None, None] * x)[:, :, [0, 2, 1, 3, 4, 6, 5, 7]]
    torch.testing.assert_close(out, expected)


def test_channels_beyond_the_ratio_pass():
    module, x = random_module(16, 25), torch.randn(1, 5, 16, 4, 4)
    with torch.inference_mode():
        out = module(x, Probe())
    assert torch.equal(out[:, :, 4:], x[:, :, 4:])
    assert not torch.allclose(out[:, :, :4], x[:, :, :4])
    assert module.gated_channels(64) == (slice(0, 8), slice(8, 16))


@pytest.mark.parametrize(
    ("channels", "ratio", "count"), [(64, 100, 64), (64, 25, 16), (60, 25, 16), (10, 33, 4)]
)
def test_a_ratio_takes_an_even_number_of_channels(channels, ratio, count):
    assert fused_channels(channels, ratio) == count


@pytest.mark.parametrize("ratio", [100, 50])
def test_what_each_frame_contributes_adds_up_to_the_output(ratio):
    module, x = random_module(8, ratio), torch.randn(2, 4, 8, 3, 3)
    with torch.inference_mode():
        total = torch.zeros_like(x)
        for _, frames, parts in module.contributions(x):
            total[:, frames] += parts
        torch.testing.assert_close(total, module(x, Probe(2)))


@pytest.mark.parametrize("ratio", [100, 50])
def test_a_norm_behind_it_can_be_folded_in(ratio):
    module, norm = random_module(8, ratio), nn.BatchNorm2d(8).eval()
    for parameter in norm.parameters():
        nn.init.normal_(parameter)
    x = torch.randn(2, 4, 8, 3, 3)
    with torch.inference_mode():
        out = module(x, Probe(2))
        expected = norm(out.flatten(0, 1)).unflatten(0, (2, 4))
        folded = module.absorbed(norm)
        torch.testing.assert_close(folded(x, Probe(2)), expected)
        torch.testing.assert_close(folded.own_output(folded(x, Probe(2))), out)


def test_a_report_counts_as_arriving_what_fusion_lets_through(video):
    model = make_small("gsf")
    report = report_gates(model, video)
    layer = report.layers[0]
    assert isinstance(layer, LayerGates) and layer.owed is not None
    assert layer.parts()["arrives"].sum() == pytest.approx(float(layer.owed.arriving.sum()))
    [fusion] = report.readings
    assert fusion.name == "fusion" and fusion.layers == tuple(one.title for one in report.layers)
    assert fusion.values[0].shape == (4, 2, 4)
    assert all(values.min() > 0 and values.max() < 1 for values in fusion.values)


def test_a_resnet18_has_the_parameters_and_the_cost_counted_of_it():
    with torch.device("meta"):
        model = build_recognizer("resnet18", "gsf", num_classes=174)
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(11.322e6, abs=0.5e3)
    assert cost_of(model, 2).macs / 2 == pytest.approx(1.83e9, rel=3e-3)


@pytest.mark.parametrize("backbone", ["bn_inception", "inception_v3"])
def test_it_stands_in_inceptions_at_the_places_of_a_gsm(backbone):
    with torch.device("meta"):
        fused, gated = build_recognizer(backbone, "gsf"), build_recognizer(backbone, "gsm")
    names = [layer.name.replace("gsf_", "gsm_") for layer in fused.temporal_layers()]
    assert names == [layer.name for layer in gated.temporal_layers()]


@pytest.mark.parametrize("ratio", [100, 50, 25])
def test_a_published_file_says_by_its_gates_on_how_many_channels_it_works(ratio, tmp_path):
    model = build_recognizer("resnet50", "gsf", 5, width=0.125, ratio=ratio).eval()
    renamed = {k.replace(".gsf_conv3.", ".gsf."): v for k, v in model.state_dict().items()}
    torch.save({"state_dict": {f"module.{k}": v for k, v in renamed.items()}}, tmp_path / "x.pth")
    save_checkpoint(model, tmp_path / "own.safetensors")
    x = torch.randn(1, 3, 3, 32, 32)
    for name, layout in (("x.pth", "GSF release"), ("own.safetensors", "Gate-Shift Lens")):
        loaded = load_checkpoint(tmp_path / name)
        assert (loaded.architecture.ratio, loaded.card.layout) == (ratio, layout)
        with torch.inference_mode():
            torch.testing.assert_close(loaded(x), model(x))


def test_an_inceptions_file_is_the_releases(tmp_path):
    model = build_recognizer("bn_inception", "gsf", 5)
    torch.save({"state_dict": model.state_dict()}, tmp_path / "x.pth")
    loaded = load_checkpoint(tmp_path / "x.pth")
    assert (loaded.card.layout, loaded.card.title) == ("GSF release", "GSF BN-Inception")


@pytest.mark.parametrize(("system", "ratio"), [("gsm", 50), ("gsf", 0), ("gsf", 101)])
def test_a_ratio_that_no_gsf_has_is_refused(system, ratio):
    with pytest.raises(ValueError, match="1 to 100 % of the channels"):
        build_recognizer("resnet18", system, 5, width=0.125, ratio=ratio)


def test_a_number_of_channels_that_cannot_be_interleaved_is_refused():
    with pytest.raises(ValueError, match="multiple of 4 channels, got 6"):
        GateShiftFuse(6)
