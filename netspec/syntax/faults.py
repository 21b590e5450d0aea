"""What is wrong with text that is no YAML, in the words of someone who writes layer files. It reads no YAML itself.

PyYAML's two parsers (libyaml and the pure one) name the same faults in different words and at the same places.
"""

from __future__ import annotations

import yaml

from netspec.diagnostics import Diagnostic, Label
from netspec.source import Source, Span, whole

_CLOSERS = {"{": "}", "[": "]"}


def yaml_diagnostic(source: Source, error: Exception) -> Diagnostic:
    """NS104 for a parser's error."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    start = getattr(error, "context_mark", None)
    if mark is None:
        return _fault("this cannot be read", whole(source), "check quotes and escapes")
    place, opened = _at(source, mark), _at(source, start) if start is not None else None
    problem = str(getattr(error, "problem", None) or "")
    context = str(getattr(error, "context", None) or "")
    if "\t" in source.line(place.line)[: place.column + 1] and "token" in problem + context:
        return _fault("a tab cannot indent", place, "indent with spaces")
    if opened is not None and "expected ',' or" in problem:
        return _unclosed(source, place, opened)
    if "end of stream" in problem and opened is not None:
        return _fault("this quote is never closed", opened, "close it, or remove it")
    if "could not find expected ':'" in problem and opened is not None:
        return _fault("this line has no `:`", opened, "write `key: value`, or indent it")
    return _plainly(place, problem, context)


def _unclosed(source: Source, place: Span, opened: Span) -> Diagnostic:
    bracket = opened.text
    closer = _CLOSERS.get(bracket, "}")
    if source.line(place.line)[place.column : place.column + 1] == "[" and bracket == "{":
        return _fault("a `[` cannot follow a word in braces", place, 'quote a word with numbers: `"tanh[1.7, 0.67]"`')
    if not "\n".join(source.lines[place.line :])[place.column :].strip():
        return _fault(f"this `{bracket}` is never closed", opened, f"add a `{closer}`")
    label = Label(opened, f"this `{bracket}` is still open")
    help = f"a comma is missing before this, or a `{closer}`"
    return _fault(f"expected `,` or `{closer}`", place, help, (label,))


def _plainly(place: Span, problem: str, context: str) -> Diagnostic:
    """By what the parser complains about; the order matters."""
    both = f"{problem} {context}"
    for words, message, help in _FAULTS:
        if words in both:
            return _fault(message, place, help)
    return _fault("this is not YAML", place, "check brackets, quotes and indentation just before this place")


_FAULTS = (
    (
        "mapping values are not allowed",
        "a `:` cannot stand here",
        "check the indentation; quote a text with `: ` in it",
    ),
    ("entries are not allowed", "a `-` cannot stand here", "put the list on the next line, or in brackets: `[a, b]`"),
    ("cannot start any token", "no value starts with this character", 'put the text in quotes: "…"'),
    ("escape", "no such escape in a quoted text", "write the backslash twice, or use single quotes"),
    ("hexdecimal", "no such escape in a quoted text", "write the backslash twice, or use single quotes"),
    ("found a tab", "a tab cannot indent", "indent with spaces"),
    ("a block scalar", "only a line break may follow `|` or `>`", "start the text on the next line"),
    ("a block mapping", "this does not belong to the mapping above", "check the indentation and the quotes"),
    ("a block collection", "this does not belong to the list above", "check the indentation"),
    ("node content", "a value is missing before this", "remove it, or put quotes around the text"),
    ("content, but found", "a value is missing before this", "remove it, or put quotes around the text"),
    ("an alias", "this is not YAML", 'put the text in quotes: "…"'),
    ("an anchor", "this is not YAML", 'put the text in quotes: "…"'),
    ("a tag", "this is not YAML", 'put the text in quotes: "…"'),
    ("directive", "no such directive", "a layer file needs no line that starts with `%`"),
    ("<document start>", "the spec has ended before this", "remove it, or check the indentation"),
    ("incompatible YAML", "no such version of YAML", "remove the `%YAML` line"),
)


def _at(source: Source, mark: yaml.Mark) -> Span:
    return Span(source, mark.line, mark.column, mark.line, mark.column + 1)


def _fault(message: str, place: Span, help: str, others: tuple[Label, ...] = ()) -> Diagnostic:
    return Diagnostic("NS104", f"not valid YAML: {message}", place, help=help, others=others)
