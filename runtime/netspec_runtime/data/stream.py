"""The one pass over all pictures: threads decode, this thread writes in order, sums, and keeps the journal."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from netspec_runtime.data.frame import Chunk, Frame, Job, make_chunk
from netspec_runtime.data.journal import Journal
from netspec_runtime.data.manifest import (
    JOURNAL,
    QUARANTINE,
    SPLITS,
    UNLABELLED_NAMES,
    FileMark,
    Origin,
    images_file,
    labels_file,
)
from netspec_runtime.data.source import EncodedPictures, Pictures, Source
from netspec_runtime.data.splitfile import SplitFile
from netspec_runtime.data.statistics import no_pictures
from netspec_runtime.data.write import HEADER, finish, npy_header, write_marked
from netspec_runtime.errors import DataError, printable
from netspec_runtime.files import disk_errors, full_disk, write_file
from netspec_runtime.prefetch import in_order

SAVE_SECONDS = 5.0  # between saves of the journal
_CHUNK: Final = 1 << 22  # bytes of pixels
_DECODED: Final = 16  # pictures decoded by one job at most


class Stream:
    """One preparation into a claimed folder. ``run`` finishes it, or leaves a folder in which another goes on."""

    def __init__(
        self,
        source: Source,
        frame: Frame,
        out: Path,
        journal: Journal,
        bad_allowed: int,
        progress: Callable[[int, int, int], None],
    ) -> None:
        self._source = source
        self._splits = [split for split in SPLITS if split in source.splits]
        self._frame = frame
        self._out = out
        self._journal = journal
        self._bad_allowed = bad_allowed
        self._progress = progress
        self._sums = no_pictures(frame.shape)
        self._saved = time.monotonic()

    def run(self, workers: int) -> None:
        """With so many threads. Raises DataError."""
        self._check_space()
        self._journal.save(self._out)
        self._check_bad()
        self._finish({images_file(split): self._fill(workers, split) for split in self._splits})

    def _check_space(self) -> None:
        """The disk takes what is not there yet."""
        with disk_errors(self._out, 0):
            left = sum(self._bytes(split) for split in self._splits)
            free = shutil.disk_usage(self._out).free
        if left > free:
            raise full_disk(self._out, left - free)

    def _bytes(self, split: str) -> int:
        """To be written for a split: pixels and labels of all that are not dealt with."""
        count = len(self._source.splits[split])
        return 2 * HEADER + (count - self._journal.done.get(split, 0)) * self._frame.bytes + 8 * count

    def _fill(self, workers: int, split: str) -> FileMark:
        pictures = self._source.splits[split]
        kept = self._journal.rows(split)
        with (
            closing(SplitFile(self._out / images_file(split), self._frame, len(pictures), kept)) as file,
            closing(in_order(_make, self._jobs(file, split, pictures, kept), workers)) as chunks,
        ):
            try:
                for chunk, done in chunks:
                    file.append(chunk.pixels)
                    self._count(split, chunk, done)
                    if time.monotonic() - self._saved >= SAVE_SECONDS:
                        self._save(file)
                return file.finish()
            finally:  # after Ctrl-C and on a full disk too: what is there is not lost
                with contextlib.suppress(DataError):
                    self._save(file)

    def _jobs(self, file: SplitFile, split: str, pictures: Pictures, kept: int) -> Iterator[tuple[Job, int]]:
        """Each with the number of pictures that are dealt with after it."""
        summed = split == self._splits[0]
        start = self._journal.done.get(split, 0)
        step = max(1, _CHUNK // self._frame.bytes)
        for first in range(0, kept, step):
            yield partial(file.replay, first, min(first + step, kept), summed=summed), start
        if isinstance(pictures, EncodedPictures):
            step = min(step, _DECODED)
        for first in range(start, len(pictures), step):
            places = range(first, min(first + step, len(pictures)))
            yield partial(make_chunk, pictures, self._frame, places, summed=summed), places.stop

    def _count(self, split: str, chunk: Chunk, done: int) -> None:
        """One assignment, so that the journal is right whenever Ctrl-C comes."""
        journal = self._journal
        if chunk.sums is not None:
            self._sums += chunk.sums
        bad = {**journal.bad, split: (*journal.bad.get(split, ()), *chunk.bad)} if chunk.bad else journal.bad
        self._journal = Journal(journal.plan, {**journal.done, split: done}, bad)
        self._progress(sum(self._journal.done.values()), len(self._source), self._bad_count())
        if chunk.bad:
            self._check_bad()

    def _save(self, file: SplitFile) -> None:
        file.sync()
        self._journal.save(self._out)
        self._saved = time.monotonic()

    def _bad_count(self) -> int:
        return len(self._source.bad) + sum(map(len, self._journal.bad.values()))

    def _check_bad(self) -> None:
        count = self._bad_count()
        if count <= self._bad_allowed:
            return
        path, lines = self._out / QUARANTINE, self._quarantined()
        write_file(path, ["".join(f"{line}\n" for line in lines).encode()])
        total = len(self._source) + len(self._source.bad)
        reason = f"{count:,} of {total:,} files are bad so far, and {self._bad_allowed:,} may be"
        reason += f"; the first: {lines[0].replace(chr(9), ': ')}"
        raise DataError(str(path), reason, "read this list; to go on without them, add --max-bad with a fraction")

    def _quarantined(self) -> list[str]:
        """A line for each bad file: its name, a tab, the reason."""
        found = [(bad.name, bad.reason) for bad in self._source.bad]
        for split in self._splits:
            pictures = self._source.splits[split]
            found += [(pictures.name(index), reason) for index, reason in self._journal.bad.get(split, ())]
        return [f"{printable(name)}\t{printable(reason)}" for name, reason in found]

    def _unlabelled(self) -> list[str]:
        """The names of the pictures without a label, of all splits."""
        found = []
        for split in self._splits:
            bad = {self._source.splits[split].name(index) for index, _ in self._journal.bad.get(split, ())}
            found += [printable(name) for name in self._source.unlabelled(split) if name not in bad]
        return found

    def _finish(self, marks: dict[str, FileMark]) -> None:
        first = self._splits[0]
        if not self._journal.rows(first):
            raise DataError(str(self._out), f"no picture for `{first}` could be read", f"see its {QUARANTINE}")
        counts: dict[str, int] = {
            split: self._journal.rows(split) for split in self._splits if self._journal.rows(split)
        }
        for split in counts:
            bad = [index for index, _ in self._journal.bad.get(split, ())]
            labels = np.delete(self._source.splits[split].labels, bad)
            header = npy_header(labels.dtype, labels.shape)
            marks[labels_file(split)] = write_marked(self._out / labels_file(split), header, labels)
        for split in self._splits:
            if split not in counts:
                (self._out / images_file(split)).unlink()
                del marks[images_file(split)]
        source = self._source
        nameless = self._unlabelled() if source.classes else []
        if nameless:
            write_file(self._out / UNLABELLED_NAMES, ["".join(f"{name}\n" for name in nameless).encode()])
        lines = tuple(self._quarantined())
        plan = self._journal.plan
        origin = Origin(source.kind, source.paths, plan, len(lines), source.notes, source.held_out_of)
        finish(self._out, source.classes, counts, marks, self._sums, origin, lines)
        (self._out / JOURNAL).unlink()


def _make(job: tuple[Job, int]) -> tuple[Chunk, int]:
    return job[0](), job[1]
