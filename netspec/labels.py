"""Class names: from the spec's list, or from a text file with one a line. It checks their number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from netspec.diagnostics import Diagnostic, SpecError
from netspec.pipeline import Compiled
from netspec_runtime.errors import DataError

_MAX_BYTES = 1 << 22


def read_labels(compiled: Compiled, folder: Path, override: Path | None) -> tuple[str, ...]:
    """The labels of a net; () if the spec has none. A file named in the spec lies beside it, in ``folder``.

    Raises SpecError NS605 where their number is not that of the net's outputs, DataError for an unreadable file.
    """
    written = compiled.spec.labels
    if override is not None or isinstance(written, str):
        labels = _lines(override if override is not None else folder / str(written))
    else:
        labels = written
    outputs = compiled.classes
    if override is not None and len(labels) != outputs:
        raise DataError(str(override), f"{len(labels):,} labels for {outputs:,} outputs", "one name a line, in order")
    if labels and len(labels) != outputs:
        message = f"{len(labels):,} labels for {outputs:,} outputs"
        place = compiled.spec.spans.value("labels")
        raise SpecError([Diagnostic("NS605", message, place, help="one label for each class, in order")])
    return labels


def with_labels(compiled: Compiled, folder: Path) -> Compiled:
    """The net with its labels in its spec, also those of a file in ``folder``: so it keeps them wherever it goes.

    Raises as `read_labels` does.
    """
    return replace(compiled, spec=replace(compiled.spec, labels=read_labels(compiled, folder, None)))


def _lines(path: Path) -> tuple[str, ...]:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise DataError(str(path), f"cannot read labels: {error.strerror}", "check the path") from None
    if len(content) > _MAX_BYTES:
        raise DataError(str(path), f"a file of more than {_MAX_BYTES:,} bytes", "one name a line")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(str(path), "these labels are not UTF-8 text", "one name a line") from None
    return tuple(line.strip() for line in text.splitlines() if line.strip())
