"""The models of randomised clips that come with the project: what they are, and that what was
measured of them on film is said.
"""

import json

from gsm_model.bundled import bundled_checkpoints, randomised_checkpoints, sample_clips
from gsm_model.data.labels import reversed_classes
from gsm_model.data.randomised.actions import MOTIONS
from gsm_model.models.caution import FILMED_FIGURES, caution_of
from gsm_model.models.checkpoints.files import load_checkpoint
from gsm_model.predict import predict
from gsm_model.video.isolate import read_video


def test_each_follows_a_bundled_model_and_knows_motions_and_says_what_was_measured():
    measured = json.loads(FILMED_FIGURES.read_text(encoding="utf-8"))["measured"]
    assert set(randomised_checkpoints()) <= set(bundled_checkpoints())
    for path in randomised_checkpoints().values():
        card = load_checkpoint(path).card
        assert card.labels == MOTIONS and card.domain == "drawn"
        [whole, *pairs] = measured[card.sha256]
        assert "pair" not in whole and sum(row["n"] for row in pairs) == whole["n"]
        for row in pairs:
            for answer in row["pair"]:
                assert f"{row['hits']} of {row['n']}" in caution_of(card, None, answer).text


def test_the_sample_near_film_is_answered_and_reversed_it_is_the_reversed_class():
    clip = sample_clips()["pushing-right-photographs"]
    video = read_video(clip.path)
    place = MOTIONS.index(clip.label)
    for name in ("gsm", "tsm"):
        model = load_checkpoint(randomised_checkpoints()[name])
        assert predict(model, video).top(1)[0][0] == place
        assert predict(model, video, "reversed").top(1)[0][0] == reversed_classes(MOTIONS)[place]
