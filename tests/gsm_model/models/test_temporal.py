"""What crosses time, defined once for all modules, against the closed forms of gated shifts."""

import pytest
import torch
from torch import nn

from gsm_model.models.observers import observe_gates
from gsm_model.models.probe import Probe
from gsm_model.models.systems.gsm import GateShiftModule, shift_and_interleave
from gsm_model.models.systems.temporal_conv import conv_over_time
from gsm_model.models.systems.tsm import TemporalShift
from gsm_model.models.temporal import GatedModule, TemporalModule


def gated(kind: str) -> GatedModule:
    torch.manual_seed(0)
    if kind == "tsm":
        return TemporalShift().eval()
    module = GateShiftModule(16).eval()
    nn.init.normal_(module.conv3D.weight, std=0.3)
    nn.init.normal_(module.conv3D.bias, std=0.3)
    return module


def features(frames: int = 6) -> torch.Tensor:
    return torch.randn(2, frames, 16, 5, 5, generator=torch.Generator().manual_seed(3))


def gate_of(module: GatedModule, x: torch.Tensor) -> torch.Tensor:
    seen = []
    module(x, Probe(len(x), readings=(lambda _, name, value: seen.append(value),)))
    return seen[0]


@pytest.mark.parametrize("kind", ["gsm", "tsm"])
def test_a_frame_among_copies_of_itself_gives_what_gates_of_0_give(kind):
    module, x = gated(kind), features()
    with torch.inference_mode():
        closed = module.alone(x)
        copies = TemporalModule.alone(module, x)
    torch.testing.assert_close(copies, closed, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", ["gsm", "tsm"])
def test_what_crosses_a_gated_shift_is_what_arrives_less_what_leaves(kind):
    module, x = gated(kind), features()
    with torch.inference_mode():
        crossing = module(x, Probe(2)) - TemporalModule.alone(module, x)
        gate = gate_of(module, x)
        half = 8 if kind == "gsm" else 2
        expected = torch.zeros_like(x)
        for way, step in ((0, 1), (1, -1)):
            channels = slice(way * half, (way + 1) * half)
            moving = gate[:, :, way, None] * x[:, :, channels]
            expected[:, :, channels] -= moving
            for frame in range(x.shape[1]):
                if 0 <= frame + step < x.shape[1]:
                    expected[:, frame, channels] += moving[:, frame + step]
        if kind == "gsm":  # the release's interleave only renames channels
            expected = shift_and_interleave(expected, torch.zeros_like(gate))
    torch.testing.assert_close(crossing, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["gsm", "tsm"])
def test_contributions_of_a_gated_shift_are_its_closed_form(kind):
    module, x = gated(kind), features()
    half = 8 if kind == "gsm" else 2
    with torch.inference_mode():
        gate = gate_of(module, x)
        for distance, frames, parts in module.contributions(x):
            energy = parts.square().sum((2, 3, 4))
            expected = torch.zeros_like(energy)
            for way, step in ((0, 1), (1, -1)):
                channels = slice(way * half, (way + 1) * half)
                g, own = gate[:, frames, way, None], x[:, frames][:, :, channels]
                if distance == 0:
                    expected += ((1 - g) * own).square().sum((2, 3, 4))
                elif distance == step:
                    source = x[:, frames + step][:, :, channels]
                    moved = gate[:, frames + step, way, None] * source
                    expected += moved.square().sum((2, 3, 4))
            if distance == 0:
                expected += x[:, frames, 2 * half :].square().sum((2, 3, 4))
            torch.testing.assert_close(energy, expected, atol=1e-4, rtol=1e-4)


class PlainConv(TemporalModule):
    """A 3×3×3 convolution and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(16, 8, 3, padding=1)

    def forward(self, x: torch.Tensor, probe: Probe) -> torch.Tensor:
        return conv_over_time(x, self.conv)

    def reach(self) -> tuple[int, int]:
        return 1, 1


def test_contributions_of_a_convolution_are_its_taps_and_alone_is_the_sum_of_them():
    torch.manual_seed(0)
    module, x = PlainConv(), features()
    weight, bias = module.conv.weight, module.conv.bias
    with torch.inference_mode():
        for distance, frames, parts in module.contributions(x):
            source = x[:, frames + distance].flatten(0, 1)
            tap = nn.functional.conv2d(source, weight[:, :, 1 + distance], padding=1)
            torch.testing.assert_close(parts.flatten(0, 1), tap, atol=1e-5, rtol=1e-4)
        alone = nn.functional.conv2d(x.flatten(0, 1), weight.sum(2), bias, padding=1)
        torch.testing.assert_close(module.alone(x).flatten(0, 1), alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("taps", [1, 3, 5])
@pytest.mark.parametrize(("groups", "stride"), [(1, 1), (2, 2)])
@pytest.mark.parametrize("frames", [1, 2, 5])
def test_a_convolution_over_time_is_pytorchs(taps, groups, stride, frames):
    torch.manual_seed(0)
    conv = nn.Conv3d(8, 6, (taps, 3, 3), (1, stride, stride), (taps // 2, 1, 1), groups=groups)
    x = torch.randn(2, frames, 8, 7, 7)
    expected = conv(x.transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(conv_over_time(x, conv), expected, atol=1e-5, rtol=1e-4)


def test_observers_are_this_threads_and_leave_nothing_behind(small_gsm):
    clip = torch.randn(1, 4, 3, 32, 32)
    with torch.inference_mode():
        before = small_gsm(clip)
        with observe_gates(lambda module, gate: torch.zeros_like(gate)):
            assert not torch.allclose(small_gsm(clip), before)
        torch.testing.assert_close(small_gsm(clip), before)
