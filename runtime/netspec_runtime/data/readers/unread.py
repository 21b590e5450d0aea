"""What people give that is not read as it is, by its name: archives, pickles, half a prepared folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from netspec_runtime.data.manifest import SPLITS, images_file

_ARCHIVES: Final = (".gz", ".tgz", ".bz2", ".xz", ".zst", ".zip", ".7z", ".rar")
_PICKLES: Final = (  # files of CIFAR's versions for Python, and what to fetch instead
    (("data_batch_1", "cifar-10-batches-py/data_batch_1"), "cifar-10-binary.tar.gz"),
    (("meta", "cifar-100-python/meta"), "cifar-100-binary.tar.gz"),
)


def why_unread(path: Path) -> tuple[str, str] | None:
    """Reason and fix of a file, or of a folder in which no reader found pictures; None where its names say nothing."""
    if path.is_dir():
        return _of_pickles(path) or _of_folder(path)
    if path.suffix.lower() in _ARCHIVES:
        return "an archive, which is not read as it is", "unpack it, and give what was in it"
    return None


def _of_pickles(folder: Path) -> tuple[str, str] | None:
    for files, binary in _PICKLES:
        if any((folder / file).is_file() for file in files):
            return "CIFAR as Python's pickles, which are not read", f"fetch its binary version, {binary}, and unpack it"
    return None


def _of_folder(folder: Path) -> tuple[str, str] | None:
    files = sorted(path.name for path in folder.iterdir() if path.is_file())
    if any(images_file(split) in files for split in SPLITS):
        return "prepared data that lack their prepared.json", "prepare the data again, into a new folder"
    archives = [name for name in files if Path(name).suffix.lower() in _ARCHIVES]
    if archives:
        return f"no pictures in this folder, but archives: {archives[0]}", "unpack them: tars are read as .tar alone"
    tables = [name for name in files if name.lower().endswith(".csv")]
    return (f"no pictures in this folder, but {tables[0]}", f"give {folder / tables[0]}") if tables else None
