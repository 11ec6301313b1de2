"""Whole published video networks: their files load, and they answer as their publishers' code."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gsm_model import build_recognizer, load_checkpoint
from gsm_model.models.checkpoints.files import save_checkpoint
from gsm_model.models.checkpoints.fit import faults
from gsm_model.models.checkpoints.layouts import candidates
from gsm_model.models.checkpoints.video_layouts import frames_in_name
from gsm_model.models.inference.optimize import optimize
from gsm_model.models.observers import observe_points
from gsm_model.models.probe import Probe
from gsm_model.models.registry import video_networks
from gsm_model.models.video_networks.network import VideoNetwork, in_time, shared_out
from gsm_model.models.video_networks.resnet3d import FactorisedBlock
from gsm_model.predict import predict
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.modality import Modality
from gsm_model.video.source import VideoInfo
from tests.conftest import PARITY, fill
from tests.reference_packages import reference_package

PUBLISHED = {
    "mc3_18": "tv_mc3_18_8f",
    "s3d": "tv_s3d_16f",
    "ircsn_50": "mmaction2_ircsn_r50_8f",
    "r2plus1d_18": "tv_r2plus1d_18_8f",
    "r2plus1d_34": "mmaction2_r2plus1d_r34_8f",
}
# The modules whose outputs are recorded, and the block that each ends with.
ENDS = {
    **{f"{root}layer{s}": f"layer{s}.{{last}}" for root in ("", "backbone.") for s in range(1, 5)},
    "features.6": "mixed_3c",
    "features.12": "mixed_4f",
    "features.15": "mixed_5c",
}


def listed(name: str) -> dict:
    return json.loads((PARITY / "systems" / f"{name}.json").read_text())


def network(name: str, **options):
    torch.manual_seed(0)
    return build_recognizer(name, video_networks()[name].temporal, 5, **options).eval()


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_names_and_shapes_are_that_network(name):
    """In every key; the tensors have shapes only."""
    with torch.device("meta"):
        state = {
            key: torch.empty(entry["shape"])
            for key, entry in listed(PUBLISHED[name])["state_dict"].items()
        }
    [fits] = [
        each
        for each in candidates(state, 16, "a.pth")
        if not faults(each.architecture, each.weights)
    ]
    assert fits.architecture.backbone == name
    assert fits.architecture.temporal == video_networks()[name].temporal
    assert fits.architecture.num_classes == 400


@pytest.mark.parametrize(
    "name",
    [
        "mc3_18",
        pytest.param("s3d", marks=pytest.mark.slow),
        pytest.param("ircsn_50", marks=pytest.mark.slow),
        pytest.param("r2plus1d_34", marks=pytest.mark.thorough),
    ],
)
def test_it_gives_its_publishers_logits_and_features(name, tmp_path):
    content = listed(PUBLISHED[name])
    info, expected = content["info"], np.load(PARITY / "systems" / f"{PUBLISHED[name]}.npz")
    state = {
        key: torch.from_numpy(fill.draw(key, tuple(entry["shape"]), entry["kind"]))
        for key, entry in content["state_dict"].items()
        if entry["kind"] != "counter" and "num_batches" not in key
    }
    torch.save({"state_dict": state}, tmp_path / "a.pth")
    model = load_checkpoint(tmp_path / "a.pth")
    titles = {point: title for title, point in model.feature_points().items()}
    seen = {}

    def keep(host, point, x):
        seen[titles[host, point]] = x.mean((2, 3)).T
        return x

    with torch.inference_mode(), observe_points(keep):
        logits = model(torch.from_numpy(fill.clip(info["num_frames"], info["size"])))
    compared = 0
    for module in expected.files:
        if module in ENDS:
            stage = [title for title in seen if title.startswith(ENDS[module].split("{")[0])]
            close(seen[stage[-1]], expected[module])
            compared += 1
    assert compared >= 3
    close(logits, expected["logits"])


def close(found, expected):
    difference = np.abs(found.numpy() - expected).max()
    assert difference <= 1e-4 * np.abs(expected).max()


def test_a_file_of_torchvisions_answers_as_there_also_folded_and_saved_anew(tmp_path):
    torch.manual_seed(0)
    theirs = reference_package("torchvision.models.video").mc3_18(num_classes=5).eval()
    torch.save(theirs.state_dict(), tmp_path / "mc3.pth")
    ours = load_checkpoint(tmp_path / "mc3.pth")
    assert ours.card.title == "MC3 ResNet-18" and ours.card.layout == "torchvision"
    assert ours.architecture.num_segments == 16 and not ours.answers_once
    clip = torch.randn(2, 3, 3, 32, 32)
    with torch.inference_mode():
        expected = theirs(clip.transpose(1, 2))
        torch.testing.assert_close(ours(clip), expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(optimize(ours)(clip), expected, rtol=1e-3, atol=1e-4)
    save_checkpoint(ours, tmp_path / "ours.safetensors")
    back = load_checkpoint(tmp_path / "ours.safetensors")
    assert back.architecture == ours.architecture and back.input == ours.input
    with torch.inference_mode():
        torch.testing.assert_close(back(clip), ours(clip))


def drawn(shape, name):
    """Numbers in the range that a trained network's weights of that name have."""
    if name.endswith("running_var"):
        return torch.rand(shape) + 0.5
    if len(shape) > 1:
        return torch.randn(shape) * (2 / shape[1:].numel()) ** 0.5
    return torch.randn(shape) * 0.2 + (1.0 if name.endswith("weight") else 0.0)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("r3d_18", marks=pytest.mark.thorough),
        pytest.param("r2plus1d_18", marks=pytest.mark.slow),
    ],
)
def test_a_file_of_torchvisions_resnets_answers_as_there(name, tmp_path):
    """From the file to the logits of a clip of a video."""
    theirs = getattr(reference_package("torchvision.models.video"), name)(num_classes=5).eval()
    state = theirs.state_dict()
    for key, tensor in state.items():
        if tensor.is_floating_point():
            tensor.copy_(drawn(tensor.shape, key))
    torch.save(state, tmp_path / "a.pth")
    ours = load_checkpoint(tmp_path / "a.pth")
    assert ours.architecture.backbone == name and ours.answers_once
    ours.input = spec = ours.input.resized(32)
    shape = (9, spec.resize, spec.width, 3)
    frames = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    none = np.zeros((0, 2, 2, 3), np.uint8), np.zeros(0, np.int64)
    info = VideoInfo(9, 30.0, spec.width, spec.resize)
    video = DecodedVideo("v", info, np.arange(9), frames, *none)
    answer = predict(ours, video, num_segments=4)
    assert np.diff(answer.frame_indices).tolist() == [2, 2, 2]
    transform = reference_package("torchvision.transforms._presets").VideoClassification(
        crop_size=(32, 32), resize_size=(spec.resize, spec.width)
    )
    seen = torch.from_numpy(frames[answer.frame_indices]).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = theirs(transform(seen)[None])[0]
    torch.testing.assert_close(torch.from_numpy(answer.logits), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("mixes", "network"),
    [
        pytest.param(False, "ircsn_152", marks=pytest.mark.thorough),
        pytest.param(True, "ipcsn_152", marks=pytest.mark.slow),
    ],
    ids=["ir", "ip"],
)
def test_a_csn_of_152_layers_is_its_papers_blocks_one_behind_the_other(mixes, network, tmp_path):
    """From mmaction2's names to logits, beside the same written down with functions alone."""
    torch.manual_seed(0)
    state = {}
    x = clip = torch.randn(1, 3, 4, 32, 32)

    def conv(name, x, c_out, size=(1, 1, 1), stride=1, groups=1):
        shape = torch.Size((c_out, x.shape[1] // groups, *size))
        state[f"{name}.conv.weight"] = drawn(shape, "conv.weight")
        parts = ("running_mean", "running_var", "weight", "bias")
        norm = {part: drawn(torch.Size((c_out,)), part) for part in parts}
        if name.endswith(".conv3"):
            norm["weight"] *= 0.2  # else 50 sums of blocks are too large
        state.update({f"{name}.bn.{part}": value for part, value in norm.items()})
        padding = [length // 2 for length in size]
        weight = state[f"{name}.conv.weight"]
        x = F.conv3d(x, weight, stride=stride, padding=padding, groups=groups)
        return F.batch_norm(x, *norm.values(), eps=1e-3)

    with torch.inference_mode():
        x = conv("backbone.conv1", x, 64, (3, 7, 7), (1, 2, 2)).relu()
        x = F.max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))
        for stage, depth in enumerate((3, 8, 36, 3)):
            planes = 64 * 2**stage
            for index in range(depth):
                name = f"backbone.layer{stage + 1}.{index}"
                stride = 2 if stage and not index else 1
                inner, after = conv(f"{name}.conv1", x, planes).relu(), 0
                if mixes:
                    inner, after = conv(f"{name}.conv2.0", inner, planes), 1
                depthwise = f"{name}.conv2.{after}"
                inner = conv(depthwise, inner, planes, (3, 3, 3), stride, planes).relu()
                inner = conv(f"{name}.conv3", inner, 4 * planes)
                if not index:
                    x = conv(f"{name}.downsample", x, 4 * planes, stride=stride)
                x = (x + inner).relu()
        head = drawn(torch.Size((5, 2048)), "weight"), torch.randn(5)
        expected = F.linear(x.mean((2, 3, 4)), *head)
    state["cls_head.fc_cls.weight"], state["cls_head.fc_cls.bias"] = head
    torch.save({"state_dict": state}, tmp_path / "a.pth")
    model = load_checkpoint(tmp_path / "a.pth")
    assert model.architecture.backbone == network
    with torch.inference_mode():
        close(model(clip.transpose(1, 2)), expected.numpy())


@pytest.mark.parametrize("name", ["mc3_18", "r3d_18", "s3d", "ircsn_50"])
def test_a_network_that_keeps_time_scores_every_frame_others_the_clip(name):
    """Of any number of frames; on no device, shapes alone."""
    with torch.device("meta"):
        model = network(name)
        for frames in (1, 2, 7, 16):
            shape = model.frame_logits(torch.zeros(2, frames, 3, 32, 32)).shape
            assert shape == (2, frames if name == "mc3_18" else 1, 5)


def test_the_mean_of_neighbouring_steps_is_that_of_pooling_over_two():
    """S3D's pooling: more steps than two, so that inner ones count twice."""

    class Plain(VideoNetwork):
        window = 2

        def chain(self):
            yield "", torch.nn.AvgPool3d((2, 1, 1), (2, 1, 1))

    x = torch.randn(16, 4, 7, 7)
    clip = x.unflatten(0, (2, 8)).transpose(1, 2)
    halved = torch.nn.functional.avg_pool3d(clip, (2, 1, 1), (2, 1, 1))
    expected = torch.nn.functional.avg_pool3d(halved, (2, 7, 7), 1).mean((2, 3, 4))
    torch.testing.assert_close(Plain()(x, Probe(2)), expected)


def test_batchnorms_inside_a_factorised_convolution_divide_by_another_number():
    with torch.device("meta"):
        model = network("r2plus1d_34").base_model
    norms = {n: m.eps for n, m in model.named_modules() if isinstance(m, torch.nn.BatchNorm3d)}
    assert {eps for name, eps in norms.items() if name.endswith("bn_s")} == {1e-5}
    assert {eps for name, eps in norms.items() if not name.endswith("bn_s")} == {1e-3}


def test_a_step_counts_for_the_frames_around_the_one_it_is_centred_on():
    """What moves a step behind two halvings is centred on every fourth frame."""
    first, second = (FactorisedBlock(c, 4, 2).eval() for c in (3, 4))
    clip = torch.randn(1, 3, 33, 4, 4, requires_grad=True)
    steps = second(first(clip))
    assert steps.shape[2] == 9
    brought = in_time(torch.eye(9)[None], 33)[0]
    for step in (3, 4):
        [moved] = torch.autograd.grad(steps[:, :, step].sum(), clip, retain_graph=True)
        frames = moved.abs().sum((0, 1, 3, 4)).nonzero().flatten()
        assert (frames.min() + frames.max()) / 2 == brought[:, step].argmax() == 4 * step


def test_steps_are_brought_to_frames_and_their_sum_stays():
    steps = torch.tensor([[1.0, 3.0]])
    expected = torch.tensor([[1.0, 1.5, 2.0, 2.5, 3.0, 3.0, 3.0, 3.0]])
    assert torch.equal(in_time(steps, 8), expected) and torch.equal(in_time(steps, 2), steps)
    assert shared_out(steps, 8).sum() == pytest.approx(4)
    assert shared_out(steps, 8)[0, -1] > shared_out(steps, 8)[0, 0]


def test_frames_are_those_that_a_files_name_states():
    assert frames_in_name("ircsn_bnfrozen_r50_32x2x1_180e_kinetics400_rgb-4e29e2e8.pth") == 32
    assert frames_in_name("r2plus1d_r34_8xb8-8x8x1-180e_kinetics400-rgb_1-47cfe041.pth") == 8
    assert frames_in_name("r3d_18-b3b3357e.pth") is None


def test_no_temporal_module_can_join_it():
    with torch.device("meta"):
        model = network("r3d_18")
    assert model.is_video_network and not model.temporal_layers() and not model.gate_layers()
    assert list(model.feature_points()) == [f"layer{s}.{i}" for s in range(1, 5) for i in (0, 1)]
    for options in ({"width": 0.5}, {"modality": Modality("flow", 5)}):
        with pytest.raises(ValueError, match="nothing can be put into it"):
            network("r3d_18", **options)
    with pytest.raises(ValueError, match="its system is 'r3d', got 'gsm'"):
        build_recognizer("r3d_18", "gsm")


def test_another_network_of_torchvisions_names_is_refused():
    with torch.device("meta"):
        state = network("mc3_18").state_dict()
    named = {k.removeprefix("base_model.").replace("new_fc", "fc"): v for k, v in state.items()}
    del named["layer4.1.conv2.0.weight"]
    for each in candidates(named, 16, "a.pth"):
        assert faults(each.architecture, each.weights)
