"""Imports point one way: syntax -> ir <- layers <- spec <- passes <- backends <- pipeline <- cli. Not a style check.

An import inside a function counts too: it only hides an arrow. What may import what is the table ARROWS: edit it there.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

# Who may import whom, besides itself and EVERYONE. A longer name is a unit of its own: to let `layers` import only the
# types of the IR, add a row "netspec.ir.types". A package without a row fails the test.
EVERYONE = "source diagnostics spec.shipped"
ARROWS = {
    "source": "",
    "diagnostics": "",
    "syntax": "",
    "ir": "syntax",
    "layers": "ir syntax",
    "spec": "layers ir syntax",
    "spec.shipped": "",  # where the shipped files lie; `diagnostics` explains with those of specs/invalid
    "passes": "spec layers ir syntax",
    "ledger": "passes spec layers ir syntax",
    "seen": "spec",
    "backends": "seen passes spec layers ir syntax",
    "importers": "passes spec layers ir syntax",
    "pipeline": "ledger backends passes spec layers ir syntax",
    "difference": "pipeline passes spec layers ir syntax",
    "importing": "importers pipeline weights spec syntax",
    "schema": "spec layers ir syntax",
    "report": "pipeline proof schema ledger importers backends passes spec layers ir syntax",
    "weights": "ir",
    "output": "",
    "labels": "pipeline",
    "proof": "seen pipeline backends spec ir",
    "evaluation": "seen pipeline backends spec",
    "build": "seen proof report ledger weights output labels pipeline backends spec ir",
    "training": "pipeline backends passes spec layers ir",
    "fit": "pipeline",
    "processes": "training pipeline backends passes spec",
    "runs": "training pipeline spec",
    "train": "fit training build proof seen weights pipeline backends spec ir",
    "experiment": "runs labels pipeline spec ir syntax",
    "cli": "experiment train fit runs processes evaluation build labels pipeline report schema ledger importing"
    " difference importers"
    " backends passes spec layers ir syntax",
    "__main__": "cli",
}
# The package itself: `netspec.compile`. Everyone may read its `__version__`, and nothing else of it.
ROOT_ARROWS = "pipeline spec"

# Libraries that cost start-up time, and the only package that may import each at module level.
EARLY = {"torch": "netspec.proof", "onnxruntime": "netspec.proof", "onnx": "netspec.backends.onnx"}
# Packages that hold rules, not a backend: they import none of these libraries, not even inside a function.
RULES = ("netspec.syntax", "netspec.ir", "netspec.layers", "netspec.spec", "netspec.passes")
BACKEND_LIBRARIES = ("torch", "onnx", "onnxruntime", "jinja2", "netspec_templates", "netspec_runtime")

Sources = Mapping[str, str]  # a module's dotted name -> its text


@dataclass(frozen=True)
class Import:
    """One imported module or name of a module, as `a.b.c`, and where."""

    importer: str
    line: int
    target: str
    early: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


def test_the_compiler_imports_along_the_arrows(root: Path) -> None:
    assert against_the_arrows(sources(root / "netspec")) == []


def test_no_module_imports_itself_through_others(root: Path) -> None:
    assert cycle(sources(root / "netspec")) == []
    assert cycle(sources(root / "runtime" / "netspec_runtime")) == []


def test_the_runtime_and_the_templates_never_import_the_compiler(root: Path) -> None:
    others = {**sources(root / "runtime" / "netspec_runtime"), **sources(root / "templates" / "netspec_templates")}
    assert [str(i) for i in imports(others) if below(i.target, "netspec")] == []


def test_heavy_libraries_are_imported_where_they_are_used(root: Path) -> None:
    assert too_early(sources(root / "netspec")) == []


def test_rules_import_no_backend(root: Path) -> None:
    assert rules_with_a_backend(sources(root / "netspec")) == []


def test_importing_the_compiler_loads_no_heavy_library(root: Path) -> None:
    heavy = {"netspec.__main__", *EARLY.values()}
    names = [name for name in sources(root / "netspec") if not any(below(name, one) for one in heavy)]
    script = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"print([m for m in {tuple(EARLY)!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("module", "text", "expected"),
    [
        (
            "netspec.layers.conv",
            "from netspec.passes import infer",
            "netspec.layers.conv:1 imports netspec.passes.infer",
        ),
        ("netspec.ir", "def f():\n    import netspec.cli", "netspec.ir:2 imports netspec.cli"),
        ("netspec.ir", "from netspec import passes", "netspec.ir:1 imports netspec.passes"),
        ("netspec.ir", "from netspec import compile", "netspec.ir:1 imports netspec.compile"),
        ("netspec.newcomer", "", "netspec.newcomer: no row in ARROWS"),
    ],
)
def test_a_wrong_arrow_is_found(module: str, text: str, expected: str) -> None:
    assert against_the_arrows({module: text, "netspec.passes.infer": "", "netspec.cli": ""}) == [expected]


@pytest.mark.parametrize("text", ["from netspec import __version__", "import json", "from netspec.syntax import tree"])
def test_a_right_arrow_passes(text: str) -> None:
    assert against_the_arrows({"netspec.ir": text, "netspec": "", "netspec.syntax.tree": ""}) == []


def test_a_cycle_hidden_in_a_function_is_found() -> None:
    made_up = {"netspec.ir.a": "def f():\n    from netspec.ir import b", "netspec.ir.b": "from netspec.ir.a import f"}
    assert set(cycle(made_up)) == {"netspec.ir.a", "netspec.ir.b"}


def test_an_early_import_is_found() -> None:
    made_up = {
        "netspec.backends.onnx.graph": "import onnx.helper",
        "netspec.backends.torch.source": "if True:\n    import torch.nn as nn",
        "netspec.cli": "if TYPE_CHECKING:\n    import torch\ndef f():\n    import onnx",
    }
    assert too_early(made_up) == ["netspec.backends.torch.source:2 imports torch.nn"]


def test_a_rule_with_a_backend_is_found() -> None:
    made_up = {"netspec.layers.pool": "def f():\n    from torch import nn", "netspec.backends.torch": "import jinja2"}
    assert rules_with_a_backend(made_up) == ["netspec.layers.pool:2 imports torch.nn"]


def against_the_arrows(modules: Sources) -> list[str]:
    """Every import inside the compiler that ARROWS does not allow, and every module without a row."""
    strangers = [f"{name}: no row in ARROWS" for name in modules if name != "netspec" and unit(name) is None]
    inside = (i for i in imports(modules) if below(i.target, "netspec") and i.target != "netspec.__version__")
    return strangers + [str(i) for i in inside if unit(i.importer) and not allowed(i)]


def allowed(found: Import) -> bool:
    importer, target = unit(found.importer), unit(found.target)
    if importer is None or target is None:
        return False
    arrows = ROOT_ARROWS if importer == "netspec" else ARROWS[importer]
    return target == importer or target in f"{EVERYONE} {arrows}".split()


def cycle(modules: Sources) -> list[str]:
    """The modules of one import cycle, or none."""
    graph: dict[str, set[str]] = {name: set() for name in modules}
    for found in imports(modules):
        target = found.target if found.target in modules else found.target.rpartition(".")[0]
        if target in modules and target != found.importer and found.target != "netspec.__version__":
            graph[found.importer].add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def too_early(modules: Sources) -> list[str]:
    """Imports of a heavy library at module level, outside the package that is built on it."""
    early = (i for i in imports(modules) if i.early and i.target.partition(".")[0] in EARLY)
    return [str(i) for i in early if not below(i.importer, EARLY[i.target.partition(".")[0]])]


def rules_with_a_backend(modules: Sources) -> list[str]:
    """Imports of a backend's library, anywhere in a package that holds rules."""
    inside = (i for i in imports(modules) if any(below(i.importer, package) for package in RULES))
    return [str(i) for i in inside if i.target.partition(".")[0] in BACKEND_LIBRARIES]


def unit(module: str) -> str | None:
    """The longest row of ARROWS that holds the module, `netspec` for the package itself, else None."""
    if module == "netspec":
        return module
    inside = module.removeprefix("netspec.")
    return max((name for name in ARROWS if below(inside, name)), key=len, default=None)


def below(module: str, package: str) -> bool:
    return module == package or (package != "" and module.startswith(f"{package}."))


def sources(package: Path) -> dict[str, str]:
    """The text of every module of a package, by dotted name."""
    files = {file.relative_to(package.parent).with_suffix(""): file for file in sorted(package.rglob("*.py"))}
    assert files, f"{package} holds no Python"
    return {".".join(p.parts).removesuffix(".__init__"): f.read_text(encoding="utf-8") for p, f in files.items()}


def imports(modules: Sources) -> Iterator[Import]:
    """Every import of every module, wherever it stands."""
    for name, text in modules.items():
        yield from imports_below(ast.parse(text), name, early=True)


def imports_below(node: ast.AST, importer: str, *, early: bool) -> Iterator[Import]:
    """`early` is true for what runs when the module is imported: outside functions and TYPE_CHECKING."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(importer, child.lineno, alias.name, early) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (Import(importer, child.lineno, f"{child.module}.{a.name}", early) for a in child.names)
        else:
            yield from imports_below(child, importer, early=early and runs_at_import(child))


def runs_at_import(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING")
    return not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
