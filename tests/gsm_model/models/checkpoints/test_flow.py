"""Published networks on optical flow and on differences, as their publishers name them."""

import json

import numpy as np
import pytest
import torch

from gsm_model.errors import CheckpointError
from gsm_model.models.checkpoints.files import load_checkpoint
from gsm_model.models.checkpoints.fit import faults
from gsm_model.models.checkpoints.layouts import candidates
from gsm_model.models.published.catalogue import find
from gsm_model.models.recognizer import build_recognizer
from gsm_model.video.modality import Modality
from tests.conftest import PARITY, fill
from tests.published import in_layout_of

TSM_FILE = "TSM_kinetics_Flow_resnet50_shift8_blockres_avg_segment8_e50.pth"


def small(system, modality, seed=0):
    torch.manual_seed(seed)
    return build_recognizer("resnet18", system, 4, 8, width=0.0625, modality=modality).eval()


@pytest.mark.parametrize(
    ("publisher", "system", "file", "modality", "scale", "mean", "std"),
    [
        ("mmaction2-0x", "none", "flow.pth", Modality("flow", 5, 127), 255, (128,), (128,)),
        ("tsm", "tsm", TSM_FILE, Modality("flow", 5), 1, (0.5,), (0.226,)),
        ("tsm", "none", "diff.pth", Modality("differences", 5), 1, (0.0,) * 3, (1.0,) * 3),
    ],
)
def test_what_a_file_sees_is_read_off_its_first_convolution(
    publisher, system, file, modality, scale, mean, std, tmp_path
):
    model = small(system, modality)
    state = in_layout_of(f"{publisher}-a", model.state_dict(), system)
    torch.save({"state_dict": state}, tmp_path / file)
    read = load_checkpoint(tmp_path / file)
    assert read.architecture.modality == read.input.modality == modality
    assert (read.input.scale, read.input.mean) == (scale, mean)
    assert read.input.std == pytest.approx(std)
    assert f"{modality.planes} planes: {modality.title}" in read.card.reading
    clip = torch.randn(1, 8, modality.planes, 32, 32)
    torch.testing.assert_close(read(clip), model(clip))


def test_planes_that_may_be_either_are_refused(tmp_path):
    state = small("none", Modality("flow", 3)).state_dict()
    torch.save({"state_dict": state}, tmp_path / "six.pth")
    with pytest.raises(CheckpointError, match="6 planes"):
        load_checkpoint(tmp_path / "six.pth")


def test_tsms_kinetics_flow_file_is_that_network():
    with torch.device("meta"):
        model = build_recognizer("resnet50", "tsm", 400, modality=Modality("flow", 5))
        state = in_layout_of("tsm-a", model.state_dict(), "tsm")
    assert state["module.base_model.conv1.weight"].shape == (64, 10, 7, 7)
    assert "module.base_model.layer1.0.conv1.net.weight" in state
    [found] = candidates(state, 8, TSM_FILE)
    assert not faults(found.architecture, found.weights)
    assert found.architecture == model.architecture
    one = find("tsm-r50-kinetics400-8f-flow")
    assert one.loadable and one.input().modality == found.architecture.modality


@pytest.mark.slow
def test_a_flow_network_of_mmaction2_answers_as_there():
    listed = json.loads((PARITY / "systems" / "mmaction2_tsn_flow_r50_3x5.json").read_text())
    reference = np.load(PARITY / "systems" / "mmaction2_tsn_flow_r50_3x5.npz")
    state = {
        key: torch.from_numpy(fill.draw(key, tuple(entry["shape"]), entry["kind"]))
        for key, entry in listed["state_dict"].items()
        if entry["kind"] != "counter"
    }
    [found] = candidates(state, 3, "tsn_flow.pth")
    a = found.architecture
    assert a.modality == Modality("flow", 5, 127) and not faults(a, found.weights)
    model = build_recognizer(a.backbone, num_classes=400, num_segments=3, modality=a.modality)
    model.load_state_dict(found.weights, strict=False)
    planes = torch.from_numpy(fill.clip(15, 112)[0][:, :2]).reshape(1, 3, 10, 112, 112)
    with torch.inference_mode():
        frame_logits = model.eval().frame_logits(planes)
    for ours, name in ((frame_logits[0], "frame_logits"), (frame_logits.mean(1), "logits")):
        expected = reference[name]
        assert np.abs(ours.numpy() - expected).max() <= 1e-4 * np.abs(expected).max(), name
