"""Non-local blocks against the releases' formula, and the truths of their definition."""

import numpy as np
import pytest
import torch
from torch import nn

from gsm_model import build_recognizer, load_checkpoint, save_checkpoint
from gsm_model.explain.gates.interventions import Intervention, intervene, possible_clamps
from gsm_model.explain.gates.report import report_gates
from gsm_model.models.inference.optimize import fold, optimize
from gsm_model.models.probe import Probe
from gsm_model.models.systems.non_local import NonLocalBlock, NonLocalBlocks
from gsm_model.models.temporal import WHOLE_CLIP
from tests.conftest import draw_zeros
from tests.published import in_layout_of

KINDS = ("embedded_gaussian", "gaussian", "dot_product")
BLOCKS = ("layer2.0", "layer3.1")


def drawn(channels: int, kind: str) -> NonLocalBlock:
    module = NonLocalBlock(channels, kind).eval()
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)
    module.out.norm.running_mean.normal_()
    module.out.norm.running_var.uniform_(0.5, 1.5)
    return module


def network(kind: str = "embedded_gaussian", system: str = "tsm"):
    """A small one whose non-local blocks do something."""
    model = build_recognizer(
        "resnet18", system, 5, 4, 0.125, 32, non_local=NonLocalBlocks(kind, BLOCKS)
    ).eval()
    for module in model.modules():
        if isinstance(module, NonLocalBlock):
            draw_zeros(module)
    for name, parameter in model.named_parameters():
        if name.endswith(("bn2.weight", "new_fc.weight")):
            nn.init.normal_(parameter, std=0.5)
    return model


def clip(frames: int = 4) -> torch.Tensor:
    return torch.randn(2, frames, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", KINDS)
def test_it_gives_what_the_releases_formula_gives(kind):
    """Place by place, with 3D layers as the releases have them."""
    module, x = drawn(6, kind), torch.randn(1, 3, 6, 4, 5)
    video = x.transpose(1, 2)
    pool = nn.MaxPool3d((1, 2, 2))

    def embedded(conv: nn.Conv2d) -> torch.Tensor:
        return nn.functional.conv3d(video, conv.weight[:, :, None], conv.bias)

    with torch.inference_mode():
        theta = video if kind == "gaussian" else embedded(module.theta)
        phi = pool(video if kind == "gaussian" else embedded(module.phi)).flatten(2)[0]
        g = pool(embedded(module.g)).flatten(2)[0]
        y = torch.zeros(3, 3, 4, 5)
        for t, i, j in np.ndindex(3, 4, 5):
            pairs = theta[0, :, t, i, j] @ phi
            weights = pairs / len(pairs) if kind == "dot_product" else pairs.softmax(0)
            y[:, t, i, j] = g @ weights
        conv, norm = module.out
        added = norm(conv(y.transpose(0, 1)))
        torch.testing.assert_close(module(x, Probe()), x + added, atol=1e-5, rtol=1e-5)


def test_it_starts_as_the_identity_and_then_sees_the_whole_clip():
    module, x = NonLocalBlock(8).eval(), torch.randn(2, 3, 8, 4, 4)
    with torch.inference_mode():
        assert torch.equal(module(x, Probe(2)), x) and module.reach() == (0, 0)
    assert drawn(8, "gaussian").reach() == (WHOLE_CLIP, WHOLE_CLIP)


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_alone_gives_what_it_gives_in_a_still_clip(kind):
    module, x = drawn(8, kind), torch.randn(2, 1, 8, 4, 4)
    still = x.expand(-1, 5, -1, -1, -1)
    with torch.inference_mode():
        expected = module(still, Probe(2))
        torch.testing.assert_close(module.alone(still), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_frames_moves_with_it_so_that_alone_it_cannot_be_told(kind):
    model, x = network(kind, "none"), clip()
    other = x.clone()
    other[:, 3] += 1
    with torch.inference_mode():
        scores, changed = model.frame_logits(x), model.frame_logits(other)
        torch.testing.assert_close(model(x[:, [2, 0, 3, 1]]), model(x), atol=1e-5, rtol=1e-4)
    assert (changed - scores)[:, 0].abs().max() > 1e-4  # though what is in the others matters


@pytest.mark.parametrize("kind", KINDS)
def test_folding_and_half_precision_keep_the_scores(kind):
    model, x = network(kind), clip()
    with torch.inference_mode():
        expected = model(x)
        assert (fold(model)(x) - expected).abs().max() <= 1e-5 * expected.abs().max()
        halved = optimize(model, "bfloat16")(x)
    assert (halved - expected).abs().max() <= 0.1 * expected.abs().max()


def test_a_saved_model_is_loaded_as_it_was(tmp_path):
    model, x = network("dot_product"), clip()
    save_checkpoint(model, tmp_path / "model.safetensors")
    loaded = load_checkpoint(tmp_path / "model.safetensors")
    assert loaded.architecture == model.architecture
    with torch.inference_mode():
        torch.testing.assert_close(loaded(x), model(x), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("publisher", "file", "kind", "said"),
    [
        ("tsm-any", "e100_dense_nl.pth", "embedded_gaussian", "as in TSM's release"),
        ("mmaction2-any", "r50-nl-dot-product.pth", "dot_product", "after 'dot-product' in its"),
        ("mmaction2-any", "nl_embedded_gaussian.pth", "embedded_gaussian", "in its name"),
        ("mmaction2-any", "renamed.pth", "gaussian", "since they have no θ and φ"),
    ],
)
def test_a_release_s_file_is_read_with_its_blocks_and_their_kind(
    publisher, file, kind, said, tmp_path
):
    """mmaction2's W has no bias; both keep kernels of one place and one frame."""
    model, x = network(kind), clip()
    state = in_layout_of(publisher, model.state_dict(), "tsm", BLOCKS)
    if publisher.startswith("mmaction2"):
        for module in model.modules():
            if isinstance(module, NonLocalBlock):
                nn.init.zeros_(module.out[0].bias)
        state = {key: value for key, value in state.items() if "conv_out.conv.bias" not in key}
    for key, value in state.items():
        if ".nl." in key or ".non_local_block." in key:
            state[key] = value[:, :, None] if value.ndim == 4 else value
    torch.save({"state_dict": state}, tmp_path / file)
    loaded = load_checkpoint(tmp_path / file, num_segments=4)
    assert loaded.architecture.non_local == NonLocalBlocks(kind, BLOCKS)
    assert "behind layer2.0 and layer3.1" in loaded.card.reading and said in loaded.card.reading
    with torch.inference_mode():
        torch.testing.assert_close(loaded(x), model(x), atol=1e-6, rtol=1e-5)


def test_the_report_shows_where_it_looks_and_an_experiment_cuts_it(video):
    model = network()
    report = report_gates(model, video)
    [attention] = [one for one in report.readings if one.name == "attention"]
    assert attention.layers == ("layer2.0 non_local", "layer3.1 non_local")
    for shares in attention.values:
        assert shares.sum() == pytest.approx(1, abs=1e-5) and (shares > 0).all()
    assert all(0 <= layer.maps.min() <= layer.maps.max() <= 1 for layer in report.layers)
    assert {"closed", "open"} <= set(possible_clamps(model))
    x = clip()
    with torch.inference_mode():
        for clamp in ("closed", "clip mean", "negative"):
            with intervene(model, Intervention(clamp)):
                assert model(x).isfinite().all()
        with intervene(model, Intervention("closed")):
            torch.testing.assert_close(model(x[:, [2, 0, 3, 1]]), model(x), atol=1e-5, rtol=1e-4)


def test_blocks_that_are_not_there_and_kinds_that_are_none_are_refused():
    with pytest.raises(ValueError, match="no block 'layer9.0'"):
        build_recognizer("resnet18", non_local=NonLocalBlocks("gaussian", ("layer9.0",)))
    with pytest.raises(ValueError, match="not 'concatenation'"):
        NonLocalBlocks("concatenation", BLOCKS)
    with pytest.raises(ValueError, match="stands where non_local should"):
        build_recognizer("resnet18", "fstcn", non_local=NonLocalBlocks("gaussian", ("layer4.1",)))
