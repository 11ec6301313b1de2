"""Results of a session: what comes of an upload is kept for its session alone, what comes of shared
files for all.
"""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from app.cache import store
from app.cache.lru import OnceCache
from app.queries import clip_results
from app.shell import session
from gsm_model.bundled import sample_clips
from gsm_model.explain.gates.interventions import Intervention
from gsm_model.io.hashing import sha256
from gsm_model.models.checkpoints.files import save_checkpoint
from tests.conftest import make_small


@pytest.fixture
def caches(monkeypatch) -> dict[str, OnceCache]:
    found = {kind: OnceCache(2**30) for kind in store.MEGABYTES}
    monkeypatch.setattr(store, "caches", lambda: found)
    monkeypatch.setattr(session, "user_session", lambda: SimpleNamespace(name="mine"))
    return found


@pytest.fixture
def model(tmp_path, caches) -> session.ModelRef:
    path = tmp_path / "model.safetensors"
    save_checkpoint(make_small("gsm"), path)
    return session.ModelRef("m", path, sha256(path), path.name, "from this server's folder")


def sample(name: str) -> session.ClipRef:
    path = sample_clips()[name].path
    return session.ClipRef(name, path, sha256(path), name)


@pytest.mark.parametrize("uploaded", [False, True])
def test_an_answer_under_gates_of_an_upload_is_kept_for_its_session_alone(model, caches, uploaded):
    clip, donor = sample("folding"), replace(sample("opening"), private=uploaded)
    video, gates = (
        clip_results.read_clip(clip, (4,)),
        clip_results.gate_report(
            model, "A", donor, clip_results.read_clip(donor, (4,)), "forward", 4
        ),
    )
    held = Intervention("other clip", values={layer.name: layer.gate for layer in gates.layers})
    free = clip_results.answer(model, "A", clip, video, "forward", 4)
    under = clip_results.under(model, "A", clip, video, "forward", 4, held, donor)
    assert not np.allclose(under.frame_logits, free.frame_logits)
    answers = caches["answers"].usage()[0]
    store.forget("mine")
    assert answers - caches["answers"].usage()[0] == (1 if uploaded else 0)
