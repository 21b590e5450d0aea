"""netspec compiles a layer file to a proven PyTorch module and an ONNX graph. ``compile`` is the way in from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netspec.pipeline import Compiled

__version__ = "0.1.0"


def compile(spec: str, *assignments: str) -> Compiled:  # noqa: A001 - netspec.compile reads as what it does
    """Every stage of a layer file, or of a built-in spec by name.

    Args:
        spec: a path, or a name such as ``alexnet``.
        *assignments: overrides as ``--set`` takes them, ``layers.conv1.filters=64``.

    Raises:
        netspec.diagnostics.SpecError: with every error of the first stage that fails.
    """
    from netspec.pipeline import compile_file
    from netspec.spec.shipped import find_spec

    return compile_file(find_spec(spec), assignments, name=spec)
