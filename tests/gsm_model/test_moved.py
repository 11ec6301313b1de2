"""The names that modules had before they moved still import, and say what they are called now."""

import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from gsm_model._moved import MOVED

ROOT = Path(__file__).resolve().parents[2]
LISTED = (ROOT / "tests" / "data" / "modules-0.1.0.txt").read_text().splitlines()
OLD = [line for line in LISTED if not line.startswith("#")]
NOW_PACKAGES = {
    "gsm_model.explain.gates": "report",
    "gsm_model.explain.order": "report",
    "gsm_model.models.checkpoints": "files",
}


def test_every_old_module_is_the_module_of_today_and_warns_once(monkeypatch):
    moved = [name for name in OLD if name.removeprefix("gsm_model.") in MOVED]
    assert len(moved) == 71
    for old in moved:
        monkeypatch.delitem(sys.modules, old, raising=False)  # as if imported for the first time
    for old in moved:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            module = import_module(old)
        today = f"gsm_model.{MOVED[old.removeprefix('gsm_model.')]}"
        assert module.__name__ == today and import_module(today) is module
        said = [str(one.message) for one in caught if one.category is DeprecationWarning]
        assert [text for text in said if text.startswith("gsm_model.")] == [
            f"{old} is now {today}; import it from there"
        ]


def test_every_old_module_is_there_or_known_to_have_moved():
    assert len(OLD) == 145
    for old in OLD:
        if old.removeprefix("gsm_model.") not in MOVED:
            place = ROOT / old.replace(".", "/")
            assert place.with_suffix(".py").is_file() or (place / "__init__.py").is_file(), old


def test_no_name_of_today_is_taken_for_an_old_one():
    for old, new in MOVED.items():
        assert f"gsm_model.{old}" in OLD
        assert not (ROOT / "gsm_model" / f"{old.replace('.', '/')}.py").exists(), old
        assert find_spec(f"gsm_model.{new}") is not None


@pytest.mark.parametrize(("package", "module"), NOW_PACKAGES.items())
def test_what_was_a_module_and_is_a_package_gives_the_names_it_had(package, module):
    package, module = import_module(package), import_module(f"{package}.{module}")
    own = [
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", "") == module.__name__ and not name.startswith("_")
    ]
    assert own
    for name in own:
        with pytest.warns(DeprecationWarning, match=f"is now {module.__name__}.{name}"):
            assert getattr(package, name) is getattr(module, name)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = package.nonsense


def test_the_warning_names_the_line_that_imports_and_todays_names_give_none():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sys.modules.pop("gsm_model.tables", None)
        import gsm_model.tables  # noqa: F401
    assert [warning.filename for warning in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        from gsm_model.explain.gates import interventions

        assert interventions.__name__ == "gsm_model.explain.gates.interventions"
