"""The package stands without the front end, and its parts depend on each other one way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.thorough
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


# Each part imports only parts before it, inside functions as at the top of a file.
PARTS = (
    *(
        "errors",
        "_moved",
        "io",
        "bundled",
        "motion",
        "video",
        "data",
        "predictions",
        "models",
        "predict",
        "fusion",
    ),
    *("evaluation", "training", "confusion", "explain", "figures", "exports", "benchmark", "cli"),
)
# What may stand against the order, with its reason: nothing does.
EXCEPTIONS: dict[tuple[str, str], str] = {}


def names_imported(source: str) -> set[str]:
    """All that a file imports, at its top or in functions."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "gsm_model":
            found |= {f"gsm_model.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "the package's imports are absolute"
            found.add(str(node.module))
    return found


def imported(source: str) -> set[str]:
    """The parts of the package that a file imports."""
    return {name.split(".")[1] for name in names_imported(source) if name.startswith("gsm_model.")}


def test_no_file_of_the_package_imports_streamlit_plotly_or_the_app():
    files = sorted((ROOT / "gsm_model").rglob("*.py"))
    assert len(files) > 100
    for path in files:
        names = {name.split(".")[0] for name in names_imported(path.read_text(encoding="utf-8"))}
        assert not names & {"streamlit", "plotly", "app"}, path


def test_imports_go_one_way_through_the_package():
    against = set()
    for path in sorted((ROOT / "gsm_model").rglob("*.py")):
        name = path.relative_to(ROOT / "gsm_model").with_suffix("").parts[0]
        if name in ("__init__", "__main__"):  # the names the package offers, and its command
            continue
        place = PARTS.index(name)  # a new part has its place here too
        for part in imported(path.read_text(encoding="utf-8")) - {name, "__version__"}:
            if PARTS.index(part) >= place and (name, part) not in EXCEPTIONS:
                against.add(f"{path.relative_to(ROOT)} imports {part}")
    assert not against


def test_an_import_inside_a_function_counts():
    inside = (
        "def f():\n    from gsm_model.cli.common import say\n    from gsm_model import predict\n"
    )
    assert imported(inside) == {"cli", "predict"}
    assert imported("import gsm_model.io.tables\nimport numpy") == {"io"}
