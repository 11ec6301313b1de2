"""The recipe's parts against the release's rules, counted by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from gsm_model.bundled import assets
from gsm_model.data.labels import reversed_class
from gsm_model.data.probes.dataset import probe_clip
from gsm_model.data.synthetic_sets import synthetic_set
from gsm_model.errors import DataError
from gsm_model.training.config import TrainConfig
from gsm_model.training.dataset import Augment, SyntheticClips, style_of
from gsm_model.training.optim import (
    build_model,
    build_optimizer,
    build_schedule,
    parameter_groups,
    warmup_cosine,
)
from gsm_model.video.transforms import view_bytes
from tests.conftest import make_small

RELEASE = TrainConfig(
    "gsm",
    optimizer="sgd",
    learning_rate=0.01,
    weight_decay=5e-4,
    groups="release",
    schedule="cosine",
    warmup=1 / 6,
    steps=60,
)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 0.1}, "describes no network: width 0.1 gives 6 channels"),
        ({"backbone": "mobilenet_v2"}, "describes no network: MobileNetV2 has one width"),
        ({"backbone": "vgg"}, "describes no network: unknown backbone 'vgg'"),
        (
            {"backbone": "bn_inception", "width": 0.25, "input_size": 48},
            r"BN-Inception cannot take pictures of 48 × 48 pixels; use 63",
        ),
        (
            {"backbone": "inception_v3", "width": 1.0, "input_size": 64},
            r"Inception-V3 cannot take pictures of 64 × 64 pixels; use 69",
        ),
    ],
)
def test_a_configuration_of_no_network_is_refused_in_a_line(values, message):
    with pytest.raises(DataError, match=message):
        build_model(TrainConfig("gsm", **values), 3)


def test_a_size_that_is_advised_can_be_taken():
    config = TrainConfig("gsm", "bn_inception", width=0.125, num_segments=2, input_size=63)
    model = build_model(config, 3).eval()
    with torch.inference_mode():
        assert model(torch.randn(1, 2, 3, 63, 63)).shape == (1, 3)


def test_biases_learn_twice_as_fast_and_do_not_decay_and_nothing_is_left_out():
    model = make_small("gsm")
    optimizer = build_optimizer(model, RELEASE)
    weights, biases = optimizer.param_groups
    assert (weights["lr"], weights["weight_decay"], weights["momentum"]) == (0.01, 5e-4, 0.9)
    assert (biases["lr"], biases["weight_decay"], biases["momentum"]) == (0.02, 0.0, 0.9)
    gates = [module.conv3D.bias for module in model.gate_layers().values()]
    assert {id(p) for p in biases["params"]} == {id(p) for p in [*gates, model.new_fc.bias]}
    assert sorted(p.numel() for g in (weights, biases) for p in g["params"]) == sorted(
        p.numel() for p in model.parameters()
    )
    [one] = parameter_groups(model, TrainConfig("gsm"))
    assert len(one["params"]) == len(list(model.parameters()))


def test_the_rate_rises_in_a_line_and_falls_as_a_cosine():
    assert [warmup_cosine(step, 60, 10) for step in (0, 4, 9)] == [0.1, 0.5, 1.0]
    assert warmup_cosine(35, 60, 10) == pytest.approx(0.5 * (1 + math.cos(math.pi / 2)))
    assert warmup_cosine(59, 60, 10) < 0.001
    optimizer = build_optimizer(make_small("gsm"), RELEASE)
    schedule = build_schedule(optimizer, RELEASE)
    rates = []
    for _ in range(60):
        rates.append(schedule.get_last_lr())
        optimizer.step()
        schedule.step()
    assert rates[9] == pytest.approx([0.01, 0.02]) and rates[0] == pytest.approx([0.001, 0.002])
    assert max(rate for rate, _ in rates) == pytest.approx(0.01) and rates[-1][0] < 1e-5


def test_a_schedule_goes_on_from_its_state():
    for config in (RELEASE, TrainConfig("gsm", steps=60)):
        rates = {}
        for stop in (60, 25):
            optimizer = build_optimizer(make_small("gsm"), config)
            schedule = build_schedule(optimizer, config)
            for _ in range(stop):
                optimizer.step()
                schedule.step()
            rates[stop] = (schedule, optimizer)
        again = build_optimizer(make_small("gsm"), config)
        resumed = build_schedule(again, config)
        resumed.load_state_dict(rates[25][0].state_dict())
        again.load_state_dict(rates[25][1].state_dict())
        assert resumed.get_last_lr() == rates[25][0].get_last_lr()
        assert torch.tensor(resumed.get_last_lr()).isfinite().all()


def test_clutter_rises_in_a_straight_line_and_stays():
    config = TrainConfig("gsm", clutter=0.9, clutter_from=0.1, clutter_steps=100)
    assert [config.clutter_at(step) for step in (0, 50, 100, 500)] == [
        0.1,
        pytest.approx(0.5),
        0.9,
        0.9,
    ]
    assert TrainConfig("gsm", clutter=0.9).clutter_at(0) == 0.9


def test_a_clip_of_a_run_has_the_clutter_of_its_step():
    config = TrainConfig(
        "gsm", style="randomised", num_segments=2, input_size=32, batch_size=2, clutter_steps=4
    )
    spec = make_small("gsm").input
    clips = SyntheticClips(config, Augment.of(config, spec, ("a",)))
    frames, label = clips[5]
    assert (frames.shape, frames.dtype, label) == ((2, 3, 32, 32), torch.uint8, 5)
    shown, _ = SyntheticClips(replace(config, clutter=0.5, clutter_steps=0), clips.augment)[5]
    assert torch.equal(frames, shown)  # step 2 of 4, half the way from 0 to 1


def small_clips(**kwargs) -> SyntheticClips:
    config = TrainConfig("gsm", num_segments=4, input_size=32, batch_size=2, **kwargs)
    labels = synthetic_set(style_of(config)).labels
    return SyntheticClips(config, Augment.of(config, make_small("gsm").input, labels))


@pytest.mark.parametrize("style", ["drawn", "randomised"])
def test_in_both_directions_a_clip_is_followed_by_its_reversal(style):
    both, one = small_clips(style=style, directions="both"), small_clips(style=style)
    labels = synthetic_set(style).labels
    for index in (0, 1, 5):
        (clip, label), (back, reverse) = both[2 * index], both[2 * index + 1]
        assert torch.equal(back, clip.flip(0)) and reversed_class(labels[label]) == labels[reverse]
        assert label == index and torch.equal(clip, one[index][0])
    assert torch.equal(both[3][0], both[2][0].flip(0))  # in whatever order they are asked for


def test_both_and_still_shows_a_frame_of_the_clip_as_either_class_too():
    still, one = small_clips(directions="both and still"), small_clips()
    for index in (0, 5):
        (clip, label), (back, reverse), *frozen = (still[4 * index + k] for k in range(4))
        assert torch.equal(clip, one[index][0]) and torch.equal(back, clip.flip(0))
        assert [of for _, of in frozen] == [label, reverse] == [index, index ^ 1]
        assert torch.equal(frozen[0][0], frozen[1][0])
        assert torch.equal(frozen[0][0], frozen[0][0][:1].expand_as(clip))
        assert any(torch.equal(frozen[0][0][0], frame) for frame in clip)


def test_a_share_of_randomised_clips_are_drawn_ones_of_the_same_classes():
    mixed = small_clips(style="randomised", drawn_share=0.25)
    drawn, randomised = small_clips(style="drawn"), small_clips(style="randomised")
    count = 0
    for place in range(24):
        clip, label = mixed[place]
        if torch.equal(clip, randomised[place][0]):
            assert label == randomised[place][1]
        else:
            count += 1
            assert torch.equal(clip, drawn[place][0])
            names = synthetic_set("randomised").labels[label], synthetic_set("drawn").labels
            assert names[0] == names[1][drawn[place][1]]
    assert 2 <= count <= 11


@pytest.mark.parametrize(
    "values",
    [
        {"directions": "both", "data": "list.csv"},
        {"directions": "both", "style": "probes"},
        {"drawn_share": 0.5},
        {"drawn_share": 0.5, "style": "randomised", "data": "list.csv"},
    ],
)
def test_clips_whose_reversal_is_not_known_are_not_reversed_in_training(values):
    with pytest.raises(DataError, match="directions|drawn_share"):
        TrainConfig("gsm", **values)


def test_probes_have_the_frames_of_the_network_and_the_looks_of_the_run():
    config = TrainConfig(
        "gsm", style="probes", num_segments=12, input_size=32, clutter=0.3, camera=0.5
    )
    clips = SyntheticClips(config, Augment.of(config, make_small("gsm").input, ("a",)))
    frames, label = clips[34]
    shown = probe_clip("train", 34, num_frames=12, clutter=0.3, camera=0.5)
    assert frames.shape == (12, 3, 32, 32) and label == shown.label == 34 % 16


def test_a_tsm_can_be_trained_with_some_of_its_blocks_shifting():
    model = build_model(TrainConfig("tsm", width=0.125, shift_blocks="layer2.1 layer4.1"), 3)
    shifting = [layer.title for layer in model.temporal_layers() if layer.module is not None]
    assert shifting == ["layer2.1", "layer4.1"]


def test_a_network_can_be_shown_the_whole_picture_squeezed_into_a_square():
    wide = np.random.default_rng(0).integers(0, 256, (2, 40, 90, 3), np.uint8)
    config = TrainConfig("none", width=0.125, input_size=32, num_segments=2)
    seen = view_bytes(wide, build_model(replace(config, view="whole"), 2).input)
    squeezed = [
        np.asarray(Image.fromarray(frame).resize((32, 32), Image.Resampling.BILINEAR))
        for frame in wide
    ]
    np.testing.assert_array_equal(seen[0].transpose(0, 2, 3, 1), squeezed)
    assert build_model(config, 2).input.width is None


def test_the_configurations_that_come_with_the_project_go_on_from_the_bundled_models():
    for path in sorted((assets() / "training").glob("*-randomised.json")):
        config = TrainConfig.read(path)
        assert config.style == "randomised" and (path.parent / config.initial).is_file()
