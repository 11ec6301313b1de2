"""Whether a map follows the model, the class and the moment."""

import numpy as np
import pytest
import torch

from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.report import cams_of_clips
from gsm_model.explain.cam.sanity import agreement, check_sanity, randomised_parts, rank_correlation
from tests.conftest import make_small

T = 4


def test_weights_at_random_change_a_map_and_parts_go_from_the_classifier_down():
    model = make_small("gsm")
    parts = randomised_parts(model)
    assert [name for name, _ in parts][:5] == ["classifier", "layer4", "layer3", "layer2", "layer1"]
    modules = [module for _, of in parts for module in of]
    assert {id(p) for module in modules for p in module.parameters(recurse=False)} == {
        id(p) for p in model.parameters()
    }
    clip = torch.randn(T, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.random.get_rng_state()
    found = check_sanity(model, clip, Target(1), "gradcam", "layer3.1", Target(2))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items()), (
        "the model itself is not touched"
    )
    assert torch.equal(state, torch.random.get_rng_state())
    assert [name for name, _ in found.randomised] == [name for name, _ in parts] and abs(
        found.randomised[-1][1]
    ) < 0.9
    ours, other = (
        cams_of_clips(model, clip[None], Target(index), "gradcam", ["layer3.1"])[2][0].maps[0]
        for index in (1, 2)
    )
    assert found.other_class == pytest.approx(rank_correlation(ours, other))


def test_inception_blocks_are_parts_of_their_own():
    from gsm_model import build_recognizer

    names = [name for name, _ in randomised_parts(build_recognizer("bn_inception", "gsm", 5))]
    assert names[:3] == ["classifier", "inception_5b", "inception_5a"] and "inception_3a" in names


def test_agreement_is_the_mean_rank_correlation_with_the_first():
    a, b = np.arange(8.0).reshape(2, 2, 2), np.arange(8.0)[::-1].reshape(2, 2, 2)
    assert agreement([a, a * 3]) == pytest.approx(1) and agreement([a, a, b]) == pytest.approx(0)
    assert rank_correlation(a, np.ones_like(a)) == 0
