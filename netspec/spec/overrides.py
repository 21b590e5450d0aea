"""``--set layers.conv1.filters=64``: a value put into the tree before it is decoded, so it is checked like the file."""

from __future__ import annotations

from netspec.diagnostics import Diagnostic, SpecError, did_you_mean
from netspec.source import Source, Span
from netspec.syntax.reader import read_tree
from netspec.syntax.tree import Entry, Mapping, Scalar, Tree


def override(tree: Tree, assignment: str) -> Tree:
    """``tree`` with one ``path=value``. Raises SpecError NS212, or what is wrong with the value's YAML."""
    path, equals, value = assignment.partition("=")
    source = Source("--set", assignment)
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise _refuse(source, 0, len(assignment), f"`{assignment}` is no assignment", "`--set layers.conv1.filters=64`")
    return _put(tree, keys, _value(value, source, len(path) + 1), source, 0)


def _value(text: str, source: Source, column: int) -> Tree:
    if not text.strip():
        return Scalar("", True, Span(source, 0, column, 0, column))
    return _moved(read_tree(Source("--set", text)), source, column)


def _moved(tree: Tree, source: Source, column: int) -> Tree:
    """The value's tree with places in the whole assignment."""
    old = tree.span
    same_line = old.line == 0
    span = Span(source, old.line, old.column + column * same_line, old.end_line, old.end_column + column * same_line)
    if isinstance(tree, Scalar):
        return Scalar(tree.text, tree.plain, span)
    if isinstance(tree, Mapping):
        moved = (Entry(e.key, _moved(e.value, source, column)) for e in tree.entries)
        return Mapping(tuple(moved), span)
    return type(tree)(tuple(_moved(item, source, column) for item in tree.items), span)


def _put(tree: Tree, keys: list[str], value: Tree, source: Source, column: int) -> Tree:
    key, rest = keys[0], keys[1:]
    if not isinstance(tree, Mapping):
        raise _refuse(source, column, column + len(key), f"there is nothing below `{key}` to set", "check the path")
    old = tree.get(key)
    if old is None and rest:
        known = [e.key.text for e in tree.entries]
        raise _refuse(source, column, column + len(key), f"the spec has no `{key}` here", did_you_mean(key, known))
    new = _put(old.value, rest, value, source, column + len(key) + 1) if old and rest else value
    name = Scalar(key, True, Span(source, 0, column, 0, column + len(key)))
    if old is None:
        return Mapping((*tree.entries, Entry(name, new)), tree.span)
    return Mapping(tuple(Entry(name if not rest else e.key, new) if e is old else e for e in tree.entries), tree.span)


def _refuse(source: Source, start: int, end: int, message: str, help: str) -> SpecError:
    return SpecError([Diagnostic("NS212", message, Span(source, 0, start, 0, end), help=help)])
