"""The app, counting: every run of its script, of a fragment of it, and every forward pass of a
model is a line in the file COUNTS. The file CATALOGUE, where it is named, is its catalogue of
published models. While there is a file *slow* beside COUNTS, every pass of Score-CAM takes a second
and a half more, so that there is time to stop it.
"""

import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)] if str(ROOT) not in sys.path else []


def _note(what: str) -> None:
    with Path(os.environ["COUNTS"]).open("a") as file:
        file.write(what + "\n")


def _begin() -> None:
    """Put the counters and the catalogue in, once for the process."""
    from streamlit.runtime.scriptrunner import ScriptRunner

    from gsm_model.explain.cam import methods
    from gsm_model.figures import style
    from gsm_model.models.published import catalogue
    from gsm_model.models.recognizer import Recognizer

    if getattr(Recognizer, "counted", False):
        return
    Recognizer.counted = True
    style.PRINT_DPI = 100  # a picture as fine as in print takes a second
    catalogue.FILE = Path(os.environ.get("CATALOGUE", catalogue.FILE))
    run, forward = ScriptRunner._run_script, Recognizer.frame_logits

    def counted_run(self, rerun_data):
        _note("run")
        return run(self, rerun_data)

    def counted_forward(self, clip):
        _note("forward")
        return forward(self, clip)

    masked = methods._masked

    def slow_masked(*given):
        if Path(os.environ["COUNTS"]).with_name("slow").exists():
            time.sleep(1.5)
        return masked(*given)

    ScriptRunner._run_script, Recognizer.frame_logits = counted_run, counted_forward
    methods._masked = slow_masked


_begin()
exec(compile((ROOT / "streamlit_app.py").read_text(), "streamlit_app.py", "exec"))
