"""What can go wrong beside a wrong spec, each with its exit code. A wrong spec is netspec.diagnostics.SpecError (1)."""

from __future__ import annotations


class NetspecError(Exception):
    """One line for the user. ``exit_code`` as in the README's table."""

    exit_code = 1


class CheckFailed(NetspecError):
    """The proof or the ledger says no."""


class EnvironmentProblem(NetspecError):
    """A device, a provider or a library is not as it must be."""

    exit_code = 3


class DataError(NetspecError):
    """An image, a weights file or the disk."""

    exit_code = 4
