"""``vectors`` as a person runs it, on a texture that moves as a whole."""

import json

import numpy as np
import pytest

from tests.gsm_model.motion.test_vectors import picture
from tests.videos import write_video

FINE = {"qmin": "2", "qmax": "2", "bf": "0", "g": "12", "sc_threshold": "1000000000"}


@pytest.fixture
def moving(tmp_path):
    frames = np.stack([picture(2 * k, -k) for k in range(4)])
    return write_video(tmp_path / "clip.avi", frames, codec="mpeg4", options=FINE)


def test_the_move_is_told_from_frame_to_frame_and_added_up(run, moving, tmp_path):
    said = run("vectors", moving, "--frame", 3, "--frame", 0).stdout.splitlines()
    assert said[0] == "frame 0: coded alone, no vectors"
    assert said[1].startswith("frame 3, since frame 2: ")
    assert said[1].endswith(" of the picture moves, by +2.00 to the right and -1.00 down")
    out = tmp_path / "new" / "v.npz"
    done = run("vectors", moving, "--frame", 3, "--accumulate", "--out", out, "--json")
    [row] = json.loads(done.stdout)
    assert (row["since"], row["right"], row["down"]) == (0, 6, -3)
    with np.load(out) as stored:
        assert stored["flow"].shape == (1, 2, 64, 64) and stored["since"].tolist() == [0]


def test_files_without_such_vectors_and_other_names_are_refused(run, tmp_path, moving):
    assert "not a video" in run("vectors", __file__, "--frame", 1, code=2).stderr
    assert ".npz" in run("vectors", moving, "--frame", 1, "--out", "a.npy", code=2).stderr
