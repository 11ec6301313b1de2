"""MiCT against the port to ResNet, and the truths of its definition."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gsm_model import build_recognizer
from gsm_model.models.probe import Probe
from gsm_model.models.systems.mict import Tube
from tests.conftest import fill
from tests.gsm_model.models.systems.released import Released, close, max_pool


class PortMiCT(Released):
    def block(self, key, x, stride):
        down = f"{key}.downsample"
        inner = F.relu(self.norm(f"{key}.bn1", self.plain(f"{key}.conv1", x, stride)))
        inner = self.norm(f"{key}.bn2", self.plain(f"{key}.conv2", inner))
        if f"{down}.0.weight" in self.listed:
            x = self.norm(f"{down}.1", self.plain(f"{down}.0", x, stride))
        return F.relu(inner + x)

    def tube(self, key, norm, x, stride, step=1):
        """The port looks ahead alone: our tube of as many taps behind, which are zero."""
        c_out, c_in, taps = self.listed[f"{key}.weight"]["shape"][:3]
        module = self.into(Tube(c_in, c_out, stride, 2 * taps - 1, step), tube__1=norm)
        module.tube[0].weight.data.zero_()
        module.tube[0].weight.data[:, :, taps - 1 :] = self[f"{key}.weight"]
        return module(x, Probe())

    def stem(self, clip):
        ahead = F.pad(clip.transpose(1, 2), (0, 0, 0, 0, 0, 6))
        tube = F.conv3d(ahead, self["conv2.weight"], stride=(1, 2, 2), padding=(0, 3, 3))
        tube = F.relu(self.norm("bn2", tube.transpose(1, 2)))
        still = F.relu(self.norm("bn1", self.plain("conv1", clip, 2, 2)))
        still = max_pool(still, (1, 3, 3), (1, 2, 2), (0, 1, 1))
        return max_pool(tube, (3, 3, 3), (2, 2, 2), (1, 1, 1)) + still


def test_the_ports_mict_of_our_operators_gives_its_logits_and_features():
    net = PortMiCT("mict_resnet18_v2_8f")
    with torch.inference_mode():
        x = net.stem(torch.from_numpy(fill.clip(8, 112)))
        for stage, stride, step in ((1, 1, 1), (2, 2, 1), (3, 2, 2), (4, 2, 1)):
            key = f"layer{stage}"
            tube = net.tube(f"{key}.conv", f"{key}.bn", x, stride, step)
            x = tube + net.block(f"{key}.bottlenecks.0", x[:, ::step], stride)
            x = net.block(f"{key}.bottlenecks.1", x, 1)
            net.compare(key, x)
        net.compare("logits", net.linear("fc", x.mean((3, 4))).mean(1))
    net.finish()


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_a_fresh_network_is_the_2d_network_and_one_tube_a_stage_adds_to_its_first_block(backbone):
    torch.manual_seed(0)
    model = build_recognizer(backbone, "mict", 5, width=0.125, input_size=32).eval()
    nn.init.normal_(model.new_fc.weight)
    plain = build_recognizer(backbone, "none", 5, width=0.125, input_size=32).eval()
    plain.load_state_dict({k: w for k, w in model.state_dict().items() if ".mict." not in k})
    x = torch.randn(1, 4, 3, 32, 32)
    layers = [layer for layer in model.temporal_layers() if layer.module is not None]
    assert [layer.name for layer in layers] == [f"layer{stage}.0.mict" for stage in range(1, 5)]
    block, features = model.base_model.layer2[0], torch.randn(4, 8, 8, 8)
    features = features.repeat(1, 4 if backbone == "resnet50" else 1, 1, 1)
    with torch.inference_mode():
        assert torch.equal(model.frame_logits(x), plain.frame_logits(x))
        nn.init.ones_(block.mict.tube[1].weight)
        added = block(features, Probe()) - plain.base_model.layer2[0](features, Probe())
        tube = block.mict(features[None], Probe())[0]
        assert tube.any() and close(added, tube, 1e-5)


def test_a_tube_is_a_3d_convolution_a_norm_and_a_relu():
    tube, x = Tube(6, 8, 2).eval(), torch.randn(2, 5, 6, 7, 7)
    nn.init.ones_(tube.tube[1].weight)
    with torch.inference_mode():
        out = F.conv3d(x.transpose(1, 2), tube.tube[0].weight, None, (1, 2, 2), 1).transpose(1, 2)
        expected = F.relu(tube.tube[1](out.flatten(0, 1)))
        assert close(tube(x, Probe(2)).flatten(0, 1), expected)


def test_on_a_still_clip_it_adds_the_same_to_all_frames_but_the_first_and_last():
    tube = Tube(6, 8, 1).eval()
    nn.init.ones_(tube.tube[1].weight)
    x = torch.randn(1, 1, 6, 5, 5).expand(-1, 6, -1, -1, -1)
    with torch.inference_mode():
        [out] = tube(x, Probe())
    for frame in (2, 3, 4):
        torch.testing.assert_close(out[frame], out[1])
    assert not torch.allclose(out[0], out[1]) and not torch.allclose(out[5], out[1])


def test_nothing_can_stand_beside_an_inception_block():
    with torch.device("meta"), pytest.raises(ValueError, match="no residual block"):
        build_recognizer("bn_inception", "mict")
