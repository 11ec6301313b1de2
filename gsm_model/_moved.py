"""The names that modules had in version 0.1.0. Each still imports, with a ``DeprecationWarning``,
and is the module of today. They are kept for one release.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

MOVED = {  # inside gsm_model: old name → name of today
    "cli.drawn": "cli.synthetic",
    "confusion.answers": "predictions",
    "data.reversible": "data.synthetic",
    "data.reversible.actions": "data.synthetic.actions",
    "data.reversible.chance": "data.synthetic.chance",
    "data.reversible.dataset": "data.synthetic.dataset",
    "data.reversible.export": "data.synthetic.export",
    "data.reversible.materials": "data.synthetic.materials",
    "data.reversible.raster": "data.synthetic.raster",
    "data.reversible.samples": "data.synthetic.samples",
    "data.reversible.scene": "data.synthetic.scene",
    "data.reversible.shadows": "data.synthetic.shadows",
    "data.reversible.sheets": "data.synthetic.sheets",
    "data.reversible.things": "data.synthetic.things",
    "data.reversible.vessels": "data.synthetic.vessels",
    "data.video_lists": "data.lists",
    "evaluation.clip_sets": "evaluation.dataset",
    "evaluation.clips": "training.dataset",
    "evaluation.config": "training.config",
    "evaluation.feed": "evaluation.loader",
    "evaluation.flips": "evaluation.reversal",
    "evaluation.interval": "evaluation.intervals",
    "evaluation.pack": "training.publish",
    "evaluation.parts": "evaluation.resumable",
    "evaluation.predictions": "predictions",
    "evaluation.recipe": "training.optim",
    "evaluation.together": "evaluation.distributed",
    "evaluation.train": "training.train",
    "explain.adaptivity": "explain.gates.adaptivity",
    "explain.cam_data": "explain.cam.dataset",
    "explain.cam_methods": "explain.cam.methods",
    "explain.cam_names": "explain.cam.names",
    "explain.cam_scale": "explain.cam.scale",
    "explain.cam_trials": "explain.cam.trials",
    "explain.clamps": "explain.gates.clamps",
    "explain.evidence": "explain.cam.evidence",
    "explain.faithfulness": "explain.cam.faithfulness",
    "explain.flow": "explain.order.flow",
    "explain.gate_data": "explain.gates.dataset",
    "explain.gate_tables": "explain.gates.tables",
    "explain.grad_cam_package": "explain.cam.package",
    "explain.gradcam": "explain.cam.report",
    "explain.intervention_data": "explain.gates.intervention_dataset",
    "explain.intervention_tables": "explain.gates.intervention_tables",
    "explain.interventions": "explain.gates.interventions",
    "explain.order_tables": "explain.order.tables",
    "explain.pointing": "explain.cam.pointing",
    "explain.sanity": "explain.cam.sanity",
    "figures.cam_data": "figures.cam_dataset",
    "figures.cam_files": "exports.cam",
    "figures.confusion_files": "exports.confusion",
    "figures.flips": "figures.reversal",
    "figures.gate_data": "figures.gate_dataset",
    "figures.gate_files": "exports.gates",
    "latex": "io.latex",
    "models.bn_inception": "models.backbones.bn_inception",
    "models.folded": "models.inference.folded_conv",
    "models.gate_shift": "models.systems.gsm",
    "models.inception": "models.backbones.inception",
    "models.inception_v3": "models.backbones.inception_v3",
    "models.layouts": "models.checkpoints.layouts",
    "models.memory": "models.inference.out_of_memory",
    "models.optimize": "models.inference.optimize",
    "models.resnet": "models.backbones.resnet",
    "models.temporal_shift": "models.systems.tsm",
    "models.untrusted": "models.checkpoints.safe_load",
    "recipes": "exports.provenance",
    "shipped": "bundled",
    "tables": "io.tables",
    "turns": "models.inference.device_queue",
    "whole_files": "io.atomic",
}


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        new = MOVED.get(fullname.removeprefix("gsm_model."))
        if new is None or not fullname.startswith("gsm_model."):
            return None
        _warn(fullname, f"gsm_model.{new}")
        return ModuleSpec(fullname, _Loader(f"gsm_model.{new}"))


class _Loader(Loader):
    def __init__(self, new: str) -> None:
        self.new = new

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = import_module(self.new)


def _warn(old: str, new: str) -> None:
    warnings.warn(f"{old} is now {new}; import it from there", DeprecationWarning, stacklevel=3)


def install() -> None:
    """Have old names found, before all else: a package of an old name has the folder of today's, in
    which its modules would be found and run a second time.
    """
    sys.meta_path.insert(0, _Finder())


def names_of(package: str, module: str) -> Callable[[str], object]:
    """The ``__getattr__`` of a ``package`` that was a module in 0.1.0: the names it had are those
    of its ``module`` today.
    """

    def get(name: str) -> object:
        if not name.startswith("_") and find_spec(f"{package}.{name}") is None:
            found = vars(import_module(f"{package}.{module}")).get(name)
            if found is not None and not isinstance(found, ModuleType):
                _warn(f"{package}.{name}", f"{package}.{module}.{name}")
                return found
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get


def renamed(module: str, names: Mapping[str, str]) -> Callable[[str], object]:
    """The ``__getattr__`` of ``module``: old name → new name, or ``package.module:name`` where it
    went elsewhere. Using an old name gives a `DeprecationWarning`.
    """

    def get(name: str) -> object:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        home, _, new = names[name].rpartition(":")
        home = home or module
        warnings.warn(
            f"{module}.{name} is now {home}.{new}; the old name goes with the next release",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(import_module(home), new)

    return get
