"""The comparison with the package grad-cam: what it finds, and what it says where the package
cannot be imported.
"""

import subprocess
import sys

import numpy as np
import pytest

from gsm_model.explain.cam import package
from gsm_model.explain.cam.evidence import Evidence
from gsm_model.explain.cam.methods import cam_of_evidence
from gsm_model.explain.cam.package import PackageError, compare_with_package, load_package
from tests.reference_packages import reference_package

RNG = np.random.default_rng(0)
EVIDENCE = Evidence("any", *RNG.standard_normal((2, 1, 3, 5, 4, 4)).astype(np.float32))


@pytest.fixture(autouse=True)
def forgotten():
    """Each test tries the import anew."""
    package._import.cache_clear()
    yield
    package._import.cache_clear()


def test_the_same_formula_differs_by_rounding_and_another_by_more():
    reference_package("pytorch_grad_cam")
    maps = cam_of_evidence("layercam", EVIDENCE)
    same, other = (compare_with_package(name, EVIDENCE, maps) for name in ("layercam", "gradcam"))
    assert same.difference < 1e-5 and other.difference > 0.1
    assert same.version.startswith("1.5.")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            RuntimeError("operator torchvision::nms does not exist"),
            "torchvision does not fit PyTorch .* Install torch and torchvision from one index",
        ),
        (ModuleNotFoundError("No module named 'pytorch_grad_cam'"), "Run 'pip install grad-cam'"),
    ],
)
def test_where_it_cannot_be_imported_the_reason_and_the_next_step_are_said(
    monkeypatch, error, message
):
    def fail(name):
        raise error

    monkeypatch.setattr(package.importlib, "import_module", fail)
    with pytest.raises(PackageError, match=message):
        load_package()
    with pytest.raises(PackageError):
        compare_with_package("gradcam", EVIDENCE, cam_of_evidence("gradcam", EVIDENCE))


def test_a_method_that_is_no_formula_is_refused():
    with pytest.raises(ValueError, match="scorecam is no formula"):
        compare_with_package("scorecam", EVIDENCE, np.zeros((1, 3, 4, 4)))


def test_maps_are_made_without_importing_the_package_and_torch_library_stays_as_it_is():
    code = """
import sys, numpy as np, torch
register = torch.library.register_fake
from gsm_model.explain.cam.evidence import Evidence
from gsm_model.explain.cam.methods import FORMULAS, cam_of_evidence
from gsm_model.explain.cam.package import PackageError, load_package
x = np.ones((1, 2, 3, 4, 4), np.float32)
for method in (*FORMULAS, "eigencam"):
    cam_of_evidence(method, Evidence("any", x, x))
assert "pytorch_grad_cam" not in sys.modules and "torchvision" not in sys.modules
try:
    load_package()
except PackageError as error:
    assert "torchvision" in str(error)
assert torch.library.register_fake is register
"""
    subprocess.run([sys.executable, "-c", code], check=True)
