"""The section *Get a published model*: what it offers, what it does on a click, and what it says
where downloads are off.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from app.pages.models import published as section
from app.shell import session
from app.shell.published import Downloads
from gsm_model.data.labels import something_something
from gsm_model.errors import DownloadCancelled, DownloadError
from gsm_model.models.published import catalogue, fetch
from gsm_model.models.published.catalogue import find
from gsm_model.models.published.store import is_cached, place_of
from tests.file_server import serving
from tests.published_catalogue import PAIR, write_catalogue


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving() as server:
        yield server, write_catalogue(tmp_path_factory.mktemp("published"), server)


@pytest.fixture
def here(served, tmp_path, monkeypatch):
    """A cache folder of the test's own, and the small pair in the catalogue."""
    monkeypatch.setenv("GATE_SHIFT_LENS_CACHE", str(tmp_path))
    monkeypatch.delenv("GATE_SHIFT_LENS_DOWNLOADS", raising=False)
    monkeypatch.setattr(catalogue, "FILE", served[1])
    # Looking through every installed package takes most of the time of a first run.
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", list)
    mine = Downloads()
    monkeypatch.setattr(section, "downloads", lambda: mine)
    for cached in (catalogue._content, catalogue.catalogue):
        cached.cache_clear()
    yield mine
    for cached in (catalogue._content, catalogue.catalogue):
        cached.cache_clear()


def page() -> None:
    from app.pages.models import published

    published.take_what_came()
    published.show()


def shown() -> AppTest:
    return AppTest.from_function(page, default_timeout=60).run()


def button(test: AppTest, label: str):
    [found] = [one for one in test.button if one.label == label]
    return found


def table(test: AppTest):
    return test.dataframe[0].value


def offered(test: AppTest) -> dict[str, str]:
    """What the buttons of the table's rows say, by the row's name."""
    rows = table(test).to_dict("records")
    return {row["name"]: row["get"] for row in rows if isinstance(row["get"], str)}


def text_of(test: AppTest) -> str:
    return "\n".join(str(one.value) for one in [*test.markdown, *test.caption, *test.info])


def said_in(test: AppTest) -> list[str]:
    """The errors on the page, without what keeps markup plain."""
    return [one.value.replace("\\", "") for one in test.error]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def until_ended(downloads: Downloads) -> None:
    until(lambda: all(job.ended for job in downloads._jobs.values()))


def test_the_matched_pair_comes_first_with_size_licence_and_protocols(here):
    test = shown()
    assert not test.exception
    assert [one.label for one in test.button].count("Get both and compare") == 7
    said = text_of(test)
    assert "TSN 35.5 % (25 frames, ten crops) · TSM 62.7 % (two clips, three crops)" in said
    assert "192 MB · code Apache-2.0 · Something-Something V2: For research use" in said
    assert "so the accuracies alone are no comparison" in said


def test_the_table_is_filtered_and_offers_only_what_loads(here):
    test = shown()
    assert len(table(test)) == sum(one.loadable for one in catalogue.catalogue().values())
    assert len(offered(test)) == len(table(test)) and set(offered(test).values()) == {"Get"}
    test.multiselect(key="published_data").select("Diving48")
    test.multiselect(key="published_system").select("TSM")
    test.number_input(key="published_top1").set_value(80.0)
    assert list(table(test.run())["name"]) == ["mmaction2-0x-tsm-r50-diving48-16f"]
    test.number_input(key="published_top1").set_value(0.0)
    test.multiselect(key="published_system").set_value([])
    test.segmented_control(key="published_which").set_value("all").run()
    [other] = [row for row in table(test).to_dict("records") if row["needs"]]
    assert other["name"] == "gc-tdn-r50-diving48-16f" and other["name"] not in offered(test)


def test_one_click_gets_a_pair_which_is_then_loaded_with_its_own_classes(here, monkeypatch):
    went = []
    monkeypatch.setattr(section, "go_to", went.append)
    monkeypatch.setattr(session, "optimize", lambda model, precision: model)
    test = shown()
    test.session_state["pages"] = {"compare": "the page Compare"}
    button_of_pair = test.button(key=f"get-{PAIR[1]}")
    button_of_pair.click().run()
    until_ended(here)
    test.run()
    assert went == ["the page Compare"] and not test.exception
    assert test.session_state["choose_models"] == list(PAIR)
    refs = test.session_state["loaded_models"]
    assert list(refs) == list(PAIR) and [ref.published for ref in refs.values()] == list(PAIR)
    for ref in refs.values():
        model = session.load_model(ref)
        assert model.card.labels == something_something()
        assert model.card.provenance == "trained"
    assert all(is_cached(find(name)) for name in PAIR)
    assert test.run().button(key=f"get-{PAIR[1]}").label == "Compare"
    test.button(key=f"delete-{PAIR[0]}").click().run()
    assert not place_of(find(PAIR[0])).parent.exists() and is_cached(find(PAIR[1]))
    assert list(test.session_state["loaded_models"]) == [PAIR[1]]


def test_a_download_shows_how_far_it_is_and_can_be_stopped(here, served):
    def slow(name, progress, cancel):
        progress(40_000_000, 96_000_000)
        cancel.wait(30)
        raise DownloadCancelled(f"{name}: stopped")

    here._fetch = slow
    test = shown()
    test.button(key=f"get-{PAIR[1]}").click().run()
    assert sorted(one.label for one in test.button if one.label == "Cancel") == ["Cancel"] * 2
    [first, second] = here._jobs.values()
    end = time.monotonic() + 30
    while first.total is None and time.monotonic() < end:
        time.sleep(0.01)
    assert first.in_words().startswith("40 of 96 MB, ")
    test.button(key=f"cancel-{PAIR[0]}").click().run()
    assert first.cancel.is_set() and second.cancel.is_set() and not here._jobs
    assert not [one for one in test.button if one.label == "Cancel"] and not test.error


def test_what_goes_wrong_is_said_until_nothing_runs_any_more(here):
    """The first fault of a pair is still there when the second comes, then both go."""
    second = threading.Event()

    def fails(name, progress, cancel):
        if name == PAIR[1]:
            assert second.wait(30)
        raise DownloadError(f"{name}: gone")

    here._fetch = fails
    test = shown()
    test.button(key=f"get-{PAIR[1]}").click().run()
    until(
        lambda: PAIR[0] not in {job.one.name for job in list(here._jobs.values()) if not job.ended}
    )
    assert said_in(test.run()) == [f"{PAIR[0]}: gone"]
    second.set()
    until_ended(here)
    assert sorted(said_in(test.run())) == sorted(f"{name}: gone" for name in PAIR)
    assert not said_in(test.run())


def test_what_goes_wrong_is_said_once(here):
    def fails(name, progress, cancel):
        raise DownloadError(f"{name}: the disk is full; make room")

    here._fetch = fails
    test = shown()
    test.button(key=f"get-{PAIR[1]}").click().run()
    said = [one.value for one in test.error]
    until_ended(here)
    said += [one.value for _ in range(2) for one in test.run().error]
    assert len(set(said)) == 2 and all("the disk is full; make room" in one for one in said)
    assert not test.run().error and not test.exception


def test_where_downloads_are_off_no_button_fetches_and_the_page_says_so(here, monkeypatch):
    monkeypatch.setenv("GATE_SHIFT_LENS_DOWNLOADS", "off")
    test = shown()
    assert "Downloads are switched off here" in test.info[0].value
    assert not test.button and not offered(test)
    monkeypatch.delenv("GATE_SHIFT_LENS_DOWNLOADS")
    fetch.fetch_published(PAIR[0])
    monkeypatch.setenv("GATE_SHIFT_LENS_DOWNLOADS", "off")
    assert offered(test.run()) == {PAIR[0]: "Load"}


def test_one_download_serves_all_sessions_and_ends_when_the_last_has_left(here):
    begun = threading.Event()

    def waits(name, progress, cancel) -> Path:
        begun.set()
        cancel.wait(30)
        raise DownloadCancelled(name)

    here._fetch = waits
    one = find(PAIR[0])
    here.start(one, "a")
    here.start(one, "b")
    [job] = here.of("a")
    assert begun.wait(30) and here.of("b") == [job]
    here.forget("a")
    assert not job.cancel.is_set() and here.of("a") == []
    here.drop(one.name, "b")
    assert job.cancel.is_set() and here.of("b") == []
