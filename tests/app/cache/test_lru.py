"""Results kept by content: computed once, bounded, nothing left of what failed."""

import threading
import time

import pytest

from app.cache.lru import OnceCache


def test_a_result_is_computed_once_however_many_ask_at_a_time():
    cache, runs, found = OnceCache(1000), [], []

    def compute():
        runs.append(1)
        time.sleep(0.05)
        return "result"

    threads = [
        threading.Thread(target=lambda: found.append(cache.get("a", compute, len)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == 1 and found == ["result"] * 8 and not cache._turns


def test_different_questions_do_not_wait_for_each_other():
    cache, inside = OnceCache(1000), threading.Barrier(2, timeout=5)
    threads = [
        threading.Thread(
            target=lambda key=key: cache.get(key, lambda: (inside.wait() and "") or "", len)
        )
        for key in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(6)
    assert cache.has("a") and cache.has("b")


def test_the_oldest_are_forgotten_when_there_is_no_room():
    cache = OnceCache(10)
    for key in "abc":
        cache.get(key, lambda: "xxxx", len)
        cache.get("a", lambda: "xxxx", len)
    assert cache.has("a") and cache.has("c") and not cache.has("b")
    cache.get("large", lambda: "x" * 50, len)
    assert cache.has("large") and not cache.has("a"), "what is shown now is kept, whatever its size"


def test_what_fails_or_is_cancelled_is_not_kept_and_can_be_asked_again():
    cache = OnceCache(10)

    class Cancelled(BaseException):
        pass

    def cancel():
        raise Cancelled

    with pytest.raises(Cancelled):
        cache.get("a", cancel, len)
    assert not cache.has("a") and cache.get("a", lambda: "now", len) == "now"
