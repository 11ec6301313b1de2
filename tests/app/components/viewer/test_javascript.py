"""The viewer's modules in Chromium, function by function, against the same computed here."""

import base64
import struct
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import LinearSegmentedColormap
from scipy.ndimage import map_coordinates

from app.components import viewer
from app.components.viewer import MapPanel, MapScale, Notes, viewer_data
from app.components.viewer.modules import bundled
from gsm_model.figures.map_scale import cam_scale

pytestmark = pytest.mark.browser
FOLDER = Path(viewer.__file__).parent
ADDRESS = "http://viewer.test"
STOPS = ("#102030", "#FFFFFF", "#F08010")
RNG = np.random.default_rng(0)
MAPS = RNG.uniform(-1, 1, (3, 2, 4, 5)).astype(np.float32)
TOLERANCE = 1 / 32767


@pytest.fixture(scope="module")
def page(browser):
    """A page that serves the modules as they are, and beside them the bundled viewer."""
    page = browser.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))

    def serve(route):
        name = route.request.url.removeprefix(ADDRESS + "/")
        if not name:
            route.fulfill(body="<!doctype html><meta charset=utf-8>", content_type="text/html")
            return
        bundle = name == "bundle.js"
        text = bundled(FOLDER / "viewer.js") if bundle else (FOLDER / name).read_text("utf-8")
        route.fulfill(body=text, content_type="text/javascript; charset=utf-8")

    page.route(ADDRESS + "/**", serve)
    page.goto(ADDRESS)
    yield page
    page.close()
    assert faults == []


def call(page, module, body, argument=None):
    """What the function body ``body`` returns, with the module's exports as ``m`` and ``a``."""
    code = f"async (a) => {{ const m = await import('/{module}.js'); {body} }}"
    return page.evaluate(code, argument)


def sent(maps=MAPS):
    packed = base64.b64encode(np.round(maps * 32767).astype("<i2").tobytes()).decode()
    return {"height": maps.shape[2], "width": maps.shape[3], "values": packed}


def test_numbers_come_out_as_they_were_packed(page):
    text = base64.b64encode(struct.pack("<4h", 0, 32767, -32767, 16384)).decode()
    values = call(page, "maps", "return [...m.unpack(a)]", text)
    np.testing.assert_allclose(values, [0, 1, -1, 16384 / 32767], atol=1e-7)


def test_a_place_reads_the_cell_it_lies_in(page):
    body = """
      const maps = new m.Maps(a.sent, 3, 2);
      return a.places.map(([frame, way, x, y]) => maps.at(frame, way, x, y));
    """
    places = [(f, w, x, y) for f in (0, 2) for w in (0, 1) for x, y in [(0, 0), (0.5, 0.3)]]
    places += [(1, 1, 0.999, 0.999), (1, 0, 1.5, -1)]
    found = call(page, "maps", body, {"sent": sent(), "places": places})
    expected = [
        MAPS[f, w, int(np.clip(y * 4, 0, 3)), int(np.clip(x * 5, 0, 4))] for f, w, x, y in places
    ]
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)


def test_a_difference_is_of_the_same_picture_and_place_on_another_grid(page):
    coarse = RNG.uniform(-1, 1, (3, 2, 2, 2)).astype(np.float32)
    body = """
      const [one, two] = [a.one, a.two].map((maps) => new m.Maps(maps, 3, 2));
      const less = new m.DifferenceMaps(one, two, a.columns);
      return [less.cell(0, 1, 3, 4), less.at(2, 0, 0.1, 0.9)];
    """
    argument = {"one": sent(), "two": sent(coarse), "columns": [2, 1, 0]}
    found = call(page, "maps", body, argument)
    expected = [MAPS[0, 1, 3, 4] - coarse[2, 1, 1, 1], MAPS[2, 0, 3, 0] - coarse[0, 0, 1, 0]]
    np.testing.assert_allclose(found, expected, atol=2 * TOLERANCE)


def test_between_cells_a_map_is_bilinear(page):
    places = RNG.random((40, 2))
    body = """
      const maps = new m.Maps(a.sent, 3, 2);
      return a.places.map(([x, y]) => m.between(maps, 1, 0, x, y));
    """
    found = call(page, "maps", body, {"sent": sent(), "places": places.tolist()})
    x, y = places.T
    expected = map_coordinates(MAPS[1, 0], [y * 4 - 0.5, x * 5 - 0.5], order=1, mode="nearest")
    np.testing.assert_allclose(found, expected, atol=2 * TOLERANCE)


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (0, 1), (-2, 2)])
def test_values_have_the_colours_matplotlib_gives_them(page, low, high):
    values = np.linspace(low - 0.5, high + 0.5, 41)
    body = """
      const scale = new m.Scale(a.low, a.high, a.stops, false);
      return a.values.map((value) => [...scale.rgb(value), scale.alpha(value)]);
    """
    argument = {"low": low, "high": high, "stops": STOPS, "values": values.tolist()}
    found = np.array(call(page, "colors", body, argument))
    colors = LinearSegmentedColormap.from_list("ours", STOPS, N=4096)
    expected = 255 * colors((values - low) / (high - low))
    np.testing.assert_allclose(found, expected, atol=1)


def test_a_scale_that_fades_is_transparent_at_0_and_opaque_at_its_ends(page):
    body = """
      const scale = new m.Scale(-1, 1, a, true);
      return [0, 0.5, -0.5, 1, -2].map((value) => scale.alpha(value));
    """
    assert call(page, "colors", body, STOPS) == [0, 128, 128, 255, 255]


@pytest.mark.parametrize("signed", [False, True])
def test_the_page_colours_and_fades_maps_as_films_and_strips_do(page, signed):
    scale = cam_scale(signed)
    values = np.linspace(-1.5, 1.5, 61)
    body = """
      const scale = new m.Scale(a.low, a.high, a.stops, a.fade);
      return a.values.map((value) => [...scale.rgb(value), scale.alpha(value)]);
    """
    [(_, stops), *_] = scale.palettes
    argument = {"low": scale.low, "high": scale.high, "stops": stops, "fade": scale.fade}
    values = values[values >= scale.low]
    found = np.array(call(page, "colors", body, argument | {"values": values.tolist()}))
    # The browser blends between stops of a palette of 256 colours.
    np.testing.assert_allclose(found[:, :3], scale.rgb(values), atol=3)
    np.testing.assert_allclose(found[:, 3], 255 * scale.cover(values, 1), atol=0.51)


def test_numbers_are_written_with_their_sign_unless_they_are_shown_as_0(page):
    body = "return a.map(m.signed)"
    assert call(page, "colors", body, [0.5, -0.5, 0, 0.004, -0.004, -1]) == [
        "+0.50",
        "−0.50",
        "0.00",
        "0.00",
        "0.00",
        "−1.00",
    ]


PIXELS = """
  const maps = new (await import("/maps.js")).Maps(a.sent, 3, 2);
  const scale = new (await import("/colors.js")).Scale(-1, 1, a.stops, false);
  const canvas = document.createElement("canvas");
  m[a.draw](canvas, maps, 2, 1, scale);
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  return { width, height, data: [...data] };
"""


def drawn(page, maps, draw):
    found = call(page, "canvas", PIXELS, {"sent": sent(maps), "stops": STOPS, "draw": draw})
    return np.array(found["data"]).reshape(found["height"], found["width"], 4)


def test_a_map_is_painted_one_pixel_a_cell(page):
    pixels = drawn(page, MAPS, "paint")
    colors = LinearSegmentedColormap.from_list("ours", STOPS, N=4096)
    np.testing.assert_allclose(pixels, 255 * colors((MAPS[2, 1] + 1) / 2), atol=1)


def test_contours_run_where_a_ramp_has_the_level(page):
    ramp = np.tile(np.linspace(-1, 1, 9, dtype=np.float32), (3, 2, 4, 1))
    pixels = drawn(page, ramp, "contours")
    size = len(pixels)
    columns = np.flatnonzero(pixels[size // 2, :, 3])
    # The middles of the first and the last cell are at -1 and 1.
    x = (np.array([-0.75, -0.5, -0.25, 0.25, 0.5, 0.75]) + 1) / 2 * 8 / 9 + 0.5 / 9
    np.testing.assert_allclose(columns, x * size - 0.5, atol=1)
    assert not pixels[:-1, :-1, 3][:, ~np.isin(np.arange(size - 1), columns)].any()


def test_the_cursor_is_a_share_of_the_picture_and_stays_in_it(page):
    body = """
      const box = { left: 100, top: 50, width: 200, height: 80 };
      return [[200, 90], [100, 50], [0, 500]].map(([x, y]) => m.placeIn(box, x, y));
    """
    assert call(page, "cursor", body) == [[0.5, 0.5], [0, 0], [0, 0.999]]
    body = "return [[1, 0], [0, -1], [9, 9]].map((by) => m.placeBeside([0.5, 0.5], ...by, a))"
    beside = call(page, "cursor", body, {"width": 5, "height": 4})
    np.testing.assert_allclose(beside, [[0.7, 0.5], [0.5, 0.25], [0.999, 0.999]])


def test_frames_go_round_and_are_shown_as_long_as_the_film_says(page):
    body = "return [m.frameAfter(7, 1, 8), m.frameAfter(0, -1, 8), m.frameAfter(3, 1, 8)]"
    assert call(page, "cursor", body) == [0, 7, 4]
    assert call(page, "cursor", "return m.shownFor(4)") == 250


@pytest.mark.parametrize(
    ("key", "shift", "change"),
    [
        ("ArrowRight", False, {"frame": 0, "layer": 1}),
        ("ArrowLeft", False, {"frame": 2, "layer": 1}),
        ("ArrowDown", False, {"frame": 3, "layer": 2}),
        ("ArrowUp", True, {"place": [0.5, 0.25]}),
        (" ", False, "play"),
        ("3", False, {"layer": 2}),
        ("4", False, None),
        ("0", False, None),
        ("z", False, {"large": True}),
        ("d", False, {"difference": True}),
        ("q", False, None),
    ],
)
def test_keys_change_what_the_help_says(page, key, shift, change):
    body = """
      const state = { layer: 1, frame: 3, place: [0.5, 0.5], large: false, difference: false };
      const shown = { layers: 3, frames: 4, panels: 2, map: { width: 5, height: 4 } };
      return m.changeBy(a.key, a.shift, state, shown);
    """
    assert call(page, "keys", body, {"key": key, "shift": shift}) == change


def test_layers_end_where_they_end_and_one_panel_has_no_difference(page):
    body = """
      const state = { layer: 2, frame: 0, place: [0, 0], large: true, difference: false };
      const shown = { layers: 3, frames: 1, panels: 1, map: { width: 1, height: 1 } };
      return ["ArrowDown", "d", "z"].map((key) => m.changeBy(key, false, state, shown));
    """
    assert call(page, "keys", body) == [{"frame": 0, "layer": 2}, None, {"large": False}]


@pytest.mark.parametrize(("way", "sign"), [(0, -1), (1, 1)])
def test_an_arrow_points_at_the_frame_that_receives(page, way, sign):
    body = "return m.arrow(a.way, 0.25, 4, 200, 46, 60)"
    found = call(page, "drawings", body, {"way": way})
    # From the neighbour's dot to this one's, above the row from the next, below from the previous.
    assert found["from"] == 200 - sign * 46 + sign * 5 and found["stop"] == 200 - sign * 4
    assert found["middle"] == 60 + sign * 5
    assert sign * (found["stop"] - found["neck"]) == pytest.approx(found["head"])
    assert sign * (found["neck"] - found["from"]) > 0


def test_arrows_are_as_thick_as_their_share_up_to_a_bound(page):
    body = "return a.map((share) => m.arrow(1, share, 8, 200, 46, 60).thick)"
    thin, twice, whole = call(page, "drawings", body, [0.01, 0.02, 1])
    assert thin - 0.8 == pytest.approx(0.72) and twice - 0.8 == pytest.approx(1.44) and whole == 9


def test_every_way_of_a_panel_has_a_line_of_its_own_with_colours_and_without(page):
    body = "return [...Array(a).keys()].map((way) => m.lineStyle(way, a, '#123456', 1))"
    for ways in (2, 5):
        styles = call(page, "drawings", body, ways)
        for names in (("dash",), ("mark",)) + ((("color",),) if ways == 5 else ()):
            assert len({tuple(style[name] for name in names) for style in styles}) == ways
    body = "return m.lineStyle(3, 5, '#123456', 2).color"
    assert call(page, "drawings", body) == "#123456", "of two panels, a colour is a panel"


@pytest.mark.parametrize(("panels", "ways"), [(1, 1), (1, 5), (2, 2)])
def test_maps_of_all_layers_are_of_one_size_with_letters_to_be_read(page, panels, ways):
    page.set_viewport_size({"width": 900, "height": 900})
    maps = np.repeat(MAPS[:, :1], ways, axis=1)
    frames = np.full((3, 16, 16, 3), 90, np.uint8)
    means = maps.mean((2, 3)).T[None]
    panel = MapPanel(
        "A", "#0072B2", frames, ("frame 1", "frame 5", "frame 9"), (maps,), means, None
    )
    scale = MapScale("gate", -1, 1, (("ours", STOPS),), ((0, "leaves"),), STOPS)
    notes = Notes("a", "b", "c", "d", "e", "f", "g")
    names = [f"way {way}" for way in range(ways)]
    data = viewer_data([panel] * panels, ["layer1.0"], names, scale, notes, "layer1.0", 4.0)
    body = """
      const root = document.createElement("div");
      const style = document.createElement("style");
      style.textContent = a.css;
      document.body.replaceChildren(style, root);
      m.default({ data: a.data, parentElement: root, setStateValue: () => {} });
      return [...root.querySelectorAll(".overview")].map((one) => {
        const letters = one.getScreenCTM().a * parseFloat(getComputedStyle(one.lastChild).fontSize);
        return [one.getBoundingClientRect().width, letters];
      });
    """
    found = call(page, "bundle", body, {"data": data, "css": (FOLDER / "viewer.css").read_text()})
    assert len(found) == panels * ways and len({width for width, _ in found}) == 1
    assert all(12 <= letters <= 14 for _, letters in found)


def test_the_bundle_shows_what_the_page_sends(page):
    frames = np.full((3, 16, 16, 3), 90, np.uint8)
    panel = MapPanel(
        "Small",
        "#0072B2",
        frames,
        ("frame 1", "frame 5", "frame 9"),
        (MAPS, MAPS),
        np.stack([MAPS.mean((2, 3)).T] * 2),
        ((0, 1, 2, 0.25, -0.5), (1, 0, 0, 0.5, None)),
    )
    scale = MapScale("gate", -1, 1, (("ours", STOPS),), ((0, "leaves"),), STOPS)
    notes = Notes("a", "b", "c", "d", "e", "f", "g")
    data = viewer_data([panel], ["l1", "l2"], ["next", "previous"], scale, notes, "l1", 4.0)
    body = """
      const root = document.createElement("div");
      document.body.replaceChildren(root);
      const told = [];
      const setStateValue = (name, value) => told.push([name, value]);
      m.default({ data: a, parentElement: root, setStateValue });
      const viewer = root.querySelector(".gsl-viewer");
      const press = (key) => viewer.dispatchEvent(new KeyboardEvent("keydown", { key }));
      press("ArrowRight");
      press("ArrowDown");
      await new Promise((resolve) => setTimeout(resolve, 500));
      return {
        told,
        values: [...root.querySelectorAll(".grid .mapcell .value")].map((one) => one.textContent),
        arrows: [...root.querySelectorAll("g.arrow")].map((one) => one.textContent),
        heading: root.querySelector(".stage h3").textContent,
      };
    """
    found = call(page, "bundle", body, data)
    assert found["told"] == [["layer", "l2"]] and found["heading"] == "l2"
    assert found["arrows"] == [
        "l1: 25.0 % of the layer's energy comes to frame 9 from the previous; gate −0.50 by energy",
        "l2: 50.0 % of the layer's energy comes to frame 1 from the next",
    ]
    middle = MAPS[:, :, 2, 2].T.ravel()  # next for all frames, then previous
    assert found["values"] == [f"{value:+.2f}".replace("-", "−") for value in middle]
