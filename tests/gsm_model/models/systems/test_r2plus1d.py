"""R(2+1)D against torchvision's block, and the truths of its definition."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gsm_model.models.probe import Probe
from gsm_model.models.systems.r2plus1d import SpatialTemporalConv, middle_channels
from tests.conftest import fill
from tests.gsm_model.models.systems.released import Released, max_pool


@pytest.mark.parametrize(
    ("channels", "middle"),
    [
        ((64, 64), 144),
        ((64, 128), 230),
        ((128, 128), 288),
        ((128, 256), 460),
        ((256, 256), 576),
        ((256, 512), 921),
        ((512, 512), 1152),
    ],
)
def test_the_channels_between_are_those_of_the_papers_formula(channels, middle):
    assert middle_channels(*channels, (3, 3)) == middle


def torchvision_block(c_in: int, c_out: int, middle: int, stride: int = 1) -> nn.Sequential:
    """torchvision's Conv2Plus1D, written as its source has it: S, BatchNorm, ReLU, T."""
    return nn.Sequential(
        nn.Conv3d(c_in, middle, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False),
        nn.BatchNorm3d(middle),
        nn.ReLU(inplace=True),
        nn.Conv3d(middle, c_out, (3, 1, 1), (1, 1, 1), (1, 0, 0), bias=False),
    )


@pytest.mark.parametrize("stride", [1, 2])
def test_the_module_is_torchvisions_with_the_same_weights(stride):
    torch.manual_seed(0)
    ours = SpatialTemporalConv(nn.Conv2d(8, 12, 3, stride, 1)).eval()
    theirs = torchvision_block(8, 12, ours.norm.num_features, stride).eval()
    for norm in (ours.norm, theirs[1]):
        nn.init.normal_(norm.bias, std=0.1)
        norm.running_var.uniform_(0.5, 1.5)
    theirs[0].weight.data = ours.spatial.weight.data[:, :, None].clone()
    theirs[1].load_state_dict(ours.norm.state_dict())
    theirs[3].weight.data = ours.temporal.weight.data.clone()
    x = torch.randn(2, 5, 8, 9, 9)
    with torch.inference_mode():
        expected = theirs(x.transpose(1, 2)).transpose(1, 2)
        found = ours(x, Probe(2))
    assert (found - expected).abs().max() <= 1e-6 * expected.abs().max()


def test_readings_are_the_norms_of_the_taps_and_the_share_that_tells_direction():
    module = SpatialTemporalConv(nn.Conv2d(4, 4, 3, 1, 1))
    weight = torch.zeros_like(module.temporal.weight)
    weight[:, 0, 0], weight[:, 0, 1], weight[:, 0, 2] = -3.0, 4.0, 3.0
    module.temporal.weight.data = weight
    kernels, share = module.readings()
    torch.testing.assert_close(kernels.values, torch.tensor([[3.0, 4.0, 3.0]] * 4))
    assert kernels.labels == ("−1", "0", "+1") and kernels.axes == ("channel", "tap")
    # Half the difference to its mirror image is (−3, 0, 3): √18 of √34.
    assert float(share.values) == pytest.approx((18 / 34) ** 0.5)


class TorchvisionR2Plus1D(Released):
    """Names of the parts of one spatial and temporal pair: S, its BatchNorm, T, the BatchNorm."""

    parts = ("{}.0.0", "{}.0.1", "{}.0.3", "{}.1")

    def pair(self, key, x, stride=1, step=None, middle=None, parts=None):
        spatial, inner, temporal, outer = (part.format(key) for part in parts or self.parts)
        c_out, taken = self.listed[f"{temporal}.weight"]["shape"][:2]
        conv = self.conv(spatial, stride)
        conv = nn.Conv2d(
            conv.in_channels, c_out, conv.kernel_size, stride, conv.padding, bias=False
        )
        module = SpatialTemporalConv(conv, middle, step or stride)
        assert module.norm.num_features == taken
        self.into(module, spatial=spatial, norm=inner, temporal=temporal)
        module.norm.eps = 1e-5
        return self.norm(outer, module(x, Probe()))

    def middle(self, key):
        """torchvision takes a block's first pair for both; the paper counts for each."""
        return self.listed[f"{key}.conv1.0.0.weight"]["shape"][0]

    def shortcut(self, key, x, stride):
        return self.norm(f"{key}.1", self.plain(f"{key}.0", x, stride, stride))

    def block(self, key, x, stride):
        inner = F.relu(self.pair(f"{key}.conv1", x, stride, middle=self.middle(key)))
        inner = self.pair(f"{key}.conv2", inner, middle=self.middle(key))
        if any(name.startswith(f"{key}.downsample.") for name in self.listed):
            x = self.shortcut(f"{key}.downsample", x, stride)
        return F.relu(inner + x)

    def stages(self, x, depths, prefix=""):
        for stage, depth in enumerate(depths, start=1):
            for index in range(depth):
                stride = 2 if stage > 1 and index == 0 else 1
                x = self.block(f"{prefix}layer{stage}.{index}", x, stride)
            self.compare(f"{prefix}layer{stage}", x)
        return x


@pytest.mark.slow
def test_torchvisions_network_of_our_operators_gives_its_logits_and_features():
    net = TorchvisionR2Plus1D("tv_r2plus1d_18_8f")
    with torch.inference_mode():
        x = torch.from_numpy(fill.clip(8, 112))
        parts = ("stem.0", "stem.1", "stem.3", "stem.4")
        x = F.relu(net.pair("", x, 2, 1, middle=45, parts=parts))
        net.compare("stem", x)
        x = net.stages(x, (2, 2, 2, 2))
        net.compare("logits", net.linear("fc", x.mean((1, 3, 4))))
    net.finish()


class MMActionR2Plus1D(TorchvisionR2Plus1D):
    parts = ("{}.conv.conv_s", "{}.conv.bn_s", "{}.conv.conv_t", "{}.bn")

    def middle(self, key):
        return None

    def shortcut(self, key, x, stride):
        """A pair of 1×1 convolutions with one tap: none of our operators."""
        inner = self.plain(f"{key}.conv.conv_s", x, stride)
        self.eps = 1e-5
        inner = F.relu(self.norm(f"{key}.conv.bn_s", inner))
        self.eps = 1e-3
        return self.norm(f"{key}.bn", self.plain(f"{key}.conv.conv_t", inner, step=stride))


@pytest.mark.slow
def test_mmaction2s_network_of_our_operators_gives_its_logits_and_features():
    net = MMActionR2Plus1D("mmaction2_r2plus1d_r34_8f", eps=1e-3)
    with torch.inference_mode():
        x = F.relu(net.pair("backbone.conv1", torch.from_numpy(fill.clip(8, 112)), 2, 1))
        x = max_pool(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))
        net.compare("backbone.maxpool", x)
        x = net.stages(x, (3, 4, 6, 3), "backbone.")
        net.compare("logits", net.linear("cls_head.fc_cls", x.mean((1, 3, 4))))
    net.finish()
