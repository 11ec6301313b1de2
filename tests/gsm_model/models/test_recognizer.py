"""The recogniser: any backbone with any temporal module, any clip, several threads."""

import threading

import pytest
import torch

from gsm_model import best_device, build_recognizer, record_gates
from gsm_model.models.observers import observe_gates
from gsm_model.models.registry import backbones, systems
from tests.conftest import make_small

# Backbones with convolutions on groups of channels.
GROUPED = {"mobilenet_v2": 1.0, "resnext101_32x4d": 0.25}
# Systems that are defined on the blocks of a ResNet alone.
OF_RESNETS = ["mc3", "p3d", "csn", "multifiber", "mict"]
# These on every backbone, and every system on the smallest; with --thorough every one on every one.
ON_ALL = ["none", "gsm", "tsm", "s3d"]


@pytest.mark.parametrize(
    ("backbone", "temporal"),
    [
        pytest.param(
            backbone,
            temporal,
            marks=[pytest.mark.thorough]
            * (backbone != "resnet18" and temporal not in [*ON_ALL, *OF_RESNETS]),
        )
        for backbone in backbones()
        for temporal in systems()
        if backbone not in GROUPED
    ],
)
def test_any_backbone_takes_any_temporal_module_or_says_what_does(backbone, temporal):
    width, side = (0.125, 32) if backbone.startswith("resnet") else (1.0, 101)
    if "inception" in backbone and temporal in OF_RESNETS:
        with pytest.raises(ValueError, match="ResNet"):
            build_recognizer(backbone, temporal, num_classes=3)
        return
    model = build_recognizer(backbone, temporal, num_classes=3, num_segments=2, width=width).eval()
    with torch.inference_mode():
        assert model(torch.randn(2, 2, 3, side, side)).shape == (2, 3)


@pytest.mark.parametrize("backbone", list(GROUPED))
def test_a_backbone_of_grouped_convolutions_takes_what_replaces_none_of_them(backbone):
    with torch.device("meta"):
        model = build_recognizer(backbone, "gsf", 3, 2, width=GROUPED[backbone]).eval()
        assert model(torch.zeros(2, 2, 3, 64, 64)).shape == (2, 3)
        for temporal in ("r3d", "stm", "gst", "csn"):
            with pytest.raises(ValueError, match="ResNet"):
                build_recognizer(backbone, temporal, num_classes=3, width=GROUPED[backbone])


def test_a_model_without_temporal_modules_cannot_tell_a_clip_from_its_reverse():
    model, clip = make_small("none"), torch.randn(2, 4, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(model(clip.flip(1)), model(clip), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("temporal", ["gsm", "tsm"])
def test_a_model_with_temporal_modules_can(temporal):
    model, clip = make_small(temporal), torch.randn(2, 4, 3, 32, 32)
    with torch.inference_mode():
        assert (model(clip.flip(1)) - model(clip)).abs().max() > 1e-2


def test_the_answer_is_the_mean_of_the_frame_logits(small_gsm):
    clip = torch.randn(2, 4, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(small_gsm.frame_logits(clip).mean(1), small_gsm(clip))


@pytest.mark.parametrize(
    "shape", [(1, 1, 3, 32, 32), (1, 7, 3, 33, 47), (3, 16, 3, 64, 32)], ids=str
)
def test_number_of_frames_and_size_may_change_at_run_time(small_gsm, shape):
    with torch.inference_mode(), record_gates(small_gsm) as gates:
        assert small_gsm.frame_logits(torch.randn(shape)).shape == (shape[0], shape[1], 5)
    assert all(gate.shape[:3] == (shape[0], shape[1], 2) for gate in gates.values())


@pytest.mark.parametrize("temporal", ["none", "gsm", "tsm"])
def test_the_best_device_of_this_machine_gives_the_cpus_answer(temporal):
    model, clip = make_small(temporal).channels_last(), torch.randn(2, 4, 3, 32, 32)
    device = best_device()
    with torch.inference_mode():
        expected = make_small(temporal)(clip)
        torch.testing.assert_close(
            model.to(device)(clip.to(device)).cpu(), expected, atol=1e-3, rtol=1e-3
        )


def test_clips_of_a_batch_do_not_see_each_other(small_gsm):
    clips = torch.randn(3, 4, 3, 32, 32)
    with torch.inference_mode():
        together = small_gsm(clips)
        alone = torch.cat([small_gsm(clip[None]) for clip in clips])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("temporal", ["none", "gsm", "tsm"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_reduced_precision_gives_nearly_the_same_logits(temporal, dtype):
    model, clip = make_small(temporal), torch.randn(1, 4, 3, 32, 32)
    with torch.inference_mode():
        exact = model(clip)
        reduced = model.to(dtype)(clip.to(dtype)).float()
    assert (reduced - exact).abs().max() <= 0.06 * exact.abs().max()


def test_autocast_gives_nearly_the_same_logits(small_gsm):
    clip = torch.randn(1, 4, 3, 32, 32)
    with torch.inference_mode():
        exact = small_gsm(clip)
        with torch.autocast("cpu", torch.bfloat16):
            reduced = small_gsm(clip).float()
    assert (reduced - exact).abs().max() <= 0.06 * exact.abs().max()


@pytest.mark.slow
@pytest.mark.parametrize(
    "temporal", [pytest.param("none", marks=pytest.mark.thorough), "gsm", "tsm"]
)
def test_tracing_for_compilation_changes_nothing(temporal):
    """Without machine code, which takes minutes; the optimised copy's test makes it of one."""
    model, clip = make_small(temporal), torch.randn(1, 4, 3, 32, 32)
    with torch.inference_mode():
        compiled = torch.compile(model, backend="aot_eager")
        torch.testing.assert_close(compiled(clip), model(clip), atol=1e-4, rtol=1e-4)


def test_gates_are_recorded_in_network_order_and_lie_within_one(small_gsm):
    with torch.inference_mode(), record_gates(small_gsm) as gates:
        small_gsm(torch.randn(2, 4, 3, 32, 32))
    assert list(gates) == [
        f"layer{stage}.{block}.gsm_conv2" for stage in (1, 2, 3, 4) for block in (0, 1)
    ]
    assert all(gate.shape[:3] == (2, 4, 2) and gate.abs().max() <= 1 for gate in gates.values())


def test_recording_leaves_nothing_behind_even_after_an_error(small_gsm):
    with pytest.raises(ZeroDivisionError), record_gates(small_gsm) as gates:
        raise ZeroDivisionError
    small_gsm(torch.randn(1, 4, 3, 32, 32))
    assert gates == {}
    assert not any(module._forward_hooks for module in small_gsm.modules())


def test_a_recording_sees_only_its_own_model(small_gsm):
    other = make_small("gsm", seed=1)
    with torch.inference_mode(), record_gates(small_gsm) as gates:
        other(torch.randn(1, 4, 3, 32, 32))
    assert gates == {}


def test_two_threads_on_one_model_record_their_own_gates(small_gsm):
    clips = [torch.randn(1, t, 3, 32, 32) for t in (2, 5)]
    alone, together = [], [None, None]
    for clip in clips:
        with torch.inference_mode(), record_gates(small_gsm) as gates:
            small_gsm(clip)
        alone.append(gates)
    ready = threading.Barrier(2)

    def work(number: int) -> None:
        with torch.inference_mode(), record_gates(small_gsm) as gates:
            for _ in range(5):
                ready.wait()
                small_gsm(clips[number])
        together[number] = gates

    threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for expected, found in zip(alone, together, strict=True):
        assert list(found) == list(expected)
        for name, gate in expected.items():
            torch.testing.assert_close(found[name], gate, atol=1e-5, rtol=1e-4)


def test_a_tap_may_replace_a_gate(small_gsm):
    """With all gates 0 a GSM only permutes channels, so the order of the frames no longer
    matters.
    """
    clip = torch.randn(1, 4, 3, 32, 32)
    with torch.inference_mode(), observe_gates(lambda module, gate: torch.zeros_like(gate)):
        torch.testing.assert_close(small_gsm(clip.flip(1)), small_gsm(clip), atol=1e-5, rtol=1e-5)


def test_gradients_reach_every_parameter(small_gsm):
    small_gsm.train()(torch.randn(2, 4, 3, 32, 32)).square().sum().backward()
    assert [
        name for name, parameter in small_gsm.named_parameters() if parameter.grad is None
    ] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("vgg", "gsm", 3), "unknown backbone 'vgg'.*resnet18"),
        (("resnet18", "lstm", 3), "unknown system 'lstm'.*gsm"),
        (("resnet18", "gsm", 0), "at least one class"),
        (("inception_v3", "gsm", 3, 8, 0.5), "one width"),
        (("bn_inception", "gsm", 3, 8, 0.3), "multiple of 1/8"),
        (("resnet18", "gsm", 3, 8, 0.1), "multiple of 4"),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_choices(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_recognizer(*arguments)


def test_a_clip_of_another_shape_is_refused(small_gsm):
    with pytest.raises(ValueError, match=r"\(N, T, 3, H, W\)"):
        small_gsm(torch.randn(4, 3, 32, 32))


def test_a_narrow_bn_inception_has_that_share_of_every_layers_channels():
    def shapes(width: float) -> dict[str, torch.Size]:
        with torch.device("meta"):
            model = build_recognizer("bn_inception", "none", 3, 2, width=width)
        return {key: value.shape for key, value in model.state_dict().items()}

    whole, quarter = shapes(1.0), shapes(0.25)
    assert list(quarter) == list(whole)
    for key, shape in whole.items():
        if shape and key != "new_fc.bias":
            ends = [side if side == 3 else side // 4 for side in shape[:2]]
            assert quarter[key] == torch.Size([*ends, *shape[2:]]), key


@pytest.mark.parametrize("backbone", ["bn_inception", "inception_v3", "resnet18"])
def test_a_stem_run_a_few_frames_at_a_time_gives_the_same(backbone):
    """Eleven frames, so that the last part is not whole."""
    model = build_recognizer(backbone, "gsm", num_classes=3, num_segments=11, input_size=101).eval()
    clip = torch.randn(1, 11, 3, 101, 101)
    with torch.inference_mode():
        in_parts = model(clip)
    torch.testing.assert_close(in_parts, model(clip).detach(), atol=1e-5, rtol=1e-4)
