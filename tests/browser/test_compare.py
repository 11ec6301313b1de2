"""Compare in a real browser: upload a clip, read both models' answers, turn time around."""

import re

import pytest
from playwright.sync_api import expect

from gsm_model.bundled import bundled_checkpoints
from gsm_model.models.checkpoints.files import load_checkpoint
from gsm_model.predict import predict
from gsm_model.video.isolate import read_video
from tests.browser.conftest import (
    SESSION_MEGABYTES,
    choose,
    drop_clip,
    main_text,
    wait_until_still,
)


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


def test_a_file_that_is_too_large_or_no_video_costs_nothing_and_a_clip_is_answered_in_both_orders(
    page, app, drawn_clip, tmp_path
):
    page.goto(app)
    drop_what_a_session_has_no_room_for(page, tmp_path)
    drop_what_is_no_video(page, tmp_path)
    clips = page.get_by_test_id("stSidebar").get_by_role("combobox").first
    choose(page, clips, "Sample: Folding something")
    expect(page.get_by_test_id("stVideo")).to_be_visible()
    drop_clip(page, drawn_clip)
    expect(page.get_by_test_id("stSidebar").get_by_text(drawn_clip.name).first).to_be_visible()
    reversing_moves_gsm_to_the_reversed_class_and_not_tsn(page, drawn_clip)


def drop_what_a_session_has_no_room_for(page, folder):
    """That is said, and costs nothing else."""
    (folder / "large.mp4").write_bytes(bytes(SESSION_MEGABYTES * 2**20 + 2**20))
    before = main_text(page)
    drop_clip(page, folder / "large.mp4")
    expect(
        page.get_by_text(
            f"large.mp4: {SESSION_MEGABYTES + 1} MB more than the 0 MB of this session are over"
            f" its limit of {SESSION_MEGABYTES} MB"
        )
    ).to_be_visible()
    assert main_text(page) == before


def drop_what_is_no_video(page, folder):
    """It is named with its fault."""
    (folder / "holiday.mp4").write_text("these are just words")
    drop_clip(page, folder / "holiday.mp4")
    expect(page.get_by_text("holiday.mp4: not a video that can be read")).to_be_visible()
    assert "Traceback" not in main_text(page)


def reversing_moves_gsm_to_the_reversed_class_and_not_tsn(page, path):
    video = read_video(path)
    expected = {
        name: {
            order: predict(load_checkpoint(path), video, order) for order in ("forward", "reversed")
        }
        for name, path in bundled_checkpoints().items()
        if name in ("gsm", "tsn")
    }
    assert expected["gsm"]["forward"].top(1)[0][1] == "Unfolding something"
    expect(
        page.get_by_text(f"{video.info.num_frames} frames, {video.info.seconds:.1f} s, 240 × 180")
    ).to_be_visible()
    text = main_text(page)
    assert "GSM ResNet-18 says Unfolding something" in text
    assert "TSN ResNet-18" in text.split("Order of the frames")[0]

    page.get_by_text("← reversed").click()
    expect(page.get_by_text("Frames reversed:")).to_be_visible()
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
