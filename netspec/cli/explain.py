"""`netspec explain`: a diagnostic's code, a word of the language, or a layer of a spec. It only finds out which."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from netspec.cli.arguments import SetOption, refuse_idle

_CODE = re.compile(r"NS[0-9]{3}", re.IGNORECASE)


def explain(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="A code (NS302), a layer type (conv), a neuron, or a layer of SPEC.")
    ],
    spec: Annotated[
        str | None, typer.Argument(metavar="[SPEC]", help="The spec whose layer is meant: a file or a built-in name.")
    ] = None,
    assignments: SetOption = None,
) -> None:
    """Explain an error code, a layer type, a neuron, a section of the file, or one layer of a net.

    With SPEC, a layer: what it reads on each device, why it has its shape, its parameters and multiply-adds, the
    PyTorch and ONNX that it becomes, and what crosses between devices for it.
    """
    if spec is None:
        refuse_idle(context, "without SPEC", ("assignments",))
    text = _layer(what, spec, assignments or []) if spec is not None else None
    typer.echo(text or _word(what, spec), nl=False)


def _layer(name: str, spec: str, assignments: list[str]) -> str | None:
    """The layer's text; None where the spec has none of that name."""
    from netspec.pipeline import compile_file
    from netspec.report.explain_layer import explain_layer
    from netspec.spec.shipped import find_spec

    compiled = compile_file(find_spec(spec), assignments, name=spec)
    if name in compiled.typed.by_name:
        return explain_layer(compiled, name)
    from netspec.report.explain_type import known_words

    if name in known_words() or _CODE.fullmatch(name):
        return None
    raise _unknown(f"{spec} has no layer `{name}`", name, [*compiled.typed.by_name])


def _word(word: str, spec: str | None) -> str:
    """A code or a word of the language."""
    if _CODE.fullmatch(word):
        return _code(word.upper())
    from netspec.report.explain_type import explain_word, known_words

    if word in known_words():
        return explain_word(word)
    hint = "" if spec else f"; for a layer of a net, name the spec too: netspec explain {word} SPEC"
    raise _unknown(f"there is no code, layer type or neuron `{word}`{hint}", word, known_words())


def _code(code: str) -> str:
    from netspec.diagnostics.explain import explain_code

    try:
        text = explain_code(code)
    except KeyError:
        raise typer.BadParameter(f"there is no code {code}", param_hint="WHAT") from None
    return text if text.endswith("\n") else f"{text}\n"


def _unknown(message: str, word: str, known: list[str] | tuple[str, ...]) -> typer.BadParameter:
    from netspec.diagnostics import did_you_mean

    help = did_you_mean(word, known)
    return typer.BadParameter(f"{message}; {help}" if help else message, param_hint="WHAT")
