"""A row of `netspec doctor`: what was looked at, what was found, what to do. It looks at nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """OK: as it should be. WARN: works, but not as well as it could. FAIL: broken."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    """One row; ``fix`` is empty where there is nothing to do."""

    name: str
    status: Status
    found: str
    fix: str


def passed(name: str, found: str) -> Check:
    """A row that needs nothing."""
    return Check(name, Status.OK, found, "")


def warned(name: str, found: str, fix: str) -> Check:
    """A row that could be better."""
    return Check(name, Status.WARN, found, fix)


def failed(name: str, found: str, fix: str) -> Check:
    """A row that is broken."""
    return Check(name, Status.FAIL, found, fix)
