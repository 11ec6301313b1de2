"""The command line, as a person runs it."""

import json
from dataclasses import replace
from functools import partial

import pytest

from gsm_model import load_checkpoint, save_checkpoint
from gsm_model.bundled import bundled_checkpoints
from gsm_model.data.probes.plans import LABELS as PROBE_LABELS
from gsm_model.data.synthetic import export
from gsm_model.models.card import Card
from gsm_model.predictions.write import write_parquet
from tests.conftest import make_small
from tests.gsm_model.evaluation.test_reversal import table


def test_json_is_one_object_with_every_clip_and_model(run, clip, checkpoint):
    answer = json.loads(
        run(
            "predict",
            clip,
            clip,
            "-c",
            checkpoint,
            "-c",
            checkpoint,
            "--top",
            2,
            "--order",
            "reversed",
            "--json",
        ).stdout
    )
    assert len(answer["clips"]) == 2
    entry = answer["clips"][0]
    assert set(entry) == {
        *("file", "num_frames", "fps", "seconds", "notes", "frame_indices", "order", "models")
    }
    assert entry["seconds"] == pytest.approx(2.4) and entry["notes"] == []
    assert (entry["file"], entry["num_frames"], entry["fps"], entry["order"]) == (
        str(clip),
        24,
        10.0,
        "reversed",
    )
    assert entry["frame_indices"] == [21, 15, 9, 3]
    model = entry["models"][1]
    assert (model["name"], model["backbone"], model["temporal"], model["num_segments"]) == (
        "A model",
        "resnet18",
        "gsm",
        4,
    )
    assert len(model["sha256"]) == 64 and len(model["top"]) == 2
    assert (
        set(model["top"][0]) == {"label", "index", "probability"}
        and model["top"][0]["label"] in "abcde"
    )


def test_a_bad_clip_is_one_line_on_standard_error_and_the_others_are_answered(
    run, clip, checkpoint, tmp_path
):
    (tmp_path / "notes.mp4").write_text("no video")
    done = run("predict", tmp_path / "notes.mp4", clip, "-c", checkpoint, "--json", code=2)
    assert len(done.stderr.strip().splitlines()) == 1 and done.stderr.startswith(
        "notes.mp4: not a video"
    )
    entries = json.loads(done.stdout)["clips"]
    assert "error" in entries[0] and entries[1]["models"]


def test_clips_that_are_not_there_are_said_before_a_model_is_loaded(run, tmp_path, monkeypatch):
    monkeypatch.setattr("gsm_model.cli.predict.load_models", lambda *_: pytest.fail("loaded"))
    paths = [tmp_path / "one.mp4", tmp_path / "two.mp4"]
    done = run("predict", *paths, "--json", code=2)
    said = [f"{path.name}: there is no such file" for path in paths]
    assert done.stderr.splitlines() == said
    assert json.loads(done.stdout)["clips"] == [
        {"file": str(path), "error": text} for path, text in zip(paths, said, strict=True)
    ]


def test_text_names_the_model_and_its_answers(run_process, clip, checkpoint):
    assert "A model" in run_process("predict", clip, "-c", checkpoint).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-c", "nowhere.pth"], "nowhere.pth: there is no such file"),
        (["--crops", "2"], "choose 1, 3 or 10"),
    ],
)
def test_bad_input_exits_with_2_and_one_line(run, clip, arguments, message):
    done = run("predict", clip, *arguments, code=2)
    assert message in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_a_published_layout_is_converted_and_gives_the_same_answer(run, clip, tmp_path):
    import torch

    source, target = tmp_path / "small_segment4_checkpoint.pth.tar", tmp_path / "small.safetensors"
    torch.save(
        {
            "epoch": 3,
            "state_dict": {f"module.{k}": v for k, v in make_small("gsm").state_dict().items()},
        },
        source,
    )
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\ne\n")
    run("convert", source, target, "--labels", tmp_path / "labels.txt")
    model = load_checkpoint(target)
    assert (model.architecture.num_segments, model.card.labels, model.card.provenance) == (
        4,
        tuple("abcde"),
        "trained",
    )
    answers = [
        json.loads(run("predict", clip, "-c", path, "--json").stdout)["clips"][0]["models"][0][
            "top"
        ]
        for path in (source, target)
    ]
    assert [entry["probability"] for entry in answers[0]] == pytest.approx(
        [entry["probability"] for entry in answers[1]], abs=1e-6
    )
    assert "must end in .safetensors" in run("convert", source, tmp_path / "x.pth", code=2).stderr


def test_how_a_file_was_read_is_said_and_its_shift_share_can_be_given(run, clip, tmp_path):
    import torch

    state = {
        key.replace("conv1.", "conv1.net.") if "layer" in key else key: value
        for key, value in make_small("tsm").state_dict().items()
    }
    source, target = tmp_path / "own.ckpt", tmp_path / "own.safetensors"
    torch.save({"state_dict": {f"model.{key}": value for key, value in state.items()}}, source)
    said = "a shift stands at the start of the residual branch in all 8 blocks; a quarter of the"
    options = ("--shift-share", 4, "--segments", 4)
    done = run("convert", source, target, *options)
    assert f"own.ckpt: Read off the file: {said}" in done.stderr
    assert load_checkpoint(target).architecture.shift.share == 4
    answers = []
    for path, given in ((source, options), (target, ("--segments", 4))):
        done = run("predict", clip, "-c", path, "--json", *given)
        answers.append(json.loads(done.stdout)["clips"][0]["models"][0])
        assert (said in done.stderr) == (path is source)
    assert said in answers[0]["reading"] and answers[0]["reading"] == answers[1]["reading"]
    assert answers[0]["top"] == answers[1]["top"]
    done = run("predict", clip, "-c", target, "--shift-share", 8, code=2)
    assert "its header says 4" in done.stderr and len(done.stderr.splitlines()) == 1


def test_without_a_checkpoint_the_shipped_models_answer(run, clip):
    models = json.loads(run("predict", clip, "--json").stdout)["clips"][0]["models"]
    assert {model["temporal"] for model in models} == {"gsm", "tsm", "none"}
    assert {model["domain"] for model in models} == {"drawn"}
    for model in models:
        assert "this clip counts as filmed" in model["caution"]


@pytest.mark.slow
def test_a_set_is_drawn_and_evaluated_and_the_table_holds_every_clip(run, tmp_path, monkeypatch):
    from gsm_model.data.synthetic.actions import LABELS
    from gsm_model.predictions.read import read_parquet, read_scores

    small = partial(export.write_dataset, height=48, width=64)
    monkeypatch.setattr(export, "write_dataset", small)
    run("make-dataset", tmp_path / "set", "--clips-per-class", 1)
    save_checkpoint(
        make_small("gsm", num_classes=20),
        tmp_path / "m.safetensors",
        Card("A model", "trained", LABELS),
    )
    (tmp_path / "set" / "000003.mp4").write_text("no video")
    arguments = [
        "--data",
        tmp_path / "set",
        "-c",
        tmp_path / "m.safetensors",
        "--out",
        tmp_path / "p.parquet",
        "--scores",
        tmp_path / "s.npz",
    ]
    done = run("evaluate", *arguments, "--order", "frozen", "--features", "--json")
    result = json.loads(done.stdout)["models"][0]
    assert result["undecodable"] == 1 and "000003.mp4: not a video" in done.stderr
    assert [measure["n"] for measure in result["measures"]] == [19, 19, 19, 19]
    table = read_parquet(tmp_path / "p.parquet")
    assert len(table.ids) == 20 and table.origin.order == "frozen" and table.origin.labels == LABELS
    assert table.features is not None and set(table.properties) > {"seconds", "motion", "file"}
    release = read_scores(tmp_path / "s.npz")
    assert release.features is not None and len(release.features) == len(release.ids) == 19


def test_evaluating_a_list_with_faults_says_all_of_them_first(run, tmp_path, checkpoint):
    (tmp_path / "list.txt").write_text("a.mp4 9 0\nb.mp4 9 1\n")
    done = run(
        "evaluate",
        "--data",
        tmp_path / "list.txt",
        "-c",
        checkpoint,
        "--out",
        tmp_path / "p.parquet",
        code=2,
    )
    assert (
        "list.txt, line 1" in done.stderr
        and "list.txt, line 2" in done.stderr
        and "--skip-bad" in done.stderr
    )
    assert "go with --data" in run("evaluate", "--order", "reversed", code=2).stderr
    assert "--out where the tables go" in run("evaluate", "--features", code=2).stderr
    assert (
        "name the .parquet file"
        in run("evaluate", "--data", tmp_path, "-c", checkpoint, code=2).stderr
    )


def test_order_of_a_clip_prints_every_models_answers_and_writes_all_of_them(run, clip, tmp_path):
    (tmp_path / "words.mp4").write_text("these are just words")
    done = run(
        "order", tmp_path / "words.mp4", clip, "--shuffles", 2, "--csv", tmp_path / "o.csv", code=2
    )
    assert "words.mp4: not a video" in done.stderr
    assert (
        "TSN ResNet-18" in done.stdout
        and "order sensitivity 0.000" in done.stdout
        and "reversed" in done.stdout
    )
    rows = (tmp_path / "o.csv").read_text().splitlines()
    assert len(rows) == 1 + len(bundled_checkpoints()) * (3 + 2 + 8 + 28)


def test_order_of_tables_writes_csv_and_pdf(run, tmp_path):
    files = []
    for order, answers in (("forward", [0, 1, 2, 3, 4]), ("reversed", [1, 1, 4, 2, 4])):
        files.append(tmp_path / f"{order}.parquet")
        write_parquet(table(order, answers), files[-1])
    done = run("order", *files, "--csv", tmp_path / "o.csv", "--pdf", tmp_path / "o.pdf")
    assert "GSM  all pairs (4 clips of five clips): to reversed class 50.0%" in done.stdout
    assert (tmp_path / "o.pdf").read_bytes().startswith(b"%PDF") and len(
        (tmp_path / "o.csv").read_text().splitlines()
    ) == 4
    assert "no table of the order 'reversed'" in run("order", files[0], code=2).stderr
    assert "not both" in run("order", files[0], "clip.mp4", code=2).stderr
    assert (
        "the figure is of tables"
        in run("order", "clip.mp4", "--pdf", tmp_path / "o.pdf", code=2).stderr
    )


def test_the_benchmark_says_on_what_it_was_measured(run, small_networks):
    options = [
        "--backbone",
        "resnet18",
        "--temporal",
        "none",
        "--segments",
        2,
        "--runs",
        1,
        "--precision",
        "float32",
        "--device",
        "cpu",
    ]
    answer = json.loads(run("benchmark", "networks", *options, "--json").stdout)
    assert answer["device"] == "cpu" and answer["threads"] >= 1 and answer["name"]
    table, lengths = answer["tables"]
    assert [row["what"] for row in table["rows"]] == ["TSN, as loaded", "TSN, optimised, float32"]
    assert table["rows"][0]["share_of_peak"] > 0 and lengths["rows"][0]["ratio"] == 1
    assert (
        "Grad-CAM of the last block"
        in run("benchmark", "looking", *options[:2], "--temporal", "gsm", *options[4:]).stdout
    )
    assert "unknown backbone 'vgg'" in run("benchmark", "--backbone", "vgg", code=2).stderr


@pytest.mark.parametrize("what", ["networks", "training", "looking"])
def test_an_unknown_name_ends_every_benchmark_in_a_line(run, what):
    done = run("benchmark", what, "--temporal", "zz", "--backbone", "resnet18", code=2)
    assert done.stderr.startswith("unknown system 'zz'; there are none, gsm")


def test_segments_are_scored_forward_and_reversed_pair_by_pair(run, clip, tmp_path):
    """A made-up list of one file under two names, and of a class that the model does not know;
    ``path`` and ``first_frame`` say where a segment was cut from.
    """
    from gsm_model.predictions.read import read_parquet

    labels = ("Moving something up", "Moving something down", "a", "b", "c")
    save_checkpoint(make_small("gsm"), tmp_path / "m.safetensors", Card("A", "trained", labels))
    for name in ("one.mp4", "two.mp4", "three.mp4"):
        (tmp_path / name).write_bytes(clip.read_bytes())
    (tmp_path / "segments.csv").write_text(
        "file,frames,label,pair,path,first_frame\n"
        "one.mp4,24,Moving something up,UD,long.avi,828\n"
        "two.mp4,24,Moving something down,UD,long.avi,900\n"
        "three.mp4,24,Folding something,F,long.avi,3\n"
    )
    arguments = ["evaluate", "--data", tmp_path / "segments.csv", "-c", tmp_path / "m.safetensors"]
    out = tmp_path / "p.parquet"
    assert "unknown label 'Folding something'" in run(*arguments, "--out", out, code=2).stderr
    arguments += ["--skip-bad", "--out", out, "--also-reversed"]
    [result] = json.loads(run(*arguments, "--json").stdout)["models"]
    assert result["skipped"] == 1
    every, pair = result["pairs"]
    assert pair["group"] == "Moving something up / Moving something down"
    ahead, back = read_parquet(out), read_parquet(tmp_path / "p-reversed.parquet")
    assert back.origin.order == "reversed" and ahead.truth.tolist() == [0, 1]
    # The two files are one clip: forward exactly one of its two names is right.
    assert pair["forward"]["value"] == every["forward"]["value"] == 0.5 and pair["both"]["n"] == 2
    again = run(*arguments).stdout
    assert "within pair, both" in again and "top-1 of the pairs, reversed" in again
    wrong = run(*arguments, "--order", "frozen", code=2)
    assert "goes with --order forward" in wrong.stderr


def test_the_profile_over_the_probes_is_printed_and_written(tmp_path, run):
    model = make_small("none", num_classes=len(PROBE_LABELS))
    model.architecture = replace(model.architecture, num_segments=8)
    save_checkpoint(model, tmp_path / "m.safetensors", Card("TSN", "trained", PROBE_LABELS))
    arguments = ["-c", tmp_path / "m.safetensors", "--style", "probes", "--clips", 112]
    found = run("evaluate", *arguments, "--out", tmp_path / "out", "--json")
    [result] = json.loads(found.stdout)["models"]
    profile = result["profile"]
    assert [measure["metric"] for measure in result["measures"]][:2] == ["which first", "direction"]
    assert [row["right"]["value"] for row in profile if not row["static"]] == [0.5] * 13
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "m_probes_test.parquet",
        "profile.csv",
        "profile.pdf",
    }
    assert "which first" in (tmp_path / "out" / "profile.csv").read_text()


def test_predict_fuses_the_models_scores(run, clip, checkpoint):
    both = ("predict", str(clip), "--checkpoint", str(checkpoint), "--checkpoint", str(checkpoint))
    [one] = json.loads(run(*both, "--fuse", "1:3", "--json").stdout)["clips"]
    assert one["fused"]["weights"] == [0.25, 0.75]
    alone = {entry["label"]: entry["probability"] for entry in one["models"][0]["top"]}
    assert {e["label"]: e["probability"] for e in one["fused"]["top"]} == pytest.approx(alone)
    assert "together, logits 50% : 50%" in run(*both, "--fuse", "default").stdout
    assert "such as 1:1.5" in run(*both, "--fuse", "2", code=2).stderr


def test_a_run_goes_on_without_the_file_it_started_from(tmp_path, run):
    start = tmp_path / "start.safetensors"
    save_checkpoint(make_small("gsm", num_classes=2), start, Card("A", "trained", ("a", "b")))
    config = {"temporal": "gsm", "width": 0.125, "input_size": 32, "style": "probes"}
    config |= {"steps": 1, "batch_size": 2, "precision": "32-true", "initial": start.name}
    (tmp_path / "c.json").write_text(json.dumps(config))
    command = ("train", tmp_path / "c.json", "--out", tmp_path / "run", "--clips", 2)
    assert "starts from start.safetensors: all weights" in run(*command, "--workers", 0).stderr
    start.unlink()
    assert "starts from" not in run(*command, "--workers", 0).stderr
