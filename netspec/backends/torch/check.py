"""The last gate: a generated file may hold only what netspec writes. A spec's text never becomes code (promise R3)."""

from __future__ import annotations

import ast

_ALLOWED = (
    ast.Module, ast.Expr, ast.Constant, ast.Import, ast.ImportFrom, ast.alias, ast.ClassDef, ast.FunctionDef,
    ast.arguments, ast.arg, ast.Return, ast.Assign, ast.AugAssign, ast.For, ast.If, ast.With, ast.withitem,
    ast.Name, ast.Load, ast.Store, ast.Attribute, ast.Call, ast.keyword, ast.Starred, ast.Subscript, ast.Slice,
    ast.Tuple, ast.List, ast.Dict, ast.DictComp, ast.ListComp, ast.comprehension, ast.BinOp, ast.UnaryOp, ast.USub,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Pow, ast.BitOr, ast.BitAnd, ast.BitXor, ast.RShift,
    ast.Compare, ast.Eq, ast.Gt, ast.GtE, ast.Lt, ast.Is, ast.IfExp, ast.NotIn, ast.NotEq, ast.Not, ast.BoolOp,
    ast.Or, ast.Raise,
)  # fmt: skip
_MODULES = frozenset({"math", "torch", "torch.nn", "torch.autograd.function"})


class UnsafeOutputError(RuntimeError):
    """A bug of netspec: the generated file holds something it must not."""


def check_generated(text: str) -> None:
    """Raises UnsafeOutputError for any syntax, import or dunder name off the list."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, _ALLOWED):
            raise UnsafeOutputError(
                f"generated code holds a {type(node).__name__} at line {getattr(node, 'lineno', 0)}"
            )
        names = [getattr(node, field, None) for field in ("id", "attr", "name", "arg")]
        for name in names:
            if isinstance(name, str) and name.startswith("__") and name != "__init__":
                raise UnsafeOutputError(f"generated code uses {name}")
        modules = [node.module] if isinstance(node, ast.ImportFrom) else []
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if any(module not in _MODULES for module in modules):
            raise UnsafeOutputError(f"generated code imports {modules}")
