"""All files of a clip's gates: there, whole, the same each time, and of the right frames."""

import io
import json

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from gsm_model.explain.gates.report import report_gates
from gsm_model.exports.gates import (
    GateFileOptions,
    chosen_layer,
    film_speed,
    gate_files,
    gate_film,
    seen_frames,
)
from gsm_model.exports.provenance import Input, Recipe
from gsm_model.video.transforms import to_views
from tests.conftest import make_small

OPTIONS = GateFileOptions(layer="layer2.0", width="column", opacity=0.5)


RECIPE = Recipe(("explain", "gates"), (Input("clip.mp4", "abc"),))


@pytest.fixture(scope="module")
def model():
    return make_small("gsm")


@pytest.fixture(scope="module")
def report(video, model):
    return report_gates(model, video)


@pytest.fixture(scope="module")
def files(report, video, model):
    return gate_files(
        report,
        "clip.mp4",
        seen_frames(report, video, model.input),
        2.4,
        OPTIONS,
        RECIPE,
    )


def test_every_file_is_there_and_says_the_same_as_the_report(files, report):
    assert set(files) == {
        *(f"{name}.{kind}" for name in ("gates", "strip") for kind in ("pdf", "svg", "png")),
        "gates.npz",
        "gates.csv",
        "gates.parquet",
        "gates.mp4",
        "gates.gif",
        "recipe.json",
    }
    rows = pq.read_table(io.BytesIO(files["gates.parquet"])).to_pylist()
    assert len(rows) == 8 * 2 * 4 == files["gates.csv"].decode().count("\n") - 1
    assert rows[0]["gate_mean"] == pytest.approx(report.layers[0].gate[0, 0].mean())
    recipe = json.loads(files["recipe.json"])
    assert recipe["command"] == "python -m gsm_model explain gates" and recipe["inputs"] == {
        "clip.mp4": "abc"
    }
    assert (
        recipe["frames"] == report.prediction.frame_indices.tolist()
        and recipe["layer"] == "layer2.0.gsm_conv2"
    )
    with av.open(io.BytesIO(files["gates.mp4"])) as container:
        assert (
            len(list(container.decode(video=0))) == 4
            and container.streams.video[0].codec_context.name == "h264"
        )
    assert Image.open(io.BytesIO(files["gates.gif"])).n_frames == 4


def test_the_same_report_gives_the_same_bytes(files, report, video, model):
    again = gate_files(
        report,
        "clip.mp4",
        seen_frames(report, video, model.input),
        2.4,
        OPTIONS,
        RECIPE,
    )
    assert [name for name in files if files[name] != again[name]] == []


def test_the_frames_are_the_models_own_crop_in_its_own_order(video, small_gsm):
    report = report_gates(small_gsm, video, "reversed")
    seen = seen_frames(report, video, small_gsm.input, small_gsm.input.size)
    view = to_views(video.clip(4)[1][::-1], small_gsm.input)[0]
    mean, std = (
        np.array(values)[:, None, None] for values in (small_gsm.input.mean, small_gsm.input.std)
    )
    model_input = ((view.numpy() * std + mean) * 255).transpose(0, 2, 3, 1)
    assert np.abs(seen - model_input).mean() < 6


def test_the_film_shows_the_frame_and_the_maps_of_both_directions(report, video, model):
    seen = seen_frames(report, video, model.input, 128)
    layer = report.layers[0]
    bare, covered = (gate_film(report, layer, seen, opacity) for opacity in (0.0, 1.0))
    assert bare.shape[0] == 4 and bare.shape[2] == 3 * 128 + 2 * 8
    top = 2 * 22  # two lines of titles
    for column in range(3):
        np.testing.assert_array_equal(
            bare[:, top : top + 128, column * 136 : column * 136 + 128], seen
        )
    np.testing.assert_array_equal(covered[:, top : top + 128, :128], seen)
    assert not np.array_equal(covered[:, top : top + 128, 136:264], seen)


def test_a_layer_is_found_by_either_name_or_is_the_most_adaptive(report):
    assert (
        chosen_layer(report, "layer2.0")
        is chosen_layer(report, "layer2.0.gsm_conv2")
        is report.layers[2]
    )
    spread = [
        np.sqrt(np.mean([layer.gate[:, way].var() for way in range(2)])) for layer in report.layers
    ]
    assert chosen_layer(report, None) is report.layers[int(np.argmax(spread))]
    with pytest.raises(ValueError, match="has no layer 'layer9'"):
        chosen_layer(report, "layer9")


def test_a_film_lasts_as_long_as_its_clip_within_reason():
    assert film_speed(8, 4.0) == 2 and film_speed(8, 0.1) == 8 and film_speed(8, 60) == 1
