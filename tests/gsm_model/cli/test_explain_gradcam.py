"""``explain gradcam`` as a person runs it."""

import csv

import numpy as np
import pytest

from gsm_model import load_checkpoint, save_checkpoint
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.explain.cam.dataset import read_cam_table
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.report import report_cams
from gsm_model.models.card import Card
from gsm_model.video.isolate import read_video
from tests.conftest import make_small
from tests.gsm_model.cli.conftest import same_files

FILES = {
    "maps.npz",
    "frames.csv",
    "strip.pdf",
    "strip.svg",
    "strip.png",
    "overlay.mp4",
    "overlay.gif",
    "recipe.json",
}


@pytest.fixture
def plain_checkpoint(tmp_path):
    path = tmp_path / "tsn.safetensors"
    save_checkpoint(make_small("none"), path, Card("Plain", "trained", ("a", "b", "c", "d", "e")))
    return path


def test_a_clips_maps_are_written_for_a_contrast_and_the_recipe_makes_the_same_files(
    run, run_process, clip, checkpoint, plain_checkpoint, tmp_path
):
    first, again = tmp_path / "first", tmp_path / "again"
    options = (
        "--target",
        "c",
        "--versus",
        0,
        "--method",
        "layercam",
        "--layer",
        "layer3.1:after",
        "--signed",
        "--order",
        "reversed",
    )
    done = run(
        "explain",
        "gradcam",
        clip,
        "-c",
        checkpoint,
        "-c",
        plain_checkpoint,
        *options,
        "--out",
        first,
    )
    assert {path.name for path in first.iterdir()} == FILES
    assert "A model: layercam for c rather than a at layer3.1:after" in done.stdout
    arrays = np.load(first / "maps.npz", allow_pickle=False)
    video = read_video(clip, (4,))
    for path, name in ((checkpoint, "A model"), (plain_checkpoint, "Plain")):
        report = report_cams(
            load_checkpoint(path), video, Target(2, 0), "layercam", ["layer3.1:after"], "reversed"
        )
        np.testing.assert_allclose(
            arrays[name], report.layers[0].maps, atol=1e-4 * np.abs(report.layers[0].maps).max()
        )
        assert arrays[name].dtype == np.float32
    run_process("figures", first / "recipe.json", "--out", again)
    same_files(first, again)


def test_a_list_is_one_run_that_goes_on_where_it_was(run, clip, checkpoint, tmp_path):
    (tmp_path / "clips.txt").write_text(f"{clip.name}\n\nmissing.mp4\n")
    done = run(
        "explain",
        "gradcam",
        "--list",
        tmp_path / "clips.txt",
        "-c",
        checkpoint,
        "--out",
        tmp_path / "o",
        code=2,
    )
    assert (
        "missing.mp4" in done.stderr
        and {path.name for path in (tmp_path / "o" / "a clip").iterdir()} == FILES
    )
    made = (tmp_path / "o" / "a clip" / "maps.npz").stat().st_mtime_ns
    (tmp_path / "clips.txt").write_text(f"{clip.name}\n")
    done = run(
        "explain",
        "gradcam",
        "--list",
        tmp_path / "clips.txt",
        "-c",
        checkpoint,
        "--out",
        tmp_path / "o",
    )
    assert (
        "1 clips are done already" in done.stderr
        and (tmp_path / "o" / "a clip" / "maps.npz").stat().st_mtime_ns == made
    )


def test_maps_are_put_to_the_test_when_asked(run, clip, checkpoint, tmp_path):
    run("explain", "gradcam", clip, "-c", checkpoint, "--trial", "--out", tmp_path / "o")
    with (tmp_path / "o" / "trial.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert (
        rows[0]["map"] == "this map"
        and rows[-1]["map"] == "sampled one frame earlier and later"
        and rows[-1]["correlation"]
    )


def test_maps_are_measured_on_drawn_clips(run, tmp_path):
    path = tmp_path / "drawn.safetensors"
    save_checkpoint(
        make_small("gsm", num_classes=len(LABELS)), path, Card("Drawn", "trained", LABELS)
    )
    options = ("--method", "gradcam", "--method", "hirescam", "--layer", "layer4.1", "--clips", 3)
    done = run(
        "explain",
        "gradcam",
        "--drawn",
        "-c",
        path,
        *options,
        "--out",
        tmp_path / "o" / "cams.parquet",
    )
    table = read_cam_table(tmp_path / "o" / "cams.parquet")
    assert (
        table.ids == ("test/000000", "test/000001", "test/000002")
        and len(table.origin.columns) == 4
    )
    assert "largest on what moves" in done.stdout and len(done.stdout.splitlines()) == 4
    with (tmp_path / "o" / "cams.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 4
    assert {"cams.pdf", "cams.svg", "cams.recipe.json"} <= {
        path.name for path in (tmp_path / "o").iterdir()
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a clip, a --list of clips, or --drawn"),
        (("CLIP", "--target", "z"), "'z' is none of the 5 classes of A model"),
        (("CLIP", "--versus", "a"), "--versus: name a --target too"),
        (("CLIP", "--target", "a", "--versus", "a"), "a class cannot be set against itself"),
        (("CLIP", "--layer", "layer7"), "has no layer 'layer7'; it has layer1.0:before"),
        (
            ("CLIP", "--method", "gradcam", "--method", "hirescam"),
            "name one --method and one --layer",
        ),
        (("--list", "nowhere.txt"), "nowhere.txt: not a list of clips"),
        (("--drawn",), "with --drawn, name the .parquet file"),
    ],
)
def test_bad_input_exits_with_2_and_one_line(run, clip, checkpoint, tmp_path, arguments, message):
    given = [clip if argument == "CLIP" else argument for argument in arguments]
    done = run("explain", "gradcam", *given, "-c", checkpoint, "--out", tmp_path / "o", code=2)
    assert message in done.stderr and len(done.stderr.strip().splitlines()) == 1
