"""Checkpoints: the published layouts load as they are; what is damaged, foreign or hostile is
refused with its reason.
"""

import io
import json
import os
import pickle
import re
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from gsm_model import CheckpointError, DataError, build_recognizer, load_checkpoint, save_checkpoint
from gsm_model.data.labels import something_something
from gsm_model.models.card import Card, Measure
from gsm_model.models.caution import caution_of
from tests.conftest import PARITY, fill, make_small, released_weights
from tests.torchvision_resnet import reference_frame_logits, torchvision_resnet

GSM_NAME = "something-v1_RGB_InceptionV3_avg_segment16_checkpoint.pth.tar"
TSM_NAME = "TSM_something_RGB_resnet50_shift8_blockres_avg_segment8_e45.pth"
MMACTION_NAME = "tsm_imagenet-pretrained-r50_8xb16-1x1x16-50e_sthv2-rgb_20230317-be0fc26e.pth"


def save_release(path, state, **options):
    record = {
        "epoch": 60,
        "arch": "InceptionV3",
        "state_dict": state,
        "best_prec1": np.float64(50.6),
        "current_prec1": 50.1,
        "lr": [0.01],
    }
    torch.save(record, path, **options)


# The GSM release


@pytest.mark.slow
@pytest.mark.parametrize("zipped", [True, False], ids=["zip format", "old format"])
def test_the_authors_checkpoint_loads_as_it_is_and_predicts(tmp_path, zipped):
    path = tmp_path / GSM_NAME
    save_release(
        path, released_weights("inceptionv3_gsm_8f"), _use_new_zipfile_serialization=zipped
    )
    model = load_checkpoint(path)
    a = model.architecture
    assert (a.backbone, a.temporal, a.num_classes, a.num_segments) == (
        "inception_v3",
        "gsm",
        174,
        16,
    )
    assert (model.input.size, model.input.channels, model.input.mean) == (
        229,
        "BGR",
        (104.0, 117.0, 128.0),
    )
    assert (
        model.card.labels == something_something()
        and model.card.provenance == "trained"
        and len(model.card.sha256) == 64
    )
    reference = np.load(PARITY / "inceptionv3_gsm_8f.npz")["logits"]
    with torch.inference_mode():
        logits = model(torch.from_numpy(fill.clip(8, 229))).numpy()
    assert np.abs(logits - reference.reshape(logits.shape)).max() <= 1e-4 * np.abs(reference).max()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip format", "old format"])
def test_tensors_saved_on_a_gpu_load_without_one(tmp_path, monkeypatch, zipped):
    path = tmp_path / "m.pth"
    with monkeypatch.context() as patch:
        patch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
        torch.save(
            {"state_dict": make_small("gsm").state_dict()},
            path,
            _use_new_zipfile_serialization=zipped,
        )
    assert b"cuda:0" in path.read_bytes()
    assert next(load_checkpoint(path).parameters()).device.type == "cpu"


def test_segments_asked_for_win_over_the_file_name(tmp_path):
    path = tmp_path / "bn_segment12_checkpoint.pth.tar"
    save_release(path, released_weights("bninception_tsn_8f"))
    assert load_checkpoint(path).architecture.num_segments == 12
    assert load_checkpoint(path, num_segments=5).architecture.num_segments == 5


# TSM and mmaction2


def tsm_release_state(resnet, num_classes, shifted, every=1):
    """torchvision's weights under the TSM release's keys."""
    state = {}
    for key, tensor in resnet.state_dict().items():
        match = re.match(r"layer\d\.(\d+)\.conv1\.", key)
        if shifted and match and int(match.group(1)) % every == 0:
            key = key.replace("conv1.", "conv1.net.")
        if not key.startswith("fc."):
            state[f"module.base_model.{key}"] = tensor
    return state | {
        "module.new_fc.weight": resnet.fc.weight.data,
        "module.new_fc.bias": resnet.fc.bias.data,
    }


def mmaction2_state(resnet, shifted):
    """torchvision's weights under mmaction2's keys."""
    state = {}
    for key, tensor in resnet.state_dict().items():
        if key.startswith("fc."):
            state[f"cls_head.fc_cls.{key[3:]}"] = tensor
            continue
        key = re.sub(r"\.downsample\.0\.", ".downsample.conv.", key)
        key = re.sub(r"\.downsample\.1\.", ".downsample.bn.", key)
        net = ".net" if shifted else ""
        key = re.sub(r"(layer\d\.\d+)\.conv1\.", rf"\1.conv1.conv{net}.", key)
        key = re.sub(r"(^|\.)conv([123])\.(?!conv)", r"\1conv\2.conv.", key)
        key = re.sub(r"(^|\.)bn([123])\.", r"\1conv\2.bn.", key)
        state[f"backbone.{key}"] = tensor
    return state


@pytest.mark.slow
@pytest.mark.parametrize(
    ("depth", "shifted", "every"), [(50, True, 1), (50, False, 1), (101, True, 2), (18, True, 1)]
)
def test_tsm_release_files_agree_with_torchvision_and_a_plain_shift(
    tmp_path, depth, shifted, every
):
    resnet = torchvision_resnet(depth, 174)
    name = TSM_NAME if shifted else "TSN_something_RGB_resnet50_avg_segment8_e45.pth"
    torch.save(
        {
            "epoch": 45,
            "state_dict": tsm_release_state(resnet, 174, shifted, every),
            "best_prec1": torch.tensor(45.6),
        },
        tmp_path / name,
    )
    model = load_checkpoint(tmp_path / name)
    assert (model.architecture.backbone, model.architecture.temporal) == (
        f"resnet{depth}",
        "tsm" if shifted else "none",
    )
    assert model.card.labels == something_something() and model.input.channels == "RGB"
    clip = torch.randn(1, 8, 3, 64, 64)
    with torch.inference_mode():
        expected = reference_frame_logits(resnet, clip, every if shifted else None)
        torch.testing.assert_close(
            model.frame_logits(clip), expected, atol=1e-4 * float(expected.abs().max()), rtol=0
        )


class HistoryBuffer:
    """Stands for mmengine's own class in the tests; its module is set so that pickles name
    mmengine's.
    """

    def __init__(self):
        self.history = np.array([1.0, 2.0])


HistoryBuffer.__module__ = "mmengine.logging.history_buffer"


def save_with_foreign_objects(path, state, monkeypatch):
    import sys
    import types

    for name in ("mmengine", "mmengine.logging", "mmengine.logging.history_buffer"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules["mmengine.logging.history_buffer"].HistoryBuffer = HistoryBuffer
    torch.save(
        {
            "meta": {"epoch": 50, "best": np.float32(62.7)},
            "message_hub": {"log": HistoryBuffer()},
            "state_dict": state,
        },
        path,
    )


@pytest.mark.slow
@pytest.mark.parametrize("shifted", [True, False], ids=["TSM", "TSN"])
def test_mmaction2_files_load_past_the_foreign_objects_beside_the_weights(
    tmp_path, monkeypatch, shifted
):
    resnet = torchvision_resnet(50, 174)
    path = tmp_path / (
        MMACTION_NAME if shifted else "tsn_imagenet-pretrained-r50_8xb32-1x1x16-50e_sthv2-rgb_x.pth"
    )
    with monkeypatch.context() as patch:
        save_with_foreign_objects(path, mmaction2_state(resnet, shifted), patch)
    model = load_checkpoint(path)
    a = model.architecture
    assert (a.backbone, a.temporal, a.num_segments) == (
        "resnet50",
        "tsm" if shifted else "none",
        16,
    )
    assert (
        model.card.layout == "mmaction2"
        and model.card.provenance == "trained"
        and model.card.labels == something_something()
    )
    clip = torch.randn(1, 4, 3, 64, 64)
    with torch.inference_mode():
        expected = reference_frame_logits(resnet, clip, 1 if shifted else None)
        torch.testing.assert_close(
            model.frame_logits(clip), expected, atol=1e-4 * float(expected.abs().max()), rtol=0
        )


def test_mmaction2_v1_models_are_not_given_names_in_the_wrong_order(tmp_path):
    path = tmp_path / "tsm_r50_1x1x8_50e_sthv1_rgb.pth"
    torch.save({"state_dict": mmaction2_state(torchvision_resnet(18, 174), True)}, path)
    card = load_checkpoint(path).card
    assert card.labels is None and card.label(17) == "class 17"


# Our own format


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("temporal", ["none", "gsm", "tsm"])
def test_our_own_file_carries_everything(tmp_path, temporal, half):
    model = make_small(temporal)
    measure = Measure("top-1", 0.9, 0.88, 0.92, 600, "drawn test clips")
    card = Card(
        "A title", "trained", ("a", "b", "c", "d", "ä <b>"), "drawn clips", "one cycle", (measure,)
    )
    save_checkpoint(model, tmp_path / "m.safetensors", card, half=half)
    back = load_checkpoint(tmp_path / "m.safetensors")
    assert (back.architecture, back.input) == (model.architecture, model.input)
    assert (back.card.labels, back.card.measures, back.card.provenance) == (
        card.labels,
        card.measures,
        "trained",
    )
    clip = torch.randn(1, 4, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(
            back(clip), model(clip), atol=0.02 if half else 1e-5, rtol=0.02 if half else 1e-5
        )


def test_a_model_saved_untrained_says_so_when_loaded(tmp_path):
    model = make_small("gsm")
    save_checkpoint(model, tmp_path / "m.safetensors")
    assert load_checkpoint(tmp_path / "m.safetensors").card.name.endswith("(untrained)")


def test_a_header_that_lies_about_its_weights_is_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    save_checkpoint(make_small("gsm"), tmp_path / "m.safetensors")
    architecture = {
        "backbone": "resnet50",
        "temporal": "gsm",
        "num_classes": 5,
        "num_segments": 4,
        "width": 0.125,
    }
    spec = {
        "size": 32,
        "resize": 36,
        "channels": "RGB",
        "scale": 1.0,
        "mean": [0, 0, 0],
        "std": [1, 1, 1],
    }
    header = json.dumps(
        {"format": 1, "architecture": architecture, "input": spec, "card": {"title": "x"}}
    )
    save_file(
        load_file(tmp_path / "m.safetensors"),
        tmp_path / "lie.safetensors",
        {"gate_shift_lens": header},
    )
    with pytest.raises(CheckpointError, match="its header says"):
        load_checkpoint(tmp_path / "lie.safetensors")


# Refused


def small_release(**changes):
    """A small file in our own layout but without header, as state dict."""
    return make_small("gsm").state_dict() | changes


@pytest.fixture
def refused(tmp_path):
    def check(
        message: str,
        name: str = "model.pth.tar",
        state=None,
        content: bytes | None = None,
        **options,
    ) -> None:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        elif state is not None:
            torch.save({"state_dict": state}, path)
        with pytest.raises(CheckpointError, match=message) as caught:
            load_checkpoint(path, **options)
        assert str(caught.value).startswith(name) and str(tmp_path) not in str(caught.value)

    return check


class Malicious:
    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


@pytest.mark.parametrize("place", ["beside the weights", "as the whole file", "in the old format"])
def test_a_pickle_that_runs_code_is_refused_and_runs_nothing(refused, tmp_path, place):
    marker = tmp_path / "ran"
    bomb = Malicious(os.system, f"touch {marker}")
    file = io.BytesIO()
    if place == "as the whole file":
        file.write(pickle.dumps(bomb, protocol=2))
    else:
        torch.save(
            {"state_dict": small_release(), "extra": bomb},
            file,
            _use_new_zipfile_serialization=place == "beside the weights",
        )
    refused("nothing in it was run", content=file.getvalue())
    assert not marker.exists()


def test_a_pickle_that_hides_behind_an_allowed_name_runs_nothing(refused, tmp_path):
    marker = tmp_path / "ran"
    import builtins

    file = io.BytesIO()
    torch.save(
        {
            "state_dict": small_release(),
            "extra": Malicious(builtins.getattr, Malicious(__import__, "os"), "system"),
        },
        file,
    )
    refused("nothing in it was run", content=file.getvalue())
    assert not marker.exists()


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_refused(refused, share):
    file = io.BytesIO()
    torch.save({"state_dict": small_release()}, file)
    refused(
        "damaged or cut short|nothing in it was run",
        content=file.getvalue()[: int(len(file.getvalue()) * share)],
    )


def test_a_text_file_with_a_checkpoints_name_is_refused(refused):
    refused("is not a PyTorch checkpoint", content=b"<!DOCTYPE html><html>Not found</html>")


def test_an_empty_or_missing_file_is_refused(refused):
    refused("the file is empty", content=b"")
    refused("there is no such file", name="elsewhere.pth")


def test_an_archive_that_unpacks_to_more_than_it_holds_is_refused(refused):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\0" * 50_000_000)
    refused("would unpack to", content=file.getvalue())


def test_a_damaged_safetensors_file_is_refused(refused):
    refused("not a whole safetensors file", name="m.safetensors", content=b"\xff" * 64)
    refused(
        "not a whole safetensors file",
        name="m.safetensors",
        content=(100).to_bytes(8, "little") + b"{}",
    )


def test_keys_that_do_not_fit_are_named_and_counted(refused):
    state = small_release(**{f"base_model.extra{i}": torch.zeros(1) for i in range(5)})
    for key in [key for key in state if "layer4.1.gsm_conv2.bn" in key]:
        del state[key]
    refused(
        r"4 missing \(base_model.layer4.1.gsm_conv2.bn.weight, .*, …\); 5 unexpected"
        r" \(base_model.extra0, .*, …\).*Nothing was loaded",
        state=state,
    )


def test_a_tensor_of_another_shape_is_named(refused):
    refused(
        r"1 misshaped \(base_model.layer1.0.conv2.weight is \(1, 2, 3, 3\), not \(8, 8, 3, 3\)\)",
        state=small_release(**{"base_model.layer1.0.conv2.weight": torch.zeros(1, 2, 3, 3)}),
    )


def test_what_is_no_model_of_ours_says_what_it_holds(refused):
    refused(
        "holds 2 tensors .*neither the GSM nor the TSM release", state=nn.Linear(2, 3).state_dict()
    )
    refused("no state_dict of tensors", state={"a": 1})
    refused("no classifier", state={"base_model.conv1.weight": torch.zeros(8, 3, 7, 7)})
    refused(
        "none of BN-Inception",
        state={"base_model.features.weight": torch.zeros(8, 3), "new_fc.weight": torch.zeros(3, 8)},
    )


def test_values_that_are_not_finite_are_refused(refused):
    refused("not finite", state=small_release(**{"new_fc.bias": torch.full((5,), float("nan"))}))


def test_a_label_file_of_another_length_is_refused_with_both_numbers(refused, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text("one\ntwo\nthree\n")
    refused(
        "has 5 classes, but the label file lists 3. Choose the label file",
        state=small_release(),
        labels=labels,
    )


def test_a_label_file_that_names_a_class_twice_is_refused(tmp_path):
    torch.save({"state_dict": small_release()}, tmp_path / "m.pth")
    (tmp_path / "labels.txt").write_text("a\nb\na\nc\nd\n")
    with pytest.raises(DataError, match="'a' is on line 1 and again on line 3"):
        load_checkpoint(tmp_path / "m.pth", labels=tmp_path / "labels.txt")


def test_files_without_batch_counters_load(tmp_path):
    state = {
        key: tensor
        for key, tensor in small_release().items()
        if not key.endswith("num_batches_tracked")
    }
    torch.save({"state_dict": state}, tmp_path / "m.pth")
    assert load_checkpoint(tmp_path / "m.pth").architecture.width == 0.125


def test_the_width_of_a_bn_inception_is_read_off_its_weights(tmp_path):
    model = build_recognizer("bn_inception", "gsm", 5, width=0.125)
    torch.save({"state_dict": model.state_dict()}, tmp_path / "m.pth")
    assert load_checkpoint(tmp_path / "m.pth").architecture.width == 0.125


def test_a_failed_load_leaves_an_earlier_model_as_it_was(tmp_path):
    model = build_recognizer("resnet18", "gsm", 5, width=0.125)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    torch.save({"state_dict": small_release(extra=torch.zeros(1))}, tmp_path / "m.pth")
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "m.pth")
    assert all(torch.equal(tensor, model.state_dict()[key]) for key, tensor in before.items())


# Made to harm


def _pickled(code: bytes) -> bytes:
    """A hand-written pickle, in a file as PyTorch writes them."""
    file = io.BytesIO()
    torch.save({"state_dict": small_release()}, file)
    changed = io.BytesIO()
    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(changed, "w") as other:
        for entry in archive.infolist():
            other.writestr(
                entry.filename, code if entry.filename.endswith("data.pkl") else archive.read(entry)
            )
    return changed.getvalue()


@pytest.mark.parametrize(
    "call",
    [
        b"cos\nsystem\n(S'touch %s'\ntR.",  # a call, by REDUCE
        b"(S'touch %s'\nios\nsystem\n.",  # the same, by INST
        b"(cos\nsystem\nS'touch %s'\no.",  # the same, by OBJ
        b'c__builtin__\neval\n(S\'__import__("os").system("touch %s")\'\ntR.',
        b"c__builtin__\nexec\n(S'import os; os.system(\"touch %s\")'\ntR.",
        b"csubprocess\nPopen\n((lS'touch'\naS'%s'\natR.",
        b"cbuiltins\ngetattr\n(cos\n\nS'system'\ntR(S'touch %s'\ntR.",
        b"ctorch\nload\n(S'%s'\ntR.",
        b"cnumpy.core.multiarray\n_reconstruct\n(cos\nsystem\n(I0\ntS'touch %s'\ntR.",
        b"cmmengine.logging.history_buffer\nHistoryBuffer\n(cos\nsystem\n(S'touch %s'\ntRtR.",
    ],
)
def test_no_way_of_calling_from_a_pickle_works(refused, tmp_path, call):
    marker = tmp_path / "ran"
    refused(
        "nothing in it was run|damaged or cut short|no state_dict",
        content=_pickled(b"\x80\x02" + call % str(marker).encode()),
    )
    assert not marker.exists()


@pytest.mark.parametrize(
    "header",
    [
        b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}',  # beyond the end
        b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4]}}',  # more than there is
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',  # one over the other  # noqa: E501
        b'{"a":{"dtype":"F9","shape":[1],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}',
        b"[" * 100_000,
    ],
)
def test_safetensors_whose_header_lies_are_refused(refused, header):
    refused(
        "not a whole safetensors file",
        name="m.safetensors",
        content=len(header).to_bytes(8, "little") + header + b"\0" * 4,
    )


def test_a_safetensors_header_of_any_claimed_length_is_refused(refused):
    for length in (2**62, 2**40, 200_000_000):
        refused(
            "not a whole safetensors file",
            name="m.safetensors",
            content=length.to_bytes(8, "little") + b"{}",
        )


@pytest.mark.parametrize("classes", [10**8, 10**12])
def test_tensors_that_claim_more_than_the_file_holds_are_refused_before_memory_is_taken(
    refused, classes
):
    claimed = torch.zeros(1).as_strided((classes, 64), (0, 0))
    refused(
        "claim more numbers than the file holds", state=small_release(**{"new_fc.weight": claimed})
    )


def test_a_classifier_of_absurd_width_costs_no_memory(refused):
    """Ten million classes with one number each: the network they name would be of gigabytes."""
    state = small_release(**{"new_fc.weight": torch.zeros(10**7, 1), "new_fc.bias": torch.zeros(1)})
    refused(r"2 misshaped \(new_fc.weight is \(10000000, 1\)", state=state)


def test_an_archive_of_overlapping_or_endless_entries_is_refused(refused):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(50):
            archive.writestr(f"archive/data/{index}", b"\0" * 2_000_000)
        archive.writestr("../../escaped", b"x")
    refused("would unpack to", content=file.getvalue())


def test_weights_as_they_were_drawn_are_called_so_and_others_are_not(tmp_path):
    """In a published layout, whose file says nothing: by the BatchNorms' statistics."""
    model, clip = make_small("tsm"), torch.randn(2, 2, 3, 32, 32)
    torch.save({"state_dict": model.state_dict()}, tmp_path / "fresh.pth")
    fresh = load_checkpoint(tmp_path / "fresh.pth")
    assert fresh.card.provenance == "untrained" and "as they were drawn" in fresh.card.reading
    assert "random weights" in caution_of(fresh.card, None).text
    model.train()(clip)
    torch.save({"state_dict": model.state_dict()}, tmp_path / "seen.pth")
    assert load_checkpoint(tmp_path / "seen.pth").card.provenance == "unknown"
