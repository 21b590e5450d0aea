"""The language reference in Markdown, made of the classes themselves. It reads no spec.

Only the introduction is written by hand; keys, types, defaults, bounds, sources and examples are the classes' own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from netspec.ir.layer import Layer, LearnedLayer
from netspec.ir.neuron import KINDS, Neuron
from netspec.ir.parameter import Init
from netspec.layers import LAYER_TYPES
from netspec.report.explain_type import about, inputs_words, source_of
from netspec.report.keys import KeyDoc, key_docs, mappings
from netspec.spec.model import LANGUAGE, DataSpec, Header, InputSpec, RateSpec, TrainSpec
from netspec.syntax.words import WordError

_INTRODUCTION = f"""\
# The netspec language, version {LANGUAGE}

This page is made from the classes that read the language (`netspec schema --format markdown > docs/language.md`).
`netspec explain conv` prints one layer type's part of it, `netspec explain conv1 SPEC` what a layer comes to in a net.

A spec is one YAML file:

```yaml
# yaml-language-server: $schema=./netspec.schema.json
netspec: 1
name: small
about: Three layers, to show what a spec looks like
input: {{name: data, channels: 3, size: 32}}
classes: 10

layers:
  conv1: {{type: conv, inputs: data, filters: 32, size: 5, pad: 2, neuron: relu}}
  pool1: {{type: pool, inputs: conv1, pool: max, size: 3, stride: 2}}
  fc:    {{type: fc, inputs: pool1, outputs: 10}}
  probs: {{type: softmax, inputs: fc}}
```

* The first line is for editors: with `specs/netspec.schema.json` beside the file (`netspec schema` prints it) they
  complete keys and mark mistakes while you write.
* Layers are a mapping: names are unique, their order is free, and `inputs` wires them by name. The layer that nothing
  reads is the output; with several, `outputs` names them.
* Scalars are YAML 1.2's: `1e-4` is a number, `no` is a string, a key that stands twice is an error. Anchors, aliases,
  merge keys and tags are refused.
* Where one value stands for several (`size: 3`), a list gives each (`size: [3, 5]`).
* `defaults: {{conv: {{neuron: relu}}}}` gives a key to every layer of a type that does not write it itself.
* `--set layers.conv1.filters=64` overrides any value from the command line; it is checked like the file.
* Where a layer stands never changes the numbers: what it may read is said by `groups` alone, and `gpu` only says where
  it is computed. What another device holds is copied, and the copy is counted.
* Wherever frameworks disagree (rounding, padding, what alpha multiplies, when dropout scales), there is a key with a
  stated default. `netspec summary --verbose SPEC` prints what each comes to.
* Layer names start with an ASCII letter and have ASCII letters, digits and `_`, at most 64; words of Python and names
  that the generated module uses are taken.
* Under "Source", `paper` is Krizhevsky, Sutskever and Hinton 2012, and `reference/cuda-convnet.md` are notes on the
  authors' source code, which is not part of this repository.
"""

_FAMILIES = (
    *("conv", "deconv", "local", "fc", "pool", "rnorm", "cnorm", "batchnorm", "affine", "dropout"),
    *("activation", "prelu", "combine", "channels", "reshape", "image", "colour"),
)
_SECTIONS = (("input", InputSpec), ("data", DataSpec), ("train", TrainSpec), ("train: lr", RateSpec))


def language_markdown() -> str:
    """The whole page; ends with a newline."""
    parts = [_INTRODUCTION, _file(), _layers(), _neurons(), _starts()]
    return "\n".join(parts)


def _file() -> str:
    blocks = ["## The file\n", _table(key_docs(Header)), _LAYERS_AND_DEFAULTS]
    for name, cls in _SECTIONS:
        blocks += [f"### `{name}`\n", f"{about(cls)}\n", _table(key_docs(cls))]
    return "\n".join(blocks)


_LAYERS_AND_DEFAULTS = """\
Beside these stand `layers` (required), which maps names to layers, and `defaults`, which maps layer types to keys.
"""


def _layers() -> str:
    common, learned = key_docs(Layer), _without(key_docs(LearnedLayer), key_docs(Layer))
    names = ", ".join(f"[`{cls.type}`](#{cls.type})" for cls in _ordered())
    blocks = ["## Layers\n", f"{names}.\n"]
    blocks += ["Every layer has `type` (required) and these keys:\n", _table(common)]
    kinds = [f"`{cls.type}`" for cls in _ordered() if issubclass(cls, LearnedLayer)]
    blocks += [f"Layers with weights and biases ({', '.join(kinds)}) have these too:\n", _table(learned)]
    return "\n".join([*blocks, *map(_layer, _ordered())])


def _layer(cls: type[Layer]) -> str:
    shared = key_docs(LearnedLayer) if issubclass(cls, LearnedLayer) else key_docs(Layer)
    own = _without(key_docs(cls), shared)
    source = source_of(cls)
    blocks = [f"### {cls.type}\n", f"{about(cls)}\n", f"Inputs: {inputs_words(cls.arity)}.\n"]
    blocks += [f"```yaml\n{cls.example}\n```\n"]
    blocks += [_table(own)] if own else ["It has no keys of its own.\n"]
    for name, inner in mappings(cls):
        blocks += [f"Each mapping of `{name}`: {about(inner)}\n", _table(key_docs(inner))]
    return "\n".join([*blocks, *([f"Source: {source}\n"] if source else [])])


def _neurons() -> str:
    rows = ["| neuron | of x | default |", "|---|---|---|"]
    for name, kind in KINDS.items():
        letters = kind.letters
        written = f"`{name}[{letters}]`" if letters else f"`{name}`"
        rows.append(f"| {written} | {_cell(kind.formula)} | {_default_neuron(name) if letters else ''} |")
    return "\n".join(["## Neurons\n", "The values of `neuron`.\n", *rows, ""])


def _default_neuron(name: str) -> str:
    """What the word alone stands for, where it may stand alone."""
    try:
        return f"`{Neuron.parse(name)}`"
    except WordError:
        return ""


def _starts() -> str:
    return "\n".join(["## How weights start\n", f"The values of `init_w`. {about(Init)}\n"])


def _ordered() -> list[type[Layer]]:
    """By family, learned ones first; a new family comes last."""
    places = {family: place for place, family in enumerate(_FAMILIES)}

    def place(cls: type[Layer]) -> int:
        return places.get(cls.__module__.rpartition(".")[2], len(places))

    return sorted(LAYER_TYPES.values(), key=place)


def _without(docs: Iterable[KeyDoc], others: Iterable[KeyDoc]) -> tuple[KeyDoc, ...]:
    known = {doc.name for doc in others}
    return tuple(doc for doc in docs if doc.name not in known)


def _table(docs: Iterable[KeyDoc]) -> str:
    """Required keys first."""
    lines = ["| key | values | default | meaning |", "|---|---|---|---|"]
    for doc in sorted(docs, key=lambda doc: not doc.required):
        values = "; ".join(part for part in (doc.values, doc.bounds, doc.unit) if part)
        default = "**required**" if doc.required else (f"`{doc.default}`" if doc.default else "")
        lines.append(f"| `{doc.name}` | {_cell(values)} | {default} | {_cell(doc.doc)} |")
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(language_markdown())
