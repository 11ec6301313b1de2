"""MobileNetV2 against a functional network with the TSM release's own keys, and what stands in
it.
"""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gsm_model import build_recognizer, load_checkpoint
from gsm_model.explain.gates.report import layer_gates, record_routing
from gsm_model.models.backbones.mobilenet_v2 import block_titles, shifted_blocks
from gsm_model.models.cost import cost_of
from gsm_model.models.inference.optimize import fold, optimize
from gsm_model.models.probe import Probe
from gsm_model.models.systems.tsm import Shift
from tests.published import in_layout_of

STRIDES = {0: 2, 2: 2, 4: 2, 7: 2, 14: 2}  # of the release's numbered blocks; others 1
FILE = "TSM_kinetics_RGB_mobilenetv2_shift8_blockres_avg_segment8_e100_dense.pth"


def drawn(system: str = "tsm", shift: Shift | None = None):
    model = build_recognizer("mobilenet_v2", system, 5, 8, input_size=64, shift=shift).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
            nn.init.normal_(module.running_mean, std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    nn.init.normal_(model.new_fc.weight, std=0.3)
    return model


def released(state: dict[str, torch.Tensor], frames: torch.Tensor) -> torch.Tensor:
    """The logits of a clip's frames by the release's numbers alone: within a block every third
    layer is a convolution, a BatchNorm and a ReLU6; a first convolution called ``net`` is shifted.
    """
    state = {key.removeprefix("module.base_model."): value for key, value in state.items()}

    def layers(prefix: str, x: torch.Tensor, stride: int) -> torch.Tensor:
        last = max(int(key[len(prefix)]) for key in state if key.startswith(prefix))
        for place in range(0, last + 1, 3):
            net = f"{prefix}{place}.net.weight"
            weight = state.get(net, state.get(f"{prefix}{place}.weight"))
            if net in state:
                fold = x.shape[1] // 8
                ahead, back = F.pad(x, (0,) * 7 + (1,))[1:], F.pad(x, (0,) * 6 + (1, 0))[:-1]
                x = torch.cat([ahead[:, :fold], back[:, fold : 2 * fold], x[:, 2 * fold :]], 1)
            size, groups = weight.shape[2], weight.shape[0] if weight.shape[1] == 1 else 1
            x = F.conv2d(x, weight, None, stride if size == 3 else 1, size // 2, groups=groups)
            mean, var, scale, bias = (
                state[f"{prefix}{place + 1}.{part}"]
                for part in ("running_mean", "running_var", "weight", "bias")
            )
            x = F.batch_norm(x, mean, var, scale, bias)
            x = F.relu6(x) if place < last - 1 or ".conv." not in prefix else x
        return x

    x = layers("features.0.", frames, 2)
    for number in range(1, 18):
        out = layers(f"features.{number}.conv.", x, STRIDES.get(number, 1))
        x = x + out if out.shape == x.shape else out
    x = layers("features.18.", x, 1).mean((2, 3))
    return F.linear(x, state["module.new_fc.weight"], state["module.new_fc.bias"])


@pytest.mark.parametrize("publisher", ["tsm-mobilenetv2-any", "mmaction2-tsm-mobilenetv2-any"])
def test_a_published_file_gives_the_releases_logits(publisher, tmp_path):
    model, clip = drawn(), torch.randn(1, 8, 3, 64, 64)
    torch.save({"state_dict": in_layout_of(publisher, model.state_dict(), "tsm")}, tmp_path / FILE)
    loaded = load_checkpoint(tmp_path / FILE)
    assert loaded.architecture == model.architecture
    assert loaded.card.title == "TSM MobileNetV2" and "in 10 of 17 blocks" in loaded.card.reading
    with torch.inference_mode():
        expected = released(in_layout_of("tsm-mobilenetv2-any", model.state_dict(), "tsm"), clip[0])
        found = loaded.frame_logits(clip)[0]
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


def a_frame_at_a_time(model, clip: torch.Tensor) -> torch.Tensor:
    """The scores of a clip's frames as the release's online demo computes them: each shifted block
    is given an eighth of its channels of the frame before, and keeps this frame's for the next.
    """
    kept = {block: 0 for block in shifted_blocks()}
    scores = []
    for frame in clip[0]:
        x = model.base_model.conv_bn("conv1", frame[None], Probe(), relu=True)
        for title in block_titles():
            block = model.base_model.get_submodule(title)
            entering = x
            if title in kept:
                fold = x.shape[1] // 8
                entering = x.clone()
                entering[:, :fold] = kept[title]
                kept[title] = x[:, :fold]
            out = entering
            if block.conv1 is not None:
                out = F.relu6(block.bn1(block.conv1(out)))
            out = block.bn3(block.conv3(F.relu6(block.bn2(block.conv2(out)))))
            x = x + out if title in kept else out
        x = model.base_model.conv_bn("conv2", x, Probe(), relu=True).mean((2, 3))
        scores.append(model.new_fc(x)[0])
    return torch.stack(scores)


def test_the_online_model_is_given_its_clip_whole_and_scores_it_frame_by_frame(tmp_path):
    """Its file's keys are those of a TSN; its name says that it shifts."""
    shift = Shift("blockres", shifted_blocks(), one_way=True)
    model = drawn("tsm", shift)
    state = in_layout_of("tsm-mobilenetv2-any", model.state_dict(), "none")
    bare = {key.removeprefix("module.base_model."): value for key, value in state.items()}
    bare = {key.replace("module.new_fc", "classifier"): value for key, value in bare.items()}
    torch.save(bare, tmp_path / "mobilenetv2_jester_online.pth.tar")
    loaded = load_checkpoint(tmp_path / "mobilenetv2_jester_online.pth.tar")
    clip = torch.randn(1, 5, 3, 64, 64)
    assert loaded.architecture == model.architecture and "past alone" in loaded.card.reading
    with torch.inference_mode():
        found = loaded.frame_logits(clip)[0]
        expected = a_frame_at_a_time(model, clip)
        assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()
        with record_routing(loaded) as routed:  # through gates
            torch.testing.assert_close(loaded.frame_logits(clip)[0], found, atol=1e-5, rtol=1e-5)
    [first, *_] = [one for one in layer_gates(loaded, routed) if one.shares().moves]
    assert first.shares().next == 0 < first.shares().previous


def test_folding_and_half_precision_keep_the_scores():
    model, clip = drawn(), torch.randn(1, 4, 3, 64, 64)
    with torch.inference_mode():
        expected = model(clip)
        assert (fold(model)(clip) - expected).abs().max() <= 1e-5 * expected.abs().max()
        assert (optimize(model)(clip) - expected).abs().max() <= 1e-4 * expected.abs().max()


def test_parameters_and_cost_are_those_that_mmaction2_lists():
    with torch.device("meta"):
        model = build_recognizer("mobilenet_v2", "tsm", 400, 8)
    cost = cost_of(model)
    assert cost.parameters == pytest.approx(2.736e6, abs=500)
    assert cost.macs == pytest.approx(8 * 0.3e9, rel=0.1)


def test_what_stands_in_the_place_of_a_convolution_is_refused_where_it_is_of_one_channel_each():
    with torch.device("meta"), pytest.raises(ValueError, match=r"conv2 of layer1.0 works on gro"):
        build_recognizer("mobilenet_v2", "r3d")


def test_the_last_place_that_can_be_looked_at_is_the_last_convolution():
    points = list(build_recognizer("mobilenet_v2", "gsm", 3).feature_points())
    assert points[:3] == ["layer1.0:before", "layer1.0:after", "layer1.0"]
    assert points[-2:] == ["layer7.0", "conv2"]
