"""A pass by torch.compile that cannot be compiled: a line, as for anything that the machine lacks."""

from __future__ import annotations

from functools import partial
from typing import Never

import pytest
import torch

from netspec_runtime.errors import EnvironmentProblem
from netspec_runtime.training.net import compile_pass


def no_compiler(*_: object) -> Never:
    raise RuntimeError("no working C++ compiler found\nin all of the path")


@pytest.mark.slow  # torch._dynamo takes seconds to import
def test_a_net_that_cannot_be_compiled_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=no_compiler))
    forward = compile_pass(torch.relu)
    with pytest.raises(EnvironmentProblem, match=r"^--compile: torch\.compile fails: .*; train without it$"):
        forward(torch.ones(2))
