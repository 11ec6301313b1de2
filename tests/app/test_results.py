"""Results of a session: what comes of an upload is kept for its session alone, what comes of shared files for all."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from app import kept, results, session
from app.once import OnceCache
from gsm_model.explain.interventions import Intervention
from gsm_model.models.checkpoints import save_checkpoint
from gsm_model.models.untrusted import sha256
from gsm_model.shipped import sample_clips
from tests.conftest import make_small


@pytest.fixture
def caches(monkeypatch) -> dict[str, OnceCache]:
    found = {kind: OnceCache(2**30) for kind in kept.MEGABYTES}
    monkeypatch.setattr(kept, "caches", lambda: found)
    monkeypatch.setattr(session, "visit", lambda: SimpleNamespace(name="mine"))
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
    video, gates = results.read_clip(clip, (4,)), results.gate_report(model, "A", donor, results.read_clip(donor, (4,)), "forward", 4)
    held = Intervention("other clip", values={layer.name: layer.gate for layer in gates.layers})
    free = results.answer(model, "A", clip, video, "forward", 4)
    under = results.under(model, "A", clip, video, "forward", 4, held, donor)
    assert not np.allclose(under.frame_logits, free.frame_logits)
    answers = caches["answers"].usage()[0]
    kept.forget("mine")
    assert answers - caches["answers"].usage()[0] == (1 if uploaded else 0)
