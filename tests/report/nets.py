"""Nets to draw and explain: branches, skips, several devices. No test of its own."""

from __future__ import annotations

import random

from netspec.pipeline import Compiled, compile_spec
from netspec.spec import load_text

HEAD = "netspec: 1\nname: net\ninput: {size: 6, channels: 4}\n"
CONV = "type: conv, filters: 12, size: 3, pad: 1"

INCEPTION = f"""
  stem: {{{CONV}, inputs: data}}
  a: {{{CONV}, inputs: stem}}
  b1: {{{CONV}, inputs: stem}}
  b2: {{{CONV}, inputs: b1}}
  c1: {{{CONV}, inputs: stem}}
  c2: {{{CONV}, inputs: c1}}
  c3: {{{CONV}, inputs: c2}}
  all: {{type: concat, inputs: [a, b2, c3]}}
  end: {{type: fc, inputs: all, outputs: 2}}
"""
SKIPS = f"""
  stem: {{{CONV}, inputs: data, gpu: [0, 1]}}
  a: {{{CONV}, inputs: stem}}
  b: {{{CONV}, inputs: a}}
  sum1: {{type: eltsum, inputs: [b, stem]}}
  c: {{{CONV}, inputs: sum1}}
  sum2: {{type: eltsum, inputs: [c, sum1, stem]}}
  end: {{type: fc, inputs: [sum2, stem], outputs: 2, gpu: 1}}
"""
FOUR = f"""
  a: {{{CONV}, inputs: data, gpu: [0, 1, 2, 3]}}
  b: {{{CONV}, inputs: a}}
  c: {{type: rnorm, inputs: b, size: 5}}
  d: {{type: fc, inputs: [c, a], outputs: 8, gpu: [3, 1]}}
  e: {{type: fc, inputs: d, outputs: 8}}
"""
NAMED = {"inception": INCEPTION, "skips": SKIPS, "four": FOUR}


def compiled(layers: str, head: str = HEAD) -> Compiled:
    """The net of these layers."""
    return compile_spec(load_text(f"{head}layers:{layers}"))


def random_net(seed: int) -> Compiled:
    """Up to 14 layers that read any before them, on up to four devices."""
    draw = random.Random(seed)
    devices = draw.choice([[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]])
    names = ["data"]
    layers = ""
    for number in range(draw.randint(2, 14)):
        name = f"l{number}"
        read = draw.sample(names[-5:], k=min(len(names), draw.choice([1, 1, 2, 3])))
        kind = CONV
        if len(read) > 1 and "data" not in read:
            kind = draw.choice([CONV, "type: eltsum"])
        where = draw.choice([f"{draw.choice(devices)}", str(devices)])
        layers += f"\n  {name}: {{{kind}, inputs: [{', '.join(read)}], gpu: {where}}}"
        names.append(name)
    ends = [n for n in names[1:] if f"{n}," not in layers.replace("]", ",") and n != "data"]
    return compiled(layers, f"{HEAD}outputs: [{', '.join(ends)}]\n")
