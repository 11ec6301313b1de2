"""P3D against the port of the authors' network, and the truths of its definition."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gsm_model import build_recognizer
from gsm_model.models.probe import Probe
from gsm_model.models.systems.p3d import KINDS, PseudoConv
from gsm_model.models.systems.s3d import SeparableConv
from tests.conftest import fill
from tests.gsm_model.models.systems.released import Released, close, max_pool


class PortP3D(Released):
    def unit(self, number, key, x, stride=1):
        return self.norm(f"{key}.bn{number}", self.plain(f"{key}.conv{number}", x, stride))

    def pair(self, key, x, kind):
        """The spatial and temporal pair, or the 2D convolution of the last stage."""
        if f"{key}.conv_normal.weight" in self.listed:
            return F.relu(self.norm(f"{key}.bn_normal", self.plain(f"{key}.conv_normal", x)))
        conv = self.conv(f"{key}.conv2")
        module = PseudoConv(conv, nn.BatchNorm2d(conv.out_channels), kind)
        names = {"spatial__0": "conv2", "spatial__1": "bn2", "temporal__0": "conv3"}
        names["temporal__1"] = "bn3"
        self.into(module, **{f"pseudo_{ours}": f"{key}.{theirs}" for ours, theirs in names.items()})
        return F.relu(module(x, Probe()))

    def block(self, key, x, stride, kind):
        inner = self.pair(key, F.relu(self.unit(1, key, x, stride)), kind)
        down = f"{key}.downsample"
        if f"{down}.0.weight" in self.listed:
            x = self.norm(f"{down}.1", self.plain(f"{down}.0", x, stride))
        return F.relu(self.unit(4, key, inner) + x)


def test_the_ports_p3d63_of_our_operators_gives_its_logits_and_blocks():
    net, number = PortP3D("p3d63_16f"), 0
    with torch.inference_mode():
        x = net.plain("conv1_custom", torch.from_numpy(fill.clip(16, 160)), 2)
        x = max_pool(F.relu(net.norm("bn1", x)), (2, 3, 3), (2, 2, 2), (0, 1, 1))
        for stage, depth in enumerate((3, 4, 6, 3), start=1):
            for index in range(depth):
                stride = 2 if stage > 1 and index == 0 else 1
                x = net.block(f"layer{stage}.{index}", x, stride, KINDS[number % 3])
                number += 1
                if stage == 1:
                    net.compare(f"layer1.{index}", x)
            if stage == 3:
                net.compare("layer3", x)
            if stage < 4:
                x = max_pool(x, (2, 1, 1), (2, 1, 1))
        net.compare("logits", net.linear("fc", x.mean((1, 3, 4))))
    net.finish()


def module(kind: str, relu: bool = True, stride: int = 1) -> PseudoConv:
    """One with a BatchNorm that has seen data."""
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(8)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 1.5)
    nn.init.normal_(norm.bias)
    return PseudoConv(nn.Conv2d(8, 8, 3, stride, 1, bias=False), norm, kind, relu).eval()


def by_frame(pair: PseudoConv, x):
    conv, norm = pair.pseudo_spatial
    return norm(conv(x.flatten(0, 1))).unflatten(0, x.shape[:2])


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("kind", ["B", "C"])
def test_b_and_c_start_as_the_2d_convolution_exactly(kind, relu):
    pair, x = module(kind, relu), torch.randn(2, 5, 8, 6, 6)
    with torch.inference_mode():
        still = by_frame(pair, x)
        assert torch.equal(pair(x, Probe(2)), F.relu(still) if relu else still)
        assert pair.reach() == (0, 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stride", [1, 2])
def test_the_three_kinds_are_what_the_paper_writes(kind, stride):
    pair, x = module(kind, stride=stride), torch.randn(2, 5, 8, 6, 6)
    nn.init.normal_(pair.pseudo_temporal[0].weight)
    pair.pseudo_temporal[1].running_mean.normal_()
    weight, norm = pair.pseudo_temporal[0].weight, pair.pseudo_temporal[1]

    def over_time(clip):
        steps = (1, *pair.pseudo_temporal[0].stride[1:])
        out = F.conv3d(clip.transpose(1, 2), weight, stride=steps, padding=(1, 0, 0))
        out = out.transpose(1, 2)
        return F.relu(norm(out.flatten(0, 1)).unflatten(0, out.shape[:2]))

    with torch.inference_mode():
        s = F.relu(by_frame(pair, x))
        expected = {"A": lambda: over_time(s), "B": lambda: s + over_time(x)}
        expected["C"] = lambda: s + over_time(s)
        assert close(F.relu(pair(x, Probe(2))), expected[kind]())


def test_a_is_the_pair_of_s3d_with_the_same_weights():
    pair, x = module("A"), torch.randn(2, 5, 8, 6, 6)
    nn.init.normal_(pair.pseudo_temporal[0].weight)
    s3d = SeparableConv(pair.pseudo_spatial[0]).eval()
    s3d.separable_spatial[1] = pair.pseudo_spatial[1]
    s3d.separable_temporal.weight = pair.pseudo_temporal[0].weight
    with torch.inference_mode():
        out = s3d(x, Probe(2))
        expected = F.relu(pair.pseudo_temporal[1](out.flatten(0, 1)))
        assert torch.equal(F.relu(pair(x, Probe(2))).flatten(0, 1), expected)


def test_kinds_take_turns_and_the_norm_of_the_block_is_that_of_the_pair():
    model = build_recognizer("resnet18", "p3d", 5, width=0.125)
    plain = build_recognizer("resnet18", "none", 5, width=0.125)
    pairs = [layer.module for layer in model.temporal_layers()]
    assert "".join(pair.kind for pair in pairs) == "ABCABCAB"
    added = sum(2 * (3 * c * c + 2 * c) for c in (8, 16, 32, 64))
    count = [sum(p.numel() for p in net.parameters()) for net in (model, plain)]
    assert count[0] - count[1] == added
    # A basic block has no ReLU behind its second convolution, a bottleneck has one behind its 3×3.
    assert not any(pair.relu for pair in pairs)
    bottlenecks = build_recognizer("resnet50", "p3d", width=0.125).temporal_layers()
    assert all(layer.module.relu for layer in bottlenecks)


def test_readings_weigh_the_spatial_against_the_temporal_convolution():
    pair = module("B")
    pair.pseudo_spatial[1].weight.data = torch.full((8,), -2.0)
    scales = {one.name: one for one in pair.readings()}["scales"]
    assert scales.labels == ("S", "T") and scales.values.tolist() == [2.0, 1.0]


def test_what_has_no_residual_blocks_is_refused():
    with torch.device("meta"), pytest.raises(ValueError, match="defined for ResNets"):
        build_recognizer("bn_inception", "p3d")
