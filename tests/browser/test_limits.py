"""Limits on what a session may keep, in a real browser."""

from playwright.sync_api import expect

from tests.browser.conftest import SESSION_MEGABYTES, drop_clip, main_text, wait_until_still


def test_a_file_that_a_session_has_no_room_for_is_said_and_costs_nothing_else(
    page, app, drawn_clip, tmp_path
):
    (tmp_path / "large.mp4").write_bytes(
        drawn_clip.read_bytes() + bytes(SESSION_MEGABYTES * 2**20 + 2**20)
    )
    page.goto(app)
    wait_until_still(page)
    before = main_text(page)
    drop_clip(page, tmp_path / "large.mp4")
    expect(
        page.get_by_text(
            f"large.mp4: {SESSION_MEGABYTES + 1} MB more than the 0 MB of this session are over"
            f" its limit of {SESSION_MEGABYTES} MB"
        )
    ).to_be_visible()
    wait_until_still(page)
    assert main_text(page) == before
    drop_clip(page, drawn_clip)
    expect(page.get_by_test_id("stSidebar").get_by_text(drawn_clip.name).first).to_be_visible()
