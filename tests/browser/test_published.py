"""From an uploaded clip to the answers of two published models, in a real browser."""

from playwright.sync_api import expect

from gsm_model.data.labels import something_something
from tests.browser.conftest import drop_clip, main_text, wait_until_still


def test_a_newcomer_gets_two_answers_to_an_uploaded_clip_in_two_clicks(page, app, drawn_clip):
    page.goto(f"{app}/models")
    drop_clip(page, drawn_clip)
    page.get_by_role("link", name="Get a published model").click()
    page.get_by_role("button", name="Get both and compare").first.click()
    expect(page.get_by_role("heading", name="Probabilities")).to_be_visible()
    wait_until_still(page)
    said = main_text(page)
    assert "TSN ResNet-18" in said and "TSM ResNet-18" in said and "GSM" not in said
    assert any(label in said for label in something_something())
    assert "mmaction2-tsn-r50-sthv2-8f%2Cmmaction2-tsm-r50-sthv2-8f" in page.url
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_text("2 published files are here")).to_be_visible()
    expect(page.get_by_role("button", name="Compare", exact=True).first).to_be_visible()
