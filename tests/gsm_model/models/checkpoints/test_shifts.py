"""TSM checkpoints: where the shift stands is read off the keys, how much it moves off the name, and
the network then gives its own logits.
"""

import random

import pytest
import torch
from torch import Tensor, nn

from gsm_model import CheckpointError, build_recognizer, load_checkpoint, save_checkpoint
from gsm_model.models.checkpoints.shifts import read_shift, release_shift
from gsm_model.models.inference.optimize import optimize
from gsm_model.models.systems.tsm import Shift, TemporalShift

DEPTHS = {"resnet18": (2, 2, 2, 2), "resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3)}
FRAMES = 4


class Shifted(nn.Module):
    """A shift written out channel by channel, with what it wraps under the release's name."""

    def __init__(self, net: nn.Module, share: int):
        super().__init__()
        self.net, self.share = net, share

    def forward(self, x: Tensor) -> Tensor:
        clip = x.view(-1, FRAMES, *x.shape[1:])
        out, part = clip.clone(), clip.shape[2] // self.share
        for t in range(FRAMES):
            for channel in range(part):
                out[:, t, channel] = clip[:, t + 1, channel] if t + 1 < FRAMES else 0
                out[:, t, part + channel] = clip[:, t - 1, part + channel] if t else 0
        return self.net(out.view_as(x))


class Block(nn.Module):
    """torchvision's bottleneck or basic block."""

    def __init__(self, c_in: int, planes: int, stride: int, deep: bool):
        super().__init__()
        out = planes * (4 if deep else 1)
        shapes = [(c_in, planes, 1, 1), (planes, planes, 3, stride), (planes, out, 1, 1)]
        shapes = shapes if deep else [(c_in, planes, 3, stride), (planes, out, 3, 1)]
        self.count = len(shapes)
        for index, (a, b, size, step) in enumerate(shapes, start=1):
            conv = nn.Conv2d(a, b, size, step, padding=size // 2, bias=False)
            self.add_module(f"conv{index}", conv)
            self.add_module(f"bn{index}", nn.BatchNorm2d(b))
        self.downsample = None
        if stride != 1 or c_in != out:
            self.downsample = nn.Sequential(
                nn.Conv2d(c_in, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for index in range(1, self.count + 1):
            y = getattr(self, f"bn{index}")(getattr(self, f"conv{index}")(y))
            y = y.relu() if index < self.count else y
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


class Net(nn.Module):
    """A TSM as its release builds it: a ResNet, wrapped here and there."""

    def __init__(self, backbone: str, place: str, blocks: set[str], share: int):
        super().__init__()
        base = self.base_model = nn.Module()
        base.conv1, base.bn1 = nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8)
        channels, deep = 8, backbone != "resnet18"
        for stage, depth in enumerate(DEPTHS[backbone], start=1):
            made = []
            for index in range(depth):
                stride = 2 if index == 0 and stage > 1 else 1
                block = Block(channels, 4 * 2**stage, stride, deep)
                channels = 4 * 2**stage * (4 if deep else 1)
                if f"layer{stage}.{index}" in blocks:
                    if place == "block":
                        block = Shifted(block, share)
                    else:
                        block.conv1 = Shifted(block.conv1, share)
                made.append(block)
            base.add_module(f"layer{stage}", nn.Sequential(*made))
        self.new_fc = nn.Linear(channels, 3)
        for norm in self.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.running_mean.normal_(0, 0.05)
                norm.running_var.uniform_(0.5, 1.5)

    def forward(self, clip: Tensor) -> Tensor:
        base = self.base_model
        x = base.bn1(base.conv1(clip.flatten(0, 1))).relu()
        x = nn.functional.max_pool2d(x, 3, 2, 1)
        for stage in range(1, 5):
            x = getattr(base, f"layer{stage}")(x)
        return self.new_fc(x.mean((2, 3))).view(-1, FRAMES, 3).mean(1)


def every_block(backbone: str) -> list[str]:
    return [f"layer{s}.{i}" for s, depth in enumerate(DEPTHS[backbone], 1) for i in range(depth)]


CASES = [
    ("resnet18", "block", "all", 8, "TSM_RGB_resnet18_shift8_block_avg_segment4.pth"),
    ("resnet18", "block", "some", 4, "TSM_RGB_resnet18_shift4_block_avg_segment4.pth"),
    ("resnet18", "blockres", "some", 4, "TSM_RGB_resnet18_shift4_blockres_avg_segment4.pth"),
    ("resnet18", "blockres", "all", 2, "TSM_RGB_resnet18_shift2_blockres_avg_segment4.pth"),
    ("resnet18", "blockres", "all", 16, "TSM_RGB_resnet18_shift16_blockres_avg_segment4.pth"),
    ("resnet50", "block", "some", 8, "mine_segment4.pth"),
]


@pytest.mark.parametrize(("backbone", "place", "which", "share", "name"), CASES)
def test_a_tsm_shifted_anywhere_gives_its_own_logits(tmp_path, backbone, place, which, share, name):
    blocks = every_block(backbone)
    blocks = blocks if which == "all" else sorted(random.sample(blocks, 5))
    net = Net(backbone, place, set(blocks), share).eval()
    state = {f"module.{key}": tensor for key, tensor in net.state_dict().items()}
    torch.save({"epoch": 45, "state_dict": state}, tmp_path / name)
    model = load_checkpoint(tmp_path / name)
    shifted = {t.title for t in model.temporal_layers() if t.module is not None}
    assert (model.architecture.temporal, shifted) == ("tsm", set(blocks))
    clip = torch.randn(2, FRAMES, 3, 32, 32)
    with torch.inference_mode():
        expected = net(clip)
        tolerance = 1e-4 * float(expected.abs().max())
        torch.testing.assert_close(model(clip), expected, atol=tolerance, rtol=0)
        torch.testing.assert_close(optimize(model)(clip), expected, atol=tolerance, rtol=0)
    words = {"block": "in front of the whole block", "blockres": "start of the residual branch"}
    assert words[place] in model.card.reading


def test_the_placement_goes_into_our_own_file_and_back(tmp_path):
    shift = Shift("block", ("layer1.1", "layer3.0"), 4)
    model = build_recognizer("resnet18", "tsm", 3, 4, width=0.125, input_size=32, shift=shift)
    save_checkpoint(model.eval(), tmp_path / "m.safetensors")
    back = load_checkpoint(tmp_path / "m.safetensors")
    clip = torch.randn(1, FRAMES, 3, 32, 32)
    with torch.inference_mode():
        assert back.architecture == model.architecture and torch.equal(back(clip), model(clip))
    with pytest.raises(CheckpointError, match="share of 8 was given, but its header says 4"):
        load_checkpoint(tmp_path / "m.safetensors", shift_share=8)


def keys_of(backbone: str, place: str, blocks: list[str], conv: str = "conv1") -> dict[str, Tensor]:
    """One key before, in and behind each shift."""
    keys = {"base_model.conv1.weight": torch.zeros(1)}
    for block in every_block(backbone):
        inside = "net." if place == "block" and block in blocks else ""
        wrapped = ".net" if place == "blockres" and block in blocks else ""
        keys[f"base_model.{block}.{inside}{conv}{wrapped}.weight"] = torch.zeros(1)
        keys[f"base_model.{block}.{inside}bn1.weight"] = torch.zeros(1)
    return keys


@pytest.mark.parametrize("seed", range(20))
def test_any_set_of_blocks_at_either_place_is_read_off_the_keys(seed):
    chance = random.Random(seed)
    backbone = chance.choice(list(DEPTHS))
    place = chance.choice(["block", "blockres"])
    conv = chance.choice(["conv1", "conv1.conv"])
    blocks = every_block(backbone)
    chosen = sorted(chance.sample(blocks, chance.randint(1, len(blocks))), key=blocks.index)
    share = chance.choice([2, 3, 4, 8, 16])
    named = chance.random() < 0.5
    name = f"x_shift{share}_{place}.pth" if named else "x.pth"
    items = list(keys_of(backbone, place, chosen, conv).items())
    chance.shuffle(items)
    bare, shift, said = read_shift(dict(items), name, None if named else share)
    assert shift == Shift(place, tuple(chosen), share)
    assert set(bare) == set(keys_of(backbone, place, [], conv)) and len(said) == 2


def test_the_releases_own_arrangement_is_known():
    for backbone in DEPTHS:
        model = build_recognizer(backbone, "tsm", 3, width=0.125)
        stands = tuple(t.title for t in model.temporal_layers() if t.module is not None)
        assert release_shift(backbone) == Shift("blockres", stands, 8)
    assert release_shift("bn_inception") is None


def test_without_a_word_in_the_name_an_eighth_is_taken_and_said():
    keys = keys_of("resnet18", "blockres", every_block("resnet18"))
    _, shift, said = read_shift(keys, "m.pth")
    assert shift == Shift("blockres", tuple(every_block("resnet18")), 8)
    assert "an eighth" in said[1] and "its name does not say" in said[1]
    assert "'block'" in " ".join(
        read_shift(keys_of("resnet18", "block", ["layer1.0"]), "shift8_blockres.pth")[2]
    )


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("base_model.layer2.net.0.conv1.weight", "halves the number of frames"),
        ("base_model.layer1.0.conv2.net.weight", r"not as either .*layer1\.0\.conv2\.net"),
        ("base_model.conv1.net.weight", "not as either of its arrangements"),
        ("base_model.net.0.weight", "not as either of its arrangements"),
        ("base_model.layer1.0.net.conv1.net.weight", "not as either of its arrangements"),
        (
            "base_model.layer1.0.net.conv1.weight",
            r"its base_model\.layer1\.0\.bn1\.weight does not",
        ),
    ],
)
def test_wrappers_of_no_known_arrangement_are_refused(key, message):
    keys = keys_of("resnet18", "none", [])
    keys.pop("base_model.layer1.0.conv1.weight")
    with pytest.raises(CheckpointError, match=message):
        read_shift(keys | {key: torch.zeros(1)}, "m.pth")


def test_both_places_in_one_network_are_refused():
    keys = keys_of("resnet18", "block", ["layer1.0"]) | {
        "base_model.layer2.0.conv1.net.weight": torch.zeros(1)
    }
    with pytest.raises(CheckpointError, match="not as either of its arrangements"):
        read_shift(keys, "m.pth")


@pytest.mark.parametrize(
    ("name", "share", "message"),
    [
        ("m.pth", 8, "a shift share was given, but no key"),
        ("TSM_shift8_blockres.pth", None, "its name says 'shift8', but no key"),
    ],
)
def test_shifts_that_no_key_has_are_refused(name, share, message):
    with pytest.raises(CheckpointError, match=message):
        read_shift(keys_of("resnet18", "none", []), name, share)


@pytest.mark.parametrize("name", ["x_shift1_block.pth", "x_shift0_block.pth"])
def test_a_share_that_cannot_be_is_refused(name):
    with pytest.raises(CheckpointError, match="share"):
        read_shift(keys_of("resnet18", "block", ["layer1.0"]), name)


def test_a_shift_of_no_block_or_place_is_refused():
    with pytest.raises(ValueError, match=r"no block 'layer9\.0'"):
        build_recognizer("resnet18", "tsm", 3, width=0.125, shift=Shift(blocks=("layer9.0",)))
    with pytest.raises(ValueError, match="only residual blocks"):
        build_recognizer("bn_inception", "tsm", 3, shift=Shift("block"))
    with pytest.raises(ValueError, match="a TSM, not in GSM"):
        build_recognizer("resnet18", "gsm", 3, width=0.125, shift=Shift())
    with pytest.raises(ValueError, match="stands at blockres or block"):
        Shift("stem")


def test_a_share_moves_that_part_of_the_channels():
    from gsm_model.models.probe import Probe

    x = torch.randn(1, 3, 12, 1, 1)
    out = TemporalShift(4)(x, Probe(1))
    assert torch.equal(out[:, :2, :3], x[:, 1:, :3]) and torch.equal(out[:, 1:, 3:6], x[:, :2, 3:6])
    assert torch.equal(out[:, :, 6:], x[:, :, 6:])
    assert TemporalShift(4).gated_channels(12) == (slice(0, 3), slice(3, 6))
