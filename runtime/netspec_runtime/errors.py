"""What can go wrong outside the code, each as one line with its exit code. Bugs and wrong specs are not here."""

from __future__ import annotations

from typing import ClassVar


def printable(text: str) -> str:
    """The same text on one line and safe for any terminal: control characters and lone surrogates become escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class OneLineError(Exception):
    """``where: reason; fix`` on one line. ``where`` is what the user typed: a path, a flag, a library."""

    exit_code: ClassVar[int]

    def __init__(self, where: str, reason: str, fix: str) -> None:
        self.where = where
        self.reason = reason
        self.fix = fix
        super().__init__(printable(f"{where}: {reason}; {fix}"))


class DataError(OneLineError):
    """A picture, a folder or a model file cannot be used. Exit code 4."""

    exit_code = 4


class EnvironmentProblem(OneLineError):  # noqa: N818 - EnvironmentError is Python's own name for OSError
    """A device, a provider or a library of this machine cannot be used. Exit code 3."""

    exit_code = 3
