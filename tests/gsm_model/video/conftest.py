import pytest

from gsm_model.video import isolate


@pytest.fixture(autouse=True)
def _no_spare_of_an_earlier_test(monkeypatch):
    """The app keeps a decoder ready, started a second after the last one was taken: none of that
    may start in the middle of a test that counts or replaces decoders.
    """
    monkeypatch.setattr(isolate._decoders, "_spare_wanted", False)
