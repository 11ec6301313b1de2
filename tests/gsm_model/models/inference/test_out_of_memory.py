"""Passes on a device that is full: smaller batches, then the CPU, the same answers, and a word
about it.
"""

import pytest
import torch

from gsm_model import record_gates
from gsm_model.errors import MemoryFullError
from gsm_model.models.inference import out_of_memory
from gsm_model.models.inference.out_of_memory import is_out_of_memory, within_memory


class FullDevice:
    """Lets a model run on at most ``clips`` at once, as a device with little memory would; on none
    for 0 until the model is moved.
    """

    def __init__(self, model, clips: int) -> None:
        self.clips, self.moves, self.passes = clips, [], []
        self.model, self._to = model, model.to
        model.to = self.to
        model.register_forward_pre_hook(self.check)
        model.frame_logits = self.counted(model.frame_logits)

    def to(self, device):
        self.moves.append(str(device))
        return self._to(device)

    def counted(self, frame_logits):
        def run(clips):
            self.check(None, (clips,))
            return frame_logits(clips)

        return run

    def check(self, _, inputs) -> None:
        self.passes.append(len(inputs[0]))
        if not self.moves and len(inputs[0]) > self.clips:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


@pytest.fixture
def clips():
    return torch.randn(5, 4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_enough_memory_is_no_news(small_gsm, clips):
    with torch.inference_mode():
        found, note = within_memory(small_gsm, clips)
        torch.testing.assert_close(found, small_gsm.frame_logits(clips))
    assert note == ""


def test_batches_are_halved_until_they_fit(small_gsm, clips):
    with torch.inference_mode():
        expected = small_gsm.frame_logits(clips)
        device = FullDevice(small_gsm, 2)
        found, note = within_memory(small_gsm, clips)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    assert (
        device.passes == [5, 3, 2, 2, 1]
        and note == "CPU memory was full: run 2 at a time"
        and not device.moves
    )


def test_where_no_clip_fits_the_cpu_takes_over_and_whoever_looks_still_sees(
    small_gsm, clips, monkeypatch
):
    monkeypatch.setattr(
        out_of_memory,
        "_device",
        lambda model: torch.device("cpu" if device.moves == ["cpu"] else "cuda"),
    )
    monkeypatch.setattr(out_of_memory, "_to", lambda part, model: part)
    with torch.inference_mode():
        expected = small_gsm.frame_logits(clips[:1])
        device = FullDevice(small_gsm, 0)
        monkeypatch.setattr(small_gsm, "to", lambda place: device.moves.append(str(place)))
        with record_gates(small_gsm) as gates:
            found, note = within_memory(small_gsm, clips[:1])
    torch.testing.assert_close(found, expected)
    assert (
        note == "CUDA memory was full: run on the CPU"
        and device.moves == ["cpu", "cuda"]
        and len(gates) == 8
    )


def test_where_the_cpu_is_full_as_well_it_is_said(small_gsm, clips):
    FullDevice(small_gsm, 0)
    with (
        torch.inference_mode(),
        pytest.raises(MemoryFullError, match="not enough memory for one clip"),
    ):
        within_memory(small_gsm, clips)


def test_another_error_is_not_taken_for_want_of_memory(small_gsm, clips):
    with pytest.raises(RuntimeError, match="shapes"):
        within_memory(small_gsm, clips, lambda part: part @ torch.zeros(7, 7))
    assert is_out_of_memory(
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8"
            " bytes"
        )
    )
    assert is_out_of_memory(
        RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)")
    ) and not is_out_of_memory(RuntimeError("no"))
