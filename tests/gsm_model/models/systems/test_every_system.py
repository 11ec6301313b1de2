"""What holds for every registered system; a new system gets all of it by its line in the registry.

Two of them stand for all on the other kind of residual block, the bottleneck; with ``--thorough``
all of them do.
"""

import copy
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import pytest
import torch
from torch import nn

from gsm_model import build_recognizer, load_checkpoint, save_checkpoint
from gsm_model.explain.cam.report import report_cams
from gsm_model.explain.gates.interventions import Intervention, intervene, possible_clamps
from gsm_model.explain.gates.readings import weight_readings
from gsm_model.explain.gates.report import report_gates
from gsm_model.explain.order.flow import information_flow
from gsm_model.explain.order.report import report_order
from gsm_model.models.cost import cost_of
from gsm_model.models.inference.optimize import fold, optimize
from gsm_model.models.probe import Probe
from gsm_model.models.registry import systems
from tests.conftest import make_small

BLOCKS = ("resnet18", "resnet50")
# A module in a branch, convolutions in place of its own; GST-Large is GST's module with one number
# changed: one kind of block is enough.
ON_BOTTLENECKS = ("gsm", "p3d", "gst_large")
CASES = [
    pytest.param(
        system,
        backbone,
        marks=[pytest.mark.thorough] * (backbone == "resnet50" and system not in ON_BOTTLENECKS),
    )
    for system in systems()
    for backbone in (BLOCKS if system != "gst_large" else BLOCKS[1:])
]
every_system = pytest.mark.parametrize(("system", "backbone"), CASES)
T = 9


@lru_cache
def network(system: str, backbone: str):
    """A small one with random weights, shared by the tests, which change nothing in it.

    Its branches are damped and its gates are small: a deep network of random weights multiplies
    rounding errors a thousandfold.
    """
    model = make_small(system, backbone)
    for name, parameter in model.named_parameters():
        if name.endswith(("bn2.weight", "bn3.weight", "conv3D.weight", "conv3D.bias")):
            parameter.data *= 0.25
    return model


def modules(system: str, backbone: str):
    return [
        layer.module
        for layer in network(system, backbone).temporal_layers()
        if layer.module is not None
    ]


def clip(frames: int = 4, clips: int = 2, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(clips, frames, 3, 32, 32, generator=generator)


def entering(module: nn.Module, frames: int, clips: int = 2) -> torch.Tensor:
    """Random features that ``module`` takes, (N, T, C, 6, 6)."""
    [*_, weight] = [p for p in module.parameters() if p.ndim >= 4] or [torch.zeros(1, 8)]
    channels = next(
        (size for size in (8, 16, 32, 64, 128, 256) if _takes(module, size)),
        weight.shape[1],
    )
    generator = torch.Generator().manual_seed(2)
    return torch.randn(clips, frames, channels, 6, 6, generator=generator)


def _takes(module: nn.Module, channels: int) -> bool:
    try:
        with torch.no_grad():
            module(torch.zeros(1, 2, channels, 6, 6), Probe())
    except (RuntimeError, ValueError, IndexError):
        return False
    return True


@every_system
@pytest.mark.parametrize("frames", [4, pytest.param(8, marks=pytest.mark.thorough), 5])
def test_a_clip_of_any_length_gives_frame_scores_whose_mean_is_the_prediction(
    system, backbone, frames
):
    model, x = network(system, backbone), clip(frames)
    with torch.inference_mode():
        scores = model.frame_logits(x)
        assert scores.shape == (2, frames, 5) and scores.isfinite().all()
        torch.testing.assert_close(model(x), scores.mean(1))
        torch.testing.assert_close(model.frame_logits(x[1:]), scores[1:], atol=1e-5, rtol=1e-4)


@every_system
def test_alone_a_still_clip_gives_what_the_module_gives_it(system, backbone):
    for module in modules(system, backbone):
        back, ahead = module.reach()
        still = entering(module, 1).expand(-1, T, -1, -1, -1).contiguous()
        with torch.inference_mode():
            out, alone = module(still, Probe(2)), module.alone(still)
        inside = slice(back, T - ahead)  # at its ends a clip has padding beside it, not copies
        torch.testing.assert_close(alone[:, inside], out[:, inside], atol=1e-5, rtol=1e-4)


@every_system
def test_the_temporal_receptive_field_is_measured_by_changing_one_frame(system, backbone):
    for module in modules(system, backbone):
        x = entering(module, T, 1)
        changed = x.clone()
        changed[:, T // 2] += 1
        with torch.inference_mode():
            moved = (module(changed, Probe()) - module(x, Probe())).abs().flatten(2).amax(2)[0]
        frames = (moved > 1e-6).nonzero().flatten() - T // 2
        # An output frame behind the change looks back at it.
        reach = tuple(min(far, T // 2) for far in module.reach())  # no further than the clip
        assert (int(frames.max()), int(-frames.min())) == reach


@every_system
def test_nothing_of_other_frames_reaches_a_module_that_is_cut(system, backbone):
    for module in modules(system, backbone)[:2]:
        x = entering(module, 5, 1)
        later, earlier = x.clone(), x.clone()
        later[:, 3:] += 1
        earlier[:, :2] -= 1
        with torch.inference_mode():
            no_next, no_previous = module.cut(x, True, False), module.cut(x, False, True)
            both = module.cut(x, True, True)
            torch.testing.assert_close(both, module.alone(x))
            torch.testing.assert_close(
                module.alone(later)[:, :3], both[:, :3], atol=1e-6, rtol=1e-5
            )
            if not getattr(module, "is_learnt", False):  # a learnt gate looks further than it moves
                torch.testing.assert_close(module.cut(later, True, False)[:, :3], no_next[:, :3])
                torch.testing.assert_close(
                    module.cut(earlier, False, True)[:, 2:], no_previous[:, 2:]
                )


@every_system
def test_only_a_network_without_exchange_is_blind_to_the_order_of_frames(system, backbone):
    model, x = network(system, backbone), clip()
    shuffled = x[:, [2, 0, 3, 1]]
    with torch.inference_mode():
        moved = (model(shuffled) - model(x)).abs().max()
        spread = model(x).std()
        with intervene(model, Intervention("closed")):
            closed, closed_shuffled = model(x), model(shuffled)
    assert (moved < 1e-5 * spread) == (system == "none")
    torch.testing.assert_close(closed_shuffled, closed, atol=1e-5, rtol=1e-4)


@every_system
def test_folding_changes_no_score(system, backbone):
    model, x = network(system, backbone), clip()
    with torch.inference_mode():
        expected, found = model.frame_logits(x), fold(model).frame_logits(x)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()
    left = [name for name, one in fold(model).named_modules() if isinstance(one, nn.BatchNorm2d)]
    # What stands in front of a gate's ReLU stays.
    assert all(".gsm_" in name or ".gsf_" in name for name in left), left


@every_system  # float16 beside: the shipped models, in test_optimize.py
@pytest.mark.parametrize(
    "precision", ["bfloat16", pytest.param("float16", marks=pytest.mark.thorough)]
)
def test_half_precision_runs_and_keeps_the_scores(system, backbone, precision):
    model, x = network(system, backbone), clip(clips=1)
    with torch.inference_mode():
        expected = model(x)
        found = optimize(model, precision)(x)
    assert (found - expected).abs().max() <= 0.1 * expected.abs().max()


@every_system
def test_a_saved_model_is_loaded_as_it_was(system, backbone, tmp_path):
    model, x = network(system, backbone), clip()
    save_checkpoint(model, tmp_path / "model.safetensors")
    loaded = load_checkpoint(tmp_path / "model.safetensors")
    assert loaded.architecture == model.architecture
    with torch.inference_mode():
        torch.testing.assert_close(loaded(x), model(x), atol=1e-6, rtol=1e-5)


@every_system
def test_weights_without_a_header_are_told_from_their_names_and_shapes(system, backbone, tmp_path):
    if system == "tsm":
        pytest.skip("a shift has no weights: its files are told by how they name the convolutions")
    model = network(system, backbone)
    torch.save({"state_dict": model.state_dict()}, tmp_path / "model_segment4.pth.tar")
    loaded = load_checkpoint(tmp_path / "model_segment4.pth.tar")
    assert loaded.architecture == model.architecture


@every_system
def test_maps_order_flow_and_cost_can_be_asked_of_it(system, backbone, video):
    model = network(system, backbone)
    layers = list(model.feature_points())
    maps = report_cams(model, video, layers=[layers[0], layers[-1]])
    assert all(np.isfinite(one.maps).all() and one.maps.shape[0] == 4 for one in maps.layers)
    assert 0 <= report_order(model, video, shuffles=2).sensitivity <= 1
    flow = information_flow(model, video)
    off_diagonal = flow.gradient[~np.eye(4, dtype=bool)]
    assert off_diagonal.any() == (system != "none")
    cost = cost_of(model)
    assert cost.parameters == sum(p.numel() for p in model.parameters()) and cost.macs > 0


@every_system
def test_the_report_says_what_every_layer_takes_from_other_frames(system, backbone, video):
    model = network(system, backbone)
    report = report_gates(model, video)
    assert [layer.name for layer in report.layers] == [
        layer.name for layer in model.temporal_layers()
    ]
    for layer in report.layers:
        shares = layer.shares()
        assert shares.stays + shares.moves + shares.lost == pytest.approx(1, abs=1e-5)
        assert layer.maps.shape[:2] == (4, 2)
        assert layer.shares_by_frame().sum(1) == pytest.approx(np.ones(4), abs=1e-5)
    moves = sum(layer.shares().moves for layer in report.layers)
    crosses = sum(float(layer.crossing.sum()) for layer in report.layers)
    assert (moves > 0) == (crosses > 0) == (system != "none")


@every_system
def test_an_experiment_is_offered_where_it_can_act_and_refused_where_it_cannot(system, backbone):
    model, x = network(system, backbone), clip()
    clamps = possible_clamps(model)
    assert bool(clamps) == (system != "none")
    with torch.inference_mode():
        before = model(x)
        if "closed" in clamps:
            with intervene(model, Intervention("closed")):
                assert not torch.allclose(model(x), before, atol=1e-6)
        if "open" not in clamps and clamps:
            with (
                pytest.raises(ValueError, match="has no gates"),
                intervene(model, Intervention("open")),
            ):
                pass


@every_system
def test_threads_with_other_clips_share_one_model(system, backbone):
    model, inputs = network(system, backbone), [clip(4 + seed % 2, 1, seed) for seed in range(6)]

    def score(x):
        with torch.inference_mode():
            return model(x)

    expected = [score(x) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(score, inputs))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


@every_system
def test_a_step_of_training_moves_every_weight_of_its_modules(system, backbone):
    model = copy.deepcopy(network(system, backbone)).train()
    before = {
        name: parameter.detach().clone()
        for layer in model.temporal_layers()
        if layer.module is not None
        for name, parameter in layer.module.named_parameters(prefix=layer.name)
    }
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss = nn.functional.cross_entropy(model(clip()), torch.tensor([0, 3]))
    loss.backward()
    optimizer.step()
    assert loss.isfinite()
    for layer in model.temporal_layers():
        if layer.module is None:
            continue
        for name, parameter in layer.module.named_parameters(prefix=layer.name):
            assert parameter.isfinite().all() and not torch.equal(parameter, before[name]), name


@pytest.mark.parametrize("system", [name for name in systems() if name != "none"])
def test_a_fresh_network_learns_time(system):
    """Where a branch starts shut, something of it has a gradient that opens it: in a few steps
    there is one for every weight of its modules.
    """
    torch.manual_seed(0)
    model = build_recognizer("resnet18", system, 5, 4, 0.125, 32, dropout=0.0).double().train()
    named = {
        f"{layer.name}.{name}": parameter
        for layer in model.temporal_layers()
        if layer.module is not None
        for name, parameter in layer.module.named_parameters()
    }
    without = set(named)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for seed in range(5):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(clip(seed=seed).double()), torch.tensor([0, 3]))
        loss.backward()
        optimizer.step()
        without -= {name for name, parameter in named.items() if parameter.grad.any()}
    assert not without


@every_system
def test_readings_name_their_axes(system, backbone):
    model = network(system, backbone)
    for layer in model.temporal_layers():
        for reading in () if layer.module is None else layer.module.readings(layer.norm):
            assert reading.values.ndim == len(reading.axes) and reading.values.isfinite().all()
            assert not reading.labels or len(reading.labels) == reading.values.shape[-1]
    for reading in weight_readings(model):
        assert len(reading.values) == len(reading.layers) and np.isfinite(reading.values).all()
