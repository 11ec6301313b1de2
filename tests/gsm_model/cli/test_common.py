"""What all commands refuse alike."""

import inspect
from typing import get_type_hints

import pytest
import torch

from gsm_model.cli import app
from gsm_model.cli.common import Device
from tests.gsm_model.cli.test_shared import commands


@pytest.mark.parametrize(
    "arguments",
    [
        ("measure-systems", "table.json", "--latency"),
        ("benchmark",),
        ("predict", "nowhere.mp4"),
        ("evaluate",),
    ],
)
@pytest.mark.parametrize("device", ["bogus", "", "cuda", "cuda:999", "cpu:1", "meta", "mps"])
def test_a_device_that_is_not_there_is_refused_in_a_line(run, monkeypatch, arguments, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    done = run(*arguments, "--device", device, code=2)
    assert done.stderr == f"--device: there is no {device!r} here; there is cpu\n"


def test_a_device_is_one_of_those_that_are_counted(run, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    done = run("predict", "nowhere.mp4", "--device", "cuda:2", code=2)
    assert "there is cpu, cuda:0 to cuda:1" in done.stderr
    assert "--device" not in run("predict", "nowhere.mp4", "--device", "cuda:1", code=2).stderr


def test_every_command_that_takes_a_device_refuses_alike():
    found = [
        get_type_hints(one.callback, include_extras=True).get("device")
        for one in commands(app)
        if "device" in inspect.signature(one.callback).parameters
    ]
    assert len(found) > 10 and all(each == Device for each in found)
