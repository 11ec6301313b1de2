"""Turns on a device: one at a time, in the order of coming, with a word to those who wait and a
bound on it.
"""

import threading
import time

import pytest
import torch

from gsm_model.models.inference.device_queue import (
    BusyError,
    device_turn,
    queue_lengths,
    within_limits,
)

DEVICE = torch.device("meta")  # no other test runs on it


class Worker(threading.Thread):
    """Takes a turn, notes its name, and leaves when told; says what it was told and what it met."""

    def __init__(
        self,
        name: str,
        log: list,
        most_ahead: int = 10,
        seconds: float = 30,
        give_up_at: int | None = None,
    ) -> None:
        super().__init__(daemon=True)
        self.named, self.log, self.limits, self.give_up_at = (
            name,
            log,
            (most_ahead, seconds),
            give_up_at,
        )
        self.told: list[int] = []
        self.met: BaseException | None = None
        self.inside, self.leave = threading.Event(), threading.Event()
        self.start()

    def tell(self, ahead: int) -> None:
        self.told.append(ahead)
        if ahead == self.give_up_at:
            raise KeyboardInterrupt("the tab was closed")

    def run(self) -> None:
        try:
            with within_limits(self.tell, *self.limits), device_turn(DEVICE):
                self.log.append(self.named)
                self.inside.set()
                self.leave.wait(30)
        except BaseException as error:
            self.met = error


def until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


def waiting() -> int:
    return queue_lengths().get("meta", 0)


def queue_of(names: str, log: list, **options) -> list[Worker]:
    """Workers that came one after the other."""
    workers = []
    for number, name in enumerate(names):
        workers.append(Worker(name, log, **options))
        until(lambda number=number: waiting() == number + 1)
    return workers


def test_turns_come_one_at_a_time_in_the_order_of_coming_and_each_knows_its_place():
    log: list[str] = []
    workers = queue_of("abcd", log)
    until(lambda: workers[3].told)
    assert log == ["a"] and workers[3].told[-1] == 3 and workers[1].told[-1] == 1
    for worker in workers:
        worker.inside.wait(10)
        worker.leave.set()
        worker.join(10)
    assert log == list("abcd") and waiting() == 0
    places = workers[3].told
    assert places == sorted(places, reverse=True), "nobody comes between"


def test_who_gives_up_frees_the_place():
    log: list[str] = []
    first, second = queue_of("ab", log)
    third = Worker("c", log, give_up_at=2)
    third.join(10)
    assert isinstance(third.met, KeyboardInterrupt) and waiting() == 2
    first.leave.set()
    second.inside.wait(10)
    second.leave.set()
    second.join(10)
    assert log == ["a", "b"]


def test_too_many_before_or_too_long_a_wait_is_refused_politely():
    log: list[str] = []
    [first] = queue_of("a", log)
    full = Worker("b", log, most_ahead=0)
    full.join(10)
    late = Worker("c", log, seconds=0.3)
    late.join(10)
    assert isinstance(full.met, BusyError) and "busy with 1 others" in str(full.met)
    assert isinstance(late.met, BusyError) and "try again" in str(late.met)
    first.leave.set()
    first.join(10)
    assert waiting() == 0


def test_an_error_inside_ends_the_turn():
    with pytest.raises(ZeroDivisionError), device_turn(DEVICE):
        _ = 1 / 0
    assert waiting() == 0
