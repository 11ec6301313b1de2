"""S3D and S3D-G against torchvision's network and the HowTo100M release, and their truths."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gsm_model.models.observers import current_probe, observe_readings
from gsm_model.models.probe import Probe
from gsm_model.models.systems.s3d import SeparableConv
from gsm_model.models.systems.s3dg import ChannelGate
from tests.conftest import fill, make_small
from tests.gsm_model.models.systems.released import Released, close, conv3d, max_pool

BLOCKS_3, BLOCKS_4, BLOCKS_5 = (5, 6), (8, 9, 10, 11, 12), (14, 15)


class TorchvisionS3D(Released):
    def pointwise(self, key, x):
        return F.relu(self.norm(f"{key}.1", self.plain(f"{key}.0", x)))

    def separable(self, key, x, **how):
        conv = self.conv(f"{key}.0.0", how.pop("stride", 1))
        module = self.into(
            SeparableConv(conv, **how),
            separable_spatial__0=f"{key}.0.0",
            separable_spatial__1=f"{key}.0.1",
            separable_temporal=f"{key}.1.0",
        )
        return F.relu(self.norm(f"{key}.1.1", module(x, Probe())))

    def block(self, key, x):
        pooled = max_pool(x, (3, 3, 3), (1, 1, 1), (1, 1, 1))
        branches = [
            self.pointwise(f"{key}.branch0", x),
            self.separable(f"{key}.branch1.1", self.pointwise(f"{key}.branch1.0", x)),
            self.separable(f"{key}.branch2.1", self.pointwise(f"{key}.branch2.0", x)),
            self.pointwise(f"{key}.branch3.1", pooled),
        ]
        return torch.cat(branches, dim=2)

    def blocks(self, numbers, x):
        for number in numbers:
            x = self.block(f"features.{number}", x)
        return x


@pytest.mark.slow
def test_torchvisions_s3d_of_our_operators_gives_its_logits_and_features():
    net = TorchvisionS3D("tv_s3d_16f", eps=1e-3)
    with torch.inference_mode():
        x = torch.from_numpy(fill.clip(16, 224))
        x = net.separable("features.0", x, stride=2, taps=7, step=2)
        net.compare("features.0", x)
        x = net.pointwise("features.2", max_pool(x, (1, 3, 3), (1, 2, 2), (0, 1, 1)))
        x = net.separable("features.3", x)
        net.compare("features.3", x)
        x = net.blocks(BLOCKS_3, max_pool(x, (1, 3, 3), (1, 2, 2), (0, 1, 1)))
        net.compare("features.6", x)
        x = net.blocks(BLOCKS_4, max_pool(x, (3, 3, 3), (2, 2, 2), (1, 1, 1)))
        net.compare("features.12", x)
        x = net.blocks(BLOCKS_5, max_pool(x, (2, 2, 2), (2, 2, 2)))
        net.compare("features.15", x)
        net.compare("logits", net.linear("classifier.1", x.mean((1, 3, 4))))
    net.finish()


class HowTo100M(Released):
    def pointwise(self, key, x):
        return F.relu(self.norm(f"{key}.bn1", self.plain(f"{key}.conv1", x)))

    def separable(self, key, x):
        module = self.into(
            SeparableConv(self.conv(f"{key}.conv1")),
            separable_spatial__0=f"{key}.conv1",
            separable_spatial__1=f"{key}.bn1",
            separable_temporal=f"{key}.conv2",
        )
        return F.relu(self.norm(f"{key}.bn2", module(x, Probe())))

    def gated(self, key, x):
        gate = self.into(ChannelGate(x.shape[2], bias=True), channel_gate=f"{key}.fc")
        if f"gate:{key}" in self.outputs:
            self.compare(f"gate:{key}", gate.gate(x), 1e-5)
        return gate(x, Probe())

    def block(self, name, x):
        key = f"mixed_{name}"
        pooled = max_pool(x, (3, 3, 3), (1, 1, 1), (1, 1, 1))
        branches = [
            self.pointwise(f"{key}.conv_b0", x),
            self.separable(f"{key}.conv_b1_b", self.pointwise(f"{key}.conv_b1_a", x)),
            self.separable(f"{key}.conv_b2_b", self.pointwise(f"{key}.conv_b2_a", x)),
            self.pointwise(f"{key}.conv_b3_b", pooled),
        ]
        gated = [self.gated(f"{key}.gating_b{index}", one) for index, one in enumerate(branches)]
        return torch.cat(gated, dim=2)

    def stem(self, clip):
        """Cells of 2×2×2 as channels, then a 2×4×4 convolution, which is no operator of ours."""
        n, t, c, h, w = clip.shape
        cells = clip.view(n, t // 2, 2, c, h // 2, 2, w // 2, 2).permute(0, 2, 5, 7, 3, 1, 4, 6)
        x = F.conv3d(cells.flatten(1, 4), self["conv1.conv1.weight"], padding=(1, 2, 2))
        x = x[:, :, 1:, 1:, 1:].transpose(1, 2)
        return F.relu(self.norm("conv1.bn1", x))


def pool_same(x, kernel, stride):
    """TensorFlow's padding: zeros, the odd one behind."""
    pads = [(0, max(k - s, 0)) for k, s in zip(kernel, stride, strict=True)]
    padded = F.pad(x.transpose(1, 2), [side for pad in reversed(pads) for side in pad])
    return F.max_pool3d(padded, kernel, stride, ceil_mode=True).transpose(1, 2)


def test_the_howto100m_s3dg_of_our_operators_gives_its_gates_and_embedding():
    net = HowTo100M("s3dg_howto100m_16f")
    with torch.inference_mode():
        x = pool_same(net.stem(torch.from_numpy(fill.clip(16, 112))), (1, 3, 3), (1, 2, 2))
        x = net.gated("gating", net.separable("conv_2c", net.pointwise("conv_2b", x)))
        x = net.block("3c", net.block("3b", pool_same(x, (1, 3, 3), (1, 2, 2))))
        x = pool_same(x, (3, 3, 3), (2, 2, 2))
        for name in ("4b", "4c", "4d", "4e", "4f"):
            x = net.block(name, x)
        x = net.block("5c", net.block("5b", pool_same(x, (2, 2, 2), (2, 2, 2))))
        features = x.mean((1, 3, 4))
        net.compare("mixed_5c", features, 1e-5)
        net.compare("video_embedding", net.linear("fc", features), 1e-5)
    net.finish()


@pytest.mark.parametrize("stride", [1, 2])
def test_a_module_is_a_spatial_3d_convolution_a_norm_a_relu_and_a_temporal_one(stride):
    conv = nn.Conv2d(6, 8, 3, stride, 1, bias=False)
    module = SeparableConv(conv).eval()
    nn.init.normal_(module.separable_temporal.weight, std=0.2)
    norm = module.separable_spatial[1]
    nn.init.normal_(norm.running_mean, std=0.2)
    x = torch.randn(2, 5, 6, 7, 7)
    with torch.inference_mode():
        still = conv3d(conv, conv.weight[:, :, None], x)
        still = F.relu(norm(still.flatten(0, 1)).unflatten(0, (2, 5)))
        expected = conv3d(nn.Conv2d(8, 8, 1), module.separable_temporal.weight, still)
        assert close(module(x, Probe(2)), expected)


def test_a_fresh_module_is_its_2d_convolution_norm_and_relu():
    conv = nn.Conv2d(6, 8, 3, 2, 1, bias=False)
    x = torch.randn(2, 5, 6, 7, 7)
    with torch.inference_mode():
        expected = F.relu(nn.BatchNorm2d(8).eval()(conv(x.flatten(0, 1))))
        found = SeparableConv(conv).eval()(x, Probe(2))
    assert torch.equal(found.flatten(0, 1), expected)


def test_the_gates_of_a_fresh_module_are_one_half_and_scale_the_features():
    torch.manual_seed(0)
    gate, x = ChannelGate(8), torch.randn(2, 5, 8, 4, 4)
    seen = []
    with torch.inference_mode(), observe_readings(lambda *what: seen.append(what)):
        out = gate(x, current_probe(2))
    [(module, name, value)] = seen
    assert module is gate and name == "channel_gate" and value.shape == (2, 8)
    torch.testing.assert_close(value, torch.full((2, 8), 0.5), atol=0.02, rtol=0)
    torch.testing.assert_close(out, x * value[:, None, :, None, None])


def test_gates_see_the_whole_clip_and_not_its_order():
    gate, x = ChannelGate(8).eval(), torch.randn(1, 6, 8, 4, 4)
    nn.init.normal_(gate.channel_gate.weight)
    order = [3, 0, 5, 1, 4, 2]
    changed = x.clone()
    changed[:, 5] += 1
    with torch.inference_mode():
        out = gate(x, Probe())
        torch.testing.assert_close(gate(x[:, order], Probe()), out[:, order])
        assert (gate(changed, Probe())[:, 0] - out[:, 0]).abs().max() > 1e-3
        still = x[:, :1].expand(-1, 6, -1, -1, -1)
        torch.testing.assert_close(gate.alone(x)[:, :1], gate(still, Probe())[:, :1])
        # What is cut stands as copies of the frame itself: a clip of the same length.
        cut = torch.cat([x[:, :3], x[:, 2:3].expand(-1, 3, -1, -1, -1)], dim=1)
        found = gate.cut(x, from_next=True, from_previous=False)
        torch.testing.assert_close(found[:, 2], gate(cut, Probe())[:, 2])


def test_gates_stand_behind_both_norms_of_a_block_and_say_how_far_they_can_move():
    layers = make_small("s3dg").temporal_layers()
    assert [layer.name for layer in layers[:4]] == [
        "layer1.0.conv1",
        "layer1.0.gated_conv1",
        "layer1.0.conv2",
        "layer1.0.gated_conv2",
    ]
    [reading] = layers[1].module.readings()
    expected = layers[1].module.channel_gate.weight.detach().norm(dim=1)
    torch.testing.assert_close(reading.values[:, 0], expected)
