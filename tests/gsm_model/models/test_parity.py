"""The published networks against the authors' release: the same weights and clip give the same
numbers.
"""

import csv
import json

import numpy as np
import pytest
import torch
from torch import nn

from gsm_model import build_recognizer, record_gates
from gsm_model.models.cost import cost_of
from gsm_model.models.inference.optimize import optimize
from tests.conftest import PARITY, fill, released_weights

NETWORKS = [
    ("bninception_tsn_8f", "bn_inception", "none", 224),
    ("bninception_gsm_8f", "bn_inception", "gsm", 224),
    ("inceptionv3_gsm_8f", "inception_v3", "gsm", 229),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fixture", "backbone", "temporal", "size", "way"),
    [
        pytest.param(
            *network,
            way,
            marks=[pytest.mark.thorough]
            * (way != "default layout" and network[0] != "bninception_gsm_8f"),
        )
        for network in NETWORKS
        for way in ("default layout", "channels-last", "optimised")
    ],
)
def test_logits_frame_logits_and_gates_are_those_of_the_release(
    fixture, backbone, temporal, size, way
):
    reference = np.load(PARITY / f"{fixture}.npz")
    listed = json.loads((PARITY / f"{fixture}.json").read_text())
    model = build_recognizer(backbone, temporal, num_classes=174, num_segments=8).eval()
    model.load_state_dict(
        {key.removeprefix("module."): tensor for key, tensor in released_weights(fixture).items()}
    )
    if way == "channels-last":
        model.channels_last()
    elif way == "optimised":
        model = optimize(model)
    clip = torch.from_numpy(fill.clip(8, size))
    with torch.inference_mode(), record_gates(model) as gates:
        frame_logits = model.frame_logits(clip)
        logits = model(clip)
    for ours, name in ((logits, "logits"), (frame_logits, "frame_logits")):
        expected = reference[name].reshape(ours.shape)
        assert np.abs(ours.numpy() - expected).max() <= 1e-4 * np.abs(expected).max(), name
    assert [f"base_model.{name}" for name in gates] == list(listed["gates"])
    for name, gate in gates.items():
        statistics = listed["gates"][f"base_model.{name}"]
        assert list(gate.transpose(1, 2).shape) == statistics["shape"]
        assert gate.mean().item() == pytest.approx(statistics["mean"], abs=1e-4)
        assert gate.std(unbiased=False).item() == pytest.approx(statistics["std"], abs=1e-4)
        key = f"gate:base_model.{name}"
        if key in reference:
            difference = np.abs(
                gate.transpose(1, 2).numpy() - reference[key].reshape(statistics["shape"])
            )
            assert difference.max() <= 2e-3 and difference.mean() <= 5e-5, name


@pytest.mark.parametrize(("fixture", "backbone", "temporal", "size"), NETWORKS)
def test_parameters_and_multiply_adds_are_those_measured_on_the_release(
    fixture, backbone, temporal, size
):
    info = json.loads((PARITY / f"{fixture}.json").read_text())["info"]
    cost = cost_of(build_recognizer(backbone, temporal, 174, 8))
    assert (cost.parameters, cost.macs / 1e9) == (info["params"], pytest.approx(info["gmacs"]))


@pytest.mark.parametrize(
    ("table", "backbone"),
    [("bn_inception_layers.csv", "bn_inception"), ("inception_v3_layers.csv", "inception_v3")],
)
def test_every_convolution_is_the_one_of_the_layer_table(table, backbone):
    model = build_recognizer(backbone, "none", 174).base_model
    convolutions = {
        name: module for name, module in model.named_modules() if isinstance(module, nn.Conv2d)
    }
    with (PARITY / table).open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["op"] == "Convolution"]
    assert set(convolutions) == {row["name"] for row in rows}
    for row in rows:
        conv = convolutions[row["name"]]
        kernel = tuple(int(side) for side in row["kernel"].split("x"))
        padding = tuple(int(side) for side in (row["pad"] or "0").split("x"))
        assert conv.out_channels == int(row["channels"]), row["name"]
        assert conv.kernel_size == (kernel if len(kernel) == 2 else kernel * 2), row["name"]
        assert conv.padding == (padding if len(padding) == 2 else padding * 2), row["name"]
        assert conv.stride == (int(row["stride"] or 1),) * 2, row["name"]
