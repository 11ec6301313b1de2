"""The sample clips: H.264 files that the reader takes, each showing the class it is said to
show.
"""

from gsm_model.bundled import sample_clips
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.data.synthetic.samples import RANDOMISED
from gsm_model.video.isolate import read_video


def test_every_sample_that_ships_can_be_read_and_has_a_class_of_the_set():
    clips = sample_clips()
    drawn = [clip.label for name, clip in clips.items() if name not in RANDOMISED]
    assert next(iter(clips)) == "unfolding" and sorted(drawn) == sorted(LABELS)
    assert {name: clips[name].label for name in RANDOMISED} == {
        name: label for name, (label, _, _) in RANDOMISED.items()
    }
    for clip in clips.values():
        assert read_video(clip.path).info.num_frames in (24, 40, 56)
