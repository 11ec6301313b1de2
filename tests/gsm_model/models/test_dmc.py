"""DMC-Net: its release's generator and network, and the modality that feeds it."""

import re

import numpy as np
import pytest
import torch

from gsm_model.explain.motion import motion_of_clip
from gsm_model.models.checkpoints.files import load_checkpoint, save_checkpoint
from gsm_model.models.dmc import CueGenerator
from gsm_model.models.recognizer import build_recognizer
from gsm_model.motion.vectors import motion_vectors, vector_bytes
from gsm_model.video.clip_input import clip_input, cut_clip
from gsm_model.video.modality import Modality
from tests.conftest import fill
from tests.gsm_model.models.systems.released import Released
from tests.gsm_model.video.test_modality import model_of, moving

__all__ = ["moving"]
VECTORS = Modality("motion vectors", 1)


def test_the_release_is_that_network():
    release = Released("dmcnet_r18_3f")
    model = build_recognizer("resnet18", "none", 51, 3, input_size=112, modality=VECTORS).eval()
    names = {f"convs__{i}": f"gen_flow_model.conv_{i}.0" for i in range(5)}
    release.into(model.front, **names, predict="gen_flow_model.predict_flow")
    state = {}
    for key in release.listed:
        if key.startswith("base_model.") and "num_batches" not in key:
            state[key.replace("base_model.fc", "new_fc")] = release[key]
    assert model.load_state_dict(state, strict=False).unexpected_keys == []
    assert not release.unused
    clip = torch.from_numpy(fill.clip(5, 112)[0])
    fields = torch.cat([clip[:3, :2], clip[2:5]], dim=1)
    with torch.no_grad():
        cue, logits = model.front(fields), model.frame_logits(fields[None])[0]
    for found, name in ((cue[..., ::2, ::2], "dmc"), (logits, "logits")):
        expected = release.outputs[name]
        assert np.abs(found.numpy() - expected).max() <= 1e-4 * np.abs(expected).max()
    assert sum(p.numel() for p in model.front.parameters()) == 4584


def test_the_releases_file_is_loaded_as_one_of_motion_vectors(tmp_path):
    model = build_recognizer("resnet18", "none", 4, 3, width=0.0625, modality=VECTORS).eval()
    torch.nn.init.normal_(model.front.predict.weight, std=0.1)
    names = (
        ("front.convs.", "gen_flow_model.conv_"),
        ("front.predict", "gen_flow_model.predict_flow"),
    )
    state = {}
    for key, tensor in model.state_dict().items():
        for ours, theirs in (*names, ("new_fc", "base_model.fc")):
            key = key.replace(ours, theirs)
        state["module." + re.sub(r"(conv_\d)\.", r"\1.0.", key)] = tensor
    torch.save({"state_dict": state, "arch": "resnet18"}, tmp_path / "dmc.pth.tar")
    read = load_checkpoint(tmp_path / "dmc.pth.tar", num_segments=3)
    assert read.architecture.modality == read.input.modality == VECTORS
    assert "DMC-Net release" in read.card.reading or "5 planes: motion vectors" in read.card.reading
    clip = torch.randn(1, 3, 5, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(read(clip), model(clip))


def test_a_generator_that_has_learnt_nothing_returns_the_vectors():
    fields = torch.randn(2, 10, 8, 8)
    expected = fields[:, [0, 1, 5, 6]]
    torch.testing.assert_close(CueGenerator()(fields), expected)


def test_a_segment_is_the_vectors_and_residuals_of_its_frames(moving):
    model = model_of(Modality("motion vectors", 2))
    views = clip_input(model, moving).views
    assert views.shape == (1, 2, 10, 32, 32)
    frames = cut_clip(moving, model.input, 2).views[0].reshape(2, 3, 3, 32, 32)
    expected = vector_bytes(*motion_vectors(*frames[1, 1:].transpose(0, 2, 3, 1)))
    divided = np.array([1, 1, 0.229, 0.224, 0.225]).reshape(5, 1, 1)
    np.testing.assert_allclose(views[0, 1, 5:], (expected / 255 - 0.5) / divided, atol=1e-5)
    frozen = clip_input(model, moving, "frozen").views[0, :, 0:2] * 255 + 127.5
    assert (frozen.round() == 128).all()


def test_its_file_says_what_it_sees_and_its_cue_is_shown_beside_the_vectors(moving, tmp_path):
    model = model_of(VECTORS)
    save_checkpoint(model, tmp_path / "dmc.safetensors")
    read = load_checkpoint(tmp_path / "dmc.safetensors")
    assert read.architecture.modality == read.input.modality == VECTORS
    found = motion_of_clip(read, moving)
    assert found.learnt is None and found.vectors.shape == found.flow.shape
    assert np.median(found.vectors[:, 0]) == 0.5, "a pixel of twice the size to the right"
    np.testing.assert_allclose(found.cue, found.vectors, atol=0.25)  # bytes are 0.157 pixels
    assert motion_of_clip(model_of(Modality()), moving).cue is None


def test_an_odd_number_of_planes_is_no_dmc_net():
    with pytest.raises(RuntimeError):
        CueGenerator()(torch.zeros(1, 7, 8, 8))
