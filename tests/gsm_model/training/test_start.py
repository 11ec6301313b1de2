"""What training starts from: the same network, the 2D network under any system, a name."""

from dataclasses import replace

import pytest
import torch

from gsm_model.errors import DataError, DownloadError
from gsm_model.models.card import Card
from gsm_model.models.checkpoints.files import save_checkpoint
from gsm_model.models.published.imagenet import imagenet_networks
from gsm_model.models.registry import systems
from gsm_model.training.config import TrainConfig
from gsm_model.training.start import initial_model, started_model
from gsm_model.training.train import train
from tests.conftest import make_small
from tests.published import save_published

CONFIG = TrainConfig("gsm", width=0.125, num_segments=4, input_size=32, precision="32-true")
# Systems that compute what the 2D network does until they are trained, as docs/systems.md has it.
STILL = ("none", "r3d", "mc3", "motion_feature", "difference", "off", "mict", "eco")


def trained(labels, temporal="gsm"):
    model = make_small(temporal, num_classes=len(labels), seed=3)
    model.card = Card("A model", "trained", tuple(labels))
    return model


def test_the_same_network_gives_all_weights_and_the_classes_that_both_know():
    """In another order, with one class more and one less."""
    source = trained("abc")
    model, said = started_model(CONFIG, ("c", "new", "a"), source)
    for key, weights in source.base_model.state_dict().items():
        assert torch.equal(model.base_model.state_dict()[key], weights), key
    assert torch.equal(model.new_fc.weight[0], source.new_fc.weight[2])
    assert torch.equal(model.new_fc.bias[2], source.new_fc.bias[0])
    assert said == "starts from A model: all weights, and of the classifier 2 of 3 classes"


def test_where_no_class_is_known_the_classifier_is_new():
    source = trained("abcde")
    model, said = started_model(CONFIG, tuple("vwxyz"), source)
    assert said.endswith("none of the classes")
    assert float(model.new_fc.weight.abs().max().detach()) < 0.01  # as drawn, 0.001 wide


@pytest.mark.parametrize("name", STILL)
def test_a_2d_network_gives_a_system_its_weights_by_the_systems_own_rule(name):
    """What starts as the 2D network answers as it does."""
    source = trained("abcde", "none")
    config = replace(CONFIG, temporal=name)
    model, said = started_model(config, tuple("abcde"), source)
    clip = torch.randn(1, 4, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(model.eval()(clip), source(clip), rtol=1e-4, atol=1e-5)
    assert "classifier 5 of 5 classes" in said


@pytest.mark.parametrize("name", sorted(set(systems()) - set(STILL)))
def test_every_other_system_takes_what_has_a_counterpart(name):
    source = trained("abcde", "none")
    model, said = started_model(replace(CONFIG, temporal=name), tuple("abcde"), source)
    assert torch.equal(model.base_model.conv1.weight, source.base_model.conv1.weight)
    assert "2D network" in said


def test_a_tsm_is_a_2d_network_too_and_other_networks_are_no_start():
    _, said = started_model(CONFIG, tuple("abcde"), trained("abcde", "tsm"))
    assert "the weights of its 2D network" in said
    for config in (replace(CONFIG, temporal="tsm"), replace(CONFIG, width=0.25)):
        with pytest.raises(DataError, match="of the same network"):
            started_model(config, tuple("abcde"), trained("abcde"))


def test_a_run_begins_with_the_weights_it_starts_from(tmp_path):
    source = trained("abcde", "none")
    config = replace(CONFIG, steps=1, batch_size=1, learning_rate=1e-12, weight_decay=0.0)
    model = train(config, tmp_path, workers=0, initial=source)
    kernel = model.base_model.layer1[0].conv1.weight
    torch.testing.assert_close(kernel, source.base_model.layer1[0].conv1.weight)


def test_a_file_is_found_beside_the_configuration_and_init_is_another_word(tmp_path):
    save_checkpoint(trained("abcde"), tmp_path / "m.safetensors")
    (tmp_path / "c.json").write_text('{"temporal": "gsm", "init": "m.safetensors"}')
    config = TrainConfig.read(tmp_path / "c.json")
    assert initial_model(config.initial, tmp_path).card.file == "m.safetensors"
    bundled = initial_model("assets/models/gsm_resnet18.safetensors", tmp_path)
    assert bundled.architecture.temporal == "gsm"  # from the working folder, or as the product's
    with pytest.raises(DataError, match=r"no file .*other.pth, and other.pth: no published"):
        initial_model("other.pth", tmp_path)


@pytest.mark.parametrize("published", ["mmaction2", "torchvision"])
def test_a_published_file_is_a_start_as_it_is(published, tmp_path):
    file = tmp_path / "start.pth"
    if published == "mmaction2":
        save_published(file, "tsm", 3)
    else:
        plain = make_small("none", num_classes=7).state_dict()
        names = {"base_model.": "", "new_fc.": "fc."}
        for ours, theirs in names.items():
            plain = {key.replace(ours, theirs): value for key, value in plain.items()}
        torch.save(plain, file)
    source = initial_model(file.name, tmp_path)
    assert source.architecture.temporal == ("tsm" if published == "mmaction2" else "none")
    started, said = started_model(replace(CONFIG, temporal="gsm"), ("a", "b"), source)
    assert started.architecture.temporal == "gsm" and "start.pth" in said
    assert torch.equal(started.base_model.conv1.weight, source.base_model.conv1.weight)


def test_an_imagenet_resnet_is_had_by_name_and_loads(tmp_path, monkeypatch):
    """A made file in torchvision's names and shapes, from a server in its place."""
    from tests.file_server import serving
    from tests.torchvision_resnet import torchvision_resnet

    one = imagenet_networks()["imagenet-resnet18"]
    torch.save(torchvision_resnet(18, 1000).state_dict(), tmp_path / "made.pth")
    monkeypatch.setenv("GATE_SHIFT_LENS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        "gsm_model.models.published.imagenet.imagenet_networks",
        lambda: {one.name: replace(one, sha256=None)},
    )
    with serving() as server:
        server.files[one.file] = (tmp_path / "made.pth").read_bytes()
        model = initial_model(one.name, tmp_path, mirror=server.address)
    assert (model.architecture.backbone, model.architecture.temporal) == ("resnet18", "none")
    config = replace(CONFIG, temporal="gsm", width=1.0)
    started, said = started_model(config, ("a", "b"), model)
    assert torch.equal(started.base_model.conv1.weight, model.base_model.conv1.weight)
    assert said.endswith("none of the classes")


def test_an_imagenet_file_of_another_hash_is_refused(tmp_path, monkeypatch):
    from tests.file_server import serving

    monkeypatch.setenv("GATE_SHIFT_LENS_CACHE", str(tmp_path / "cache"))
    with serving() as server:
        server.files[imagenet_networks()["imagenet-resnet18"].file] = b"other"
        with pytest.raises(DownloadError, match="SHA-256"):
            initial_model("imagenet-resnet18", tmp_path, mirror=server.address)
