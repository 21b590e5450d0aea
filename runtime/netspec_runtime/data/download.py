"""Public data sets from where their authors publish them, as raw files that `prepare` reads. It prepares nothing."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from shutil import copyfileobj
from typing import Final

from netspec_runtime.data.fetch import Progress, Published, fetch
from netspec_runtime.errors import DataError
from netspec_runtime.files import disk_errors

MEBI: Final = 1 << 20


@dataclass(frozen=True)
class DataSet:
    """``files`` lie in the folder ``address``. ``members``: what is taken out of a tar, by name, and its most bytes."""

    address: str
    files: tuple[Published, ...]
    members: Mapping[str, int]


DATA_SETS: Final[Mapping[str, DataSet]] = {
    "cifar10": DataSet(
        "https://www.cs.toronto.edu/~kriz",
        (Published("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", 200 * MEBI),),
        {
            **{f"data_batch_{number}.bin": 40 * MEBI for number in range(1, 6)},
            "test_batch.bin": 40 * MEBI,
            "batches.meta.txt": MEBI,
        },
    ),
    "fashion-mnist": DataSet(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        (
            Published("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", 40 * MEBI),
            Published("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe", MEBI),
            Published("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79", 10 * MEBI),
            Published("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310", MEBI),
        ),
        {},
    ),
}


def download(
    name: str,
    out: Path,
    progress: Progress,
    *,
    mirror: str | None = None,
    data_sets: Mapping[str, DataSet] = DATA_SETS,
    timeout: float = 30.0,
) -> Path:
    """The raw data set in the folder ``out / name``, which is returned: `prepare` reads it.

    ``mirror`` is the address of another folder with the same files. What is there already is checked and not fetched.
    Raises DataError for a file that is not the published one, EnvironmentProblem where the network fails.
    """
    if name not in data_sets:
        raise DataError(name, "no data set that can be downloaded", f"one of: {', '.join(data_sets)}")
    chosen, folder = data_sets[name], out / name
    address = (mirror or chosen.address).rstrip("/")
    for file in chosen.files:
        path = fetch(file, f"{address}/{file.name}", folder, progress, timeout)
        if chosen.members:
            _unpack(path, chosen.members, folder)
    return folder


def _unpack(archive: Path, members: Mapping[str, int], folder: Path) -> None:
    """Write the named members beside the archive: by their names only, so nothing lands elsewhere."""
    waiting = {name for name in members if not (folder / name).is_file()}
    try:
        with tarfile.open(archive) as tar:
            while waiting and (member := tar.next()) is not None:
                name = PurePosixPath(member.name).name
                if member.isfile() and name in waiting:
                    _write(tar, member, folder / name, members[name])
                    waiting.remove(name)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise DataError(str(archive), f"cannot be unpacked ({error})", "remove it and run the command again") from error
    if waiting:
        raise DataError(str(archive), f"it has no {min(waiting)}", "remove it and run the command again")


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path, most: int) -> None:
    """One member, whole or not at all."""
    if member.size > most:
        raise DataError(str(path), f"it has {member.size:,} bytes, more than {most:,}", "fetch the archive again")
    source, part = tar.extractfile(member), path.with_name(f"{path.name}.part")
    if source is None:
        raise tarfile.ReadError(f"{path.name} cannot be read")
    with disk_errors(path, member.size), source, part.open("wb") as file:
        copyfileobj(source, file)
    with disk_errors(path, 0):
        part.replace(path)
