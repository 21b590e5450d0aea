"""What of a preparation is safely on the disk, so that it goes on there after any stop. It holds no pictures."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from netspec_runtime.data.manifest import JOURNAL
from netspec_runtime.errors import DataError
from netspec_runtime.files import disk_errors, lock, write_file


@dataclass(frozen=True)
class Journal:
    """``done`` pictures of each split are dealt with; of these, ``bad`` (index, reason) are not in the files."""

    plan: str
    done: Mapping[str, int]
    bad: Mapping[str, tuple[tuple[int, str], ...]]

    def rows(self, split: str) -> int:
        """Pictures of the split that are in its file."""
        return self.done.get(split, 0) - len(self.bad.get(split, ()))

    def save(self, folder: Path) -> None:
        document = {"plan": self.plan, "done": dict(self.done), "bad": dict(self.bad)}
        write_file(folder / JOURNAL, [json.dumps(document).encode()])


def read_journal(folder: Path) -> Journal | None:
    """None where there is none. Raises DataError for one that is damaged."""
    path = folder / JOURNAL
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Journal(
            plan=str(document["plan"]),
            done={str(split): int(count) for split, count in document["done"].items()},
            bad={
                str(split): tuple((int(index), str(reason)) for index, reason in entries)
                for split, entries in document["bad"].items()
            },
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(str(path), "it is damaged", "remove the folder, and prepare again") from error


@contextmanager
def alone_in(folder: Path, *, wait: bool) -> Iterator[None]:
    """Hold the folder against other processes that prepare into it; ``wait`` for them, or raise DataError."""
    with disk_errors(folder, 0):
        folder.mkdir(parents=True, exist_ok=True)
        number = os.open(folder, os.O_RDONLY)
    try:
        with disk_errors(folder, 0):
            alone = lock(number, wait=wait)
        if not alone:
            raise DataError(str(folder), "another process is preparing into it", "wait for it, or end it")
        yield
    finally:
        os.close(number)
