"""Effects: compression against a real encoder's, resolution and noise against their numbers."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from gsm_model.data.randomised.chance import Clutter
from gsm_model.data.randomised.effects import Effects, jpeg
from gsm_model.data.randomised.textures import textures

NONE = replace(
    Effects.drawn_by(Clutter(np.random.default_rng(0), clutter=0.0)), noise=0.0, gain=np.ones(3)
)


@pytest.fixture(scope="module")
def picture():
    return textures("photograph")[0].levels[2][:, :, :45, :61]


@pytest.mark.parametrize("quality", [15, 40, 80])
def test_compression_is_jpegs(picture, quality):
    """Against libjpeg, its colours at full resolution: nearer to it by far than the picture."""
    levels = (picture[0] * 255).round().byte()
    buffer = io.BytesIO()
    Image.fromarray(levels.permute(1, 2, 0).numpy()).save(
        buffer, "JPEG", quality=quality, subsampling=0
    )
    expected = np.asarray(Image.open(buffer)).astype(float)
    found = jpeg(levels[None] / 255, quality)[0].clamp(0, 1).permute(1, 2, 0).numpy() * 255
    error = np.abs(found - expected).mean()
    assert error < 1.5 and error < 0.5 * np.abs(levels.permute(1, 2, 0).numpy() - expected).mean()


def apply(effects, picture):
    return effects.apply(picture.clone(), np.array([0.5]), [(1,)])[0].numpy().astype(float)


def test_without_effects_a_picture_stays_as_it_is(picture):
    expected = picture[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(apply(NONE, picture) - expected).max() <= 0.51


def test_noise_is_as_strong_as_it_says_and_its_seeds(picture):
    grey = torch.full((1, 3, 64, 64), 0.5)
    noisy = replace(NONE, noise=6.0, colored=True)
    assert apply(noisy, grey).std() == pytest.approx(6.0, rel=0.05)
    assert np.array_equal(apply(noisy, grey), apply(noisy, grey))


@pytest.mark.parametrize("change", [{"detail": 0.4}, {"blur": 3.0}])
def test_detail_and_blur_take_detail_and_keep_the_mean(picture, change):
    plain, soft = apply(NONE, picture), apply(replace(NONE, **change), picture)
    assert np.abs(np.diff(soft, axis=1)).mean() < 0.6 * np.abs(np.diff(plain, axis=1)).mean()
    assert soft.mean() == pytest.approx(plain.mean(), rel=0.01)
