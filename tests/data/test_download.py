"""Data sets over the network: a server on this machine, small files, and everything that goes wrong on the way."""

from __future__ import annotations

import gzip
import hashlib
import io
import resource
import signal
import socket
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from netspec_runtime.data.download import DATA_SETS, MEBI, DataSet, download
from netspec_runtime.data.fetch import Published
from netspec_runtime.data.find import find_source
from netspec_runtime.errors import DataError, EnvironmentProblem
from tests.data.server import Files, serving

RANDOM = np.random.default_rng(0)
RECORDS = [RANDOM.integers(0, 10, (4, 3073), np.uint8) for _ in range(6)]


def tar(members: dict[str, bytes], link: str | None = None) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        if link:
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{link}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(entry)
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


BATCHES = {
    f"cifar-10-batches-bin/{name}": records.tobytes()
    for name, records in zip([f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"], RECORDS, strict=True)
}
NAMES = {"cifar-10-batches-bin/batches.meta.txt": b"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n"}
ARCHIVE = tar({"cifar-10-batches-bin/readme.html": b"<html>", **BATCHES, **NAMES})


def published(name: str, content: bytes, most: int = MEBI) -> Published:
    return Published(name, hashlib.md5(content, usedforsecurity=False).hexdigest(), most)


def cifar(server: Files, archive: bytes = ARCHIVE, most: int = MEBI) -> dict[str, DataSet]:
    """The data set as it is described, but of this archive."""
    files = (published("cifar-10-binary.tar.gz", archive, most),)
    return {"cifar10": DataSet(server.url, files, DATA_SETS["cifar10"].members)}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving({"cifar-10-binary.tar.gz": ARCHIVE}) as files:
        yield files


def quiet(name: str, here: int, total: int | None) -> None:
    """A progress that nobody sees."""


def test_cifar10_is_fetched_and_unpacked(server: Files, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    folder = download("cifar10", tmp_path, lambda *told: seen.append(told), data_sets=cifar(server))
    assert folder == tmp_path / "cifar10"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["cifar-10-binary.tar.gz", *(Path(name).name for name in (*BATCHES, *NAMES))]
    )
    assert seen[-1] == ("cifar-10-binary.tar.gz", len(ARCHIVE), len(ARCHIVE))
    source = find_source([folder])
    assert source.classes == tuple("abcdefghij")
    assert source.splits["train"].labels.tolist() == [int(row[0]) for records in RECORDS[:5] for row in records]
    assert source.splits["test"].labels.tolist() == RECORDS[5][:, 0].tolist()


def test_what_is_there_is_not_fetched_again(server: Files, tmp_path: Path) -> None:
    folder = download("cifar10", tmp_path, quiet, data_sets=cifar(server))
    (folder / "test_batch.bin").unlink()
    download("cifar10", tmp_path, quiet, data_sets=cifar(server))
    assert len(server.asked) == 1
    assert (folder / "test_batch.bin").read_bytes() == RECORDS[5].tobytes()


def idx(values: list[int], shape: tuple[int, ...]) -> bytes:
    head = bytes((0, 0, 8, len(shape))) + b"".join(n.to_bytes(4, "big") for n in shape)
    return gzip.compress(head + bytes(values), mtime=0)


def test_fashion_mnist_is_read_as_it_is(server: Files, tmp_path: Path) -> None:
    for split, count in (("train", 3), ("t10k", 2)):
        server.content[f"{split}-images-idx3-ubyte.gz"] = idx([7] * count * 784, (count, 28, 28))
        server.content[f"{split}-labels-idx1-ubyte.gz"] = idx(list(range(count)), (count,))
    names = [file.name for file in DATA_SETS["fashion-mnist"].files]
    files = tuple(published(name, server.content[name]) for name in names)
    folder = download("fashion-mnist", tmp_path, quiet, data_sets={"fashion-mnist": DataSet(server.url, files, {})})
    source = find_source([folder])
    assert source.classes[9] == "Ankle boot"
    assert [source.splits[name].labels.tolist() for name in ("train", "test")] == [[0, 1, 2], [0, 1]]


@pytest.mark.parametrize("sizeless", [False, True])
def test_a_broken_off_download_goes_on(sizeless: bool, server: Files, tmp_path: Path) -> None:
    server.sizeless = sizeless
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10" / "cifar-10-binary.tar.gz.part").write_bytes(ARCHIVE[:1000])
    download("cifar10", tmp_path, quiet, data_sets=cifar(server))
    assert [asked for _, asked in server.asked] == ["bytes=1000-"]


def test_every_connection_breaks(server: Files, tmp_path: Path) -> None:
    """It goes on by itself where the server says how much there is."""
    server.breaks_after = len(ARCHIVE) // 4
    download("cifar10", tmp_path, quiet, data_sets=cifar(server))
    quarters = [f"bytes={i * server.breaks_after}-" for i in range(1, 5)]
    assert [asked for _, asked in server.asked] == ["", *quarters[: len(server.asked) - 1]]
    assert len(server.asked) in {4, 5}


def test_a_server_that_cannot_go_on_starts_again(server: Files, tmp_path: Path) -> None:
    server.whole = True
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10" / "cifar-10-binary.tar.gz.part").write_bytes(b"x" * 1000)
    download("cifar10", tmp_path, quiet, data_sets=cifar(server))
    assert (tmp_path / "cifar10" / "cifar-10-binary.tar.gz").read_bytes() == ARCHIVE


@pytest.mark.parametrize("begun", [b"", b"x" * 1000, b"x" * 2 * len(ARCHIVE)], ids=["none", "another", "too long"])
def test_another_file_is_removed(begun: bytes, server: Files, tmp_path: Path) -> None:
    """Damaged on the way, or begun of another one: the next call starts anew."""
    part = tmp_path / "cifar10" / "cifar-10-binary.tar.gz.part"
    part.parent.mkdir()
    part.write_bytes(begun)
    if not begun:
        server.content["cifar-10-binary.tar.gz"] = ARCHIVE[:-1] + b"?"
    with pytest.raises(DataError, match="not the file that was published: its md5 is"):
        download("cifar10", tmp_path, quiet, data_sets=cifar(server))
    assert list(part.parent.iterdir()) == []
    server.content["cifar-10-binary.tar.gz"] = ARCHIVE
    download("cifar10", tmp_path, quiet, data_sets=cifar(server))


def test_a_wrong_file_that_was_there_stays(server: Files, tmp_path: Path) -> None:
    path = tmp_path / "cifar10" / "cifar-10-binary.tar.gz"
    path.parent.mkdir()
    path.write_bytes(b"mine")
    with pytest.raises(DataError, match=r"not the file that was published.*move it away"):
        download("cifar10", tmp_path, quiet, data_sets=cifar(server))
    assert path.read_bytes() == b"mine"
    assert server.asked == []


def test_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(EnvironmentProblem, match=r"cannot be fetched: Connection refused; check the network"):
            download("cifar10", tmp_path, quiet, mirror=url)


def test_a_server_that_says_nothing(server: Files, tmp_path: Path) -> None:
    server.mute = True
    with pytest.raises(EnvironmentProblem, match="cannot be fetched: timed out"):
        download("cifar10", tmp_path, quiet, data_sets=cifar(server), timeout=0.2)


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (404, DataError, "the server answers 404 Not Found"),
        (403, DataError, "the server answers 403 Forbidden"),
        (503, EnvironmentProblem, "cannot be fetched: HTTP Error 503|cannot be fetched: Service Unavailable"),
    ],
)
def test_a_server_that_refuses(status: int, kind: type[Exception], reason: str, server: Files, tmp_path: Path) -> None:
    server.status = status
    with pytest.raises(kind, match=reason):
        download("cifar10", tmp_path, quiet, data_sets=cifar(server))


def test_a_redirection_to_no_address(server: Files, tmp_path: Path) -> None:
    server.moved = "http://[x"
    with pytest.raises(EnvironmentProblem, match="cannot be fetched: Invalid IPv6 URL; check the network"):
        download("cifar10", tmp_path, quiet, data_sets=cifar(server))


@pytest.mark.parametrize("sizeless", [False, True])
def test_a_file_far_too_large(sizeless: bool, server: Files, tmp_path: Path) -> None:
    server.sizeless = sizeless
    with pytest.raises(DataError, match="more than 1,000 bytes: not cifar-10-binary"):
        download("cifar10", tmp_path, quiet, data_sets=cifar(server, most=1000))


@pytest.mark.parametrize(
    "mirror",
    [
        *("file:///etc", "ftp://127.0.0.1", "/etc", "http:///etc", "http://[x", "http://a..b/", f"http://{'a' * 64}/"),
        *("http://127.0.0.1:9/données", "http://127.0.0.1:9/my files", "http://127.0.0.1:x", "http://127.0.0.1:99999"),
    ],
)
def test_only_http(mirror: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no http or https address"):
        download("cifar10", tmp_path / "raw", quiet, mirror=mirror)
    assert not any(tmp_path.iterdir())


def test_an_unknown_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one of: cifar10, fashion-mnist"):
        download("imagenet", tmp_path, quiet)


@pytest.mark.parametrize("climb", ["../../", "/", "cifar-10-batches-bin/../../../"])
def test_members_land_beside_the_archive(climb: str, server: Files, tmp_path: Path) -> None:
    hostile = tar({f"{climb}{Path(name).name}": content for name, content in {**BATCHES, **NAMES}.items()})
    server.content["cifar-10-binary.tar.gz"] = hostile
    folder = download("cifar10", tmp_path / "a", quiet, data_sets=cifar(server, hostile))
    assert {path.parent for path in tmp_path.rglob("*.bin")} == {folder}


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (tar({**BATCHES}), "it has no batches.meta.txt"),
        (tar(BATCHES, link="batches.meta.txt"), "it has no batches.meta.txt"),
        (tar({**BATCHES, "a/batches.meta.txt": b"a" * (MEBI + 1)}), "it has 1,048,577 bytes, more than 1,048,576"),
        (b"no archive", "cannot be unpacked"),
        (ARCHIVE[: len(ARCHIVE) // 2], "cannot be unpacked"),
    ],
    ids=["incomplete", "link", "too large", "no tar", "cut"],
)
def test_an_archive_of_something_else(archive: bytes, reason: str, server: Files, tmp_path: Path) -> None:
    server.content["cifar-10-binary.tar.gz"] = archive
    with pytest.raises(DataError, match=reason):
        download("cifar10", tmp_path, quiet, data_sets=cifar(server, archive))


def test_a_full_disk(server: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of this process may not grow beyond half the archive: what came stays, and the rest comes later."""
    monkeypatch.setattr("netspec_runtime.data.fetch._CHUNK", 4096)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Python would leave .pyc files cut off at the limit
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(ARCHIVE) // 2, hard))
    try:
        with pytest.raises(DataError, match="more bytes are needed"):
            download("cifar10", tmp_path, quiet, data_sets=cifar(server))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert (tmp_path / "cifar10" / "cifar-10-binary.tar.gz.part").stat().st_size > 0
    download("cifar10", tmp_path, quiet, data_sets=cifar(server))
    assert server.asked[1][1] != ""


def test_the_published_files() -> None:
    for data_set in DATA_SETS.values():
        assert data_set.address.startswith(("https://", "http://fashion-mnist."))
        assert all(len(bytes.fromhex(file.md5)) == 16 for file in data_set.files)
