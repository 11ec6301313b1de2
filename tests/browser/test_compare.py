"""Compare in a real browser: upload a clip, read both models' answers, turn time around."""

import re

import pytest
from playwright.sync_api import expect

from gsm_model.bundled import bundled_checkpoints
from gsm_model.models.checkpoints.files import load_checkpoint
from gsm_model.predict import predict
from gsm_model.video.isolate import read_video
from tests.browser.conftest import choose, drop_clip, main_text, wait_until_still


def test_it_opens_on_a_sample_with_both_models_answers_and_without_a_model_says_what_to_do(
    page, app
):
    page.goto(app)
    expect(
        page.get_by_role("heading", name="What does each model say about this clip?")
    ).to_be_visible()
    wait_until_still(page)
    text = main_text(page)
    assert "GSM ResNet-18" in text and "TSN ResNet-18" in text and "Unfolding something" in text
    assert "untrained" not in text
    expect(page.get_by_test_id("stVideo")).to_be_visible()
    expect(page.locator(".gsl-strip figure")).to_have_count(8)
    assert page.get_by_test_id("stVideo").evaluate("video => video.readyState") >= 0
    page.get_by_label("Clear all").click()
    expect(page.get_by_text("Choose a clip and at least one model in the sidebar")).to_be_visible()


def test_an_uploaded_clip_is_answered_and_reversing_it_moves_gsm_to_the_reversed_class_and_not_tsn(
    page, app, drawn_clip
):
    video = read_video(drawn_clip)
    expected = {
        name: {
            order: predict(load_checkpoint(path), video, order) for order in ("forward", "reversed")
        }
        for name, path in bundled_checkpoints().items()
    }
    assert expected["gsm"]["forward"].top(1)[0][1] == "Unfolding something"

    page.goto(app)
    drop_clip(page, drawn_clip)
    expect(
        page.get_by_text(f"{video.info.num_frames} frames, {video.info.seconds:.1f} s, 240 × 180")
    ).to_be_visible()
    wait_until_still(page)
    assert "GSM ResNet-18 says Unfolding something" in main_text(page)
    assert "TSN ResNet-18" in main_text(page).split("Order of the frames")[0]

    page.get_by_text("← reversed").click()
    expect(page.get_by_text("Frames reversed:")).to_be_visible()
    wait_until_still(page)
    text = main_text(page)
    assert (
        "GSM ResNet-18 changes from Unfolding something" in text
        and "to Folding something, its time reversal" in text
    )
    kept = expected["tsn"]["reversed"].top(1)[0][1]
    assert (
        f"TSN ResNet-18 keeps {kept}" in text and "no probability moves by more than 0.1 %" in text
    )
    captions = [int(number) for number in re.findall(r"frame (\d+)", text)]
    assert captions == expected["gsm"]["reversed"].frame_indices.tolist()


@pytest.mark.thorough
def test_an_address_shows_the_same_again(page, app):
    page.goto(app)
    wait_until_still(page)
    page.get_by_text("⤮ shuffled").click()
    expect(page.get_by_text("Frames shuffled:")).to_be_visible()
    page.wait_for_url("**order=shuffled**")
    wait_until_still(page)
    address, text = page.evaluate("location.href"), main_text(page).split("Probabilities")[0]
    assert "clip=unfolding" in address and "models=gsm%2Ctsn" in address

    again = page.context.new_page()
    again.goto(address)
    expect(again.get_by_text("Frames shuffled:")).to_be_visible()
    wait_until_still(again)
    assert main_text(again).split("Probabilities")[0] == text


def test_choices_survive_going_to_another_page_and_back(page, app):
    page.goto(f"{app}/?clip=moving-up&order=reversed&frames=16&models=gsm")
    expect(page.get_by_text("Frames reversed:")).to_be_visible()
    wait_until_still(page)
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Load a checkpoint")).to_be_visible()
    wait_until_still(page)
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_text("Frames reversed:")).to_be_visible()
    wait_until_still(page)
    assert page.locator(".gsl-strip figure").count() == 16
    assert "TSN" not in main_text(page).split("Order of the frames")[0]


def test_a_file_that_is_no_video_is_named_with_its_fault_and_nothing_is_lost(page, app, tmp_path):
    (tmp_path / "holiday.mp4").write_text("these are just words")
    page.goto(app)
    drop_clip(page, tmp_path / "holiday.mp4")
    expect(page.get_by_text("holiday.mp4: not a video that can be read")).to_be_visible()
    assert "Traceback" not in main_text(page)
    clips = page.get_by_test_id("stSidebar").get_by_role("combobox").first
    choose(page, clips, "Sample: Folding something")
    expect(page.get_by_test_id("stVideo")).to_be_visible()
