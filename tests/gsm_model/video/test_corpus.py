"""Files as strangers upload them: the right frames, against ffmpeg, or a clear error, each within a
bounded time.
"""

import re

import pytest

from tests.corpus import CODECS, make_corpus, try_case
from tests.forked_decoder import mostly_forked

LARGEST_DIFFERENCE = (
    1.5  # of 255, on average over a frame: what conversions of colour may differ by
)
MOST_SECONDS = 20


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.mark.slow
def test_every_file_gives_the_right_frames_or_a_clear_error_in_bounded_time(corpus):
    assert len(corpus) >= 80 and len({case.path for case in corpus}) == len(corpus)
    faults = []
    with mostly_forked():
        found_of = [(case, try_case(case)) for case in corpus]
    for case, found in found_of:
        if case.outcome not in (found.outcome, "either") or found.seconds > MOST_SECONDS:
            faults.append(f"{case.what}: {found}")
        if (
            found.outcome == "frames"
            and found.difference is not None
            and found.difference > LARGEST_DIFFERENCE
        ):
            faults.append(f"{case.what}: other frames than ffmpeg's, {found}")
        if found.outcome == "error":
            # One line that begins with the file's name, says what to do or what is wrong, and names
            # no folder of this machine.
            name, text = case.path.name, found.text
            if (
                not text.startswith(f"{name}: ")
                or "\n" in text
                or str(case.path.parent) in text
                or case.says not in text
            ):
                faults.append(f"{case.what}: not a clear error, {text!r}")
    assert faults == []


def test_the_corpus_has_every_codec_that_is_promised(corpus):
    kinds = {case.what for case in corpus}
    for word in (
        "HEVC",
        "VP9",
        "AV1",
        "MPEG-2",
        "ProRes",
        "10 bit",
        "4:4:4",
        "interlaced",
        "alpha",
        "GIF",
        "WebP",
    ):
        assert any(re.search(re.escape(word), kind) for kind in kinds), word
    assert len(CODECS) >= 20
