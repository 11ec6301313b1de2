"""MF-Net against the authors' release, and the truths of its definition."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gsm_model import build_recognizer
from gsm_model.models.probe import Probe
from gsm_model.models.systems.multifiber import FiberConv, Multiplexer, grouped
from gsm_model.models.systems.temporal_conv import conv_over_time
from tests.conftest import fill
from tests.gsm_model.models.systems.released import Released, close, conv3d, max_pool


class ReleasedMFNet(Released):
    """The release orders BatchNorm, ReLU, convolution, so our operators are taken apart."""

    def before(self, key, x):
        return F.relu(self.norm(f"{key}.bn", x))

    def multiplexed(self, key, x):
        inner = self.listed[f"{key}.conv_i1.conv.weight"]["shape"][0]
        ours = Multiplexer(x.shape[2], inner)
        names = {"reduced__1": "conv_i2.bn"}
        names |= {f"{side}__0": f"conv_i{n}.conv" for n, side in ((1, "reduced"), (2, "restored"))}
        self.into(ours, **{part: f"{key}.{theirs}" for part, theirs in names.items()})
        ours.restored[1] = nn.Identity()
        return x + ours.restored(F.relu(ours.reduced(self.before(f"{key}.conv_i1", x))))

    def fibers(self, key, x, stride, step):
        c_out = self.listed[f"{key}.weight"]["shape"][0]
        module = FiberConv(nn.Conv2d(x.shape[2], c_out, 3, stride, 1, bias=False), step)
        self.into(module, fibers=key)
        return conv_over_time(x, module.fibers)

    def unit(self, key, x, stride, step):
        inner = self.before(f"{key}.conv_m1", self.multiplexed(key, x))
        inner = self.before(
            f"{key}.conv_m2", self.fibers(f"{key}.conv_m1.conv", inner, stride, step)
        )
        first = f"{key}.conv_w1.conv.weight" in self.listed
        inner = self.plain(f"{key}.conv_m2.conv", inner, groups=1 if first else 16)
        if first:
            before = self.before(f"{key}.conv_w1", x)
            x = self.plain(f"{key}.conv_w1.conv", before, stride, step)
        return inner + x


@pytest.mark.slow
def test_the_released_mfnet_of_our_operators_gives_its_logits_and_features():
    net = ReleasedMFNet("mfnet3d_16f")
    with torch.inference_mode():
        x = torch.from_numpy(fill.clip(16, 224))
        x = conv3d(nn.Conv2d(3, 16, 5, 2, 2), net["conv1.conv.weight"], x)
        x = max_pool(F.relu(net.norm("conv1.bn", x)), (1, 3, 3), (1, 2, 2), (0, 1, 1))
        net.compare("maxpool", x)
        for stage, units in ((2, 3), (3, 4), (4, 6), (5, 3)):
            for index in range(1, units + 1):
                first = index == 1
                stride, step = (2 if first and stage > 2 else 1), (2 if first and stage == 2 else 1)
                x = net.unit(f"conv{stage}.B{index:02d}", x, stride, step)
            net.compare(f"conv{stage}", x)
        net.compare("logits", net.linear("classifier", net.before("tail", x).mean((1, 3, 4))))
    net.finish()


def test_a_module_is_a_multiplexer_and_a_grouped_3d_convolution():
    conv, x = nn.Conv2d(32, 64, 3, 2, 1, bias=False), torch.randn(2, 5, 32, 5, 5)
    module = FiberConv(conv).eval()
    with torch.inference_mode():
        flat = x.flatten(0, 1)
        mixed = flat
        for layer in (*module.multiplexer.reduced, nn.ReLU(), *module.multiplexer.restored):
            mixed = layer(mixed)
        mixed = (flat + mixed).unflatten(0, (2, 5))
        assert close(module(x, Probe(2)), conv3d(conv, module.fibers.weight, mixed, groups=16))


def test_without_its_multiplexer_a_fiber_reaches_itself_alone():
    module, second = FiberConv(nn.Conv2d(32, 64, 3, 1, 1)), grouped(nn.Conv2d(64, 64, 3, 1, 1))
    nn.init.zeros_(module.multiplexer.restored[1].weight)
    x = torch.randn(1, 4, 32, 5, 5)
    changed = x.clone()
    changed[:, :, 6:8] += 1  # fiber 3 of 16
    with torch.inference_mode():
        out, other = (second(module.eval()(clip, Probe()).flatten(0, 1)) for clip in (x, changed))
    moved = (out - other).abs().amax((0, 2, 3)).nonzero().flatten().tolist()
    assert moved == [12, 13, 14, 15]


def test_fibers_are_as_many_as_divide_the_channels():
    assert FiberConv(nn.Conv2d(64, 128, 3)).fibers.groups == 16
    assert FiberConv(nn.Conv2d(8, 16, 3)).fibers.groups == 8


def test_a_second_convolution_of_a_block_is_grouped_and_stays_2d():
    block = build_recognizer("resnet18", "multifiber", width=0.25).base_model.layer2[0]
    assert isinstance(block.conv1, FiberConv)
    assert isinstance(block.conv2, nn.Conv2d) and block.conv2.groups == 16


def test_what_has_no_residual_blocks_is_refused():
    with torch.device("meta"), pytest.raises(ValueError, match="defined for ResNets"):
        build_recognizer("bn_inception", "multifiber")


def test_what_is_read_of_a_clip_is_how_much_each_fiber_changes():
    module, out = FiberConv(nn.Conv2d(32, 64, 3, 1, 1)), torch.zeros(1, 5, 64, 3, 3)
    out[:, 3:, 8:12] = 2.0  # fiber 2 of 16, once in four steps
    out[:, 2:, 20:24] = torch.tensor([1.0, -2, 0])[:, None, None, None]  # fiber 5: 1, −3, 2
    change = module.change(out)
    assert change.shape == (1, 16) and change.nonzero().tolist() == [[0, 2], [0, 5]]
    assert float(change[0, 2]) == pytest.approx((4 / 14) ** 0.5)
    assert float(change[0, 5]) == 1
    assert not module.change(out[:, :1]).any()
