"""What ``pip install .`` gives, built from the source distribution and installed into an
environment of its own: all commands, the app with its models and clips, and nothing else.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tarfile
import time
import urllib.request
import venv
from contextlib import closing
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import Config

from gsm_model.bundled import sample_clips
from tests.load import QUESTIONS, Session

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "runs", "*.egg-info")
SERVER = {"STREAMLIT_SERVER_HEADLESS": "true", "STREAMLIT_SERVER_ADDRESS": "127.0.0.1"}


@pytest.fixture(scope="module")
def programs(tmp_path_factory) -> Path:
    """The folder of programs of an environment with the installed package; what it depends on is
    the running environment's.
    """
    folder = tmp_path_factory.mktemp("installation")
    shutil.copytree(ROOT, folder / "source", ignore=LEFT_OUT)
    shutil.copytree(ROOT / ".streamlit", folder / "source" / ".streamlit")
    pack = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    call([sys.executable, "-c", pack, folder], folder / "source")
    [archive] = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    source = folder / archive.name.removesuffix(".tar.gz")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    call([*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, source], folder)
    [wheel] = folder.glob("*.whl")
    venv.create(folder / "environment", with_pip=False)
    [python] = folder.glob("environment/[Sb][ci]*/python*[3e]")
    paths = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    (site_packages(folder) / "running.pth").write_text("\n".join(sorted(paths)))
    call([*pip, "--python", python, "install", "-q", "--no-deps", "--no-index", wheel], folder)
    return python.parent


def site_packages(folder: Path) -> Path:
    [found] = (folder / "environment").rglob("site-packages")
    return found


def call(command: list, folder: Path, code: int = 0, **environment: str):
    """Run a command in ``folder`` without this checkout's modules."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={**clean_environment(), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def test_only_the_package_and_its_command_are_installed(programs, tmp_path):
    [metadata] = site_packages(programs.parents[1]).glob("gate_shift_lens-*.dist-info")
    files = PathDistribution(metadata).files
    places = {file.parts[0] for file in files if not file.name.startswith("gate-shift-lens")}
    assert places == {"gsm_model", metadata.name}
    for name in ("app", "assets", "tests", "streamlit_app"):
        code = f"from importlib.util import find_spec; print(find_spec({name!r}))"
        assert call([programs / "python", "-c", code], tmp_path).stdout.strip() == "None"


def test_everything_of_the_product_is_installed(programs):
    product = site_packages(programs.parents[1]) / "gsm_model" / "_product"
    assert (product.parent / "py.typed").is_file()
    for folder in ("app", "assets", ".streamlit"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                copy = product / path.relative_to(ROOT)
                assert copy.read_bytes() == path.read_bytes(), copy


def test_a_clip_that_came_with_it_is_recognised_from_any_folder(programs, tmp_path):
    clip = sample_clips()["folding"]
    given = f"assets/clips/{clip.path.name}"
    done = call([programs / "gate-shift-lens", "predict", "--json", given], tmp_path)
    [entry] = json.loads(done.stdout)["clips"]
    assert Path(entry["file"]).read_bytes() == clip.path.read_bytes()
    assert [model["name"].split()[0] for model in entry["models"]] == ["GSM", "TSM", "TSN"]
    assert entry["models"][0]["top"][0]["label"] == clip.label
    assert not list(tmp_path.iterdir())


@pytest.mark.thorough
def test_a_recipe_names_what_came_with_it_and_is_made_again_from_any_folder(programs, tmp_path):
    tables = [f"assets/predictions/{name}_resnet18_test_forward.parquet" for name in ("tsn", "gsm")]
    lens = programs / "gate-shift-lens"
    call([lens, "confusions", *tables, "--out", "first", "--pairs", "reversed"], tmp_path)
    recipe = tmp_path / "first" / "recipe.json"
    assert list(json.loads(recipe.read_text())["inputs"]) == tables
    (tmp_path / "elsewhere").mkdir()
    call([lens, "figures", recipe, "--out", "second"], tmp_path / "elsewhere")
    first, second = tmp_path / "first", tmp_path / "elsewhere" / "second"
    names = {path.name for path in first.iterdir()}
    assert len(names) > 4 and names == {path.name for path in second.iterdir()}
    for name in names - {"recipe.json"}:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_bad_input_is_one_line_and_status_2_as_with_the_module(programs, tmp_path):
    ways = ([programs / "gate-shift-lens"], [programs / "python", "-m", "gsm_model"])
    said = [call([*way, "predict", "nowhere.mp4"], tmp_path, code=2).stderr for way in ways]
    assert said[0] == said[1] == "nowhere.mp4: there is no such file\n"


class Browser(Session):
    """A session that remembers what the server said of its settings."""

    def _next(self) -> ForwardMsg:
        answer = super()._next()
        if answer.WhichOneof("type") == "new_session":
            self.theme = answer.new_session.custom_theme
            self.config = answer.new_session.config
        return answer


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param(["models"], id="a page"),
        pytest.param(list(QUESTIONS), id="all pages", marks=pytest.mark.thorough),
    ],
)
def test_the_app_opens_with_its_settings_and_every_page(programs, tmp_path, pages):
    (tmp_path / "app.py").write_text("raise SystemExit('not this one')")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "log.txt"
    process = subprocess.Popen(
        programs / "gate-shift-lens",
        cwd=tmp_path,
        env={**clean_environment(), **SERVER, "STREAMLIT_SERVER_PORT": str(port)},
        stdout=log.open("w"),
        stderr=subprocess.STDOUT,
    )
    try:
        wait_until_healthy(port, log)
        with closing(Browser(port)) as browser:
            texts = browser.run("clip=folding&models=gsm,tsn")
            assert any("Folding something" in text for text in texts)
            assert browser.config.toolbar_mode == Config.MINIMAL
            assert not browser.config.gather_usage_stats
            assert browser.theme.light.primary_color == "#0060A0"
            assert browser.theme.dark.primary_color == "#0F76B8"
            for page in pages:
                assert f"## {QUESTIONS[page]}" in browser.run("clip=folding&models=gsm,tsn", page)
    finally:
        process.terminate()
        process.wait(120)
    assert "Traceback" not in log.read_text()


def wait_until_healthy(port: int, log: Path) -> None:
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.25)
    raise AssertionError(f"the app did not start: {log.read_text()}")
