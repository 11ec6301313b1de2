"""Which frames of a file a row of a list means."""

import random

import pytest

from gsm_model.errors import VideoError
from gsm_model.video.frame_folders import runs_of
from gsm_model.video.part import Part, Span, locate, place_of
from gsm_model.video.source import VideoInfo


def video(num_frames, fps=25.0):
    return VideoInfo(num_frames, fps, 8, 6)


def folder(numbers):
    return VideoInfo(len(numbers), 10.0, 8, 6, kind="folder", runs=runs_of(numbers))


@pytest.mark.parametrize(
    ("part", "info", "span"),
    [
        (Part(), video(60), (0, 60)),
        (Part(20, 40), video(60), (20, 40)),
        (Part(begin=1.0, end=2.0), video(60), (25, 50)),
        (Part(begin=1.0, end=2.9), video(60), (25, 60)),
        # EPIC: 8 to 202 at 59.94 frames a second are 0.14 s to 3.37 s.
        (Part(7, 202, 0.14, 3.37), video(600, 59.94), (7, 202)),
        (Part(7, 202, 0.14, 3.37), video(300, 29.97), (4, 101)),
        (Part(7, 202, 0.14, 3.37), video(50, 5.0), (1, 17)),
        (Part(120, 240, fps=60.0), video(200, 30.0), (60, 120)),
        (Part(120, 240, fps=30.0), video(300, 30.0), (120, 240)),
        # At the end of an hour 60 and 59.94 frames a second are 3.6 s apart.
        (Part(215_000, 215_060, 3583.33, 3584.33), video(215_784, 59.94), (214_785, 214_845)),
        # A clip of Kinetics that was cut out already, or not.
        (Part(begin=30, end=40, maybe_cut=True), video(250), (0, 250)),
        (Part(begin=30, end=40, maybe_cut=True), video(2500), (750, 1000)),
    ],
)
def test_a_part_of_a_video_by_frames_or_times(part, info, span):
    found = locate(part, info, "clip")
    assert (found.first, found.stop) == span
    by_time_instead = part.stop is not None and span != (part.first, part.stop)
    assert any("its times are used" in note for note in found.notes) == by_time_instead


@pytest.mark.parametrize(
    ("part", "info", "message"),
    [
        (Part(8, 99), video(20), "names frames up to 99, the video has 20"),
        (Part(begin=30, end=40), video(250), "names 30 s to 40 s, the video lasts 10.0 s"),
        (Part(begin=5, end=40, maybe_cut=True), video(950), "names 5 s to 40 s"),
        (Part(0, 20), folder(range(5, 60)), "names frames 1 to 20, the folder has 5 to 59"),
        (Part(50, 61), folder(range(1, 61)), "names frames 51 to 61, the folder has 1 to 60"),
        (Part(4, 6), folder([1, 2, 9]), "names frames 5 to 6, the folder has 1 to 9 without"),
        (Part(begin=1, end=2), folder(range(1, 61)), "add a column fps"),
    ],
)
def test_what_the_file_has_not_is_an_error(part, info, message):
    with pytest.raises(VideoError, match=message):
        locate(part, info, "clip")


def test_a_folder_goes_by_numbers_and_says_gaps():
    numbers = [*range(101, 105), *range(110, 161)]
    assert locate(Part(110, 114), folder(numbers), "c") == Span(5, 9)
    assert locate(Part(110, 115, base=0), folder(numbers), "c") == Span(4, 9)
    assert locate(Part(begin=12.0, end=13.0, fps=10.0), folder(numbers), "c") == Span(15, 25)
    gap = locate(Part(101, 111), folder(numbers), "c")
    assert gap == Span(1, 6, ("of frames 102 to 111 only 5 of 10 are there",))


def test_another_number_of_frames_is_said():
    assert locate(Part(num_frames=60), video(60), "clip").notes == ()
    [note] = locate(Part(num_frames=61), video(60), "clip").notes
    assert note == "the list says 61 frames, the video has 60; these are read"


def test_places_in_random_folders_are_those_of_counting():
    rng = random.Random(0)
    for _ in range(200):
        numbers = sorted(rng.sample(range(100), rng.randrange(1, 60)))
        for number in range(-2, 103):
            assert place_of(runs_of(numbers), number) == sum(n < number for n in numbers)
