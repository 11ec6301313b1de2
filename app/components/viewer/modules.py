"""The viewer's ES modules as the one script that streamlit takes: no build step, no other tool."""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) )", re.MULTILINE)
_DECLARED = re.compile(r"^(export )?(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b(?! default )", re.MULTILINE)


def bundled(entry: Path) -> str:
    """``entry`` and the modules it imports as one module: each once, behind those it imports, its
    imports and its ``export``s of names left out. The entry's ``export default`` stays.

    A module imports names, from files beside it, as they are: ``import { a, b } from "./c.js";``.

    Raises:
        ValueError: for a module that imports or exports in another way, imports what is not
            exported, imports in a circle, or declares a name that another one has too.
    """
    order: list[str] = []
    exported: dict[str, set[str]] = {}
    owner: dict[str, str] = {}
    parts = []

    def take(path: Path, above: tuple[str, ...]) -> None:
        if path.name in above:
            raise ValueError(f"{' → '.join((*above, path.name))}: modules import in a circle")
        if path.name in order:
            return
        text = path.read_text(encoding="utf-8")
        for names, module in _IMPORT.findall(text):
            take(path.with_name(module), (*above, path.name))
            wanted = {name.strip() for name in names.split(",") if name.strip()}
            if missing := wanted - exported[module]:
                raise ValueError(f"{path.name}: {module} does not export {', '.join(missing)}")
        exported[path.name] = set()
        for is_exported, name in _DECLARED.findall(text):
            if owner.setdefault(name, path.name) != path.name:
                raise ValueError(f"{path.name}: {name} is declared in {owner[name]} too")
            if is_exported:
                exported[path.name].add(name)
        body = _EXPORT.sub("", _IMPORT.sub("", text))
        if left := _LEFT.search(body):
            line = body[left.start() :].partition("\n")[0]
            raise ValueError(f"{path.name}: cannot be bundled because of {line!r}")
        order.append(path.name)
        parts.append(body)

    take(entry, ())
    return "\n".join(parts)
