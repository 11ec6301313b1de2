"""Every formula against the package grad-cam's own, on the features and gradients of a real network
and on numbers that strain it.
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from gsm_model.explain.cam.evidence import Evidence, Target, evidence_of_clips
from gsm_model.explain.cam.methods import FORMULAS, cam_of_evidence, eigen_cam
from gsm_model.explain.cam.package import CLASSES, _import, package_maps
from tests.conftest import make_small
from tests.reference_packages import reference_package

SHAPES = [(1, 1, 1, 1), (2, 3, 4, 5), (8, 64, 7, 7), (3, 130, 1, 9)]


@pytest.fixture(scope="module")
def of_network() -> Callable[[str, Target], Evidence]:
    model = make_small("gsm")
    clips = torch.randn(2, 4, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    def evidence(layer, target):
        return evidence_of_clips(model, clips, [target], [layer])[1][0][1][0]

    return evidence


@pytest.fixture(autouse=True)
def package():
    """The package, also where a test before this one found that it could not be imported."""
    imported = reference_package("pytorch_grad_cam")
    _import.cache_clear()
    return imported


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6 * np.abs(theirs).max())


def test_there_is_a_formula_for_each_of_the_packages_classes():
    assert set(FORMULAS) == set(CLASSES)


@pytest.mark.parametrize("target", [Target(2), Target(1, 3)])
@pytest.mark.parametrize("layer", ["layer1.0", "layer3.1", "layer4.1:before", "layer4.1"])
@pytest.mark.parametrize("method", FORMULAS)
def test_a_real_networks_maps_are_those_of_the_package(of_network, method, layer, target):
    evidence = of_network(layer, target)
    close(cam_of_evidence(method, evidence), package_maps(method, evidence))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("method", FORMULAS)
def test_maps_of_any_shape_are_those_of_the_package(method, shape):
    rng = np.random.default_rng(len(method) + sum(shape))
    features, gradients = rng.standard_normal((2, 1, *shape)).astype(np.float32)
    gradients[0, 0] = 0  # Grad-CAM++ divides by powers of it
    features[0, :, -1] = np.abs(features[0, :, -1])
    evidence = Evidence("any", features, gradients)
    close(cam_of_evidence(method, evidence), package_maps(method, evidence))


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_eigen_cam_is_the_packages_with_the_clip_as_one_picture(package, shape):
    features = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    t, c, h, w = shape
    clip = features.transpose(1, 0, 2, 3).reshape(1, c, t * h, w)
    expected = package.EigenCAM(torch.nn.Linear(1, 1), []).get_cam_image(
        None, None, None, clip, None, False
    )
    expected = expected.reshape(t, h, w)
    ours = eigen_cam(features)
    assert ours.max() >= -ours.min()
    close(ours, expected * np.sign((ours * expected).sum()))
