"""Networks that are given motion: each has a modality, a fusion has none."""

import pytest

from gsm_model.bundled import product
from gsm_model.models.inputs import FUSED, motion_inputs
from gsm_model.models.recognizer import build_recognizer
from gsm_model.models.registry import systems


def test_each_is_described_and_its_network_can_be_built():
    for name, one in motion_inputs().items():
        assert name == one.name and name not in systems()
        assert one.idea.count(".") >= 3 and (product() / one.file).is_file()
        if one.kind is not None:
            model = build_recognizer("resnet18", "none", width=0.125, modality=one.modality())
            assert model.input.modality.neighbours == 1


def test_a_fusion_is_of_two_that_are_there_and_has_no_modality():
    assert FUSED[0] in systems() and FUSED[1] in motion_inputs()
    with pytest.raises(ValueError, match="two networks"):
        motion_inputs()["two_stream"].modality()
