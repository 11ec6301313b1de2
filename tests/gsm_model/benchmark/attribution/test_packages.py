"""Other packages' attributions, as they are used on their own, and what is said without them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gsm_model.benchmark.attribution import packages
from gsm_model.benchmark.attribution.packages import (
    GET_CAPTUM,
    captum_methods,
    gradcam_methods,
    package_methods,
)
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.package import PackageError
from gsm_model.explain.cam.report import cams_of_clips
from gsm_model.explain.cam.scale import upsampled
from tests.reference_packages import reference_package

TARGET = Target(1, 3)


def test_grad_cams_map_is_ours_rectified_and_rescaled_frame_by_frame(small_gsm, monkeypatch):
    reference = reference_package("pytorch_grad_cam")
    monkeypatch.setattr(packages, "load_package", lambda: reference)
    clip = torch.randn(4, 3, 64, 64)
    [(name, method)] = gradcam_methods(small_gsm).items()
    assert name == "grad-cam's GradCAM, layer4.1"
    found = method(small_gsm, clip, TARGET)
    _, _, [ours] = cams_of_clips(small_gsm, clip[None], TARGET, "gradcam", ["layer4.1"])
    positive = np.maximum(ours.maps[0], 0)
    for frame, own in zip(found, positive, strict=True):
        assert frame.shape == (64, 64) and frame.min() >= 0
        if np.ptp(own) > 0:
            rescaled = upsampled(((own - own.min()) / np.ptp(own))[None], 64)[0]
            assert np.corrcoef(frame.ravel(), rescaled.ravel())[0, 1] > 0.98
    assert not any(module._forward_hooks for module in small_gsm.modules())


class InputXGradient:
    """As Captum's, with nothing of it."""

    def __init__(self, forward):
        self.forward = forward

    def attribute(self, given):
        [gradient] = torch.autograd.grad(self.forward(given).sum(), given)
        return given * gradient


def test_captum_is_given_the_whole_clip_and_its_planes_are_summed(small_gsm, monkeypatch):
    fake = SimpleNamespace(InputXGradient=InputXGradient, IntegratedGradients=InputXGradient)
    monkeypatch.setattr(packages, "load_captum", lambda: fake)
    clip = torch.randn(4, 3, 32, 32)
    found = captum_methods(small_gsm)["Captum's InputXGradient"](small_gsm, clip, TARGET)
    given = clip[None].clone().requires_grad_()
    [gradient] = torch.autograd.grad(TARGET.value(small_gsm(given)).sum(), given)
    np.testing.assert_allclose(found, (clip * gradient[0]).sum(1), rtol=1e-4, atol=1e-6)
    assert found.shape == (4, 32, 32)


def test_captums_integrated_gradients_add_up_where_it_is_installed(small_gsm):
    pytest.importorskip("captum")
    methods = captum_methods(small_gsm)
    clip = 0.1 * torch.randn(4, 3, 32, 32)
    found = next(one for name, one in methods.items() if "Integrated" in name)
    with torch.no_grad():
        values = TARGET.value(small_gsm(torch.stack([torch.zeros_like(clip), clip])))
    total = found(small_gsm, clip, TARGET).sum()
    assert total == pytest.approx(float(values[1] - values[0]), rel=0.2, abs=0.02)


def test_a_package_that_cannot_be_imported_is_left_out_with_a_sentence(small_gsm, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    def no_package():
        raise PackageError("grad-cam cannot be imported")

    monkeypatch.setattr(packages.importlib, "import_module", missing)
    monkeypatch.setattr(packages, "load_package", no_package)
    found, sentences = package_methods(small_gsm)
    assert not found and sentences == ("grad-cam cannot be imported", GET_CAPTUM)
