"""Filling in against the package grad-cam's imputer, and on a case computed by hand."""

import numpy as np
import pytest
import torch

from gsm_model.explain.cam.imputation import filled_in
from tests.reference_packages import reference_package


@pytest.mark.parametrize("share", [0.05, 0.5, 0.97])
@pytest.mark.parametrize("size", [(9, 9), (5, 17), (48, 48)])
def test_pictures_are_filled_in_as_the_package_does(size, share):
    rng = np.random.default_rng(int(100 * share) + size[1])
    picture = torch.from_numpy(rng.standard_normal((3, *size)).astype(np.float32))
    keep = torch.from_numpy(rng.random(size) > share)
    keep[0, 0] = True
    package = reference_package("pytorch_grad_cam.metrics.road")
    torch.manual_seed(3)
    expected = package.NoisyLinearImputer()(picture, keep.float())
    torch.manual_seed(3)
    torch.testing.assert_close(filled_in(picture, keep), expected, rtol=0, atol=1e-6)


def test_one_missing_position_is_the_weighted_mean_of_its_neighbours():
    picture = torch.arange(9.0).reshape(1, 3, 3) ** 2
    keep = torch.ones(3, 3, dtype=torch.bool)
    keep[1, 1] = False
    [[up_left, up, up_right], [left, _, right], [low_left, low, low_right]] = picture[0].tolist()
    expected = (up + left + right + low) / 6 + (up_left + up_right + low_left + low_right) / 12
    filled = filled_in(picture, keep, noise=0)
    assert filled[0, 1, 1].item() == pytest.approx(expected)
    assert torch.equal(filled[:, keep], picture[:, keep])


def test_what_is_kept_of_a_constant_picture_fills_the_rest():
    keep = torch.zeros(6, 6, dtype=torch.bool)
    keep[5, 0] = True
    filled = filled_in(torch.full((3, 6, 6), 4.0), keep, noise=0)
    torch.testing.assert_close(filled, torch.full((3, 6, 6), 4.0))
