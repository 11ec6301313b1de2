"""The package stands without the front end."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_module_of_the_package_imports_without_streamlit_plotly_and_the_app():
    names = sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "gsm_model").rglob("*.py")
        if path.stem != "__main__"
    )
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['streamlit', 'plotly', 'app']));import"
        f" importlib; [importlib.import_module(n) for n in {names!r}]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_name_the_package_offers_is_there():
    import gsm_model

    for name in gsm_model.__all__:
        assert getattr(gsm_model, name) is not None
