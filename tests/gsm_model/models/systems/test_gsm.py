"""The Gate-Shift Module against the release's, against its definition, and against a plain
Conv3d.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gsm_model.models.probe import Probe
from gsm_model.models.systems.gsm import GateShiftModule, shift_and_interleave
from tests.conftest import PARITY, fill

KINDS = {
    "conv3D.weight": "gate",
    "conv3D.bias": "bias",
    "bn.weight": "bn_weight",
    "bn.bias": "bn_bias",
    "bn.running_mean": "bn_mean",
    "bn.running_var": "bn_var",
}


def plain_gate(module: GateShiftModule, x: torch.Tensor, t: int) -> torch.Tensor:
    """The gate as the paper writes it: a 3×3×3 convolution in two groups."""
    activated = F.relu(module.bn(x))
    clips = activated.view(-1, t, *x.shape[1:]).transpose(1, 2)
    return torch.tanh(module.conv3D(clips)).transpose(1, 2)


def plain_shift(x: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
    """Steps 2 to 5 of the module, one frame and one half at a time."""
    n, t = gate.shape[:2]
    c = x.shape[1]
    clips = x.view(n, t, c, *x.shape[2:])
    out = torch.empty_like(clips)
    for half, source in ((0, 1), (1, -1)):
        part = slice(half * c // 2, (half + 1) * c // 2)
        moving = gate[:, :, half : half + 1] * clips[:, :, part]
        for frame in range(t):
            arriving = (
                moving[:, frame + source]
                if 0 <= frame + source < t
                else torch.zeros_like(moving[:, 0])
            )
            whole = arriving + clips[:, frame, part] - moving[:, frame]
            pairs = whole.view(n, 2, c // 4, *x.shape[2:]).transpose(1, 2)
            out[:, frame, part] = pairs.reshape(n, c // 2, *x.shape[2:])
    return out.view_as(x)


def released_module(channels: int) -> GateShiftModule:
    module = GateShiftModule(channels)
    state = module.state_dict()
    for key, kind in KINDS.items():
        state[key] = torch.from_numpy(
            fill.draw(f"module{channels}.{key}", tuple(state[key].shape), kind)
        )
    module.load_state_dict(state)
    return module


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize(("channels", "size"), [(32, 7), (64, 9)])
def test_output_and_all_gradients_are_those_of_the_release(channels, size, mode):
    reference = np.load(PARITY / f"gate_shift_module_{channels}.npz")
    module = released_module(channels).train(mode == "train")
    shape = (16, channels, size, size)
    x = torch.from_numpy(
        np.random.default_rng(channels).standard_normal(shape).astype(np.float32)
    ).requires_grad_()
    upstream = torch.from_numpy(
        np.random.default_rng(channels + 1).standard_normal(shape).astype(np.float32)
    )
    out = module(x.unflatten(0, (-1, 8)), Probe()).flatten(0, 1)
    out.backward(upstream)
    np.testing.assert_allclose(out.detach(), reference[f"{mode}:output"], atol=2e-5)
    np.testing.assert_allclose(x.grad, reference[f"{mode}:grad_input"], atol=2e-4)
    for name, parameter in module.named_parameters():
        expected = reference[f"{mode}:grad:{name}"]
        np.testing.assert_allclose(
            parameter.grad, expected, atol=2e-4 * np.abs(expected).max(), err_msg=name
        )


def test_the_fast_gate_equals_the_plain_convolution():
    module = released_module(32).eval()
    x = torch.randn(12, 32, 5, 6)
    torch.testing.assert_close(
        module.gate(x.unflatten(0, (-1, 4))), plain_gate(module, x, 4), atol=3e-6, rtol=0
    )


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_shift_follows_its_definition_and_keeps_the_memory_layout(layout):
    x = torch.randn(6, 8, 5, 4).contiguous(memory_format=layout)
    gate = torch.rand(2, 3, 2, 5, 4) * 2 - 1
    out = shift_and_interleave(x.unflatten(0, (2, 3)), gate).flatten(0, 1)
    torch.testing.assert_close(out, plain_shift(x, gate))
    assert out.is_contiguous(memory_format=layout)


def test_the_written_derivative_of_the_shift_is_the_numerical_one():
    x = torch.randn(2, 3, 8, 2, 3, dtype=torch.double, requires_grad=True)
    gate = torch.rand(2, 3, 2, 2, 3, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(shift_and_interleave, (x, gate))


def test_a_fresh_module_only_interleaves_the_channels_of_each_half():
    x = torch.randn(8, 8, 3, 3)
    out = GateShiftModule(8).eval()(x.unflatten(0, (2, 4)), Probe()).flatten(0, 1)
    torch.testing.assert_close(out, x[:, [0, 2, 1, 3, 4, 6, 5, 7]])


def test_gates_of_one_move_every_feature_by_one_frame():
    x = torch.randn(3, 4, 1, 1)
    out = shift_and_interleave(x[None], torch.ones(1, 3, 2, 1, 1))[0]
    torch.testing.assert_close(out[:2, :2], x[1:, :2])
    torch.testing.assert_close(out[1:, 2:], x[:2, 2:])
    assert out[2, :2].abs().sum() == 0 and out[0, 2:].abs().sum() == 0


def test_channels_that_cannot_be_interleaved_are_refused():
    with pytest.raises(ValueError, match="multiple of 4"):
        GateShiftModule(6)
