"""Every page in a real browser: accessible, usable by keyboard, on a narrow screen, in both themes,
by link, in two tabs, with back and reload.
"""

from __future__ import annotations

import re
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Locator, Page, expect

from app.pages import compare, confusions, gates, gradcam, models, order, server, systems
from gsm_model.models.card import Card
from gsm_model.models.checkpoints.files import save_checkpoint
from tests.browser.conftest import VIEWPORT, choose, main_text, wait_until_still
from tests.conftest import make_small

PAGES = {
    "": compare.QUESTION,
    "order": order.QUESTION,
    "gates": gates.QUESTION,
    "gradcam": gradcam.QUESTION,
    "confusions": confusions.QUESTION,
    "systems": systems.QUESTION,
    "models": models.QUESTION,
    "server": server.QUESTION,
}
# What a page shows beyond what it opens with, where that makes it wider.
ALSO_SHOWN = {"order": "?clip=folding", "gates": "?clip=folding", "gradcam": "?beside=1"}
WIDE, NARROW = VIEWPORT, {"width": 390, "height": 844}
GROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 22, 29)"}
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
# Streamlit's file uploader: a section with the role "presentation" that has a name. It is used
# through the button in it.
NOT_OURS = ("presentation-role-conflict",)
# Axe's rules of the category "cat.color", whose findings a colour scheme changes.
OF_COLOURS = ("color-contrast", "link-in-text-block")
# Names of classes made to break pages.
HOSTILE = (
    "<img src=x onerror=document.title='broken'>",
    "**bold** _under_ `code` [link](javascript:alert(1))",
    "$x^2$ \\input{/etc/passwd} \\textbf{b} 100% & # ~",
    "</script><script>document.title='broken'</script>",
    ":material/home: :red[colour] --- :smile:",
)


def open_page(page: Page, app: str, name: str, query: str = "") -> None:
    page.goto(f"{app}/{name}{query}")
    expect(page.get_by_role("heading", name=PAGES[name], exact=True)).to_be_visible()
    wait_until_still(page)


@pytest.mark.parametrize("name", list(PAGES))
def test_a_page_is_accessible_and_fits_wide_and_narrow_in_light_and_dark(app, page, name):
    page.emulate_media(color_scheme="dark")
    open_page(page, app, name, ALSO_SHOWN.get(name, ""))
    page.evaluate(AXE)
    for scheme, rules in (("dark", None), ("light", OF_COLOURS)):
        change_scheme(page, scheme)
        assert broken_rules(page, rules) == []
        check_fit(page, name)
    page.set_viewport_size(NARROW)  # last: what is beside a wide page is put away for good
    wait_until_still(page)
    check_fit(page, name)


def check_fit(page: Page, name: str) -> None:
    assert sideways(page) <= 0, "something makes the page scroll sideways"
    assert 0 <= space_above_the_heading(page, name) <= 24


def change_scheme(page: Page, scheme: str) -> None:
    """Have the system light or dark, which the page follows."""
    page.emulate_media(color_scheme=scheme)
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", GROUNDS[scheme])
    wait_until_still(page)


def broken_rules(page: Page, rules: tuple[str, ...] | None) -> list[str]:
    """What of the page breaks which of ``rules``, or of all."""
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [
        f"{one['id']}: {[node['html'][:120] for node in one['nodes']]}"
        for one in found
        if one["id"] not in NOT_OURS
    ]


def sideways(page: Page) -> int:
    return page.get_by_test_id("stMain").evaluate(
        "main => Math.max(main.scrollWidth - main.clientWidth, main.scrollWidth - innerWidth)"
    )


def space_above_the_heading(page: Page, name: str) -> float:
    """Pixels between the bar with the pages' names and the heading."""
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")
    bar = page.get_by_test_id("stHeader").bounding_box()
    heading = page.get_by_test_id("stMain").get_by_role("heading", name=PAGES[name], exact=True)
    return heading.bounding_box()["y"] - bar["y"] - bar["height"]


def test_pages_are_reached_and_an_order_is_chosen_by_keyboard_alone(app, page):
    open_page(page, app, "")
    for title, key in (("Models", "Tab"), ("Compare", "Shift+Tab")):
        press_until_focused(page, page.get_by_role("link", name=title, exact=True).first, key)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=heading_of(title), exact=True)).to_be_visible()
        wait_until_still(page)
    page.get_by_role("radio", name="→ forward").or_(
        page.get_by_role("button", name="→ forward")
    ).first.focus()
    page.keyboard.press("ArrowRight")
    if "Frames reversed" not in main_text(page):
        page.keyboard.press("Enter")
    expect(page.get_by_text("Frames reversed:")).to_be_visible()


def press_until_focused(page: Page, link: Locator, key: str) -> None:
    for _ in range(40):
        if link.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} never came to {link}")


def heading_of(title: str) -> str:
    return PAGES["" if title == "Compare" else title.lower()]


def test_a_link_reload_and_the_ways_back_show_the_same_and_a_choice_disturbs_no_other_tab(
    app, page
):
    open_page(page, app, "", "?clip=folding&models=tsm,tsn&order=reversed&frames=16")
    said = page.get_by_text("Frames reversed:").inner_text()
    assert "TSM ResNet-18" in said and "GSM" not in said
    page.reload()
    expect(page.get_by_text("Frames reversed:")).to_have_text(said)
    wait_until_still(page)
    follow(page, "Models")
    go_back_to_compare(page)
    expect(page.get_by_text("Frames reversed:")).to_have_text(said)
    wait_until_still(page)
    follow(page, "Models")
    follow(page, "Compare")
    expect(page.get_by_text("Frames reversed:")).to_have_text(said)
    assert page.locator(".gsl-strip figure").count() == 16
    assert "GSM" not in main_text(page).split("Order of the frames")[0]
    other = page.context.new_page()
    open_page(other, app, "", "?clip=opening&models=tsm")
    page.get_by_text("⤮ shuffled").click()
    expect(page.get_by_text("Frames shuffled:")).to_be_visible()
    text = main_text(other)
    assert "Frames shuffled" not in text and "Frames reversed" not in text
    assert "clip=opening" in other.url and "clip=folding" in page.url


def follow(page: Page, title: str) -> None:
    """Go to a page by its link."""
    page.get_by_role("link", name=title, exact=True).first.click()
    expect(page.get_by_role("heading", name=heading_of(title), exact=True)).to_be_visible()
    wait_until_still(page)


def go_back_to_compare(page: Page) -> None:
    """By the back button: the address of a page is written when it is shown, so one step for that
    and one for the page.
    """
    for _ in range(3):
        page.go_back()
        wait_until_still(page)
        if PAGES[""] in main_text(page):
            break
    expect(page.get_by_role("heading", name=PAGES[""], exact=True)).to_be_visible()


@pytest.fixture
def hostile_checkpoint(app_checkpoints) -> str:
    """A checkpoint that is new in the server's folder, whose classes have names made to break
    pages.
    """
    model = make_small("gsm", num_classes=len(HOSTILE))
    model.card = Card("<b>Model</b> of $k$", "trained", HOSTILE)
    save_checkpoint(model, app_checkpoints / "hostile.safetensors")
    return "hostile.safetensors"


def test_names_made_to_break_pages_show_as_they_are_in_a_model_of_the_servers_folder(
    app, page, hostile_checkpoint
):
    open_page(page, app, "models")
    files = page.get_by_role("combobox", name=re.compile("Or one from this server's folder"))
    choose(page, files, hostile_checkpoint)
    page.get_by_role("button", name="Load", exact=True).click()
    expect(page.get_by_text("Loaded <b>Model</b> of $k$")).to_be_visible()
    wait_until_still(page)
    for name in ("Compare", "Order", "Gates", "Grad-CAM"):
        page.get_by_role("link", name=name, exact=True).first.click()
        wait_until_still(page)
        text = main_text(page)
        assert "<b>Model</b> of $k$" in text, name
        if name == "Compare":
            assert any(label in text for label in HOSTILE), (
                "one of the names is the answer, letter by letter"
            )
        assert (
            page.title() != "broken"
            and page.locator("[data-testid=stMain] img[src=x]").count() == 0
        )
        assert page.locator("[data-testid=stMain] a[href^=javascript]").count() == 0
