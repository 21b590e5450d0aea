"""``--set layers.conv1.filters=64``: a value put into the tree before it is decoded, so it is checked like the file.

It decodes nothing itself. Experiments put their values in the same way, from a file of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from netspec.diagnostics import Diagnostic, SpecError, did_you_mean
from netspec.source import Source, Span
from netspec.syntax.reader import MAX_DEPTH, read_tree
from netspec.syntax.scalars import shorten
from netspec.syntax.tree import Entry, Mapping, Scalar, Sequence, Tree


def override(tree: Tree, assignment: str) -> Tree:
    """``tree`` with one ``path=value``. Raises SpecError NS212, or what is wrong with the value's YAML."""
    path, equals, _ = assignment.partition("=")
    source = Source("--set", assignment)
    keys = [part.strip() for part in path.split(".")]
    if not equals or not all(keys) or len(keys) > MAX_DEPTH:
        span = Span(source, 0, 0, 0, len(source.line(0)))
        message = f"`{shorten(assignment)}` is no assignment"
        raise SpecError([Diagnostic("NS212", message, span, help="write `--set layers.conv1.filters=64`")])
    place = Span(source, 0, 0, 0, len(path))
    return _Override(place, path, _value(source, len(path) + 1)).put(tree, keys, ())


def put(tree: Tree, path: Scalar, value: Tree) -> Tree:
    """``tree`` with a value below the keys of a dotted path; both stand in another file. Raises SpecError NS212."""
    keys = [part.strip() for part in path.text.split(".")]
    if not all(keys) or len(keys) > MAX_DEPTH:
        message = f"`{shorten(path.text)}` is no path of keys"
        raise SpecError([Diagnostic("NS212", message, path.span, help="write `layers.conv1.filters`")])
    start = path.span if path.plain else replace(path.span, column=path.span.column + 1)  # behind the quote
    return _Override(start, path.text, value).put(tree, keys, ())


def _value(source: Source, start: int) -> Tree:
    """The YAML behind the `=`, with places in the whole assignment; nothing there is null."""
    end = len(source.text)
    if not source.text[start:].strip():
        return Scalar("", True, Span(source, 0, start, 0, end))
    return read_tree(source, skip=start)


@dataclass(frozen=True)
class _Override:
    """``place`` is where the dotted path ``path`` stands."""

    place: Span
    path: str
    value: Tree

    def put(self, tree: Tree, keys: list[str], above: tuple[str, ...]) -> Tree:
        """``tree`` with the value below ``keys``; ``above`` are the keys that led here."""
        key, *rest = keys
        if not isinstance(tree, Mapping):
            kind = "a list" if isinstance(tree, Sequence) else f"`{shorten(tree.text)}`"
            message = f"`{'.'.join(above) or 'the spec'}` is {kind}: nothing is below it"
            raise self._refuse(above, key, message, "set it as a whole")
        old = tree.get(key)
        if old is None and rest and above == ("layers",):
            known = [e.key.text for e in tree.entries]
            help = did_you_mean(key, known, "its layers are")
            raise self._refuse(above, key, f"there is no layer `{shorten(key)}`", help)
        name = Scalar(key, True, self._span(above, key))
        below = old.value if old else Mapping((), name.span)
        new = self.put(below, rest, (*above, key)) if rest else self.value
        if old is None:
            return Mapping((*tree.entries, Entry(name, new)), tree.span)
        return Mapping(tuple(Entry(e.key if rest else name, new) if e is old else e for e in tree.entries), tree.span)

    def _span(self, above: tuple[str, ...], key: str) -> Span:
        path = self.path.split(".")
        start = self.place.column + sum(len(part) + 1 for part in path[: len(above)])
        start += len(path[len(above)]) - len(path[len(above)].lstrip())
        return Span(self.place.source, self.place.line, start, self.place.line, start + len(key))

    def _refuse(self, above: tuple[str, ...], key: str, message: str, help: str) -> SpecError:
        return SpecError([Diagnostic("NS212", message, self._span(above, key), help=help)])
