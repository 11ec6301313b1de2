"""torchvision's video transformers, made small: they answer as there, and can be looked into."""

import functools

import pytest
import torch

from gsm_model import build_recognizer, load_checkpoint
from gsm_model.errors import UnsuitableModelError
from gsm_model.models.checkpoints.files import save_checkpoint
from gsm_model.models.checkpoints.fit import faults
from gsm_model.models.checkpoints.layouts import candidates
from gsm_model.models.cost import cost_of
from gsm_model.models.inference.optimize import optimize
from gsm_model.models.observers import observe_points
from gsm_model.models.registry import video_networks
from gsm_model.models.undrawn import Undrawn
from tests.reference_packages import reference_package

TRANSFORMERS = (
    "swin3d_t",
    pytest.param("swin3d_s", marks=pytest.mark.thorough),
    pytest.param("swin3d_b", marks=pytest.mark.thorough),
    "mvit_v1_b",
    "mvit_v2_s",
)
SMALL = ("swin3d_t", "mvit_v1_b", "mvit_v2_s")
FRAMES = 4


def small_swin(num_classes=400):
    swin = reference_package("torchvision.models.video.swin_transformer").SwinTransformer3d
    return swin([2, 4, 4], 12, [2, 2], [1, 2], [2, 3, 3], num_classes=num_classes)


def small_mvit(v2, num_classes=400):
    mvit = reference_package("torchvision.models.video.mvit")
    blocks = [
        mvit.MSBlockConfig(
            heads, 8 * wide, 16, [3, 3, 3] if stride else [], [3] * 3, stride, [1] * 3
        )
        for heads, wide, stride in ((1, 1, [1, 1, 1]), (2, 2, [1, 2, 2]), (2, 2, []))
    ]
    return mvit.MViT(
        spatial_size=(32, 32),
        temporal_size=FRAMES,
        block_setting=blocks,
        residual_pool=v2,
        residual_with_cls_embed=not v2,
        rel_pos_embed=v2,
        proj_after_attn=v2,
        num_classes=num_classes,
    )


@pytest.fixture
def small(monkeypatch):
    """``small[name]``: what torchvision builds by that name, of a few channels."""
    video = reference_package("torchvision.models.video")
    made = {
        "swin3d_t": small_swin,
        "mvit_v1_b": functools.partial(small_mvit, False),
        "mvit_v2_s": functools.partial(small_mvit, True),
    }
    for name, build in made.items():
        monkeypatch.setattr(video, name, build)
    return made


def drawn(network):
    """``network`` with every weight drawn, so that none is without effect."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.3)
    return network.eval()


@pytest.mark.parametrize("name", SMALL)
def test_a_file_of_torchvisions_answers_as_there_also_saved_anew(small, name, tmp_path):
    theirs = drawn(small[name](num_classes=5))
    torch.save(theirs.state_dict(), tmp_path / "a.pth")
    ours = load_checkpoint(tmp_path / "a.pth")
    assert ours.architecture.backbone == name and ours.card.layout == "torchvision"
    assert ours.answers_once and not ours.temporal_layers()
    clip = torch.randn(2, FRAMES, 3, 32, 32)
    save_checkpoint(ours, tmp_path / "ours.safetensors", half=True)
    back = load_checkpoint(tmp_path / "ours.safetensors")
    assert back.architecture == ours.architecture and back.input == ours.input
    with torch.inference_mode():
        expected = theirs(clip.transpose(1, 2))
        torch.testing.assert_close(ours(clip), expected, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(back(clip), expected, rtol=0.02, atol=0.02)
    assert expected.std() > 0.01


@pytest.mark.parametrize("name", SMALL)
def test_a_copy_for_inference_answers_alike(small, name):
    model = build_recognizer(name, video_networks()[name].temporal, 5, FRAMES, input_size=32)
    clip = torch.randn(1, FRAMES, 3, 32, 32)
    drawn(model)
    with torch.inference_mode():
        torch.testing.assert_close(optimize(model)(clip), model(clip))


@pytest.mark.parametrize("name", SMALL)
def test_every_block_that_is_shown_decides_on_the_answer(small, name):
    """Its features are seen as pictures of every second frame, and what is put in their place
    changes the answer.
    """
    model = drawn(build_recognizer(name, video_networks()[name].temporal, 5, FRAMES))
    clip = torch.randn(2, FRAMES, 3, 32, 32)
    points = {point: title for title, point in model.feature_points().items()}
    shapes = {}

    def look(host, point, x):
        shapes[points[host, point]] = tuple(x.shape)
        return x

    with torch.inference_mode():
        plain = model(clip)
        with observe_points(look):
            torch.testing.assert_close(model(clip), plain)
        assert list(shapes) == list(model.feature_points())
        assert {(shape[0], shape[2] == shape[3]) for shape in shapes.values()} == {(4, True)}
        for title in shapes:

            def without(host, point, x, title=title):
                return torch.zeros_like(x) if points[host, point] == title else x

            with observe_points(without):
                assert (model(clip) - plain).abs().max() > 1e-4, title


def test_an_mvit_takes_one_number_of_frames_of_one_size(small):
    model = drawn(build_recognizer("mvit_v1_b", "mvit", 5, FRAMES))
    clip = torch.randn(1, FRAMES, 3, 32, 32)
    with torch.inference_mode():
        repeated = torch.cat([clip[:, :3], clip[:, 2:3]], dim=1)
        torch.testing.assert_close(model(clip[:, :3]), model(repeated))
        for other in (torch.randn(1, 5, 3, 32, 32), torch.randn(1, FRAMES, 3, 40, 40)):
            with pytest.raises(UnsuitableModelError, match="at most 4 frames of 32 × 32 pixels"):
                model(other)


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_the_published_names_and_shapes_are_that_network(name):
    """In every key and no other; the tensors have shapes only."""
    with torch.device("meta"), Undrawn():
        state = getattr(reference_package("torchvision.models.video"), name)().state_dict()
    [fits] = [
        each
        for each in candidates(state, 16, "a.pth")
        if not faults(each.architecture, each.weights)
    ]
    wanted = (name, video_networks()[name].temporal, 400)
    found = fits.architecture
    assert (found.backbone, found.temporal, found.num_classes) == wanted


@pytest.mark.parametrize(
    ("name", "macs"),
    [
        ("swin3d_t", 43.882),
        ("mvit_v2_s", 64.224),
        pytest.param("mvit_v1_b", 70.599, marks=pytest.mark.thorough),
    ],
)
def test_it_costs_what_torchvision_states(name, macs):
    """Of 16 frames."""
    with torch.device("meta"), Undrawn():
        entry = video_networks()[name]
        model = build_recognizer(name, entry.temporal, 400, entry.frames)
    assert cost_of(model, 16).macs / 1e9 == pytest.approx(macs, rel=0.01)
