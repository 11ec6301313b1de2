"""The page of the Python interface is what the docstrings say today."""

import importlib.util
import re
from pathlib import Path

import gsm_model

ROOT = Path(__file__).resolve().parents[1]


def made():
    spec = importlib.util.spec_from_file_location("make_api", ROOT / "docs" / "make_api.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date():
    page = made().page()
    assert page == (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), (
        "run: python docs/make_api.py"
    )


def test_every_name_the_package_offers_is_on_it_with_what_it_is():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for name in gsm_model.__all__:
        section = re.search(rf"^### `{name}`\n\n```python\n.+?\n```\n\n(.+)", page, re.M | re.S)
        assert section, name
        summary = getattr(gsm_model, name).__doc__.split(".")[0].split(":")[0].split("``")[0]
        said = " ".join(section[1].split())
        assert said.startswith(" ".join(summary.split())), name
