"""The app, watched: once a second the file KEPT says how many bytes its caches hold."""

import os
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)] if str(ROOT) not in sys.path else []


def _watch(caches: dict, file: Path) -> None:
    """Write what ``caches`` hold to ``file``, again and again."""
    from gsm_model.io.atomic import write_whole

    while True:
        write_whole(file, str(sum(cache.usage()[1] for cache in caches.values())))
        time.sleep(1.0)


def _begin() -> None:
    """Begin to watch, once for the process."""
    from app.cache import store

    if getattr(store, "watched", False):
        return
    store.watched = True
    threading.Thread(
        target=_watch, args=(store.caches(), Path(os.environ["KEPT"])), daemon=True
    ).start()


_begin()
exec(compile((ROOT / "streamlit_app.py").read_text(), "streamlit_app.py", "exec"))
