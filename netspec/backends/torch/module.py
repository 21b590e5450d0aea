"""The generated file: the net as torch modules, merged and split. Its bytes depend on the spec only."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from textwrap import wrap

from jinja2 import Environment, PackageLoader, StrictUndefined

from netspec import __version__
from netspec.backends.torch.check import check_generated
from netspec.backends.torch.view import view_class
from netspec.ir.graph import TypedGraph
from netspec.ir.placed import PlacedGraph
from netspec.spec.dump import spec_hash
from netspec.spec.model import Spec
from netspec.spec.names import class_name

ENVIRONMENT = Environment(
    loader=PackageLoader("netspec_templates", "torch"),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - Python, not HTML; check_generated is the gate
)


@dataclass(frozen=True)
class Definition:
    """A helper that generated files may hold: its source, what it imports, and the names that it defines."""

    text: str
    imports: tuple[str, ...]


def emit_module(spec: Spec, merged: PlacedGraph, placed: PlacedGraph, trace: bool = False) -> str:
    """Python source with one class, or two where ``placed`` has several devices.

    With ``trace`` each forward returns every layer's output by name: the proof runs that text, equal up to returns.
    """
    name = class_name(spec.name)
    classes = [view_class(merged, name, trace)]
    if len(placed.devices) > 1:
        classes.append(view_class(placed, f"{name}Split", trace))
    definitions = [definition(helper) for helper in dict.fromkeys(h for c in classes for h in c.helpers)]
    rendered = ENVIRONMENT.get_template("module.py.j2").render(
        docstring=about(spec, merged.typed),
        version=__version__,
        net=spec.name,
        hash=spec_hash(spec),
        input=spec.input.name,
        imports=imports_of(definitions, [line for c in classes for line in (*c.init, *c.body, *c.ending, *c.reset)]),
        definitions=[d.text for d in definitions],
        classes=classes,
    )
    text = rendered.rstrip("\n") + "\n"
    check_generated(text)
    return text


def about(spec: Spec, typed: TypedGraph) -> str:
    """The spec's own sentence, harmless inside a docstring."""
    text = " ".join(spec.about.split()) or f"{spec.name}, {typed.parameter_count:,} parameters."
    safe = text.encode("ascii", "backslashreplace").decode().replace("\\", "/").replace('"', "'")
    return "\n".join(wrap(safe, 116))


def imports_of(definitions: list[Definition], lines: list[str]) -> list[str]:
    """Only what is used, in ruff's order."""
    wanted = {name for d in definitions for name in d.imports}
    text = "\n".join(lines)
    wanted |= {"from torch import Tensor, nn"}
    if re.search(r"\bF\.", text):
        wanted.add("from torch.nn import functional as F")
    if re.search(r"(?<![\w.])torch\.", text):
        wanted.add("import torch")
    wanted.discard("from torch import Tensor")
    standard = sorted(w for w in wanted if w == "import math")
    rest = sorted(w for w in wanted - set(standard) if w.startswith("import "))
    return [*standard, *([""] if standard else []), *rest, *sorted(w for w in wanted if w.startswith("from "))]


@cache
def definition(name: str) -> Definition:
    """A helper of the templates, by its file's name."""
    source = (files("netspec_templates") / "torch" / "helpers" / f"{name}.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    start = imports[-1].end_lineno or 0
    return Definition("\n".join(source.split("\n")[start:]).strip("\n"), tuple(ast.unparse(node) for node in imports))
