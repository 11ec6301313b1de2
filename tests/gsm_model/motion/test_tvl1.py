"""TV-L1: a moved texture has the move as its flow, and OpenCV's flow is near it."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from gsm_model.motion.stored import flow_bytes, flow_of_bytes, zero_of
from gsm_model.motion.tvl1 import grey, tvl1_flow

PARITY = Path(__file__).parents[2] / "data" / "parity" / "systems"
MOVES = json.loads((PARITY / "tvl1_opencv.json").read_text())["info"]["moves"]


def texture(dx: float, dy: float, size: int = 48) -> torch.Tensor:
    """Twelve waves, moved by (dx, dy) pixels: (H, W), 0…255 in whole numbers."""
    rng = np.random.default_rng(0)
    k, a, p = (rng.uniform(low, high, 12) for low, high in ((0.08, 0.5), *[(0, 2 * np.pi)] * 2))
    y, x = np.mgrid[:size, :size]
    waves = sum(
        np.sin(k[i] * (np.cos(a[i]) * (x - dx) + np.sin(a[i]) * (y - dy)) + p[i]) for i in range(12)
    )
    return torch.from_numpy((127.5 + 255 / 24 * waves).clip(0, 255).round()).float()


def inside(flow: torch.Tensor) -> torch.Tensor:
    return flow[..., 10:-10, 10:-10]


@pytest.mark.parametrize("move", [(0.5, 0), (1, -0.5), (2, 1), (4, -3), (5, 0), (-3, 4)])
def test_a_moved_texture_gives_the_move(move):
    flow = inside(tvl1_flow(texture(0, 0, 96)[None], texture(*move, 96)[None])[0])
    error = torch.hypot(flow[0] - move[0], flow[1] - move[1])
    assert error.mean() <= 0.02


def test_flow_is_near_opencvs():
    stored = np.load(PARITY / "tvl1_opencv.npz")
    first = texture(0, 0).expand(len(MOVES), -1, -1)
    flows = tvl1_flow(first, torch.stack([texture(*move) for move in MOVES]))
    for place, flow in enumerate(flows):
        away = inside(flow - torch.from_numpy(stored[f"flow{place}"]))
        assert torch.linalg.norm(away, dim=0).mean() < 0.03


def test_a_still_pair_has_no_flow_and_a_reversed_one_the_opposite():
    one, other = texture(0, 0, 64)[None], texture(2, 1, 64)[None]
    assert not tvl1_flow(one, one).any()
    there, back = (inside(tvl1_flow(*pair)) for pair in ((one, other), (other, one)))
    assert (there + back).abs().mean() < 0.02


def test_pairs_are_worked_on_alone():
    one = torch.stack([texture(0, 0, 32), texture(1, 3, 32)] * 3)
    other = torch.stack([texture(1, 1, 32), texture(2, 1, 32)] * 3)
    told = []
    together = tvl1_flow(one, other, progress=lambda done, whole: told.append((done, whole)))
    torch.testing.assert_close(together[5:], tvl1_flow(one[5:], other[5:]))
    assert told == [(4, 6), (6, 6)]


def test_pictures_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="grey pictures"):
        tvl1_flow(torch.zeros(2, 8, 8), torch.zeros(2, 8, 9))


def test_bytes_are_opencvs_flow_as_mmaction2_stores_it():
    stored = np.load(PARITY / "tvl1_opencv.npz")
    for place in range(len(MOVES)):
        flow = torch.from_numpy(stored[f"flow{place}"])
        np.testing.assert_array_equal(flow_bytes(flow, 127).numpy(), stored[f"byte{place}"])


@pytest.mark.parametrize("zero", [127, 128])
def test_stored_flow_is_read_back_by_the_rule_it_was_stored_by(zero):
    flow = torch.tensor([0.0, 0.0, 0.0, 1.0, -7.3, 25.0, -25.0])
    stored = flow_bytes(flow, zero).numpy()
    assert stored[0] == zero and zero_of(stored) == zero
    back = flow_of_bytes(stored, zero)
    assert back[0] == 0
    np.testing.assert_allclose(back, flow.clamp(-20, 20), atol=0.16)


@pytest.mark.parametrize("zero", [127, 128])
@pytest.mark.parametrize("noise", [0.02, 0.08, 0.12])
def test_the_zero_of_nearly_still_pictures_is_told_or_not_but_never_wrong(zero, noise):
    flow = torch.randn(20_000, generator=torch.Generator().manual_seed(0)) * noise
    found = zero_of(flow_bytes(flow, zero).numpy())
    assert found == zero or (found is None and zero == 127 and noise > 0.1)


def test_the_zero_of_a_flow_that_never_rests_is_not_told():
    assert zero_of(np.full(100, 200, np.uint8)) is None
    assert zero_of(np.array([127, 128] * 50, np.uint8)) is None


def test_grey_is_bt_601():
    red = torch.zeros(3, 1, 1)
    red[0] = 255
    torch.testing.assert_close(grey(red), torch.full((1, 1), 255 * 0.299))
