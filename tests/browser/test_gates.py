"""Gates in a real browser: look into the layers of a clip of one's own, hold the gates, take the
files away.
"""

import io
import json
import re
import zipfile

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from gsm_model.bundled import bundled_checkpoints
from gsm_model.explain.gates.report import report_gates
from gsm_model.models.checkpoints.files import load_checkpoint
from gsm_model.video.isolate import read_video
from tests.browser.conftest import choose, drop_clip, main_text, wait_until_still
from tests.conftest import released_weights

HEADING = "Where, when and which way does each layer shift?"


def open_gates(page, address, query=""):
    page.goto(f"{address}/gates?{query}")
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible()
    expect(page.locator(".gsl-viewer .stage")).to_be_visible()
    wait_until_still(page)


def test_an_uploaded_clip_is_looked_into_layer_by_layer_and_held_gates_leave_the_gsm_at_chance(
    page, app, drawn_clip
):
    page.goto(f"{app}/?models=gsm%2Ctsn")
    drop_clip(page, drawn_clip)
    page.get_by_role("link", name="Gates: what moves inside each model").click()
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible()
    wait_until_still(page)
    assert "TSN ResNet-18 moves nothing: every frame is seen alone" in main_text(page)
    report = report_gates(load_checkpoint(bundled_checkpoints()["gsm"]), read_video(drawn_clip))
    viewer = page.locator(".gsl-viewer")
    for layer in report.layers:
        viewer.locator("select").select_option(label=layer.title)
        # The layer's own heading on the page, beside the viewer's.
        expect(
            page.get_by_test_id("stMain").get_by_role("heading", name=layer.title)
        ).to_have_count(2)
        shown = viewer.locator(".stage .panel").first.locator(".value").nth(1).inner_text()
        middle = layer.gate[0, 0, layer.gate.shape[2] // 2, layer.gate.shape[3] // 2]
        assert float(shown.replace("−", "-")) == pytest.approx(middle, abs=0.006), layer.title

    choose(page, page.get_by_role("combobox", name="Set gates to"), "closed")
    expect(
        page.get_by_text("GSM ResNet-18 changes from Unfolding something").or_(
            page.get_by_text("GSM ResNet-18 keeps")
        )
    ).to_be_visible()
    wait_until_still(page)
    answer = (
        page.get_by_test_id("stMetric").filter(has_text="Unfolding something").first.inner_text()
    )
    share = float(re.search(r"([\d.]+) %", answer).group(1))
    assert share < 50, "with its gates closed the GSM no longer knows that it unfolds"
    pattern = (
        r"GSM ResNet-18 is right within the pair for over ([\d.]+) %.* and for ([\d.]+) % .*with"
        r" all its gates closed"
    )
    found = re.search(pattern, main_text(page))
    assert float(found.group(1)) > 99 and 45 < float(found.group(2)) < 60
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.get_by_text("GSM ResNet-18: its gates are as they are.")).to_be_visible()


def test_another_layer_frame_place_or_opacity_runs_no_model_and_playing_not_even_the_page(
    page, app, counts
):
    open_gates(page, app)
    viewer = page.locator(".gsl-viewer")
    runs, forwards = counts()
    assert forwards > 0
    # Playing, the place under the cursor, opacity, size, difference and frame live in the browser.
    viewer.get_by_role("button", name="▶").click()
    frame = viewer.locator(".toolbar .field").nth(1)
    first = frame.inner_text()
    expect(frame).not_to_have_text(first)
    viewer.get_by_role("button", name="❚❚").click()
    viewer.locator(".stage canvas").nth(1).hover(position={"x": 20, "y": 30})
    expect(viewer.locator(".readout")).to_contain_text("from the next frame")
    viewer.locator(".stage canvas").nth(1).click(position={"x": 20, "y": 30})
    viewer.locator("input[type=range]").nth(1).fill("20")
    assert viewer.evaluate("node => node.style.getPropertyValue('--opacity')") == "0.2"
    viewer.get_by_role("button", name="⤢").click()
    viewer.get_by_text("difference").first.click()
    expect(viewer.locator(".stage")).to_contain_text("GSM ResNet-18 − TSN ResNet-18")
    page.wait_for_timeout(600)
    assert counts() == (runs, forwards)
    # Another layer is told to the page, which runs again without a model.
    viewer.locator(".overview rect.cell").first.click()
    expect(page.get_by_test_id("stMain").get_by_role("heading", name="layer1.0")).to_have_count(2)
    wait_until_still(page)
    assert counts() == (runs + 1, forwards)


def test_a_model_stands_beside_itself_on_reversed_frames_and_the_viewer_works_by_keyboard(
    page, app
):
    open_gates(page, app, "models=gsm&clip=folding")
    viewer = page.locator(".gsl-viewer")
    the_difference_to_reversed_frames_is_of_the_same_pictures(page, viewer)
    the_viewer_works_by_keyboard(page, viewer)


def the_difference_to_reversed_frames_is_of_the_same_pictures(page, viewer):
    page.get_by_text("Compare with: reversed").click()
    expect(viewer.locator(".strips .columns")).to_have_count(2)
    wait_until_still(page)
    captions = [strip.inner_text().split() for strip in viewer.locator(".strips .columns").all()]
    assert captions[0] == [
        word
        for pair in zip(captions[1][::-2], captions[1][-2::-2], strict=True)
        for word in (pair[1], pair[0])
    ]
    viewer.get_by_text("difference").first.click()
    video = read_video(
        next(
            path for path in (bundled_checkpoints()["gsm"].parents[1] / "clips").glob("folding.mp4")
        )
    )
    model = load_checkpoint(bundled_checkpoints()["gsm"])
    forward, backward = (report_gates(model, video, order) for order in ("forward", "reversed"))
    title = viewer.locator("select option:checked").inner_text()
    [place] = [index for index, layer in enumerate(forward.layers) if layer.title == title]
    a, b = forward.layers[place].gate[0, 1], backward.layers[place].gate[-1, 1]
    row, column = a.shape[0] // 2, a.shape[1] // 2
    shown = viewer.locator(".stage .value").nth(2).inner_text()
    assert float(shown.replace("−", "-")) == pytest.approx(
        a[row, column] - b[row, column], abs=0.012
    )


def the_viewer_works_by_keyboard(page, viewer):
    viewer.focus()
    page.keyboard.press("1")
    expect(viewer.locator("select")).to_have_value("0")
    page.keyboard.press("ArrowDown")
    expect(viewer.locator("select")).to_have_value("1")
    page.keyboard.press("ArrowRight")
    assert viewer.locator("input[type=range]").first.input_value() == "1"
    left = viewer.locator(".stage .cross").first.evaluate("node => node.style.left")
    page.keyboard.press("Shift+ArrowRight")
    assert viewer.locator(".stage .cross").first.evaluate("node => node.style.left") != left
    page.keyboard.press("z")
    expect(viewer).to_have_class("gsl-viewer large")
    page.keyboard.press(" ")
    expect(viewer.get_by_role("button", name="❚❚")).to_be_visible()


@pytest.mark.thorough
def test_an_address_shows_the_same_layer_again_and_another_page_and_back_keeps_it(page, app):
    open_gates(page, app, "models=gsm&clip=folding&layer=layer3.0&beside=1")
    viewer = page.locator(".gsl-viewer")
    assert (
        viewer.locator("select option:checked").inner_text() == "layer3.0"
        and viewer.locator(".strips .columns").count() == 2
    )
    viewer.locator("select").select_option(label="layer2.1")
    page.wait_for_url("**layer=layer2.1**")
    wait_until_still(page)
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Load a checkpoint")).to_be_visible()
    wait_until_still(page)
    page.get_by_role("link", name="Gates", exact=True).click()
    expect(viewer.locator(".stage")).to_be_visible()
    wait_until_still(page)
    assert viewer.locator("select option:checked").inner_text() == "layer2.1"


@pytest.mark.thorough
def test_every_experiment_is_tried_and_listed(page, app):
    open_gates(page, app, "models=gsm%2Ctsm&clip=closing")
    page.get_by_text("Try every clamp, and every layer in turn").click()
    expect(page.get_by_role("button", name="Download all experiments (CSV)")).to_be_visible()
    wait_until_still(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all experiments (CSV)").click()
    text = download.value.path().read_text()
    assert (
        "layer4.1 alone working" in text and "shuffled in time" in text and "TSM ResNet-18" in text
    )


@pytest.mark.thorough
def test_the_files_are_those_of_the_clip_and_model(page, app):
    open_gates(page, app, "models=gsm&clip=opening")
    with page.expect_download() as download:
        page.get_by_role("button", name="Figures, film, arrays, tables and recipe (ZIP)").click()
    archive = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes()))
    assert {
        "gates.npz",
        "gates.csv",
        "gates.parquet",
        "gates.pdf",
        "gates.svg",
        "gates.png",
        "strip.pdf",
        "gates.mp4",
        "gates.gif",
        "recipe.json",
    } <= set(archive.namelist())
    arrays = np.load(io.BytesIO(archive.read("gates.npz")))
    clips = bundled_checkpoints()["gsm"].parents[1] / "clips"
    report = report_gates(
        load_checkpoint(bundled_checkpoints()["gsm"]), read_video(clips / "opening.mp4")
    )
    assert list(arrays) == [layer.name for layer in report.layers]
    for layer in report.layers:
        np.testing.assert_allclose(arrays[layer.name], layer.gate, atol=1e-5)
    command = json.loads(archive.read("recipe.json"))["command"]
    page.get_by_text("The same on the command line").last.click()
    assert command in main_text(page)
    assert command.startswith(
        "python -m gsm_model explain gates assets/clips/opening.mp4 --checkpoint"
        " assets/models/gsm_resnet18.safetensors"
    )


@pytest.mark.thorough
def test_a_published_network_at_sixteen_frames_is_served(page, app, app_checkpoints):
    name = "something-v1_RGB_InceptionV3_avg_segment16_checkpoint.pth.tar"
    torch.save(
        {"epoch": 60, "state_dict": released_weights("inceptionv3_gsm_8f")}, app_checkpoints / name
    )
    page.goto(f"{app}/models")
    expect(page.get_by_role("heading", name="Load a checkpoint")).to_be_visible()
    files = page.get_by_role("combobox", name=re.compile("Or one from this server's folder"))
    choose(page, files, name)
    button = page.get_by_test_id("stBaseButton-primary")
    expect(button).to_be_enabled()
    button.click()
    expect(page.get_by_text("Loaded GSM Inception-V3")).to_be_visible()
    page.get_by_role("link", name="Gates", exact=True).click()
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible()
    wait_until_still(page)
    viewer = page.locator(".gsl-viewer").last
    assert (
        viewer.locator("select option").all_inner_texts()[:3] == ["mixed", "mixed_1", "mixed_2"]
        and viewer.locator("select option").count() == 10
    )
    assert viewer.locator(".strips figure").count() == 16
    assert "GSM Inception-V3 moves" in main_text(page)
    (app_checkpoints / name).unlink()


def test_sections_start_when_asked_for_and_without_a_gated_model_the_page_says_what_to_do(
    page, app
):
    page.goto(f"{app}/gates?clip=unfolding&models=gsm%2Ctsn&frames=4")
    a_click_on_a_layer_and_frame_shows_the_prediction_with_that_copy(page)
    reading_the_channels_says_what_it_costs_and_stops(page)
    page.get_by_label("Remove GSM ResNet-18").click()
    expect(page.get_by_text("None of the chosen models has a temporal module")).to_be_visible()


def a_click_on_a_layer_and_frame_shows_the_prediction_with_that_copy(page):
    page.get_by_text("Which features carry the order?").first.click()
    expect(page.get_by_text("Shown is the estimate.")).to_be_visible()
    expect(page.get_by_text("there is nothing to move")).to_be_visible()
    wait_until_still(page)
    chart = page.locator(".js-plotly-plot", has_text="GSM ResNet-18").last
    cells = chart.locator(".nsewdrag").first
    cells.scroll_into_view_if_needed()
    box = cells.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 2.5 / 4, box["y"] + box["height"] * 7.5 / 8)
    expect(page.get_by_text("With the reversal's features at layer4.1")).to_be_visible()
    assert "Traceback" not in main_text(page)


def reading_the_channels_says_what_it_costs_and_stops(page):
    page.get_by_text("What do the channels carry?").first.click()
    start = page.get_by_role("button", name="Read the channels")
    expect(
        page.get_by_text(re.compile(r"Drawing the clips and about [\d,]+ forward"))
    ).to_be_visible()
    wait_until_still(page)
    start.click()
    stop = page.get_by_role("button", name="Cancel")
    expect(page.get_by_text(re.compile(r"clips are drawn|clip \d+ of 216"))).to_be_visible()
    stop.click()
    expect(stop).to_have_count(0)
    expect(start).to_be_visible()
    wait_until_still(page)
