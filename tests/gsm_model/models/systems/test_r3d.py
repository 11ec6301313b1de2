"""R3D, MC3 and the ECO-like network against torchvision and the ECO release, and their truths."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gsm_model import build_recognizer
from gsm_model.models.backbones.bn_inception import BNInception
from gsm_model.models.observers import observe_points
from gsm_model.models.probe import Probe
from gsm_model.models.systems.r3d import InflatedConv
from gsm_model.models.temporal import TemporalModule
from tests.conftest import fill, make_small
from tests.gsm_model.models.systems.released import Released, close, conv3d

FOURS = ("4a", "4b", "4c", "4d", "4e")


class TorchvisionMC3(Released):
    def unit(self, key, x, stride=1):
        """Convolution and BatchNorm; a 3D one through our operator."""
        if self.listed[f"{key}.0.weight"]["shape"][2] == 1:
            return self.norm(f"{key}.1", self.plain(f"{key}.0", x, stride))
        module = self.into(InflatedConv(self.conv(f"{key}.0", stride)), inflated=f"{key}.0")
        return self.norm(f"{key}.1", module(x, Probe()))

    def block(self, key, x, stride):
        out = self.unit(f"{key}.conv2", F.relu(self.unit(f"{key}.conv1", x, stride)))
        down = f"{key}.downsample"
        shortcut = self.unit(down, x, stride) if f"{down}.0.weight" in self.listed else x
        return F.relu(out + shortcut)


@pytest.mark.slow
def test_torchvisions_mc3_of_our_operators_gives_its_logits_and_features():
    net = TorchvisionMC3("tv_mc3_18_8f")
    with torch.inference_mode():
        x = F.relu(net.unit("stem", torch.from_numpy(fill.clip(8, 112)), 2))
        net.compare("stem", x)
        for stage in range(1, 5):
            x = net.block(f"layer{stage}.0", x, 2 if stage > 1 else 1)
            x = net.block(f"layer{stage}.1", x, 1)
            net.compare(f"layer{stage}", x)
        # The mean of frame scores is the score of the mean.
        net.compare("logits", net.linear("fc", x.mean((3, 4))).mean(1))
    net.finish()


class ECO(Released):
    def layer(self, key, x, step=1):
        conv = self.conv(key, step)
        return self.into(InflatedConv(conv, step=step), inflated=key)(x, Probe())

    def normed(self, key, x):
        return F.relu(self.norm(f"{key}_bn", x))

    def bottom(self, clip):
        """BN-Inception up to the second convolution of its block 3c."""
        bottom, last = BNInception(), "inception_3c_double_3x3"
        used = {key.rsplit(".", 1)[0] for key in self.listed} & dict(bottom.named_modules()).keys()
        self.into(bottom, **{name: name for name in used})
        x = bottom.take(bottom.stem, clip.flatten(0, 1), Probe())
        for block in ("inception_3a", "inception_3b"):
            branches = bottom.blocks[block]
            x = torch.cat([bottom.take(branch, x, Probe()) for branch in branches], dim=1)
        x = bottom.conv_bn(f"{last}_reduce", x, Probe(), relu=True)
        return bottom.conv_bn(f"{last}_1", x, Probe()).unflatten(0, clip.shape[:2])


@pytest.mark.slow
def test_eco_lite_of_our_operators_gives_its_logits_and_features():
    net = ECO("eco_lite_8f")
    with torch.inference_mode():
        x = net.bottom(torch.from_numpy(fill.clip(8, 224)))
        net.compare("inception_3c_double_3x3_1_bn", x)
        total = net.layer("res3a_2", F.relu(x))
        net.compare("res3a_2", total)
        inner = net.normed("res3b_1", net.layer("res3b_1", net.normed("res3a", total)))
        total = total + net.layer("res3b_2", inner)
        x = net.normed("res3b", total)
        for stage in (4, 5):
            inner = net.normed(f"res{stage}a_1", net.layer(f"res{stage}a_1", x, 2))
            total = net.layer(f"res{stage}a_down", x, 2) + net.layer(f"res{stage}a_2", inner)
            x = net.normed(f"res{stage}a", total)
            inner = net.normed(f"res{stage}b_1", net.layer(f"res{stage}b_1", x))
            total = total + net.layer(f"res{stage}b_2", inner)
            before = net.norm(f"res{stage}b_bn", total)
            net.compare(f"res{stage}b_bn", before)
            x = F.relu(before)
        net.compare("logits", net.linear("fc_final", x.mean((1, 3, 4))))
    net.finish()


@pytest.mark.parametrize("stride", [1, 2])
def test_a_module_is_a_3d_convolution_and_starts_as_the_2d_one(stride):
    conv = nn.Conv2d(6, 8, 3, stride, 1, bias=False)
    module, x = InflatedConv(conv), torch.randn(2, 5, 6, 7, 7)
    with torch.inference_mode():
        assert torch.equal(module(x, Probe(2)).flatten(0, 1), conv(x.flatten(0, 1)))
        assert module.reach() == (0, 0)
        nn.init.normal_(module.inflated.weight)
        assert close(module(x, Probe(2)), conv3d(conv, module.inflated.weight, x))
        assert module.reach() == (1, 1)


@pytest.mark.parametrize(
    ("system", "backbone", "where"),
    [
        ("r3d", "resnet18", {"layer1", "layer2", "layer3", "layer4"}),
        ("mc3", "resnet18", {"layer1"}),
        ("mc3", "resnet50", {"layer1"}),
        ("eco", "resnet18", {"layer3", "layer4"}),
        (
            "eco",
            "bn_inception",
            {f"inception_{name}" for name in ["4a", "4b", "4c", "4d", "4e", "5a", "5b"]},
        ),
        ("eco", "inception_v3", {f"mixed_{number}" for number in range(4, 11) if number != 6}),
    ],
)
def test_3d_convolutions_stand_in_the_stages_that_the_system_names(system, backbone, where):
    with torch.device("meta"):
        model = build_recognizer(backbone, system, width=0.125 if "resnet" in backbone else 1)
    found = {
        site.stage
        for site in model.base_model.sites()
        for name in site.host.modules_of(site)
        if isinstance(getattr(site.host, name), TemporalModule)
    }
    assert found == where


def test_mc3_without_a_first_residual_stage_is_refused():
    with torch.device("meta"), pytest.raises(ValueError, match="choose a ResNet"):
        build_recognizer("bn_inception", "mc3")


@pytest.mark.parametrize("system", ["mc3", "r3d", "eco"])
def test_a_fresh_network_is_the_2d_network_whatever_the_order(system):
    torch.manual_seed(0)
    fresh = build_recognizer("resnet18", system, 5, width=0.125, input_size=32).eval()
    nn.init.normal_(fresh.new_fc.weight)
    flat = {key.replace(".inflated.", "."): w for key, w in fresh.state_dict().items()}
    flat = {key: w[:, :, 1] if w.ndim == 5 else w for key, w in flat.items()}
    plain = build_recognizer("resnet18", "none", 5, width=0.125, input_size=32).eval()
    plain.load_state_dict(flat)
    x = torch.randn(1, 4, 3, 32, 32)
    with torch.inference_mode():
        assert close(fresh.frame_logits(x), plain.frame_logits(x), 1e-5)


def test_nothing_of_another_frame_reaches_the_layers_below_the_3d_ones_of_eco():
    model, x = make_small("eco"), torch.randn(1, 6, 3, 32, 32)
    changed = x.clone()
    changed[:, 0] += 1

    def blocks(clip):
        seen = []

        def see(host, point, features):
            if point == "":
                seen.append(features)
            return features

        with torch.inference_mode(), observe_points(see):
            model(clip)
        return seen

    differs = [
        (one - other).flatten(1).abs().amax(1) > 1e-6
        for one, other in zip(blocks(x), blocks(changed), strict=True)
    ]
    assert [int(frames.sum()) for frames in differs[:4]] == [1, 1, 1, 1]
    assert [int(frames.sum()) for frames in differs[4:6]] == [3, 5]
