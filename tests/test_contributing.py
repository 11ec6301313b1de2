"""The system that CONTRIBUTING shows as code works as it says."""

import re
from pathlib import Path

import pytest
import torch

from gsm_model.explain.gates.interventions import Intervention, intervene
from gsm_model.models.inference.optimize import fold
from gsm_model.models.probe import Probe
from gsm_model.models.registry import backbones
from gsm_model.models.temporal import TemporalModule

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def example() -> dict:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", text, re.S)
    found: dict = {}
    exec(compile(code, "CONTRIBUTING.md", "exec"), found)
    return found


@pytest.mark.parametrize("backbone", ["resnet18", "bn_inception"])
def test_it_stands_at_the_end_of_every_block_and_starts_as_the_2d_network(example, backbone):
    torch.manual_seed(0)
    plain = backbones()[backbone].build(0.125 if backbone == "resnet18" else 1.0).eval()
    x = torch.randn(6, 3, 64, 64)
    with torch.inference_mode():
        before = plain(x, Probe(2))
        example["SYSTEM"].install(plain)
        torch.testing.assert_close(plain(x, Probe(2)), before)
    blocks = [one for one in plain.modules() if isinstance(one, TemporalModule)]
    assert len(blocks) == len(plain.sites())
    for site, module in zip(plain.sites(), blocks, strict=True):
        assert site.host.modules_of(site) and module.weight.ndim == 1


def test_time_can_be_taken_away_from_it_and_it_can_be_folded(example, monkeypatch):
    from gsm_model.models import recognizer, registry
    from gsm_model.models.recognizer import build_recognizer

    known = {**registry.systems(), "example": example["SYSTEM"]}
    monkeypatch.setattr(recognizer, "systems", lambda: known)
    torch.manual_seed(0)
    model = build_recognizer("resnet18", "example", 5, 4, width=0.125, input_size=32).eval()
    for layer in model.temporal_layers():
        torch.nn.init.normal_(layer.module.weight)
        assert layer.module.reach() == (1, 0)
    torch.nn.init.normal_(model.new_fc.weight)
    clip = torch.randn(1, 4, 3, 32, 32)
    with torch.inference_mode():
        scores = model(clip)
        assert not torch.allclose(model(clip.flip(1)), scores)
        torch.testing.assert_close(fold(model)(clip), scores, atol=1e-4, rtol=1e-4)
        with intervene(model, Intervention("closed")):
            closed = model(clip)
            torch.testing.assert_close(model(clip.flip(1)), closed)
