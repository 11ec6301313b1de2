"""Training: a stopped and resumed run is the uninterrupted one; a configuration is checked before
anything is done.
"""

import json
from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from gsm_model.data.lists import VideoList, read_video_list
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.data.synthetic.dataset import draw_clip
from gsm_model.data.synthetic.export import write_dataset
from gsm_model.errors import DataError
from gsm_model.evaluation.intervals import measure_share
from gsm_model.figures.training import CURVES_FILE, draw_run
from gsm_model.models.checkpoints.files import load_checkpoint
from gsm_model.predict import predict
from gsm_model.training.config import TrainConfig
from gsm_model.training.log import LOG_FILE, append_to_log, begin_log, read_log
from gsm_model.training.publish import pack_run
from gsm_model.training.train import CONFIG_FILE, STATE_FILE, TENSORBOARD_FOLDER, _told, train
from gsm_model.video.isolate import read_video
from tests.agents import run_on_two_nodes

TINY = TrainConfig(
    temporal="gsm",
    width=0.125,
    num_segments=2,
    input_size=32,
    steps=5,
    batch_size=2,
    precision="32-true",
    save_every=2,
)


class Killed(Exception):
    """What the test raises in the middle of a run."""


def kill_after(steps):
    def progress(step, total, loss):
        if step == steps:
            raise Killed

    return progress


@pytest.mark.slow
@pytest.mark.parametrize("killed_after", [1, 2, 3, 4])
def test_a_run_killed_at_any_step_and_resumed_gives_the_same_weights_and_log(
    tmp_path, killed_after
):
    whole = train(TINY, tmp_path / "whole", workers=0)
    with pytest.raises(Killed):
        train(TINY, tmp_path / "resumed", workers=0, progress=kill_after(killed_after))
    resumed = train(TINY, tmp_path / "resumed", workers=0)
    for key, tensor in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[key], tensor, atol=0, rtol=0, msg=key)
    assert (tmp_path / "resumed" / LOG_FILE).read_text() == (
        tmp_path / "whole" / LOG_FILE
    ).read_text()


def test_a_step_tells_how_many_are_right_and_how_many_score_above_their_reversal():
    """Classes 0 and 1 are each other's reversal, class 2 has none."""
    logits = torch.tensor([[2.0, 1, 0], [0, 1, 5], [3, 2, 1], [0, 4, 9]])
    labels, reverses = torch.tensor([0, 1, 1, 2]), torch.tensor([1, 0, -1])
    told = _told(torch.tensor(0.5), logits, labels, reverses)
    assert told.tolist() == [0.5, 2 / 4, 2 / 4, 3 / 4]


def test_a_log_has_a_row_a_step_in_the_columns_it_was_begun_with(tmp_path):
    path = tmp_path / LOG_FILE
    begin_log(path, 0)
    row = {"step": 0, "loss": 1.0, "accuracy": 0.5, "learning_rate": 0.1}
    append_to_log(path, {**row, "within_pair": 0.75})
    append_to_log(path, {**row, "step": 1, "within_pair": float("nan")})
    log = read_log(path)
    assert log["within_pair"][0] == 0.75 and np.isnan(log["within_pair"][1])
    begin_log(path, 1)
    assert read_log(path)["step"].tolist() == [0]
    path.write_text("step,loss,accuracy,learning_rate\n0,1.0,0.5,0.1\n")  # of an older version
    append_to_log(path, {**row, "step": 1, "within_pair": 0.75})
    assert list(read_log(path)) == ["step", "loss", "accuracy", "learning_rate"]
    assert read_log(path)["step"].tolist() == [0, 1]


def test_a_folder_of_another_run_is_not_overwritten(tmp_path):
    theirs = json.dumps(asdict(replace(TINY, learning_rate=0.1)))
    for text, match in ((theirs, "another configuration"), ("{}", "at least 'temporal'")):
        (tmp_path / CONFIG_FILE).write_text(text)
        with pytest.raises(DataError, match=match):
            train(TINY, tmp_path)
        assert (tmp_path / CONFIG_FILE).read_text() == text


def test_a_configuration_that_cannot_be_run_leaves_the_folder_to_the_next(tmp_path):
    with pytest.raises(DataError, match="describes no network"):
        train(replace(TINY, width=0.1), tmp_path / "run", workers=0)
    assert not (tmp_path / "run").exists()


def test_a_state_that_is_not_this_runs_is_refused_and_kept(tmp_path):
    train(TINY, tmp_path, workers=0)
    state = (tmp_path / STATE_FILE).read_bytes()
    for content in (b"", b"no state", state[: len(state) // 2]):
        (tmp_path / STATE_FILE).write_bytes(content)
        for use in (partial(train, TINY, tmp_path), partial(pack_run, tmp_path, tmp_path / "m", 0)):
            with pytest.raises(DataError, match=r"state\.pt: damaged"):
                use()
        assert (tmp_path / STATE_FILE).read_bytes() == content
    torch.save([1], tmp_path / STATE_FILE)
    with pytest.raises(DataError, match="not the state of this run"):
        train(TINY, tmp_path, workers=0)
    (tmp_path / STATE_FILE).write_bytes(state)
    (tmp_path / CONFIG_FILE).unlink()
    with pytest.raises(DataError, match=r"but not its config\.json"):
        train(replace(TINY, steps=2), tmp_path, workers=0)


def test_a_card_says_what_a_run_began_from(tmp_path):
    train(TINY, tmp_path, workers=0)
    for initial, said in {
        "": "scratch",
        "../models/gsm_resnet18.safetensors": "gsm_resnet18.safetensors",
        "runs/gsm-motions/model.safetensors": "gsm-motions",
        "imagenet-resnet50": "imagenet-resnet50",
        "model.safetensors": "model.safetensors",
    }.items():
        config = asdict(replace(TINY, initial=initial))
        (tmp_path / CONFIG_FILE).write_text(json.dumps(config))
        card = pack_run(tmp_path, tmp_path / "m.safetensors", 0).card
        assert card.recipe.startswith(f"from {said}, 5 steps")


@pytest.mark.slow
def test_an_unfinished_run_is_not_packed_and_a_finished_one_carries_its_measures(tmp_path):
    with pytest.raises(Killed):
        train(TINY, tmp_path, workers=0, progress=kill_after(3))
    with pytest.raises(DataError, match="stopped after 2 of 5 steps"):
        pack_run(tmp_path, tmp_path / "m.safetensors", 6)
    train(TINY, tmp_path, workers=0)
    card = pack_run(tmp_path, tmp_path / "m.safetensors", 6).card
    assert card.provenance == "trained" and "10 clips" in card.training_data
    assert [m.metric for m in card.measures[:6]] == [
        "top-1",
        "top-5",
        "class mean",
        "within pair",
        "pair",
        "reversed to reversed class",
    ]
    assert {m.data for m in card.measures} == {
        "Reversible Actions, test split",
        "Reversible Actions, shifted split",
    }
    assert all(m.n == 6 for m in card.measures)
    assert not list(tmp_path.glob("*.part")) and (tmp_path / STATE_FILE).exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "at least 'temporal'"),
        ({"temporal": "gsm", "epochs": 3}, "unknown key 'epochs'; there are temporal"),
        ({"temporal": "gsm", "steps": "many"}, "'steps' must be of type int, got 'many'"),
        ([1], "is an object"),
        ({"temporal": "gsm", "seed": True}, "'seed' must be of type int"),
    ],
)
def test_a_wrong_configuration_names_its_key(tmp_path, values, message):
    (tmp_path / "c.json").write_text(json.dumps(values))
    with pytest.raises(DataError, match=message):
        TrainConfig.read(tmp_path / "c.json")


def test_a_right_configuration_is_read(tmp_path):
    (tmp_path / "c.json").write_text('{"temporal": "none", "learning_rate": 1, "steps": 7}')
    assert TrainConfig.read(tmp_path / "c.json") == TrainConfig("none", learning_rate=1, steps=7)
    (tmp_path / "c.json").write_text("{")
    with pytest.raises(DataError, match=r"^c\.json: not a readable JSON file"):
        TrainConfig.read(tmp_path / "c.json")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"optimizer": "adam"}, "'optimizer' is 'adam'; there are adamw, sgd"),
        ({"steps": 0}, "'steps' must be at least 1, got 0"),
        ({"warmup": 2}, "'warmup' must be in 0 to 1"),
        ({"accumulate": 3}, "a batch of 16 cannot be run in 3 equal parts"),
    ],
)
def test_an_impossible_value_is_named(tmp_path, values, message):
    (tmp_path / "c.json").write_text(json.dumps({"temporal": "gsm", **values}))
    with pytest.raises(DataError, match=message):
        TrainConfig.read(tmp_path / "c.json")


@pytest.mark.slow
def test_training_on_a_list_of_videos_resumes_and_carries_its_classes(tmp_path):
    listed = read_video_list(write_dataset(tmp_path / "set", "train", 1, "frames", 40, 48).parent)
    config = replace(
        TINY,
        data="set",
        crops="multi-scale",
        mirror="something-something",
        optimizer="sgd",
        groups="release",
        schedule="cosine",
    )
    whole = train(config, tmp_path / "whole", listed, workers=0)
    with pytest.raises(Killed):
        train(config, tmp_path / "resumed", listed, workers=0, progress=kill_after(3))
    resumed = train(config, tmp_path / "resumed", listed, workers=0)
    for key, tensor in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[key], tensor, atol=0, rtol=0, msg=key)
    card = pack_run(tmp_path / "whole", tmp_path / "m.safetensors", 6, listed).card
    assert (
        card.labels == LABELS
        and card.measures == ()
        and "list.txt, 20 videos, 10 clips seen" in card.training_data
    )


@pytest.mark.slow
@pytest.mark.thorough
def test_two_nodes_give_the_losses_and_weights_of_one_process_with_the_same_batch(tmp_path):
    """The batch is cut into the same two parts: one after the other, or one on each node."""
    config = replace(TINY, batch_size=4, steps=3, accumulate=2)
    expected = train(config, tmp_path / "one", workers=0).state_dict()
    (tmp_path / "c.json").write_text(json.dumps(asdict(replace(config, accumulate=1))))
    out = tmp_path / "two"
    run_on_two_nodes(["train", tmp_path / "c.json", "--out", out, "--workers=0", "--clips=20"])
    one, two = (read_log(tmp_path / name / LOG_FILE) for name in ("one", "two"))
    assert two["loss"] == pytest.approx(one["loss"], abs=2e-5) and len(two["loss"]) == 3
    assert two["accuracy"] == pytest.approx(one["accuracy"])
    found = load_checkpoint(out / "model.safetensors").state_dict()
    assert found.keys() == expected.keys()
    for key, weights in found.items():  # BatchNorm's averages are each process's own
        if "running_" not in key and "num_batches" not in key:
            torch.testing.assert_close(weights, expected[key], atol=1e-4, rtol=1e-3)


THREE = (
    "Folding something",
    "Approaching something with your camera",
    "Burying something in something",
)


def draw_list(folder, split, clips_per_class) -> VideoList:
    """Eight small frames of each clip of three classes, as a list with labels."""
    lines = []
    for number, name in enumerate(THREE):
        for index in range(clips_per_class):
            clip = draw_clip(split, index, LABELS.index(name))
            place = folder / f"{number}-{index}"
            place.mkdir(parents=True)
            for count, frame in enumerate(
                clip.frames(np.linspace(0, clip.num_frames - 1, 8).astype(int), 40, 52), start=1
            ):
                Image.fromarray(frame).save(place / f"{count:05d}.jpg", quality=90)
            lines.append(f"{place.name} 8 {number}")
    (folder / "list.txt").write_text("\n".join(lines))
    (folder / "labels.txt").write_text("\n".join(THREE))
    return read_video_list(folder)


@pytest.mark.slow
def test_a_tiny_model_learns_the_clips_it_sees(tmp_path):
    config = replace(TINY, steps=30, batch_size=6, learning_rate=0.004, data="train", save_every=30)
    train(config, tmp_path / "run", draw_list(tmp_path / "train", "train", 2), workers=0)
    loss = read_log(tmp_path / "run" / LOG_FILE)["loss"]
    assert loss[-5:].mean() < 0.5 * loss[:5].mean()


@pytest.mark.slow
@pytest.mark.thorough
def test_a_tiny_model_trained_for_real_beats_chance_on_clips_it_has_not_seen(tmp_path):
    config = replace(
        TINY,
        width=0.25,
        num_segments=4,
        steps=120,
        batch_size=16,
        learning_rate=0.004,
        data="train",
        save_every=120,
    )
    train(config, tmp_path / "run", draw_list(tmp_path / "train", "train", 60), workers=0)
    model = pack_run(
        tmp_path / "run", tmp_path / "m.safetensors", 1, read_video_list(tmp_path / "train")
    )
    test = draw_list(tmp_path / "test", "test", 30)
    answers = [
        predict(model, read_video(tmp_path / "test" / f"{i // 30}-{i % 30}", [4])).top(1)[0][1]
        for i in range(90)
    ]
    hits = sum(
        answer == THREE[entry.label] for answer, entry in zip(answers, test.entries, strict=True)
    )
    assert measure_share("top-1", hits, 90, "drawn").low > 1 / 3


@pytest.mark.slow
def test_a_run_tells_tensorboard_what_it_logs_and_its_curves_are_drawn(tmp_path):
    from tensorboardX.proto.event_pb2 import Event

    train(TINY, tmp_path, workers=0)
    [file] = (tmp_path / TENSORBOARD_FOLDER).glob("events*")
    data, told, place = file.read_bytes(), {}, 0
    while place < len(
        data
    ):  # a record: its length in 8 bytes, 4 of checksum, itself, 4 of checksum
        size = int.from_bytes(data[place : place + 8], "little")
        event = Event.FromString(data[place + 12 : place + 12 + size])
        told |= {(value.tag, event.step): value.simple_value for value in event.summary.value}
        place += size + 16
    log = read_log(tmp_path / LOG_FILE)
    assert [told["loss", step] for step in range(5)] == pytest.approx(
        log["loss"].tolist(), abs=1e-5
    )
    draw_run(tmp_path)
    with Image.open(tmp_path / CURVES_FILE) as picture:
        assert picture.width > picture.height > 100
