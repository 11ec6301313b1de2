"""What is said of gates against cases computed by hand, loops over a real module, and the release's
own figures.
"""

import json

import numpy as np
import pytest
import torch

from gsm_model import build_recognizer, record_gates
from gsm_model.explain.gates.layers import LayerGates, regime_shares
from gsm_model.explain.gates.report import layer_gates, record_routing, report_gates
from gsm_model.models.observers import observe_gates, observe_operators
from gsm_model.models.probe import Probe
from gsm_model.predict import predict
from gsm_model.video.transforms import to_views
from tests.conftest import PARITY, fill, make_small, released_weights
from tests.gsm_model.models.test_parity import NETWORKS


def one_place(gate, energy, untouched=0.0) -> LayerGates:
    """A layer of one place; ``gate`` and ``energy`` are (T, 2)."""
    gate, energy = (np.asarray(values, np.float32)[..., None, None] for values in (gate, energy))
    return LayerGates(
        "m", "m", (2, 2), None, gate, energy, np.full(len(gate), untouched, np.float32), 0.5
    )


def test_the_parts_of_two_frames_are_those_computed_by_hand():
    # Half 0 (from the next): gates ½ and 1, energies 4 and 9. Half 1 (from the previous): gates −1
    # and 0, energies 1 and 2.
    layer = one_place([[0.5, -1], [1, 0]], [[4, 1], [9, 2]], untouched=3)
    parts = layer.parts()
    np.testing.assert_allclose(parts["own"], [[0.25 * 4, 4 * 1], [0, 2]])
    np.testing.assert_allclose(parts["arrives"], [[9, 0], [0, 1]])
    np.testing.assert_allclose(parts["lost"], [[0.25 * 4, 0], [0, 0]])
    total = 1 + 4 + 2 + 9 + 1 + 1 + 6
    shares = layer.shares()
    assert (shares.stays, shares.next, shares.previous) == pytest.approx(
        ((1 + 4 + 2 + 6) / total, 9 / total, 1 / total)
    )
    assert shares.lost == pytest.approx(1 / total) and shares.moves == pytest.approx(10 / total)
    np.testing.assert_allclose(layer.shares_by_frame(), [[8 / 17, 9 / 17, 0], [5 / 6, 0, 1 / 6]])
    np.testing.assert_allclose(layer.arrows(), [[9 / total, 0], [0, 1 / total]])


def test_plain_means_and_weights_by_energy_are_two_different_numbers():
    gate = np.array([1, 0, 0, -1], np.float32).reshape(1, 1, 2, 2).repeat(2, 1)
    energy = np.array([6, 0, 1, 1], np.float32).reshape(1, 1, 2, 2).repeat(2, 1)
    layer = LayerGates("m", "m", (1, 1), None, gate, energy, np.zeros(1, np.float32), 0.5)
    np.testing.assert_allclose(layer.own_weight(), [[1, 1]])
    np.testing.assert_allclose(layer.weighted_gate(), [[5 / 8, 5 / 8]])


def test_the_weights_of_own_and_neighbour_stand_at_the_frame_that_receives():
    layer = one_place([[0.5, -1], [1, 0.25]], np.ones((2, 2)))
    np.testing.assert_allclose(layer.own_weight(), [[0.5, 2], [0, 0.75]])
    np.testing.assert_allclose(layer.neighbour_weight(), [[1, 0], [0, -1]])


def test_a_layer_without_energy_moves_nothing():
    layer = one_place([[1, 1], [1, 1]], np.zeros((2, 2)))
    assert layer.shares().stays == 1 and layer.weighted_gate().max() == 0


@pytest.mark.parametrize("temporal", ["gsm", "tsm"])
def test_the_energies_are_those_of_the_parts_that_make_up_the_modules_output(temporal, video):
    model, seen, gates = make_small(temporal), {}, {}

    def keep_gate(module, gate):
        gates[module] = gate[0].double()
        return gate

    def keep(module, x, out):
        seen[module] = (x[0].double(), gates[module], module(x, Probe(1))[0].double())
        return out

    with observe_gates(keep_gate), observe_operators(keep):
        report = report_gates(model, video)
    for layer, found in zip(model.temporal_layers(), report.layers, strict=True):
        x, gate, out = seen[layer.module]
        t, c = x.shape[:2]
        fold = c // 2 if temporal == "gsm" else c // 8
        own, arrives, lost, rebuilt = (
            np.zeros((t, 2)),
            np.zeros((t, 2)),
            np.zeros((t, 2)),
            x.clone(),
        )
        for half, source in ((0, 1), (1, -1)):
            channels = slice(half * fold, (half + 1) * fold)
            for frame in range(t):
                g = gate[:, half, None]
                rebuilt[frame, channels] = (1 - g[frame]) * x[frame, channels]
                own[frame, half] = rebuilt[frame, channels].square().sum()
                if 0 <= frame + source < t:
                    arriving = g[frame + source] * x[frame + source, channels]
                    arrives[frame, half] = arriving.square().sum()
                    rebuilt[frame, channels] += arriving
                if not 0 <= frame - source < t:
                    lost[frame, half] = (g[frame] * x[frame, channels]).square().sum()
        parts = found.parts()
        for name, expected in (("own", own), ("arrives", arrives), ("lost", lost)):
            np.testing.assert_allclose(parts[name], expected, rtol=1e-4, atol=1e-6 * own.max())
        np.testing.assert_allclose(
            parts["untouched"], x[:, 2 * fold :].square().sum((1, 2, 3)), rtol=1e-4, atol=1e-9
        )
        # The parts do make up the output; the release's interleave only renames channels.
        np.testing.assert_allclose(rebuilt.square().sum(), out.square().sum(), rtol=1e-4)


def test_three_networks_stand_on_one_scale(video):
    gsm, tsm, tsn = (report_gates(make_small(kind), video) for kind in ("gsm", "tsm", "none"))
    assert (
        [layer.title for layer in gsm.layers]
        == [layer.title for layer in tsm.layers]
        == [layer.title for layer in tsn.layers]
    )
    assert gsm.layers[0].title == "layer1.0" and gsm.layers[0].name == "layer1.0.gsm_conv2"
    for layer in (*gsm.layers, *tsm.layers, *tsn.layers):
        shares = layer.shares()
        assert shares.stays + shares.moves + shares.lost == pytest.approx(1)
        assert layer.shares_by_frame().sum(1) == pytest.approx(np.ones(4))
    assert all(
        layer.shares().stays == 1 and not layer.gate.any() and layer.channels == 0
        for layer in tsn.layers
    )
    assert all((layer.gate == 1).all() and layer.channels == 1 / 8 for layer in tsm.layers)
    assert all(0 < layer.shares().moves < 0.5 for layer in tsm.layers)
    assert all(layer.channels == 0.5 and np.abs(layer.gate).max() <= 1 for layer in gsm.layers)


@pytest.mark.parametrize(
    ("system", "modules"), [("none", 0), ("gsm", 8), ("tsm", 8), ("motion_feature", 4), ("mict", 4)]
)
def test_the_report_tells_modules_from_blocks_that_have_none(system, modules, video):
    layers = report_gates(make_small(system), video).layers
    assert sum(layer.has_module for layer in layers) == modules and len(layers) == 8


def test_the_report_holds_the_models_answer_and_its_gates(video, small_gsm):
    report = report_gates(small_gsm, video, "reversed", 6)
    expected = predict(small_gsm, video, "reversed", 6)
    np.testing.assert_array_equal(report.prediction.frame_indices, expected.frame_indices)
    np.testing.assert_allclose(report.prediction.logits, expected.logits, atol=1e-6)
    clip = to_views(video.clip(6)[1], small_gsm.input).flip(1)
    with torch.inference_mode(), record_gates(small_gsm) as gates:
        small_gsm(clip)
    assert [layer.name for layer in report.layers] == list(gates)
    for layer in report.layers:
        np.testing.assert_allclose(layer.gate, gates[layer.name][0], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fixture", "backbone", "temporal", "size"),
    [network for network in NETWORKS if network[2] == "gsm"],
)
def test_the_published_networks_give_the_releases_gate_statistics(
    fixture, backbone, temporal, size
):
    listed = json.loads((PARITY / f"{fixture}.json").read_text())["gates"]
    model = build_recognizer(backbone, temporal, num_classes=174, num_segments=8).eval()
    model.load_state_dict(
        {key.removeprefix("module."): tensor for key, tensor in released_weights(fixture).items()}
    )
    with torch.inference_mode(), record_routing(model) as found:
        model(torch.from_numpy(fill.clip(8, size)))
    layers = layer_gates(model, found)
    assert [f"base_model.{layer.name}" for layer in layers] == list(listed)
    for layer in layers:
        statistics = listed[f"base_model.{layer.name}"]
        assert [1, 2, 8, *layer.gate.shape[2:]] == statistics["shape"]
        for name in ("mean", "std"):
            assert getattr(layer.gate, name)() == pytest.approx(statistics[name], abs=1e-4), (
                layer.name,
                name,
            )
        for name in ("min", "max"):
            # One value each, of gates that random weights have saturated.
            assert getattr(layer.gate, name)() == pytest.approx(statistics[name], abs=5e-3), (
                layer.name,
                name,
            )
    titles = [layer.title for layer in layers]
    assert (
        titles[0] == ("inception_3a" if backbone == "bn_inception" else "mixed")
        and len(set(titles)) == 10
    )


def test_the_reach_is_that_of_the_weights_that_are_not_zero():
    def reaches(model):
        with torch.inference_mode(), record_routing(model) as found:
            model(torch.zeros(1, 16, 3, 32, 32))
        return [layer.reach for layer in layer_gates(model, found)]

    assert reaches(make_small("tsm")) == [(k, k) for k in range(1, 9)]
    assert reaches(make_small("none")) == [(0, 0)] * 8
    assert reaches(make_small("gsm")) == [(min(2 * k, 15), min(2 * k, 15)) for k in range(1, 9)]
    model = make_small("gsm")
    for layer in model.temporal_layers():
        torch.nn.init.zeros_(layer.module.conv3D.weight)
        torch.nn.init.zeros_(layer.module.conv3D.bias)
    first = model.temporal_layers()[0].module.conv3D
    assert reaches(model) == [(0, 0)] * 8
    torch.nn.init.constant_(first.bias, 0.5)
    assert reaches(model) == [(1, 1)] * 8
    torch.nn.init.ones_(
        first.weight[0, :, 2]
    )  # the gate of the half that comes from the next frame looks one further ahead
    assert reaches(model) == [(1, 2)] * 8


def test_regimes_share_out_the_values_at_stated_edges():
    gate = np.array([-1, -0.3, -0.25, 0, 0.2, 0.25, 0.5, 0.74, 0.75, 1])
    np.testing.assert_allclose(regime_shares(gate), [0.2, 0.3, 0.3, 0.2])
    np.testing.assert_allclose(regime_shares(gate, (-0.9, 0.1, 0.9)), [0.1, 0.3, 0.5, 0.1])


@pytest.mark.parametrize(
    ("gate", "edges"), [(np.zeros(3), (0.5, 0.1, 0.9)), (np.zeros(0), (-0.25, 0.25, 0.75))]
)
def test_regimes_of_nothing_or_with_edges_that_cross_are_refused(gate, edges):
    with pytest.raises(ValueError, match="must ascend"):
        regime_shares(gate, edges)


def test_nothing_is_recorded_after_the_block_or_by_another_thread(video, small_gsm):
    import threading

    with pytest.raises(RuntimeError, match="stop"), record_routing(small_gsm) as found:
        thread = threading.Thread(target=predict, args=(small_gsm, video))
        thread.start()
        thread.join()
        assert found == {}
        raise RuntimeError("stop")
    predict(small_gsm, video)
    assert found == {} and not any(module._forward_hooks for module in small_gsm.modules())
