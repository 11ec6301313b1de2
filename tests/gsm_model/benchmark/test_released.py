"""The release's formulation that ours is measured against is the release's network: its published
logits, and ours.
"""

import numpy as np
import pytest
import torch

from gsm_model import build_recognizer
from gsm_model.benchmark.networks import open_gates
from gsm_model.benchmark.released import ReleasedGateShift, as_released
from gsm_model.models.systems.gsm import GateShiftModule
from tests.conftest import PARITY, fill, released_weights


def test_it_gives_the_published_logits():
    model = build_recognizer("bn_inception", "gsm").eval()
    weights = {
        key.removeprefix("module."): value
        for key, value in released_weights("bninception_gsm_8f").items()
    }
    model.load_state_dict(weights)
    reference = np.load(PARITY / "bninception_gsm_8f.npz")
    with torch.inference_mode():
        logits = as_released(model)(torch.from_numpy(fill.clip(8, model.input.size)))
    expected = reference["logits"].ravel()
    np.testing.assert_allclose(logits[0], expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("backbone", ["bn_inception", "inception_v3", "resnet18"])
def test_it_is_our_network_written_otherwise(backbone):
    model = open_gates(
        build_recognizer(backbone, "gsm", num_classes=5, num_segments=4, input_size=101)
    )
    released, clip = as_released(model), torch.randn(2, 4, 3, 101, 101)
    left = [module for module in released.modules() if isinstance(module, GateShiftModule)]
    assert not left and sum(
        isinstance(module, ReleasedGateShift) for module in released.modules()
    ) == len(model.gate_layers())
    with torch.inference_mode():
        torch.testing.assert_close(released(clip), model(clip), atol=1e-5, rtol=1e-3)
