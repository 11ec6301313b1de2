"""Write ``docs/api.md`` from the docstrings: ``python docs/make_api.py``.

The page has the names that ``import gsm_model`` offers, and the public ones of every module that
an example in ``docs/`` imports from. The sources are read, not run.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "api.md"
INTRODUCTION = """# Python interface

Made from the docstrings by `python docs/make_api.py`; [Python](python.md) has examples. Shapes are in parentheses: N videos, T frames of a clip, C channels, H and W pixels, K classes.
"""  # noqa: E501
Definition = ast.FunctionDef | ast.ClassDef


def page() -> str:
    """The whole page, as Markdown."""
    parts = [INTRODUCTION, "## `gsm_model`\n", *prose(ast.get_docstring(parse("gsm_model")))]
    homes = names_offered()
    for name in sorted(homes, key=str.lower):
        parts += describe(find(f"gsm_model.{homes[name]}", name), name)
    for module in modules_of_examples():
        tree = parse(module)
        parts += [f"## `{module}`\n", *prose(ast.get_docstring(tree))]
        for node in tree.body:
            if isinstance(node, Definition) and not node.name.startswith("_"):
                parts += describe(node, node.name)
    return "\n".join(parts)


def parse(module: str) -> ast.Module:
    place = ROOT / module.replace(".", "/")
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def names_offered() -> dict[str, str]:
    """The table of ``gsm_model/__init__.py``: name → module."""
    for node in parse("gsm_model").body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES":
            return ast.literal_eval(node.value)
    raise SystemExit("gsm_model/__init__.py has no table _HOMES")


def modules_of_examples() -> list[str]:
    """The modules that the pages in ``docs/`` import from."""
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob("docs/*.md") if path != PAGE]
    return sorted(set(re.findall(r"^from (gsm_model\.[\w.]+) import", "\n".join(texts), re.M)))


def find(module: str, name: str) -> Definition:
    """The definition of ``name`` in ``module``, or where that imports it from."""
    for node in parse(module).body:
        if isinstance(node, Definition) and node.name == name:
            return node
        if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]:
            return find(str(node.module), name)
    raise SystemExit(f"{module} has no {name}")


def describe(node: Definition, name: str) -> list[str]:
    """A heading with the signature and the docstring; of a class, its public methods too."""
    if isinstance(node, ast.FunctionDef):
        return [f"### `{name}`\n", code(signature(node, name)), *prose(ast.get_docstring(node))]
    parts = [f"### `{name}`\n", code(fields(node, name)), *prose(ast.get_docstring(node))]
    for member in node.body:
        if not isinstance(member, ast.FunctionDef) or member.name.startswith("_"):
            continue
        if any(ast.unparse(decorator) == "property" for decorator in member.decorator_list):
            returned = f": {ast.unparse(member.returns)}" if member.returns else ""
            parts.append(f"#### `{name}.{member.name}{returned}`\n")
        else:
            parts.append(f"#### `{signature(member, f'{name}.{member.name}')}`\n")
        parts += prose(ast.get_docstring(member))
    return parts


def signature(node: ast.FunctionDef, name: str) -> str:
    arguments = node.args.posonlyargs + node.args.args
    if arguments and arguments[0].arg in ("self", "cls"):
        (node.args.posonlyargs or node.args.args).pop(0)
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{name}({ast.unparse(node.args)}){returned}"


def fields(node: ast.ClassDef, name: str) -> str:
    """A class as it is made: by its fields, if it is a dataclass, else by its ``__init__``."""
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        own = [ast.unparse(member) for member in node.body if isinstance(member, ast.AnnAssign)]
        return f"{name}({', '.join(own)})"
    for member in node.body:
        if isinstance(member, ast.FunctionDef) and member.name == "__init__":
            return signature(member, name).removesuffix(" -> None")
    bases = ", ".join(map(ast.unparse, node.bases))
    return f"class {name}({bases})" if bases else f"class {name}"


def code(text: str) -> str:
    """A block of Python; where it is long, each argument is on a line of its own."""
    if len(text) > 88 and "(" in text:
        start = text.index("(") + 1
        end = text.rindex(")", 0, text.find(" -> ") + 1 or None)
        depth, lines = 0, [""]
        for character in text[start:end]:
            depth += (character in "([{") - (character in ")]}")
            lines[-1] += character
            if character == "," and depth == 0:
                lines.append("")
        arguments = "".join(f"    {line.strip().rstrip(',')},\n" for line in lines)
        text = f"{text[:start]}\n{arguments}{text[end:]}"
    return f"```python\n{text}\n```\n"


def prose(docstring: str | None) -> list[str]:
    """A docstring as Markdown: literals in single backticks, sections such as Raises as lists."""
    if not docstring:
        return []
    text = inspect.cleandoc(docstring).replace("``", "`")
    text = re.sub(r"^(Args|Raises|Returns|Yields):$", r"**\1**\n", text, flags=re.M)
    text = re.sub(r"^ {8}(?=\S)", "  ", text, flags=re.M)
    text = re.sub(r"^ {4}(\w+(?:, \w+)*): ", r"- `\1`: ", text, flags=re.M)
    return [text + "\n"]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} is up to date\n")
