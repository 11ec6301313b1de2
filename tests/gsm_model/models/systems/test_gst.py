"""GST against the authors' release, and the truths of its definition."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from gsm_model import build_recognizer, load_checkpoint
from gsm_model.models.cost import cost_of
from gsm_model.models.probe import Probe
from gsm_model.models.systems.gst import GroupedSpatialTemporal
from tests.conftest import PARITY, fill

FIXTURE = PARITY / "systems" / "gst_r50_8f"


def released_state() -> dict[str, torch.Tensor]:
    listed = json.loads(FIXTURE.with_suffix(".json").read_text())["state_dict"]
    return {
        key: torch.zeros((), dtype=torch.int64)
        if entry["kind"] == "counter"
        else torch.from_numpy(fill.draw(key, tuple(entry["shape"]), entry["kind"]))
        for key, entry in listed.items()
    }


@pytest.mark.slow
def test_logits_and_features_of_the_published_network_are_those_of_the_release(tmp_path):
    reference = np.load(FIXTURE.with_suffix(".npz"))
    file = tmp_path / "gst_segment8.pth.tar"
    torch.save({"state_dict": {f"module.{k}": v for k, v in released_state().items()}}, file)
    model = load_checkpoint(file)
    assert model.card.layout == "GST release" and model.card.title == "GST ResNet-50"
    with torch.inference_mode():
        frame_logits = model.frame_logits(torch.from_numpy(fill.clip(8, 224)))
    for ours, name in ((frame_logits.mean(1), "logits"), (frame_logits, "frame_logits")):
        expected = reference[name].reshape(ours.shape)
        assert np.abs(ours.numpy() - expected).max() <= 1e-4 * np.abs(expected).max(), name


def test_the_networks_have_the_parameters_and_the_cost_counted_of_them():
    with torch.device("meta"):
        bottleneck = build_recognizer("resnet50", "gst", num_classes=174)
        basic = build_recognizer("resnet18", "gst", num_classes=174)
    assert sum(p.numel() for p in bottleneck.parameters()) == 21_035_246
    assert sum(p.numel() for p in basic.parameters()) == pytest.approx(9.699e6, abs=0.5e3)
    assert cost_of(bottleneck, 8).macs == pytest.approx(29.000564736e9, rel=1e-3)


def test_gst_large_has_the_parameters_and_the_cost_counted_of_it():
    with torch.device("meta"):
        large = build_recognizer("resnet50", "gst_large", num_classes=174)
    assert sum(p.numel() for p in large.parameters()) == pytest.approx(29.52e6, abs=5e3)
    assert cost_of(large, 8).macs == pytest.approx(40.1e9, rel=2e-3)


@pytest.mark.parametrize("beta", [1, 2])
def test_it_is_one_3d_convolution_with_zeros_outside_its_groups(beta):
    torch.manual_seed(0)
    module = GroupedSpatialTemporal(nn.Conv2d(8, 12, 3, 2, 1, bias=False), beta)
    still, moving = {1: (slice(8), slice(8)), 2: (slice(4), slice(4, 8))}[beta]
    whole = nn.Conv3d(8, 12, 3, (1, 2, 2), 1, bias=False)
    nn.init.zeros_(whole.weight)
    whole.weight.data[:9, still, 1] = module.spatial.weight.data
    whole.weight.data[9:, moving] = module.temporal.weight.data
    x = torch.randn(2, 5, 8, 7, 7)
    with torch.inference_mode():
        expected = whole(x.transpose(1, 2)).transpose(1, 2)
        found = module(x, Probe(2))
    assert (found - expected).abs().max() <= 1e-6 * expected.abs().max()


def test_scales_of_the_norm_behind_are_read_by_kind_of_channel():
    module, norm = GroupedSpatialTemporal(nn.Conv2d(8, 8, 3, 1, 1)), nn.BatchNorm2d(8)
    norm.weight.data = torch.tensor([1.0, -1, 1, 1, 1, 1, -3, 3])
    scales = module.readings(norm)[-1]
    assert scales.labels == ("spatial", "temporal")
    torch.testing.assert_close(scales.values, torch.tensor([1.0, 3.0]))


def test_channels_that_cannot_be_grouped_are_refused():
    with pytest.raises(ValueError, match="4 divides, got 8 and 6"):
        GroupedSpatialTemporal(nn.Conv2d(8, 6, 3))
