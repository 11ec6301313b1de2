"""What the app keeps: once for its content, an upload's for its session alone, sizes of
anything.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from app.cache import store
from app.cache.lru import OnceCache


@dataclass(frozen=True)
class Thing:
    name: str
    values: np.ndarray


@pytest.fixture(autouse=True)
def caches(monkeypatch):
    found = {kind: OnceCache(10_000) for kind in store.MEGABYTES}
    monkeypatch.setattr(store, "caches", lambda: found)
    return found


def test_a_result_is_computed_once_and_is_the_same_object_for_all():
    runs = []
    results = [store.keep("answers", "key", lambda: runs.append(1) or [1, 2]) for _ in range(3)]
    assert len(runs) == 1 and results[0] is results[2]


def test_what_comes_of_an_upload_is_its_sessions_alone_and_is_forgotten_with_it(caches):
    mine = store.keep("clips", "same content", lambda: "mine", owner="me")
    theirs = store.keep("clips", "same content", lambda: "theirs", owner="they")
    anybodys = store.keep("clips", "same content", lambda: "anybody's")
    assert (mine, theirs, anybodys) == ("mine", "theirs", "anybody's")
    store.forget("me")
    assert not caches["clips"].has("same content", "me") and caches["clips"].has(
        "same content", "they"
    )
    assert caches["clips"].usage() == (2, len("theirs") + len("anybody's"))


def test_a_cache_holds_no_more_bytes_than_it_may(caches):
    for number in range(30):
        store.keep("answers", number, lambda: np.zeros(1000, np.uint8))
    assert caches["answers"].usage()[1] <= 10_000


def test_the_size_of_a_thing_is_that_of_its_arrays_however_deep():
    thing = Thing("abc", np.zeros((10, 10)))
    assert 800 <= store.size_of(thing) < 1100
    assert store.size_of({"a": [thing, thing]}) > 1600 and store.size_of(b"12345") == 5
