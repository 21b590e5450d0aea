"""Raw pictures become a prepared folder, in one pass over them that can be stopped anywhere and goes on there.

It knows no forms of raw data (readers/) and no pixels (frame.py): it decides what is prepared where, and whether.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from netspec_runtime.data.find import find_source
from netspec_runtime.data.frame import Frame, find_frame
from netspec_runtime.data.journal import Journal, alone_in, read_journal
from netspec_runtime.data.manifest import JOURNAL, QUARANTINE, SPLITS, TRAIN, Manifest, read_manifest
from netspec_runtime.data.open import is_prepared, open_prepared
from netspec_runtime.data.prepared import PreparedData
from netspec_runtime.data.source import Source, all_as, hold_out
from netspec_runtime.data.stream import Stream
from netspec_runtime.data.write import claim, tidy
from netspec_runtime.errors import DataError
from netspec_runtime.files import disk_errors

Progress = Callable[[int, int, int], None]  # pictures dealt with, of how many, bad ones so far
Check = Callable[[Source], None]  # raises DataError for what its caller has no use for
OTHER_CACHE: Final = "prepared"  # a folder beside a cache, for pictures that lie around that
_ROUNDING: Final = 1e-6  # .29 of 100 files is 28.999999999999996 in float64, and means 29


@dataclass(frozen=True)
class Options:
    """What to make of the pictures.

    ``side``: the shorter side is scaled to it and the central square cut; ``stretch``: scaled to height and width as
    they are; neither: arrays keep their size, files get 256 or, if the first is smaller, its shorter side. ``grey``
    None: as they are, if they come as arrays, else in colours. ``holdout``: the fraction that becomes the test split
    where the source has none. ``unsplit``: the split of a source that names none.

    The rest does not change a byte. ``workers``: threads, None for one a core. ``max_bad``: the largest fraction of bad
    files; None allows 1 %, and ten of them in any case unless that is half of all. ``replace``: other prepared data in
    the folder may go. ``wait``: for another process that prepares into the folder, instead of refusing.
    """

    side: int | None = None
    stretch: tuple[int, int] | None = None
    grey: bool | None = None
    holdout: float = 0.0
    unsplit: str = TRAIN
    workers: int | None = None
    max_bad: float | None = None
    replace: bool = False
    wait: bool = False

    def bad_allowed(self, total: int) -> int:
        """How many of so many files may be bad."""
        if self.max_bad is not None:
            return int(self.max_bad * total + _ROUNDING)
        return max(total // 100, min(10, total // 2))


@dataclass(frozen=True)
class Report:
    """What is in the folder now. ``bad``: name, tab and reason of each file that is not.

    ``unlabelled``: pictures without a class, by split; ``absent``: classes without a training picture; ``reused``:
    nothing was to be done.
    """

    path: Path
    manifest: Manifest
    unlabelled: dict[str, int]
    absent: tuple[str, ...]
    bad: tuple[str, ...]
    reused: bool


def prepare(
    paths: Sequence[Path], out: Path, options: Options, progress: Progress, check: Check = lambda source: None
) -> Report:
    """Prepare the data set at ``paths`` into the folder ``out``. Raises DataError.

    The folder must be new or empty, or hold an unfinished preparation of the same, which goes on. If it is stopped by
    whatever means, calling it again leaves the same bytes as one call. The same data with other options, or changed
    files, are refused unless ``replace``. ``check`` may refuse too, before there is a folder.
    """
    _refuse_place(paths, out)
    source = hold_out(all_as(find_source(paths), options.unsplit), options.holdout)
    check(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a process-wide setting, so it is made here and not in the threads
        return prepare_source(source, out, options, progress)


def prepare_source(source: Source, out: Path, options: Options, progress: Progress) -> Report:
    """As ``prepare``, of what a reader found; Python's warnings are silent."""
    first = next(source.splits[split] for split in SPLITS if split in source.splits)
    frame = find_frame(first, options.side, options.stretch, options.grey)
    plan = _plan(source, frame)
    with alone_in(out, wait=options.wait):
        if is_prepared(out) and read_manifest(out).origin.plan == plan:
            _remove_journal(out)
            return _report(out, reused=True)
        journal = _journal(out, plan, replace=options.replace)
        workers = options.workers or os.cpu_count() or 1
        stream = Stream(source, frame, out, journal, options.bad_allowed(len(source) + len(source.bad)), progress)
        stream.run(workers)
        return _report(out, reused=False)


def ensure_prepared(
    path: Path, cache: Path, options: Options, progress: Progress, check: Check = lambda source: None
) -> PreparedData:
    """The data at ``path``, ready to use: opened if they are prepared, else prepared into `cache_folder`.

    The folder's name tells source and options, so both may change and change back. What is there from an earlier call
    is used again unless a file of the source changed its name, size or time; then it is replaced. Nothing is written
    beside the source. Several processes may call this at once: one works, the others wait. ``check`` is of raw pictures
    only, as in `prepare`. Raises DataError.
    """
    if is_prepared(path):
        return open_prepared(path)
    out = cache_folder(path, cache, options)
    if _lies_in(out, path):
        reason = f"its pictures cannot be prepared in {cache} or {out.parent}, which lie among them"
        raise DataError(str(path), reason, _by_hand(path, options))
    allowed = Options(**{**vars(options), "replace": True, "wait": True})
    prepare([path], out, allowed, progress, check)
    return open_prepared(out)


def cache_folder(path: Path, cache: Path, options: Options) -> Path:
    """Where ``ensure_prepared`` puts the data at ``path``: `<name>-256-1a2b3c4d`.

    It is below ``cache``, or below OTHER_CACHE beside it where ``cache`` lies in the data.
    """
    place = path.resolve()
    size = options.side or ("x".join(map(str, options.stretch)) if options.stretch else "own")
    marks = (str(place), size, options.grey, options.holdout, options.unsplit)
    name = f"{place.name}-{size}-{hashlib.sha256(repr(marks).encode()).hexdigest()[:8]}"
    return (cache.with_name(OTHER_CACHE) if _lies_in(cache, path) else cache) / name


def _by_hand(path: Path, options: Options) -> str:
    """The command that prepares the data at ``path`` beside it, for a shell."""
    place = path.resolve()
    beside = place.with_name(f"{place.name}-prepared") if place.name else place / "prepared"
    out = shlex.quote(str(beside if path.is_absolute() else os.path.relpath(beside)))
    size = [] if options.side is None else [f"--size {options.side}"]
    if options.stretch is not None:
        size = [f"--stretch {'x'.join(map(str, options.stretch))}"]
    colours, held = ["--grey"] * bool(options.grey), [f"--holdout {options.holdout:g}"] * bool(options.holdout)
    words = ["netspec prepare", shlex.quote(str(path)), "-o", out, *size, *colours, *held]
    return f"run `{' '.join(words)}` first, then this with `--data {out}`"


def _refuse_place(paths: Sequence[Path], out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise DataError(str(out), "it is a file", "choose a new folder")
    for path in paths:
        if _lies_in(out, path):
            raise DataError(str(out), f"it lies in the source {path}", "choose a folder elsewhere")


def _lies_in(folder: Path, path: Path) -> bool:
    return path.is_dir() and folder.resolve().is_relative_to(path.resolve())


def _plan(source: Source, frame: Frame) -> str:
    return hashlib.sha256(f"{source.digest()} {frame!r}".encode()).hexdigest()


def _journal(out: Path, plan: str, *, replace: bool) -> Journal:
    """Of the unfinished preparation in the folder, or a new one, with the folder claimed for it."""
    journal = read_journal(out)
    if journal is not None and journal.plan == plan and not is_prepared(out):
        tidy(out)
        return journal
    if (journal is not None or is_prepared(out)) and not replace:
        state = "prepared" if is_prepared(out) else "unfinished"
        reason = f"it holds {state} data of another source or of other options"
        raise DataError(str(out), reason, "choose another folder, or add --force to replace them")
    claim(out, replace=replace)
    return Journal(plan, {}, {})


def _remove_journal(out: Path) -> None:
    """Of a preparation that was killed when it was finished, but for this. Raises DataError."""
    if (out / JOURNAL).exists():
        with disk_errors(out, 0):
            (out / JOURNAL).unlink()


def _report(out: Path, *, reused: bool) -> Report:
    lines = (out / QUARANTINE).read_text(encoding="utf-8").splitlines()
    data = open_prepared(out)
    unlabelled = {split: data.unlabelled(split) for split in data.splits}
    return Report(out, read_manifest(out), unlabelled, data.absent(TRAIN), tuple(lines), reused)
