"""Published checkpoints by name: their classes and input are the catalogue's, and a file that is
another network is refused.
"""

import pytest

from gsm_model import load_published
from gsm_model.data.labels import label_list
from gsm_model.errors import CheckpointError
from gsm_model.models.published.catalogue import find
from tests.published import save_published

JESTER = "mmaction2-0x-tsm-r50-jester-8f"


@pytest.fixture
def offered(server, listed, tmp_path):
    """``offered(name, system, classes)``: a mirror that has a small ResNet-18 as that file."""

    def offer(name: str, system: str, classes: int) -> str:
        one = listed(name, backbone="resnet18", sha256=None)
        save_published(tmp_path / "made.pth", system, classes)
        server.files[one.file] = (tmp_path / "made.pth").read_bytes()
        return server.address

    return offer


def test_classes_frames_input_and_where_it_is_from_are_the_catalogues(offered):
    mirror = offered(JESTER, "tsm", 27)
    model = load_published(JESTER, mirror=mirror)
    assert model.card.labels == label_list("jester") and model.card.title == "TSM ResNet-18"
    assert (model.architecture.temporal, model.architecture.num_segments) == ("tsm", 8)
    assert model.input == find(JESTER).input()
    assert model.card.training_data == "Jester"
    assert "top-1 by its authors: 96.5 % (one clip, centre crop)" in model.card.recipe


def test_two_sets_of_174_classes_keep_their_own_order(offered):
    first, second = "mmaction2-0x-tsn-r50-sthv1-8f", "mmaction2-0x-tsn-r50-sthv2-8f"
    v1 = load_published(first, mirror=offered(first, "none", 174))
    v2 = load_published(second, mirror=offered(second, "none", 174))
    assert v1.card.labels == label_list("something_something_v1_mmaction2") != v2.card.labels
    assert v2.card.labels == label_list("something_something")


def test_classes_whose_order_is_not_known_have_no_names_however_many_they_are(offered):
    name = "tsm-tsn-r50-kinetics400-5f"
    assert find(name).labels is None
    model = load_published(name, mirror=offered(name, "none", 400))
    assert model.card.labels is None and model.architecture.num_classes == 400


def test_another_network_under_a_listed_name_is_refused(offered):
    mirror = offered(JESTER, "none", 27)
    with pytest.raises(CheckpointError, match="holds a TSN ResNet-18 with 27 classes, the catal"):
        load_published(JESTER, mirror=mirror)


def test_what_this_version_cannot_load_says_what_it_needs():
    with pytest.raises(CheckpointError, match="cannot load it yet: it needs temporal adaptive"):
        load_published("mmaction2-tanet-r50-kinetics400-8f-dense")
