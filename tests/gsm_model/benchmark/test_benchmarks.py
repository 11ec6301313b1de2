"""What each benchmark measures: the networks it names, in every way it names, with ratios within a
round.
"""

import shutil

import numpy as np
import pytest
import torch

from gsm_model.benchmark import evaluating, feeding
from gsm_model.benchmark.confusions import benchmark_confusions
from gsm_model.benchmark.evaluating import ONE, TWO, benchmark_evaluation
from gsm_model.benchmark.feeding import benchmark_feeding
from gsm_model.benchmark.first_answer import benchmark_first_answer
from gsm_model.benchmark.looking import benchmark_looking
from gsm_model.benchmark.networks import (
    RELEASED,
    benchmark_lengths,
    benchmark_networks,
    over_tsn,
    peak_megabytes,
)
from gsm_model.benchmark.synthetic import benchmark_synthetic
from gsm_model.benchmark.timing import WARM_UP
from gsm_model.benchmark.training import benchmark_training
from gsm_model.data.synthetic.export import write_dataset
from gsm_model.models.checkpoints.files import save_checkpoint
from tests.videos import constant_rate

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def small_set(tmp_path_factory):
    """A drawn clip of every class in small frames, and what stands in for drawing it at full
    size.
    """
    folder = tmp_path_factory.mktemp("drawn") / "clips"
    listed = write_dataset(folder, "test", 1, "mp4", height=48, width=64)

    def write(out, split, clips_per_class, format):
        assert (split, clips_per_class, format) == ("test", 1, "mp4")
        shutil.copytree(folder, out)
        return out / listed.name

    return write


def test_networks_are_run_in_every_way_and_compared_within_a_round(small_networks):
    timings = benchmark_networks(
        "resnet18", ["gsm", "none"], ["float32", "bfloat16"], CPU, num_segments=2, runs=2
    )
    names = [timing.what for timing in timings]
    assert names == [
        f"GSM, {RELEASED}",
        "GSM, as loaded",
        "GSM, optimised, float32",
        "GSM, optimised, bfloat16",
        "TSN, as loaded",
        "TSN, optimised, float32",
        "TSN, optimised, bfloat16",
    ]
    for timing in timings:
        np.testing.assert_allclose(timing.ratio, timings[0].seconds / timing.seconds)
        assert 5e6 < timing.work < 1e7, "two frames of an eighth of the channels in 64 pixels"
    ratios = over_tsn(timings)
    assert list(ratios) == ["as loaded", "optimised, float32", "optimised, bfloat16"]
    within = timings[1].seconds / timings[4].seconds
    assert ratios["as loaded"] == pytest.approx((np.median(within), within.min(), within.max()))


def test_lengths_training_steps_and_memory_are_measured(small_networks):
    shorter, longer = benchmark_lengths("resnet18", "gsm", "float32", CPU, (1, 2), runs=1)
    np.testing.assert_allclose(longer.ratio, longer.seconds / shorter.seconds)
    timings = benchmark_training("resnet18", ["gsm"], CPU, num_segments=2, clips=1, runs=1)
    assert {timing.what for timing in timings} == {
        f"GSM, {how}" for how in ("float32", "channels last", "channels last, bfloat16", RELEASED)
    }
    assert 20 < peak_megabytes("resnet18", "gsm", "as loaded", 2, CPU) < 2000, (
        "11 million weights are 45 MB"
    )


def test_looking_is_timed_beside_the_forward(small_gsm):
    forwards = []
    small_gsm.register_forward_hook(lambda *_: forwards.append(1))
    timings = benchmark_looking(small_gsm, 4, runs=3)
    assert [timing.what for timing in timings][:4] == [
        "forward",
        "gates recorded",
        "routing recorded",
        "report of all layers",
    ]
    assert len(forwards) == 4 * (3 + WARM_UP), "evidence for Grad-CAM asks for frame logits"
    for timing in timings:
        np.testing.assert_allclose(timing.ratio, timing.seconds / timings[0].seconds)


def test_a_first_answer_is_compared_with_its_parts(tmp_path, moving_bar, small_gsm):
    constant_rate(tmp_path / "clip.mp4", moving_bar)
    decoding, forwards, answer = benchmark_first_answer(tmp_path / "clip.mp4", [small_gsm], runs=1)
    np.testing.assert_allclose(answer.ratio, answer.seconds / (decoding.seconds + forwards.seconds))


def test_a_comparison_is_timed_from_the_files_on():
    timings = benchmark_confusions(runs=2, clips=600)
    assert [len(timing.seconds) for timing in timings] == [2, 2, 2] and all(
        (timing.seconds > 0).all() for timing in timings
    )
    assert "ratio" not in timings[0].row()
    with pytest.raises(ValueError, match="at least one run"):
        benchmark_confusions(runs=0)


def test_making_synthetic_clips_is_timed_against_the_drawn():
    timings = benchmark_synthetic(torch.device("cpu"), segments=2, side=16, runs=1, clips=1)
    assert [timing.what for timing in timings] == [
        "drawn",
        "randomised, clutter 0",
        "randomised, clutter 1",
    ]
    for timing in timings:
        np.testing.assert_allclose(timing.ratio, timing.seconds / timings[0].seconds)


@pytest.mark.slow
def test_waiting_for_frames_is_part_of_a_clips_time_decoded_ahead_or_not(
    small_gsm, small_set, monkeypatch
):
    monkeypatch.setattr(feeding, "write_dataset", small_set)
    in_turn, decoding, ahead, waiting = benchmark_feeding(small_gsm, clips_per_class=1, runs=2)
    assert (
        (decoding.seconds > 0).all()
        and (decoding.seconds < in_turn.seconds).all()
        and (waiting.seconds < ahead.seconds).all()
    )
    np.testing.assert_allclose(ahead.ratio, ahead.seconds / in_turn.seconds)
    with pytest.raises(ValueError, match="at least one run"):
        benchmark_feeding(small_gsm, runs=0)


def test_an_evaluation_in_two_processes_is_compared_with_one_in_the_same_round(
    tmp_path, small_set, monkeypatch
):
    took = {1: iter([4.0, 6.0]), 2: iter([2.0, 4.0])}

    def evaluate(checkpoint, data, out, devices):
        assert len(list(data.glob("*.mp4"))) == 20
        return next(took[devices])

    monkeypatch.setattr(evaluating, "write_dataset", small_set)
    monkeypatch.setattr(evaluating, "_evaluate", evaluate)
    one, two = benchmark_evaluation(tmp_path / "small.safetensors", clips_per_class=1, runs=2)
    assert (one.what, two.what) == (ONE, TWO)
    assert one.seconds.tolist() == [4, 6] and two.ratio.tolist() == [2, 1.5]


@pytest.mark.slow
@pytest.mark.thorough
def test_an_evaluation_is_timed_in_one_process_and_in_two(
    tmp_path, drawn_model, small_set, monkeypatch
):
    monkeypatch.setattr(evaluating, "write_dataset", small_set)
    save_checkpoint(drawn_model, tmp_path / "small.safetensors")
    one, two = benchmark_evaluation(tmp_path / "small.safetensors", clips_per_class=1, runs=1)
    assert (one.what, two.what) == (ONE, TWO)
    np.testing.assert_allclose(two.ratio, one.seconds / two.seconds)
