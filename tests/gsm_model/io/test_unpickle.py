"""Arrays and tensors come out of pickles of every protocol as they went in, and nothing is run."""

import io
import os
import pickle
import struct

import numpy as np
import pytest
import torch

from gsm_model.errors import DataError
from gsm_model.io.unpickle import plain, unpickle

VALUES = np.random.default_rng(0).normal(size=(4, 3))


def back(value, protocol=2):
    return unpickle(io.BytesIO(pickle.dumps(value, protocol)), "x.pkl")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        VALUES,
        VALUES.astype(">f4"),
        np.asfortranarray(VALUES),
        VALUES[::2, 1:],
        np.arange(5, dtype=np.int16),
        np.array(7),
        np.array(["a", "折叠"]),
        np.empty((0, 3)),
    ],
)
def test_arrays_of_every_protocol(array, protocol):
    np.testing.assert_array_equal(plain(back([array], protocol)[0]), array)
    np.testing.assert_array_equal(back(array, protocol), array)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16, torch.int64])
def test_tensors_pickled_or_saved_by_torch(kind, protocol, tmp_path):
    tensor = (torch.tensor(VALUES) * 10).to(kind)
    for one in (tensor, tensor.T, tensor[1:], tensor[:0]):
        expected = one.to(torch.float64).numpy()
        np.testing.assert_array_equal(back({"item": one}, protocol)["item"], expected)
        torch.save([one, 3], tmp_path / "x.pth")
        with (tmp_path / "x.pth").open("rb") as file:
            saved, three = unpickle(file, "x.pth")
        np.testing.assert_array_equal(saved, expected)
        assert three == 3


def test_numbers_text_and_objects_beside_arrays():
    objects = np.empty((2, 2), dtype=object)
    objects[:] = [[VALUES, 1], [VALUES, 2]]
    found = back({"scores": objects, "one": np.float32(1.5), "text": "é", "more": (1, None)})
    assert found["one"] == 1.5 and found["text"] == "é" and found["more"] == (1, None)
    rows = plain(found["scores"])
    assert rows.shape == (2, 2) and rows[1, 1] == 2
    np.testing.assert_array_equal(rows[0, 0], VALUES)


class Runs:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (Runs(os.system, "echo harm"), r"system"),
        (Runs(eval, "1 + 1"), r"builtins?\.eval|__builtin__\.eval"),
        (Runs(getattr, [], "append"), r"getattr"),
        (Runs(bytearray, 10**12), r"bytearray"),
        (io.StringIO, "StringIO"),
    ],
)
def test_what_would_be_run_is_refused_by_name(value, named):
    with pytest.raises(DataError, match=rf"x.pkl: asks to run '.*{named}'.*nothing in it was run"):
        back([VALUES, value])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x02",
        b"\x80\x04\x95" + struct.pack("<Q", 2**62),
        b"\x80\x02]r\xff\xff\xff\xff.",  # a memo that would fill the memory
        b"\x80\x02\x8b" + struct.pack("<i", -1) + b".",
        pickle.dumps(VALUES)[:-20],
        pickle.dumps(np.zeros(3)).replace(b"\x85", b"\x86", 1),
        b"PK\x03\x04",
        b"words",
        b"cnumpy\ndtype\n(S'V8'\nI0\nI1\ntR.",
    ],
)
def test_damage_ends_in_a_message(content):
    unfinished = unpickle_or_message(content)
    assert unfinished == [] or "x.pkl: not a pickle of arrays" in unfinished


def unpickle_or_message(content):
    try:
        return unpickle(io.BytesIO(content), "x.pkl")
    except DataError as error:
        return str(error)
