"""Grad-CAM in a real browser: a clip of one's own, a contrast, the film, the strip, two people at
once.
"""

import io
import json
import zipfile

import numpy as np
import pytest
from playwright.sync_api import expect

from gsm_model.bundled import bundled_checkpoints, sample_clips
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.report import report_cams
from gsm_model.models.checkpoints.files import load_checkpoint
from gsm_model.video.isolate import read_video
from tests.browser.conftest import choose, drop_clip, main_text, wait_until_still

HEADING = "Where does each model look, frame by frame?"


def open_cams(page, address, query=""):
    page.goto(f"{address}/gradcam?{query}")
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible()
    expect(page.locator(".gsl-viewer .grid").first).to_be_visible()
    wait_until_still(page)


def shown_values(page, model=0):
    """What the viewer's grid says under the cursor of every frame of one model."""
    texts = (
        page.locator(".gsl-viewer .part.grid .panel")
        .nth(model)
        .locator(".mapcell .value:nth-child(2)")
        .all_inner_texts()
    )
    return [float(text.replace("−", "-")) for text in texts]


def middle_of(report, layer):
    maps = np.maximum(report.layer(layer).maps, 0)
    return maps[:, maps.shape[1] // 2, maps.shape[2] // 2] / maps.max()


def test_a_contrast_on_a_clip_of_ones_own_its_film_plays_and_its_strip_is_taken_away(
    page, app, drawn_clip
):
    page.goto(f"{app}/gradcam?models=gsm%2Ctsn&map_layer=layer3.1")
    drop_clip(page, drawn_clip)
    choose(page, page.get_by_role("combobox", name="Evidence for"), "Unfolding something")
    choose(page, page.get_by_role("combobox", name="versus"), "Folding something")
    assert (
        "Evidence for Unfolding something rather than Folding something is largest in frame"
        in main_text(page)
    )
    report = report_cams(
        load_checkpoint(bundled_checkpoints()["gsm"]),
        read_video(drawn_clip),
        Target(1, 0),
        "gradcam",
        ["layer3.1"],
    )
    np.testing.assert_allclose(shown_values(page), middle_of(report, "layer3.1"), atol=0.02)
    page.get_by_text("The film").click()
    video = page.get_by_test_id("stVideo")
    expect(video).to_be_visible()
    video.scroll_into_view_if_needed()
    video.evaluate("node => node.play()")
    page.wait_for_function("node => node.currentTime > 0.2", arg=video.element_handle())
    assert video.evaluate("node => node.videoWidth") > 500
    with page.expect_download() as download:
        page.get_by_role("button", name="Strip, film, maps, table and recipe (ZIP)").click()
    archive = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes()))
    assert archive.read("strip.pdf").startswith(b"%PDF")
    arrays = np.load(io.BytesIO(archive.read("maps.npz")), allow_pickle=False)
    np.testing.assert_allclose(
        arrays["GSM ResNet-18"],
        report.layers[0].maps,
        atol=1e-4 * np.abs(report.layers[0].maps).max(),
    )
    about = json.loads(archive.read("recipe.json"))
    assert "--target 1 --versus 0 --method gradcam --layer layer3.1" in about["command"] and set(
        about["scale"]
    ) == set(arrays)


def test_opacity_colours_contours_and_playing_run_nothing_and_another_layer_no_model(
    page, app, counts
):
    open_cams(page, app)
    viewer = page.locator(".gsl-viewer")
    runs, forwards = counts()
    assert forwards > 0
    before = viewer.locator(".part.grid canvas").nth(3).evaluate("node => node.toDataURL()")
    viewer.locator("select").nth(1).select_option(label="inferno")
    after = viewer.locator(".part.grid canvas").nth(3).evaluate("node => node.toDataURL()")
    assert before != after
    viewer.get_by_text("contours").click()
    assert viewer.locator(".part.grid canvas").nth(3).evaluate("node => node.width") > 100
    viewer.locator("input[type=range]").nth(1).fill("20")
    viewer.get_by_role("button", name="▶").click()
    frame = viewer.locator(".toolbar .field").nth(1)
    first = frame.inner_text()
    expect(frame).not_to_have_text(first)
    viewer.get_by_role("button", name="❚❚").click()
    page.wait_for_timeout(600)
    assert counts() == (runs, forwards)
    viewer.locator("select").first.select_option(label="layer2.1")
    expect(page.get_by_text("At layer2.1, 1 stands for")).to_be_visible()
    wait_until_still(page)
    assert counts()[1] == forwards and "map_layer=layer2.1" in page.url
    # The same question in another session is not computed again.
    open_cams(page, app)
    assert counts()[1] == forwards


@pytest.mark.thorough
def test_maps_are_put_to_the_test_and_what_was_found_stays(page, app):
    open_cams(page, app, "models=gsm&clip=moving-up&map_layer=layer3.1")
    page.get_by_role("button", name="Run faithfulness tests").click()
    expect(page.get_by_text("when the clip is sampled one frame earlier or later")).to_be_visible()
    wait_until_still(page)
    assert "the map for Moving something down" in main_text(page)
    open_cams(page, app, "models=gsm&clip=moving-up&map_layer=layer3.1")
    expect(page.get_by_text("when the clip is sampled one frame earlier or later")).to_be_visible()


@pytest.fixture
def slow(app_folder):
    """Every pass of Score-CAM takes a while, however fast the machine is."""
    (app_folder / "slow").touch()
    yield
    (app_folder / "slow").unlink()


def test_a_slow_method_can_be_cancelled_and_the_gates_of_the_layer_are_one_click_away(
    page, app, slow
):
    open_cams(page, app, "models=gsm&map_layer=layer3.0%3Aafter&clip=opening&frames=24")
    a_slow_method_says_how_far_it_is_and_can_be_cancelled(page)
    page.get_by_role("button", name="See the gates of this layer").click()
    expect(
        page.get_by_role("heading", name="Where, when and which way does each layer shift?")
    ).to_be_visible()
    expect(page.locator(".gsl-viewer .stage h3").first).to_have_text("layer3.0")
    wait_until_still(page)
    assert "clip=opening" in page.url and "models=gsm&" in page.url, "the clip and the models stay"


def a_slow_method_says_how_far_it_is_and_can_be_cancelled(page):
    page.get_by_role("combobox", name="Method").click()
    page.get_by_role("option", name="Score-CAM (slow)", exact=True).click()
    expect(page.get_by_text("channel", exact=False).first).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".gsl-viewer .grid").first).to_be_visible()
    wait_until_still(page)
    assert "Score-CAM" not in page.get_by_role(
        "combobox", name="Method"
    ).input_value() and "(gradcam, nothing else is rescaled)" in main_text(page)


@pytest.mark.thorough
def test_two_people_at_once_get_their_own_maps(new_page, app):
    clips = sample_clips()
    pages = [new_page() for _ in range(2)]
    asked = (("pushing-left", 15), ("closing", 3))
    for page, (clip, target) in zip(pages, asked, strict=True):
        page.goto(f"{app}/gradcam?models=gsm&clip={clip}&target={target}&map_layer=layer3.1")
    model = load_checkpoint(bundled_checkpoints()["gsm"])
    for page, (clip, target) in zip(pages, asked, strict=True):
        expect(page.locator(".gsl-viewer .grid").first).to_be_visible()
        wait_until_still(page)
        report = report_cams(
            model, read_video(clips[clip].path), Target(target), "gradcam", ["layer3.1"]
        )
        np.testing.assert_allclose(shown_values(page), middle_of(report, "layer3.1"), atol=0.02)
