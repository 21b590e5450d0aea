"""A layer type, a neuron or a part of the file, explained in plain text from its class. It reads no spec."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from netspec.ir.neuron import KINDS
from netspec.layers import LAYER_TYPES
from netspec.report.keys import KeyDoc, key_docs
from netspec.spec.model import DataSpec, InputSpec, RateSpec, TrainSpec

WIDTH = 100
SECTIONS: dict[str, type[Any]] = {"input": InputSpec, "data": DataSpec, "train": TrainSpec, "lr": RateSpec}


def known_words() -> tuple[str, ...]:
    """Everything that `explain_word` explains."""
    return (*LAYER_TYPES, *KINDS, *SECTIONS)


def explain_word(word: str) -> str:
    """The text; lines end with a newline. Raises KeyError for an unknown word."""
    if word in LAYER_TYPES:
        return _layer_type(word)
    if word in KINDS:
        return _neuron(word)
    return _section(word)


def source_of(cls: type[Any]) -> str:
    """Where the rules of a class are from: its module's `Source:` paragraph, on one line; empty without one."""
    module = inspect.getmodule(cls)
    paragraphs = inspect.cleandoc(module.__doc__ or "").split("\n\n") if module else []
    found = [p for p in paragraphs if p.startswith("Source:")]
    return " ".join(found[0].removeprefix("Source:").split()) if found else ""


def about(cls: type[Any]) -> str:
    """A class's docstring as one line."""
    return " ".join(inspect.cleandoc(cls.__doc__ or "").split()).replace("``", "`")


def _layer_type(name: str) -> str:
    cls = LAYER_TYPES[name]
    source = source_of(cls)
    lines = [*wrap(f"{name}: {about(cls)}", WIDTH), f"inputs: {inputs_words(cls.arity)}"]
    lines += wrap(f"source: {source}", WIDTH, subsequent_indent="  ") if source else []
    lines += ["", "example", f"  {cls.example}", "", "keys", *_keys(key_docs(cls))]
    return "\n".join(lines) + "\n"


def inputs_words(arity: tuple[int, int | None]) -> str:
    """``one``, ``one or more``, ``2 or more``."""
    least, most = arity
    if least == most:
        return "one" if least == 1 else str(least)
    low = "one" if least == 1 else str(least)
    return f"{low} or more" if most is None else f"{low} to {most}"


def _neuron(name: str) -> str:
    kind = KINDS[name]
    written = f"{name}[{kind.letters}]" if kind.letters else name
    return f"{written}: a neuron, {kind.formula}\nuse it as a layer's last step: `neuron: {written}`\n"


def _section(name: str) -> str:
    cls = SECTIONS[name]
    return "\n".join([*wrap(f"{name}: {about(cls)}", WIDTH), "", "keys", *_keys(key_docs(cls))]) + "\n"


def _keys(docs: Sequence[KeyDoc]) -> list[str]:
    """Required keys first; the meaning below each."""
    lines: list[str] = []
    for doc in sorted(docs, key=lambda doc: not doc.required):
        facts = [doc.values, doc.bounds, doc.unit]
        facts.append("required" if doc.required else f"default {doc.default}" if doc.default else "")
        lines.append(f"  {doc.name}: " + "; ".join(fact for fact in facts if fact).replace("`", ""))
        lines += wrap(doc.doc, WIDTH, initial_indent="      ", subsequent_indent="      ")
    return lines
