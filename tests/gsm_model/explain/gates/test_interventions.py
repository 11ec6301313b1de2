"""Experiments on gates against networks built without them, and against what each clamp is defined
to be.
"""

import threading

import numpy as np
import pytest
import torch

from gsm_model.explain.gates.clamps import CLAMPS
from gsm_model.explain.gates.interventions import (
    Intervention,
    every_clamp,
    every_layer,
    intervene,
    predict_under,
)
from gsm_model.explain.gates.report import record_routing
from gsm_model.models.temporal import TemporalModule
from gsm_model.predict import predict
from tests.conftest import make_small

T = 4


def clips(n=2):
    return torch.randn(n, T, 3, 32, 32, generator=torch.Generator().manual_seed(5))


class FixedShift(TemporalModule):
    """The release's module with constants for gates, a frame and a half at a time: (a, b) of the
    two halves.
    """

    def __init__(self, a, b):
        super().__init__()
        self.gates = (a, b)

    def forward(self, x, probe):
        half, frames = x.shape[2] // 2, x.shape[1]
        out = torch.empty_like(x)
        for number, source in ((0, 1), (1, -1)):
            g, part = self.gates[number], x[:, :, number * half : (number + 1) * half]
            for t in range(frames):
                there = part[:, t + source] if 0 <= t + source < frames else 0
                mixed = (1 - g) * part[:, t] + g * there
                pairs = mixed.unflatten(1, (2, half // 2)).transpose(1, 2).flatten(1, 2)
                out[:, t, number * half : (number + 1) * half] = pairs
        return out


def with_fixed_shifts(a, b):
    model = make_small("gsm")
    for layer in model.temporal_layers():
        setattr(layer.host, f"gsm_{layer.conv}", FixedShift(a, b))
    return model


@pytest.mark.parametrize(
    ("clamp", "gates"),
    [("closed", (0, 0)), ("open", (1, 1)), ("negative", (-1, -1)), ("data mean", (0.5, -0.3))],
)
def test_constant_gates_are_the_network_with_the_fixed_shift_in_their_place(clamp, gates):
    model = make_small("gsm")
    values = {layer.name: np.array(gates, np.float32) for layer in model.temporal_layers()}
    with torch.inference_mode(), intervene(model, Intervention(clamp, values=values)):
        found = model(clips())
    with torch.inference_mode():
        expected = with_fixed_shifts(*gates)(clips())
        untouched = model(clips())
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert (found - untouched).abs().max() > 1e-3


def test_a_tsm_with_its_shift_closed_is_the_tsn_of_the_same_weights():
    tsm, tsn = make_small("tsm"), make_small("none")
    tsn.load_state_dict(tsm.state_dict())
    with torch.inference_mode():
        before = tsm(clips())
        with intervene(tsm, Intervention("closed")):
            closed = tsm(clips())
        with intervene(tsm, Intervention("open")):
            torch.testing.assert_close(tsm(clips()), before, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(closed, tsn(clips()), atol=1e-5, rtol=1e-5)
    assert (closed - before).abs().max() > 1e-3


def gates_under(model, intervention, batch):
    with torch.inference_mode(), intervene(model, intervention), record_routing(model) as found:
        model(batch)
    return {name: routed.gate for name, routed in found.items()}


@pytest.mark.parametrize(
    "clamp", ["clip mean", "spatial mean", "temporal mean", "shuffled in space", "shuffled in time"]
)
def test_a_clamp_makes_of_the_first_layers_gate_what_it_says_clip_by_clip(clamp):
    model = make_small("gsm")
    batch, first = clips(3), model.temporal_layers()[0].name
    with torch.inference_mode(), record_routing(model) as found:
        model(batch)
    own = found[first].gate.numpy()
    changed = gates_under(model, Intervention(clamp), batch)[first].numpy()
    for before, after in zip(own, changed, strict=True):
        if clamp == "clip mean":
            expected = np.broadcast_to(before.mean((0, 2, 3), keepdims=True), before.shape)
        elif clamp == "spatial mean":
            expected = np.broadcast_to(before.mean((2, 3), keepdims=True), before.shape)
        elif clamp == "temporal mean":
            expected = np.broadcast_to(before.mean(0, keepdims=True), before.shape)
        elif clamp == "shuffled in time":
            expected = sorted(map(bytes, before))
            assert sorted(map(bytes, after)) == expected and not np.array_equal(after, before)
            continue
        else:
            # The same places move in every frame and direction.
            columns = before.reshape(2 * T, -1).T
            assert sorted(map(bytes, after.reshape(2 * T, -1).T.copy())) == sorted(
                map(bytes, columns.copy())
            )
            assert not np.array_equal(after, before)
            continue
        np.testing.assert_allclose(after, expected, atol=1e-6)


@pytest.mark.parametrize(
    "clamp", [clamp for clamp in CLAMPS if clamp not in ("data mean", "other clip")]
)
def test_a_batch_gives_what_its_clips_give_alone(clamp):
    model, batch = make_small("gsm"), clips(3)
    with torch.inference_mode(), intervene(model, Intervention(clamp, seed=3)):
        torch.testing.assert_close(
            model(batch), torch.cat([model(clip[None]) for clip in batch]), atol=1e-5, rtol=1e-4
        )


def test_another_clips_gates_are_put_in_place_and_ones_own_change_nothing():
    model, (mine, other) = make_small("gsm"), clips(2).split(1)
    values = [
        {
            name: gate[0].numpy()
            for name, gate in gates_under(model, Intervention("closed", layers=()), clip).items()
        }
        for clip in (mine, other)
    ]
    with torch.inference_mode():
        before = model(mine)
        with intervene(model, Intervention("other clip", values=values[0])):
            torch.testing.assert_close(model(mine), before)
        with intervene(model, Intervention("other clip", values=values[1])):
            assert (model(mine) - before).abs().max() > 1e-3
    held = gates_under(model, Intervention("other clip", values=values[1]), mine)
    for name, gate in held.items():
        np.testing.assert_array_equal(gate[0], values[1][name])


def test_only_the_chosen_layers_and_directions_change():
    model = make_small("gsm")
    names = [layer.name for layer in model.temporal_layers()]
    own = gates_under(model, Intervention("closed", layers=()), clips())
    changed = gates_under(
        model, Intervention("closed", layers=(names[2],), directions=(1,)), clips()
    )
    for name in names[:2]:
        torch.testing.assert_close(changed[name], own[name])
    torch.testing.assert_close(changed[names[2]][:, :, 0], own[names[2]][:, :, 0])
    assert changed[names[2]][:, :, 1].abs().max() == 0 and own[names[2]][:, :, 1].abs().max() > 0
    assert changed[names[3]].abs().max() > 0


def test_it_goes_together_with_another_order_of_the_frames(video):
    model = make_small("gsm")
    [closed] = predict_under(model, video, [Intervention("closed")], "reversed")
    expected = predict(with_fixed_shifts(0, 0), video, "reversed")
    np.testing.assert_array_equal(closed.frame_indices, expected.frame_indices)
    np.testing.assert_allclose(closed.logits, expected.logits, atol=1e-5)
    # With every gate closed no order is noticed.
    np.testing.assert_allclose(
        closed.logits, predict_under(model, video, [Intervention("closed")])[0].logits, atol=1e-5
    )
    assert (
        np.abs(predict(model, video).logits - predict(model, video, "reversed").logits).max() > 1e-3
    )


def test_threads_on_one_model_each_get_their_own_experiment(video):
    model = make_small("gsm")
    plan = [
        Intervention("closed"),
        Intervention("open"),
        Intervention("negative"),
        Intervention("closed", layers=()),
    ]
    expected = [answer.logits for answer in predict_under(model, video, plan)]
    found = [None] * 16

    def run(place):
        found[place] = predict_under(model, video, [plan[place % 4]])[0].logits

    threads = [threading.Thread(target=run, args=(place,)) for place in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for place, logits in enumerate(found):
        np.testing.assert_allclose(logits, expected[place % 4], atol=1e-5)


def test_nothing_is_left_on_the_model_after_an_error(video):
    model = make_small("gsm")
    before = predict(model, video).logits
    with pytest.raises(RuntimeError, match="stop"), intervene(model, Intervention("closed")):
        raise RuntimeError("stop")
    np.testing.assert_array_equal(predict(model, video).logits, before)


@pytest.mark.parametrize(
    ("intervention", "message"),
    [
        (Intervention("shut"), "no clamp 'shut'"),
        (Intervention("closed", directions=()), "of directions"),
        (Intervention("closed", directions=(2,)), "of directions"),
        (Intervention("closed", layers=("layer9",)), "has no layer 'layer9'"),
        (Intervention("data mean"), "needs values for 'layer1.0.gsm_conv2'"),
        (
            Intervention("other clip", values={"layer1.0.gsm_conv2": np.zeros(2)}),
            "needs values for 'layer1.1.gsm_conv2'",
        ),
    ],
)
def test_an_experiment_that_cannot_be_done_says_why(intervention, message):
    model = make_small("gsm")
    with pytest.raises(ValueError, match=message), intervene(model, intervention):
        pass


def test_gates_of_another_size_are_refused():
    model = make_small("gsm")
    values = {layer.name: np.zeros((T, 2, 3, 3), np.float32) for layer in model.temporal_layers()}
    with (
        pytest.raises(ValueError, match="cannot take values of"),
        intervene(model, Intervention("other clip", values=values)),
    ):
        model(clips())


def test_the_plans_name_every_clamp_and_every_layer_in_turn():
    model = make_small("gsm")
    names = [layer.name for layer in model.temporal_layers()]
    assert list(every_clamp()) == [
        clamp for clamp in CLAMPS if clamp not in ("data mean", "other clip")
    ]
    assert "data mean" in every_clamp({name: np.zeros(2) for name in names})
    plan = every_layer(model)
    assert len(plan) == 4 * len(names)
    assert plan["layer1.1 alone closed"].layers == (names[1],)
    assert set(plan["layer1.1 alone working"].layers) == set(names) - {names[1]}
    assert plan["closed up to layer1.1"].layers == tuple(names[:2])
    assert plan["closed from layer1.1 on"].layers == tuple(names[1:])
    assert every_layer(make_small("none")) == {}
