"""The build step beside ``pyproject.toml``: the app and what comes with it go into the wheel.

In the checkout ``app/``, ``assets/`` and ``streamlit_app.py`` stand at the top. Installed like
that, a package called ``app`` would get in the way of others; so the wheel holds them in
``gsm_model/_product/``, laid out as in the checkout, and ``gate-shift-lens app`` runs them there.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
PRODUCT = ("app", "assets", "streamlit_app.py", ".streamlit")


class BuildProduct(build_py):
    """Copies the product; an editable installation runs it from the checkout instead."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "gsm_model" / "_product"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in PRODUCT:
            if (ROOT / name).is_dir():
                shutil.copytree(
                    ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                shutil.copy2(ROOT / name, target / name)


setup(cmdclass={"build_py": BuildProduct})
