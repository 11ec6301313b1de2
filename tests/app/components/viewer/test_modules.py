"""The viewer's modules as one script: what is left out, and what is refused."""

import pytest

from app.components.viewer import modules
from app.components.viewer.modules import bundled


def written(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return folder / "entry.js"


def test_each_module_comes_once_and_behind_those_it_imports(tmp_path):
    entry = written(
        tmp_path,
        low="export const one = 1;\n",
        middle='import { one } from "./low.js";\n\nexport function two() {\n  return one + 1;\n}\n',
        entry='import { one } from "./low.js";\nimport {\n  two,\n} from "./middle.js";\n\n'
        "export default function show() {\n  return one + two();\n}\n",
    )
    lines = [line for line in bundled(entry).splitlines() if line]
    assert lines == [
        "const one = 1;",
        "function two() {",
        "  return one + 1;",
        "}",
        "export default function show() {",
        "  return one + two();",
        "}",
    ]


@pytest.mark.parametrize(
    ("low", "entry", "message"),
    [
        ("const one = 1;\n", 'import { one } from "./low.js";\n', "low.js does not export one"),
        ("export const one = 1;\n", 'import * as low from "./low.js";\n', "cannot be bundled"),
        ("export { one };\n", 'import {} from "./low.js";\n', "cannot be bundled"),
        (
            'import {} from "./entry.js";\n',
            'import {} from "./low.js";\n',
            "entry.js → low.js → entry.js: modules import in a circle",
        ),
        (
            "const one = 1;\n",
            'import {} from "./low.js";\nfunction one() {}\n',
            "one is declared in low.js too",
        ),
    ],
)
def test_what_cannot_be_one_script_is_refused(tmp_path, low, entry, message):
    with pytest.raises(ValueError, match=message):
        bundled(written(tmp_path, low=low, entry=entry))


def test_the_viewer_is_bundled_whole():
    folder = modules.Path(modules.__file__).parent
    script = bundled(folder / "viewer.js")
    assert script.count("\nexport ") == script.count("\nexport default function show(") == 1
    assert "\nimport " not in script
    files = [path for path in folder.glob("*.js") if path.name != "viewer.js"]
    for path in files:
        [first, *_] = path.read_text(encoding="utf-8").splitlines()
        assert first in script, f"{path.name} is part of nothing"
