"""Names beside the points of a chart: none lies on another, on a line or out of the plot."""

from app.pages.systems.names import place_names

FLAT = ((0.0, 0.5), (1.0, 0.5))


def test_a_name_stands_on_the_left_but_where_there_is_no_room():
    assert place_names({"Gate": (0.5, 0.5)}, [], [], []) == {"Gate": "middle left"}
    assert place_names({"Gate": (0.01, 0.5)}, [], [], []) == {"Gate": "middle right"}


def test_no_name_is_struck_through():
    assert place_names({"Gate": (0.5, 0.5)}, [], [FLAT], []) == {"Gate": "top left"}
    rising = ((0.0, 0.0), (0.5, 0.5))  # and level from there
    level = ((0.5, 0.5), (1.0, 0.5))
    assert place_names({"Gate": (0.5, 0.5)}, [], [rising, level], [])["Gate"] == "top left"


def test_a_name_covers_no_point_where_another_place_is_free():
    crowd = [(0.5 - step / 100, 0.5) for step in range(1, 20)]
    assert place_names({"Gate": (0.5, 0.5)}, [], [], crowd) == {"Gate": "middle right"}


def test_of_names_in_one_place_as_many_are_shown_as_there_is_room_for():
    names = {f"Network {number}": (0.5, 0.5) for number in range(4)}
    placed = place_names(names, [], [], [])
    assert placed == {"Network 0": "middle left", "Network 1": "middle right"}
    assert "Network 3" in place_names(names, ["Network 3"], [], []), "it is named in any case"
