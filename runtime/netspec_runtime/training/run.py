"""The folder of a run: its name, its files, and the lock that lets one process train into it. It trains nothing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from netspec_runtime.errors import DataError
from netspec_runtime.files import lock, remove_stale, write_file
from netspec_runtime.run_marks import ARGUMENTS, CHECKPOINTS, CURVES, ENVIRONMENT, METRICS, MODEL
from netspec_runtime.training.checkpoint import BEST

_LOCK: Final = ".lock"


@dataclass(frozen=True)
class RunFolder:
    """A run of the net called ``name``, in ``path``. Its files are properties; none of them need be there yet."""

    path: Path
    name: str

    @property
    def spec(self) -> Path:
        return self.path / f"{self.name}.yaml"

    @property
    def arguments(self) -> Path:
        return self.path / ARGUMENTS

    @property
    def environment(self) -> Path:
        return self.path / ENVIRONMENT

    @property
    def metrics(self) -> Path:
        return self.path / METRICS

    @property
    def checkpoints(self) -> Path:
        """The folder of `Checkpoints`."""
        return self.path / CHECKPOINTS

    @property
    def begun(self) -> bool:
        """Whether there is a checkpoint, whole or not; the first is of the weights before the first step."""
        return any(self.checkpoints.glob("step-*.json"))

    @property
    def trained(self) -> bool:
        """Whether it has something to lose: metrics, weights or a model, which all come after the first checkpoint."""
        measured = self.metrics.is_file() and self.metrics.stat().st_size > 0
        return measured or self.best.is_file() or self.onnx.is_file()

    @property
    def curves(self) -> Path:
        return self.path / CURVES

    @property
    def tensorboard(self) -> Path:
        """The folder of event files."""
        return self.path / "tensorboard"

    @property
    def best(self) -> Path:
        return self.path / BEST

    @property
    def onnx(self) -> Path:
        return self.path / MODEL

    def write(self, name: str, content: str | bytes) -> Path:
        """One of its files, atomically. Raises DataError where the disk refuses."""
        path = self.path / name
        write_file(path, [content.encode() if isinstance(content, str) else content])
        return path

    def write_json(self, name: str, document: Mapping[str, Any]) -> Path:
        return self.write(name, json.dumps(document, indent=2) + "\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run, and tidy up after one that was killed.

        Raises DataError while another process does; the system frees it when that one dies.
        """
        try:
            descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise DataError(
                str(self.path), f"cannot write: {error.strerror}", "choose another folder for runs"
            ) from None
        try:
            _lock(descriptor, self.path)
            remove_stale(self.path)
            yield
        finally:
            os.close(descriptor)


def claim_run(path: Path, name: str) -> RunFolder:
    """A new run in the folder ``path``: made, empty, or left by one that was killed before its spec was written.

    Raises DataError.
    """
    folder = RunFolder(path, name)
    try:
        path.mkdir(parents=True, exist_ok=True)
        names = {file.name for file in path.iterdir()}
    except OSError as error:
        raise DataError(str(path), f"cannot make a folder: {error.strerror}", "choose another with --out") from None
    if names and (_LOCK not in names or folder.checkpoints.name in names or any(n.endswith(".yaml") for n in names)):
        own = not names.isdisjoint({folder.arguments.name, folder.checkpoints.name})
        fix = "choose another with --out" + ", or go on with it: --resume" * own
        raise DataError(str(path), "the folder is not empty", fix)
    return folder


def create_run(runs: Path, name: str) -> RunFolder:
    """A new folder `runs/<name>`, or `<name>-2`, `<name>-3`..., numbered after all runs of this net. Raises DataError.

    A number that has become free below others stays free: the latest run is the one with the highest.
    """
    try:
        runs.mkdir(parents=True, exist_ok=True)
        for number in count(1 + max((number for number, _ in _numbered(runs, name)), default=0)):
            path = runs / (name if number == 1 else f"{name}-{number}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return RunFolder(path, name)
    except OSError as error:
        raise DataError(
            str(runs), f"cannot make a folder: {error.strerror}", "choose another folder for runs"
        ) from None
    raise AssertionError("count never ends")


def open_run(path: Path) -> RunFolder:
    """A run that is there, to resume or to evaluate. Raises DataError for a folder that is none."""
    name = re.sub(r"-\d+$", "", path.resolve().name)
    for candidate in (RunFolder(path, path.resolve().name), RunFolder(path, name)):
        if candidate.spec.is_file():
            return candidate
    specs = sorted(path.glob("*.yaml")) if path.is_dir() else []
    if len(specs) == 1:  # a folder that was renamed
        return RunFolder(path, specs[0].stem)
    reason = "no run of netspec train" if path.exists() else "there is no such folder"
    raise DataError(str(path), reason, "give the folder of a run, such as runs/alexnet")


def find_latest(runs: Path, name: str) -> RunFolder | None:
    """The run of this net that was made last; None where there is none."""
    return next(find_runs(runs, name), None)


def find_runs(runs: Path, name: str) -> Iterator[RunFolder]:
    """All runs of this net, the one made last first."""
    return (RunFolder(path, name) for _, path in sorted(_numbered(runs, name), reverse=True))


def _numbered(runs: Path, name: str) -> Iterator[tuple[int, Path]]:
    """The runs of this net, and which they are in the order in which they were made."""
    numbered = re.compile(re.escape(name) + r"(?:-(\d+))?")
    for path in runs.iterdir() if runs.is_dir() else ():
        match = numbered.fullmatch(path.name)
        if match and (path / f"{name}.yaml").is_file():  # `net-2` may be the first run of a net of that name
            yield int(match[1] or 1), path


def _lock(descriptor: int, path: Path) -> None:
    try:
        alone = lock(descriptor, wait=False)
    except OSError as error:
        raise DataError(str(path), f"cannot lock: {error.strerror}", "choose another folder for runs") from None
    if not alone:
        raise DataError(str(path), "another process is training into it", "wait for it, or start a new run")
