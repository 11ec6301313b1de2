"""CoST (a) and (b): the authors' release, and the truths of its definition."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gsm_model import build_recognizer
from gsm_model.models.cost import cost_of
from gsm_model.models.probe import Probe
from gsm_model.models.systems.cost_a import WeightedViews
from gsm_model.models.systems.cost_b import ChosenViews
from gsm_model.models.temporal import WHOLE_CLIP, TemporalModule
from tests.conftest import PARITY, fill, make_small, released_weights

FIXTURE = PARITY / "systems" / "costa_r50_8f"
PLACES = ("layer1.1", "layer2.0", "layer2.2", "layer3.0", "layer3.2", "layer3.4", "layer4.0")


class HalfTheTime(TemporalModule):
    """The larger of every two frames, as the release takes behind its first stage."""

    def forward(self, x, probe):
        return x.unflatten(1, (-1, 2)).amax(2)


@pytest.mark.slow
def test_our_operator_in_the_published_arrangement_gives_its_logits_and_weights():
    reference = np.load(FIXTURE.with_suffix(".npz"))
    model = build_recognizer("resnet50", num_classes=400).eval()
    sites = {site.title: site for site in model.base_model.sites()}
    for title in (*PLACES, "layer4.2"):
        sites[title].replace("conv2", WeightedViews)
    model.base_model.insert_after("layer1", lambda channels: HalfTheTime(), "fewer")
    weights = {}
    for key, tensor in released_weights("systems/costa_r50_8f").items():
        key = key.replace("backbone.", "base_model.").replace("cls_head.fc_cls.", "new_fc.")
        key = key.replace(".downsample.conv.", ".downsample.0.")
        key = key.replace(".downsample.bn.", ".downsample.1.")
        key = key.replace(".conv.", ".") if ".bn." not in key else key
        for number in "123":
            key = key.replace(f".conv{number}.bn.", f".bn{number}.")
        weights[key] = tensor.squeeze(2) if tensor.ndim == 5 else tensor
    model.load_state_dict(weights)
    with torch.inference_mode():
        logits = model(torch.from_numpy(fill.clip(8, 112)))
    error = np.abs(logits.numpy() - reference["logits"]).max() / np.abs(reference["logits"]).max()
    assert error <= 1e-4, error
    for title in ("layer1.1", "layer4.2"):
        ours = sites[title].host.conv2.views().detach().numpy()
        np.testing.assert_allclose(ours, reference[f"alpha:backbone.{title}.conv2.conv"], atol=1e-3)


def conv(channels: int = 4, out: int = 6, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(channels, out, 3, stride, 1, bias=bias)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("build", [WeightedViews, ChosenViews])
def test_the_output_is_the_weighted_sum_of_one_kernel_in_three_planes(build, stride):
    module, x = build(conv(stride=stride)).eval(), torch.randn(2, 5, 4, 7, 6)
    clip, w, s = x.transpose(1, 2), module.weight, stride
    with torch.inference_mode():
        planes = torch.stack(
            [
                F.conv3d(clip, w[:, :, None], None, (1, s, s), (0, 1, 1)),
                F.conv3d(clip, w[:, :, :, None], None, (1, s, s), (1, 0, 1)),
                F.conv3d(clip, w[..., None], None, (1, s, s), (1, 1, 0)),
            ]
        )
        if build is WeightedViews:
            alpha = module.views()[:, None]
        else:
            largest = planes.flatten(3).amax(3)
            across = largest @ module.across_channels.weight.T
            alpha = torch.einsum("vu,unc->vnc", module.across_views.weight, across).softmax(0)
        expected = (alpha[..., None, None, None] * planes).sum(0) + module.bias.view(-1, 1, 1, 1)
        torch.testing.assert_close(module(x, Probe(2)), expected.transpose(1, 2))


def test_with_all_weight_on_the_picture_it_is_the_2d_convolution():
    plain = conv()
    module, x = WeightedViews(plain), torch.randn(1, 3, 4, 5, 5)
    module.alpha.data = torch.tensor([0.0, -1e4, -1e4]).view(3, 1).repeat(1, 6)
    with torch.inference_mode():
        torch.testing.assert_close(module(x, Probe())[0], plain(x[0]))
    assert module.reach() == (0, 0)


def test_it_starts_with_two_thirds_on_the_picture_and_a_third_of_each_where_the_clip_chooses():
    start = WeightedViews(conv()).views()
    torch.testing.assert_close(start[:, 0], torch.tensor([0.669, 0.165, 0.165]), atol=1e-3, rtol=0)
    chooser = ChosenViews(conv())
    views = chooser.views(chooser.planes(torch.randn(2, 3, 4, 5, 5)))
    torch.testing.assert_close(views, torch.full((3, 2, 6), 1 / 3), atol=1e-2, rtol=0)


def test_it_is_one_3d_convolution_of_19_numbers_whose_centre_is_the_kernels():
    module, norm = WeightedViews(conv(bias=False)), nn.BatchNorm2d(6).eval()
    kernel = module.absorbed(norm).conv.weight * (1 + norm.eps) ** 0.5
    assert (kernel != 0).sum((2, 3, 4)).unique().tolist() == [19]
    torch.testing.assert_close(kernel[:, :, 1, 1, 1], module.weight[:, :, 1, 1])


def test_planes_through_time_swap_where_the_picture_and_the_kernel_are_transposed():
    module = ChosenViews(conv())
    x = torch.randn(1, 4, 4, 5, 5)
    with torch.inference_mode():
        _, time_width, time_height = module.planes(x)
        _, other_width, other_height = module.planes(x.mT)
    torch.testing.assert_close(other_width, time_height.mT)
    torch.testing.assert_close(other_height, time_width.mT)


@pytest.mark.parametrize("system", ["cost_a", "cost_b"])
def test_it_is_blind_to_reversal_only_with_kernels_symmetric_along_time(system):
    model, clip = make_small(system), torch.randn(1, 4, 3, 32, 32)
    kernels = [layer.module.weight for layer in model.temporal_layers()]
    drawn = [kernel.data for kernel in kernels]

    def moved(axes: tuple[int, ...]) -> float:
        for kernel, data in zip(kernels, drawn, strict=True):
            kernel.data = data
            for axis in axes:
                kernel.data = (kernel.data + kernel.data.flip(axis)) / 2
        with torch.inference_mode():
            forward, backward = model(clip), model(clip.flip(1))
        return float((forward - backward).abs().max() / forward.std())

    assert moved(()) > 1e-3 and moved((3,)) > 1e-3
    assert moved((2,)) <= 1e-5 and moved((2, 3)) <= 1e-5


def test_the_clip_chooses_by_all_of_its_frames_unless_nothing_chooses():
    module = ChosenViews(conv())
    assert module.reach() == (WHOLE_CLIP, WHOLE_CLIP)
    nn.init.zeros_(module.across_views.weight)
    assert module.reach() == (1, 1)


def test_alone_it_chooses_as_in_a_still_clip():
    module = ChosenViews(conv()).eval()
    nn.init.normal_(module.across_channels.weight)
    nn.init.normal_(module.across_views.weight)
    frame = torch.randn(1, 1, 4, 5, 5)
    with torch.inference_mode():
        still = module(frame.expand(-1, 5, -1, -1, -1), Probe())
        alone = module.alone(frame.expand(-1, 3, -1, -1, -1).contiguous())
    torch.testing.assert_close(alone[0], still[0, 1:4])


@pytest.mark.parametrize("build", [WeightedViews, ChosenViews])
def test_a_norm_behind_it_is_folded_in(build):
    module, norm = build(conv()).eval(), nn.BatchNorm2d(6).eval()
    for parameter in norm.parameters():
        nn.init.normal_(parameter)
    x = torch.randn(2, 4, 4, 5, 5)
    with torch.inference_mode():
        expected = norm(module(x, Probe(2)).flatten(0, 1)).unflatten(0, (2, 4))
        torch.testing.assert_close(module.absorbed(norm)(x, Probe(2)), expected)


def test_weights_of_views_are_read_as_means_over_channels():
    module = WeightedViews(conv())
    [reading] = module.readings()
    assert reading.labels == ("HW", "TW", "TH")
    torch.testing.assert_close(reading.values, module.views().mean(1).detach())
    assert float(reading.values.sum()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("system", "parameters", "macs"), [("cost_a", 11.277e6, 5.17e9), ("cost_b", 12.659e6, 5.17e9)]
)
def test_a_resnet18_has_the_parameters_and_the_cost_counted_of_it(system, parameters, macs):
    with torch.device("meta"):
        model = build_recognizer("resnet18", system, num_classes=174)
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(parameters, abs=1.1e3)
    assert cost_of(model, 2).macs / 2 == pytest.approx(macs, rel=2e-3)


def test_a_kernel_that_cannot_look_at_every_plane_is_refused():
    with pytest.raises(ValueError, match=r"square kernel .* got \(7, 1\)"):
        WeightedViews(nn.Conv2d(4, 4, (7, 1), padding=(3, 0)))
