"""Gate-Shift Lens: gate-shift networks for action recognition, run, looked into and compared.

The names below are loaded when first used, so that a process which only decodes video need not
import torch.
"""

from __future__ import annotations

from importlib import import_module

from gsm_model import _moved

__version__ = "0.1.0"

_HOMES = {
    "LensError": "errors",
    "CheckpointError": "errors",
    "VideoError": "errors",
    "DataError": "errors",
    "build_recognizer": "models.recognizer",
    "record_gates": "models.observers",
    "Recognizer": "models.recognizer",
    "load_checkpoint": "models.checkpoints.files",
    "load_published": "models.published.load",
    "fetch_published": "models.published.fetch",
    "DownloadError": "errors",
    "DownloadCancelled": "errors",
    "check_checkpoint": "confusion.checkup",
    "optimize": "models.inference.optimize",
    "save_checkpoint": "models.checkpoints.files",
    "best_device": "models.recognizer",
    "decode": "video.decode",
    "clip_input": "video.clip_input",
    "ClipInput": "video.clip_input",
    "DecodedVideo": "video.decoded",
    "to_views": "video.transforms",
    "InputSpec": "video.transforms",
    "segment_indices": "video.sampling",
    "dense_indices": "video.sampling",
}
__all__ = sorted(_HOMES)
_moved.install()


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"gsm_model.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'gsm_model' has no attribute {name!r}")
