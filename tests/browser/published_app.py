"""The app with another catalogue of published models: the file CATALOGUE."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)] if str(ROOT) not in sys.path else []

from gsm_model.models.published import catalogue  # noqa: E402

catalogue.FILE = Path(os.environ["CATALOGUE"])
exec(compile((ROOT / "streamlit_app.py").read_text(), "streamlit_app.py", "exec"))
