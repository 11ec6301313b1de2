"""Charts are drawn once for each content, each session's apart, and counted by what they hold."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import plotly.graph_objects as go
import pytest

from app.cache import charts, store
from app.cache.lru import OnceCache


@dataclass(frozen=True)
class Thing:
    name: str
    values: np.ndarray


@pytest.mark.parametrize(
    "other",
    [
        Thing("b", np.zeros(3)),
        Thing("a", np.ones(3)),
        Thing("a", np.zeros((3, 1))),
        Thing("a", np.zeros(3, np.float32)),
        [Thing("a", np.zeros(3))],
        {"a": Thing("a", np.zeros(3))},
        None,
    ],
)
def test_a_digest_differs_where_the_content_does(other):
    thing = Thing("a", np.zeros(3))
    assert (
        charts.digest_of(thing)
        == charts.digest_of(Thing("a", np.zeros(3)))
        != charts.digest_of(other)
    )
    assert charts.digest_of([["a"], "b"]) != charts.digest_of([["a", "b"]])


def test_a_chart_is_drawn_once_for_its_content_in_each_session_and_counted_by_what_it_holds(
    monkeypatch,
):
    caches, session, drawings = {"charts": OnceCache(2**30)}, SimpleNamespace(name="a"), []
    monkeypatch.setattr(store, "caches", lambda: caches)
    monkeypatch.setattr(charts, "user_session", lambda: session)

    def draw(values: np.ndarray) -> go.Figure:
        drawings.append(len(values))
        return go.Figure(go.Scatter(y=values, text=[f"{value:09.3f}" for value in values]))

    few, many = np.zeros(10), np.zeros(100_000)
    assert charts.drawn(draw, few) is charts.drawn(draw, np.zeros(10))
    charts.drawn(draw, many)
    session.name = "b"
    charts.drawn(draw, few)
    assert drawings == [10, 100_000, 10]
    assert (
        charts.chart_size(draw(many)) > 9 * 100_000 + many.nbytes > 8 * charts.chart_size(draw(few))
    )
    assert caches["charts"].usage()[1] > many.nbytes
