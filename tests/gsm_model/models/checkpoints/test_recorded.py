"""Settings that a file keeps beside its weights, names that promise what no key has, and files with
a checkpoint inside.
"""

import argparse
import gzip
import io
import tarfile
import zipfile

import pytest
import torch

from gsm_model import CheckpointError, load_checkpoint
from gsm_model.models.checkpoints.not_built import not_built_yet
from gsm_model.models.checkpoints.recorded import Recorded, recorded_in
from tests.conftest import make_small


@pytest.fixture(scope="module")
def weights():
    """A TSN's weights, with a TSM's wrappers in front of every block."""
    state = make_small("none").state_dict()
    return {key.replace(".conv1.", ".conv1.net.") if ".layer" in key else key: value
            for key, value in state.items()}  # fmt: skip


def saved(content, tmp_path, name="best.pth", **options):
    torch.save(content, tmp_path / name)
    return load_checkpoint(tmp_path / name, **options)


@pytest.mark.parametrize(
    ("beside", "found"),
    [
        ({"args": argparse.Namespace(shift_div=4, num_segments=16, lr=0.1)}, (4, 16)),
        ({"config": {"model": {"shift_div": 16}}, "num_segments": "12"}, (16, 12)),
        ({"meta": {"cfg": "backbone=dict(type='ResNetTSM', num_segments=8, shift_div=4)"}}, (4, 8)),
        ({"hyper_parameters": {"n_segment": 8, "n_div": 4}}, (4, 8)),
        ({"cfg": 'num_segments: 8\n"shift_div": 4\n'}, (4, 8)),
        ({"a": {"shift_div": 4}, "b": {"shift_div": 8}}, (None, None)),
        ({"shift_div": 1000, "num_segments": 0}, (None, None)),
        ({"cfg": "shift_div=0.5 my_shift_div=4 shift_division=4"}, (None, None)),
        (None, (None, None)),
    ],
)
def test_share_and_frames_are_read_off_the_settings_beside_the_weights(beside, found):
    if isinstance(beside, dict):
        stream = io.BytesIO()
        torch.save(beside, stream)
        stream.seek(0)
        beside = torch.load(stream, weights_only=False)
        if isinstance(beside.get("args"), argparse.Namespace):
            beside["args"] = vars(beside["args"])
    assert recorded_in(beside) == Recorded(*found)


def test_the_share_of_the_settings_counts_where_nothing_else_says_it(weights, tmp_path):
    content = {"args": argparse.Namespace(shift_div=4, num_segments=16), "state_dict": weights}
    model = saved(content, tmp_path)
    assert model.architecture.shift.share == 4 and model.architecture.num_segments == 16
    assert "a quarter of the channels each way, as the settings beside" in model.card.reading
    assert "say 16 frames" in model.card.reading
    assert saved(content, tmp_path, shift_share=16).architecture.shift.share == 16
    assert saved(content, tmp_path, "tsm_shift4_segment4.pth").architecture.num_segments == 4
    with pytest.raises(CheckpointError, match="one in 8 .* one in 4; give the right one"):
        saved(content, tmp_path, "tsm_shift8.pth")
    with pytest.raises(CheckpointError, match="its name says 'online', as of networks that shift"):
        saved(content, tmp_path, "tsm_online.pth")


def test_a_name_that_promises_a_module_which_no_key_has_is_said(tmp_path):
    state = make_small("none").state_dict()
    assert "every frame is scored alone" in saved(state, tmp_path, "my_TSM_r18.pth").card.reading
    assert "alone" not in saved(state, tmp_path, "TSM_kinetics_RGB_r50_avg.pth").card.reading
    assert "alone" not in saved(state, tmp_path, "transmission.pth").card.reading


def test_numbers_of_eight_bits_load(tmp_path):
    state = make_small("none").state_dict()
    small = {key: value.to(torch.float8_e4m3fn) if value.ndim > 1 else value
             for key, value in state.items()}  # fmt: skip
    found = saved(small, tmp_path).state_dict()["new_fc.weight"]
    assert found.dtype == torch.float32
    assert torch.equal(found, state["new_fc.weight"].to(torch.float8_e4m3fn).float())


@pytest.mark.parametrize("kind", ["zip", "gz", "tar", "index", "part"])
def test_files_with_a_checkpoint_inside_are_called_what_they_are(kind, tmp_path):
    inner = b"\x80\x02weights"
    name, path = "m.pth", tmp_path / "m.pth"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inner.pth", inner)
        said = "a zip archive with 'inner.pth' in it"
    elif kind == "gz":
        path.write_bytes(gzip.compress(inner))
        said = "is compressed; unpack it"
    elif kind == "tar":
        with tarfile.open(path, "w") as archive:
            (tmp_path / "inner.pth").write_bytes(inner)
            archive.add(tmp_path / "inner.pth", "inner.pth")
        said = "is a tar archive"
    elif kind == "index":
        path.write_text('{"metadata": {}, "weight_map": {"a": "b"}}')
        said = "the index of a checkpoint in several files"
    else:
        name, said = "m-00002-of-00005.safetensors", "is part 2 of a checkpoint in 5 files"
        (tmp_path / name).write_bytes(inner)
    with pytest.raises(CheckpointError, match=said):
        load_checkpoint(tmp_path / name)


@pytest.mark.parametrize(
    ("key", "shape", "what"),
    [
        ("s1.pathway0_stem.conv_xy.weight", (24, 3, 1, 3, 3), "an X3D network"),
        ("blocks.0.conv.conv_t.weight", (24, 3, 1, 3, 3), "an X3D network"),
        ("s1.pathway0_stem.conv.weight", (64, 3, 5, 7, 7), "3D convolutions in SlowFast's names"),
        ("s1.pathway1_stem.conv.weight", (8, 3, 5, 7, 7), "a SlowFast network"),
        ("Conv3d_1a_7x7.conv3d.weight", (64, 3, 7, 7, 7), "a network of 3D convolutions"),
        ("visual.transformer.resblocks.0.attn.in_proj_weight", (9, 3), "a transformer on frames"),
        ("module.base_model.layer1.0.me.conv1.weight", (4, 64, 1, 1), "a TEA"),
        ("module.base_model.layer1.0.conv1.action_shift.weight", (64, 1, 3), "an ACTION-Net"),
        ("neck.level_fusion_op.downsamples.0.conv.weight", (3, 3, 1, 1, 1), "a TPN"),
        ("module.base_model.conv1.weight", (64, 4, 7, 7), "whose input is 4 planes, not 3 of RGB"),
        ("module.base_model.conv1.weight", (64, 10, 7, 7), "on optical flow"),
    ],
)
def test_networks_of_another_kind_are_named(key, shape, what):
    assert what in not_built_yet({key: torch.zeros(shape)})
