"""Pictures of maps, and all files of a clip's maps."""

import csv
import io
import json
from dataclasses import replace

import av
import numpy as np
import pytest
from PIL import Image

from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.report import report_cams
from gsm_model.explain.cam.scale import Scaled, scaled
from gsm_model.exports.cam import CamFileOptions, cam_files, cam_rows, distinct_names, frame_rows
from gsm_model.exports.gates import seen_frames
from gsm_model.exports.provenance import Input, Recipe
from gsm_model.figures.cams import CamRow, cam_film, one_stands_for, overlaid, strip_figure
from gsm_model.figures.style import figure_bytes
from tests.conftest import make_small
from tests.gsm_model.figures.pdf import read_pdf

ONE = np.ones(1, np.float32)


RECIPE = Recipe(("explain", "gradcam"), (Input("clip.mp4", "abc"),))


@pytest.fixture
def reports(drawn_model, video):
    tsn = make_small("none", num_classes=len(drawn_model.card.labels))
    tsn.card = replace(drawn_model.card, title="Plain")
    return [
        report_cams(model, video, Target(1, 0), "gradcam", ["layer3.1"])
        for model in (drawn_model, tsn)
    ]


@pytest.fixture
def seen(drawn_model, reports, video):
    return [seen_frames(report, video, drawn_model.input, 64) for report in reports]


def test_where_a_map_is_0_the_frame_is_seen_and_where_it_is_1_its_colour():
    frames = np.full((1, 8, 8, 3), 100, np.uint8)
    maps = np.zeros((1, 8, 8), np.float32)
    maps[0, 2, 2] = 1
    picture = overlaid(frames, Scaled(maps, ONE), 1.0)
    assert (picture[0, 0, 0] == 100).all() and tuple(picture[0, 2, 2]) == (253, 231, 37), (
        "viridis ends in yellow"
    )
    half = overlaid(frames, Scaled(maps, ONE), 0.5)[0, 2, 2].astype(int)
    assert np.abs(half - (np.array([253, 231, 37]) + 100) / 2).max() <= 1
    against = overlaid(frames, Scaled(-maps, ONE, signed=True), 1.0)
    assert against[0, 2, 2, 2] > against[0, 2, 2, 0], "blue speaks against"


@pytest.mark.parametrize("width", [3.25, 6.875])
def test_a_strip_has_a_row_a_model_and_says_what_1_stands_for(reports, seen, width):
    rows = cam_rows(reports, seen, "layer3.1", CamFileOptions())
    figure = strip_figure(rows, "layer3.1", width=width)
    texts = [axes.get_xlabel() for axes in figure.axes]
    assert figure.get_size_inches()[0] == width and len(figure.axes) == 3 * 4 + 1
    assert texts[4:8] == [
        f"{value:+.2f}".replace("-", "−") for value in reports[0].layers[0].evidence
    ]
    assert read_pdf(figure_bytes(figure, "pdf"))[0] == pytest.approx(72 * width, abs=0.1)
    assert one_stands_for(rows) in texts[-1].replace(r"\$", "$") and "Small" in texts[-1]


def test_a_scale_by_frame_says_its_span(reports, seen):
    rows = cam_rows(reports, seen, "layer3.1", CamFileOptions(normalise="frame"))
    assert (
        "by frame" in one_stands_for(rows) or rows[0].scaled.one.min() == rows[0].scaled.one.max()
    )


def test_models_with_other_numbers_of_frames_are_no_one_picture(reports, seen):
    [short] = scaled([reports[0].layers[0].maps[:3]])
    rows = [
        CamRow(reports[0], seen[0], scaled([reports[0].layers[0].maps])[0]),
        CamRow(reports[1], seen[1][:3], short),
    ]
    for draw in (
        lambda: strip_figure(rows, "layer3.1"),
        lambda: cam_film(rows, "layer3.1", 0.5),
        lambda: strip_figure([], "layer3.1"),
    ):
        with pytest.raises(ValueError, match="one number of frames"):
            draw()


def test_the_files_hold_the_maps_as_they_are_the_film_and_what_makes_them_again(reports, seen):
    files = cam_files(
        reports,
        "clip.mp4",
        seen,
        2.0,
        CamFileOptions(),
        RECIPE,
    )
    assert set(files) == {
        "maps.npz",
        "frames.csv",
        "strip.pdf",
        "strip.svg",
        "strip.png",
        "overlay.mp4",
        "overlay.gif",
        "recipe.json",
    }
    arrays = np.load(io.BytesIO(files["maps.npz"]), allow_pickle=False)
    assert set(arrays) == {"Small", "Plain"} and arrays["Small"].dtype == np.float32
    np.testing.assert_array_equal(arrays["Small"], reports[0].layers[0].maps)
    with av.open(io.BytesIO(files["overlay.mp4"])) as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert sum(1 for _ in film.decode(stream)) == 4
    assert Image.open(io.BytesIO(files["overlay.gif"])).n_frames == 4
    about = json.loads(files["recipe.json"])
    assert (
        about["target"] == "Unfolding something rather than Folding something"
        and len(about["scale"]["Plain"]) == 4
    )
    assert files == cam_files(
        reports,
        "clip.mp4",
        seen,
        2.0,
        CamFileOptions(),
        RECIPE,
    ), "the same bytes"
    rows = list(csv.DictReader(io.StringIO(files["frames.csv"].decode())))
    assert len(rows) == 8 and {row["model"] for row in rows} == {"Small", "Plain"}


def test_a_frames_share_is_of_the_sum_of_all_sizes(reports):
    rows = frame_rows("c", reports[0], "layer3.1")
    evidence = reports[0].layers[0].evidence
    np.testing.assert_allclose(
        [row["share"] for row in rows], evidence / np.abs(evidence).sum(), rtol=1e-5
    )
    np.testing.assert_allclose([row["value"] for row in rows], reports[0].frame_values(), rtol=1e-5)
    assert [row["frame"] for row in rows] == reports[0].prediction.frame_indices.tolist()


def test_models_of_one_name_are_told_apart_by_their_hash(reports):
    twins = [
        replace(
            reports[0],
            prediction=replace(reports[0].prediction, card=replace(reports[0].card, sha256=sha)),
        )
        for sha in ("a" * 64, "b" * 64)
    ]
    assert distinct_names(twins) == ["Small aaaaaaaa", "Small bbbbbbbb"]


def test_one_model_twice_has_two_names(reports):
    first, second = distinct_names([reports[0], reports[0]])
    assert second == f"{first}-2"
