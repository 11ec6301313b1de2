"""What the browser is sent: every map once, exact to sixteen bits, and pictures that several panels
share only once.
"""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from app.components.viewer import MapPanel, MapScale, Notes, viewer_data

STOPS = ("#000000", "#FFFFFF")
SCALE = MapScale("gate", -1, 1, (("grey", STOPS),), ((0, "leaves"),), STOPS)
NOTES = Notes("a", "b", "c", "d", "e", "f", "g")
RNG = np.random.default_rng(0)
MAPS = (RNG.uniform(-1, 1, (3, 2, 4, 5)).astype(np.float32), np.ones((3, 2, 2, 2), np.float32))


def panel(title, frames):
    means = np.stack([maps.mean((2, 3)).T for maps in MAPS])
    return MapPanel(
        title,
        "#0072B2",
        frames,
        ("frame 1", "frame 5", "frame 9"),
        MAPS,
        means,
        ((0, 1, 2, 0.25, -0.5),),
    )


@pytest.fixture
def data():
    same, other = (np.full((3, 16, 16, 3), value, np.uint8) for value in (40, 90))
    panels = [panel("A", same), panel("B", same), panel("C", other)]
    return viewer_data(panels, ["l1", "l2"], ["next", "previous"], SCALE, NOTES, "l2", 4.0)


def test_maps_come_back_from_what_the_browser_is_sent(data):
    for sent, maps in zip(data["panels"][0]["maps"], MAPS, strict=True):
        back = (
            np.frombuffer(base64.b64decode(sent["values"]), "<i2").reshape(
                3, 2, sent["height"], sent["width"]
            )
            / 32767
        )
        assert np.abs(back - maps).max() <= 0.5 / 32767 + 1e-7


def test_pictures_are_sent_once_for_all_panels_that_show_the_same(data):
    first, second, third = (panel["pictures"] for panel in data["panels"])
    assert first == second != third and len(data["pictures"]) == 2
    picture = Image.open(io.BytesIO(base64.b64decode(data["pictures"][third][2].partition(",")[2])))
    assert picture.size == (16, 16) and abs(picture.getpixel((8, 8))[0] - 90) <= 2


def test_the_same_data_has_the_same_id_and_other_data_another(data):
    same = np.full((3, 16, 16, 3), 40, np.uint8)
    one, again = (
        viewer_data([panel("A", same)], ["l1", "l2"], ["n", "p"], SCALE, NOTES, "l2", 4.0)
        for _ in range(2)
    )
    assert one["id"] == again["id"] != data["id"]


def test_means_and_arrows_are_those_of_the_panel(data):
    np.testing.assert_allclose(data["panels"][0]["overview"][0], MAPS[0].mean((2, 3)).T, atol=1e-4)
    assert data["panels"][0]["arrows"] == ((0, 1, 2, 0.25, -0.5),) and data["start"] == "l2"
