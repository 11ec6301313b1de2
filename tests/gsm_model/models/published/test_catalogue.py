"""The catalogue: every row is whole, and a row that says so has a layout that loads."""

import re
from collections import Counter
from dataclasses import replace
from urllib.parse import urlparse

import pytest
import torch

from gsm_model import build_recognizer
from gsm_model.data.labels import something_something
from gsm_model.errors import CheckpointError
from gsm_model.models.checkpoints.fit import faults
from gsm_model.models.checkpoints.layouts import candidates
from gsm_model.models.published.catalogue import catalogue, find, matched_pairs, select
from gsm_model.models.recognizer import Architecture
from gsm_model.models.registry import backbones, systems, title_of, video_networks
from gsm_model.models.systems.non_local import NonLocalBlocks
from gsm_model.models.undrawn import Undrawn
from tests.published import in_layout_of

ROWS = list(catalogue().values())
LOADABLE = [one for one in ROWS if one.loadable]
HOSTS = {
    "download.openmmlab.com",
    "download.pytorch.org",
    "drive.google.com",
    "dl.fbaipublicfiles.com",
    "hanlab18.mit.edu",
    "www.dropbox.com",
}


def test_every_row_is_whole():
    assert len(ROWS) >= 300 and len(LOADABLE) >= 158
    for one in ROWS:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one.name), one.name
        assert re.fullmatch(r"[A-Za-z0-9][\w.-]*\.(pth|pth\.tar|pkl|pyth|ckpt)", one.file), one.name
        assert one.sha256 is None or re.fullmatch(r"[0-9a-f]{8}([0-9a-f]{56})?", one.sha256)
        assert all(0 < each.top1 < 100 for each in one.accuracy)
        assert one.licence and one.terms and one.source and one.page.startswith("https://")
        if one.url is not None:
            address = urlparse(one.url)
            assert address.scheme == "https" and address.hostname in HOSTS, one.name
            assert one.drive_id or one.is_folder or one.file in one.url or one.note
        if one.labels is not None:
            assert len(one.class_names() or ()) == one.classes, one.name


def test_a_hash_that_a_files_name_ends_with_is_the_hash_of_its_row():
    for one in ROWS:
        in_name = re.search(r"[-_]([0-9a-f]{8})\.pth$", one.file)
        assert one.sha256 == (in_name and in_name.group(1)), one.name


def test_no_two_rows_are_one_file():
    assert not [url for url, count in Counter(one.url for one in ROWS).items() if url and count > 1]


# Where both releases put non-local blocks into a ResNet-50.
NON_LOCAL = ("layer2.0", "layer2.2", "layer3.0", "layer3.2", "layer3.4")


def kind_of(name: str) -> str | None:
    """The kind of non-local blocks that a row's name says."""
    words = name.split("-")
    if "nl" not in words:
        return None
    if "dot" in words:
        return "dot_product"
    is_plain = "gaussian" in words and "embedded" not in words
    return "gaussian" if is_plain else "embedded_gaussian"


def network_of(one) -> tuple[str, dict]:
    """The smallest network that is named as a row's: every ResNet without non-local blocks is
    named alike.
    """
    kind = kind_of(one.name)
    if kind is not None:
        return one.backbone, {"non_local": NonLocalBlocks(kind, NON_LOCAL)}
    return re.sub(r"^resnet\d+$", "resnet18", one.backbone), {}


@pytest.mark.parametrize(
    "one",
    {
        (one.publisher, one.system, *map(str, network_of(one))): one
        for one in reversed(LOADABLE)
        if not one.video_network
    }.values(),
    ids=lambda one: one.name,
)
def test_what_is_listed_as_loadable_is_read_as_that_network(one):
    """Weights under its publisher's keys, of which only the shapes exist."""
    backbone, more = network_of(one)
    system = one.temporal
    with torch.device("meta"):
        weights = build_recognizer(backbone, system, one.classes, one.frames, **more).state_dict()
    state = in_layout_of(one.name, weights, one.system, NON_LOCAL if more else ())
    assert not set(state) & set(weights), "not the publisher's names"
    found = candidates(state, one.frames, one.file)
    [fits] = [each.architecture for each in found if not faults(each.architecture, each.weights)]
    assert fits == Architecture(backbone, system, one.classes, one.frames, **more)


# What the CSNs of another publisher want, which mmaction2 passes on.
VMZ = {"mean": (110.2008, 100.6398, 95.9948), "std": (58.148, 56.47, 55.332)}


def options_of(one) -> dict:
    """What decides the shapes of a row's network beside its backbone, system and classes."""
    kind = kind_of(one.name)
    blocks = None if kind is None else NonLocalBlocks(kind, NON_LOCAL)
    return {"modality": one.input().modality, "non_local": blocks}


def same_but_for_classes() -> list[list]:
    """The loadable rows of one network each."""
    groups: dict[tuple[str, ...], list] = {}
    for one in LOADABLE:
        groups.setdefault((one.network, one.temporal, str(options_of(one))), []).append(one)
    return list(groups.values())


@pytest.mark.parametrize("rows", same_but_for_classes(), ids=lambda rows: rows[0].name)
def test_every_loadable_rows_network_is_as_large_as_its_file(rows):
    """Its shapes alone; megabytes as published, or those of float32 weights counted by whoever
    wrote the catalogue.
    """
    first = rows[0]
    with torch.device("meta"), Undrawn():
        model = build_recognizer(
            first.network, first.temporal, first.classes, first.frames, **options_of(first)
        )
    tables = [each for each in model.base_model.buffers() if each.dtype == torch.int64]
    kept = [*model.base_model.parameters(), *tables]
    backbone = sum(each.numel() * each.element_size() for each in kept)
    for one in rows:
        size = backbone + 4 * one.classes * (model.base_model.num_features + 1)
        assert one.megabytes == pytest.approx(size / 1e6, rel=0.02, abs=1), one.name


def test_loadable_rows_are_of_registered_networks():
    for one in LOADABLE:
        assert one.frames is not None and one.megabytes is not None
        assert title_of(one.network, one.temporal) == one.title
        if one.video_network:
            entry = video_networks()[one.network]
            assert entry.temporal == one.temporal and one.labels == "kinetics400"
            own = (entry.input, replace(entry.input, scale=255.0, **VMZ))
            assert one.input() in own, one.name
            continue
        assert systems()[one.temporal].title == one.system_title
        assert backbones()[one.backbone].title == one.backbone_title
        spec, seen = backbones()[one.backbone].input, one.input()
        if seen.modality.kind == "RGB":
            assert replace(spec, sampling=one.sampling) == seen
        else:
            assert seen.modality.planes == 10 and (spec.size, spec.resize) == (
                seen.size,
                seen.resize,
            )


def test_a_matched_pair_differs_in_what_crosses_time():
    pairs = matched_pairs()
    assert [one.name for one in pairs[0].models] == [
        "mmaction2-tsn-r50-sthv2-8f",
        "mmaction2-tsm-r50-sthv2-8f",
    ]
    for pair in pairs:
        first, second = pair.models
        assert first.system == "tsn" and second.system != "tsn"
        assert first.loadable and second.loadable
        same = ("publisher", "backbone", "data_set", "frames", "labels")
        assert [getattr(first, field) for field in same] == [
            getattr(second, field) for field in same
        ]


def test_two_orders_of_one_data_sets_classes_are_told_by_the_publisher():
    """As many classes, another order: the count alone would name them wrongly."""
    mmaction2 = find("mmaction2-0x-tsm-r50-sthv1-8f").class_names()
    release = find("tsm-r50-sthv1-8f").class_names()
    assert release == something_something() == find("mmaction2-tsm-r50-sthv2-8f").class_names()
    assert mmaction2 is not None and set(mmaction2) == set(release) and mmaction2 != release


def test_every_layout_of_the_families_that_load_does():
    """What is left out is another network, or has two classifiers, or names nobody knows here."""
    left = {one.needs for one in ROWS if one.needs and one.system in ("tsn", "tsm", "gsm", "gsf")}
    assert left == {
        "the backbone MobileOne-S4",
        "the backbone Swin Transformer",
        "the names of DenseNet-161's weights in its files, which are not known here",
        "a backbone and a classifier in two files",
        "classifiers of verbs and nouns",
    }
    assert not [one.name for one in ROWS if one.needs and "torchvision" in one.publisher]


def test_published_accuracies_stand_with_their_protocols():
    one = find("mmaction2-0x-tsm-r50-sthv2-8f")
    assert [(each.top1, each.protocol) for each in one.accuracy] == [
        (59.11, "one clip, centre crop"),
        (61.82, "two clips, three crops"),
    ]
    assert find("mmaction2-tsn-r50-sthv2-8f").accuracy[0].protocol == "25 frames, ten crops"
    assert find("gsm-inceptionv3-sthv1-16f").top1 == 50.63
    assert find("gsm-bninception-sthv1-8f").top1 is None


def test_a_name_that_is_not_listed_gets_the_nearest():
    with pytest.raises(CheckpointError, match="did you mean mmaction2-tsm-r50-sthv2-8f"):
        find("mmaction2-tsm-r50-sthv2-8")


@pytest.mark.parametrize("data", ["sthv2", "Something-Something V2", "something something v2"])
def test_rows_are_selected_by_data_and_system_however_they_are_written(data):
    found = select(data, "TSM")
    assert {one.data for one in found} == {"Something-Something V2"}
    assert {one.system for one in found} == {"tsm"} and len(found) == 9
    assert len(select("kinetics")) > len(select("kinetics400")) > len(select("kinetics-400", "tin"))
