"""Maps over frames, pixel by pixel."""

import numpy as np

from gsm_model.figures.overlay import (
    TITLE_PIXELS,
    blended,
    colored,
    scale_bar,
    side_by_side,
    titled,
)
from gsm_model.figures.style import gate_colors

FRAMES = np.full((2, 8, 8, 3), 100, np.uint8)


def test_every_cell_is_a_square_of_its_values_colour():
    maps = np.array([[[-1, 0], [0.5, 1]]], np.float32)
    picture = colored(maps, gate_colors(), -1, 1, 8)[0]
    for row, column, value in ((0, 0, -1), (0, 1, 0), (1, 0, 0.5), (1, 1, 1)):
        expected = np.round(np.array(gate_colors()((value + 1) / 2)[:3]) * 255)
        assert (
            np.abs(picture[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] - expected).max()
            <= 1
        )


def test_opacity_goes_from_the_frame_to_the_map():
    over = np.full_like(FRAMES, 200)
    for opacity, expected in ((0, 100), (0.25, 125), (1, 200)):
        assert (blended(FRAMES, over, opacity) == expected).all()


def test_titles_stand_above_and_are_cut_where_they_do_not_fit():
    wide = np.full((1, 10, 120, 3), 100, np.uint8)
    (short,), (long,) = (
        titled(wide, ["frame 3"]),
        titled(wide, ["a title that is much too long for this picture"]),
    )
    assert short.shape == (10 + TITLE_PIXELS, 120, 3) and (short[TITLE_PIXELS:] == 100).all()
    assert (short[:TITLE_PIXELS] < 128).any() and (long[:TITLE_PIXELS, -4:] == 255).all()
    assert not np.array_equal(short, long)


def test_films_stand_side_by_side_with_a_gap():
    film = side_by_side([FRAMES, FRAMES * 2], gap=3)
    assert film.shape == (2, 8, 19, 3)
    assert (
        (film[:, :, :8] == 100).all()
        and (film[:, :, 8:11] == 255).all()
        and (film[:, :, 11:] == 200).all()
    )


def test_the_scale_runs_from_end_to_end():
    bar = scale_bar(gate_colors(), -1, 1, 200, 3, "gate")
    assert bar.shape == (3, 40, 200, 3) and (bar[0] == bar[2]).all()
    ends = np.array([gate_colors()(0.0), gate_colors()(1.0)])[:, :3] * 255
    assert np.abs(bar[0, 8, [20, 179]] - ends).max() <= 2
