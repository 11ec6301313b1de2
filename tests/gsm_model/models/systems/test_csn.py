"""CSN against mmaction2's ir-CSN-50, and the truths of its definition."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gsm_model import build_recognizer
from gsm_model.models.probe import Probe
from gsm_model.models.systems.csn import ChannelSeparatedConv
from tests.conftest import fill
from tests.gsm_model.models.systems.released import Released, close, conv3d, max_pool


class MMActionCSN(Released):
    def unit(self, key, x, stride=1, step=1):
        return self.norm(f"{key}.bn", self.plain(f"{key}.conv", x, stride, step))

    def block(self, key, x, stride):
        inner = F.relu(self.unit(f"{key}.conv1", x))
        old = self.conv(f"{key}.conv2.0.conv", stride)
        wide = nn.Conv2d(old.out_channels, old.out_channels, 3, stride, 1, bias=False)
        module = ChannelSeparatedConv(wide, mixes=False, step=stride)
        self.into(module, depthwise=f"{key}.conv2.0.conv")
        inner = F.relu(self.norm(f"{key}.conv2.0.bn", module(inner, Probe())))
        down = f"{key}.downsample"
        if f"{down}.bn.weight" in self.listed:
            x = self.unit(down, x, stride, stride)
        return F.relu(self.unit(f"{key}.conv3", inner) + x)


def test_mmaction2s_ircsn_of_our_operators_gives_its_logits_and_features():
    net = MMActionCSN("mmaction2_ircsn_r50_8f", eps=1e-3)
    with torch.inference_mode():
        x = torch.from_numpy(fill.clip(8, 112))
        x = conv3d(nn.Conv2d(3, 64, 7, 2, 3), net["backbone.conv1.conv.weight"], x)
        x = max_pool(F.relu(net.norm("backbone.conv1.bn", x)), (1, 3, 3), (1, 2, 2), (0, 1, 1))
        net.compare("backbone.maxpool", x)
        for stage, depth in enumerate((3, 4, 6, 3), start=1):
            for index in range(depth):
                stride = 2 if stage > 1 and index == 0 else 1
                x = net.block(f"backbone.layer{stage}.{index}", x, stride)
            net.compare(f"backbone.layer{stage}", x)
        net.compare("logits", net.linear("cls_head.fc_cls", x.mean((1, 3, 4))))
    net.finish()


@pytest.mark.parametrize("stride", [1, 2])
def test_ip_is_a_pointwise_convolution_a_norm_and_a_depthwise_one(stride):
    conv = nn.Conv2d(6, 8, 3, stride, 1)
    module, x = ChannelSeparatedConv(conv, mixes=True).eval(), torch.randn(2, 5, 6, 7, 7)
    pointwise, norm = module.pointwise
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 1.5)
    with torch.inference_mode():
        mixed = norm(pointwise(x.flatten(0, 1))).unflatten(0, (2, 5))
        assert close(module(x, Probe(2)), conv3d(conv, module.depthwise.weight, mixed, groups=8))


def test_ip_with_the_identity_before_it_and_no_norm_is_ir():
    conv, x = nn.Conv2d(8, 8, 3, 1, 1), torch.randn(1, 4, 8, 5, 5)
    ip, ir = ChannelSeparatedConv(conv, mixes=True), ChannelSeparatedConv(conv, mixes=False)
    nn.init.dirac_(ip.pointwise[0].weight)
    ip.pointwise[1] = nn.Identity()
    ir.load_state_dict({"depthwise.weight": ip.depthwise.weight})
    with torch.inference_mode():
        assert torch.equal(ip(x, Probe()), ir(x, Probe()))


def test_a_channel_of_ir_reaches_itself_alone():
    module = ChannelSeparatedConv(nn.Conv2d(8, 8, 3, 1, 1), mixes=False)
    x = torch.randn(1, 4, 8, 5, 5)
    changed = x.clone()
    changed[:, :, 3] += 1
    with torch.inference_mode():
        moved = (module(changed, Probe()) - module(x, Probe())).abs().amax((0, 1, 3, 4))
    assert moved.nonzero().flatten().tolist() == [3]


def test_bottlenecks_get_ir_and_basic_blocks_ip():
    with torch.device("meta"):
        networks = {name: build_recognizer(name, "csn", 400) for name in ("resnet18", "resnet50")}
    for name, mixes in (("resnet18", True), ("resnet50", False)):
        modules = [layer.module for layer in networks[name].temporal_layers()]
        assert all((module.pointwise is not None) == mixes for module in modules)
    # The published ir-CSN-50 has a stem of three taps: 2 · 3 · 64 · 49 parameters more.
    parameters = sum(p.numel() for p in networks["resnet50"].parameters())
    assert parameters + 2 * 3 * 64 * 49 == 13_131_152


def test_what_has_no_bottlenecks_or_basic_blocks_is_refused():
    with torch.device("meta"), pytest.raises(ValueError, match="defined for ResNets"):
        build_recognizer("inception_v3", "csn")
    with pytest.raises(ValueError, match="keeps its channels; got 4 and 8"):
        ChannelSeparatedConv(nn.Conv2d(4, 8, 3), mixes=False)
