"""`netspec prepare --download`, from a server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from netspec.cli.download import DataSet
from netspec_runtime.data.download import DATA_SETS
from netspec_runtime.data.open import open_prepared
from tests.cli.conftest import Run
from tests.data.server import Files, serving
from tests.data.test_download import ARCHIVE, RECORDS, cifar


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    """It has a small CIFAR-10, which passes for the published one."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving({"cifar-10-binary.tar.gz": ARCHIVE}) as files:
        monkeypatch.setitem(DATA_SETS, "cifar10", cifar(files)["cifar10"])
        yield files


def test_every_data_set_can_be_asked_for() -> None:
    assert [name.value for name in DataSet] == list(DATA_SETS)


def test_download_and_prepare(server: Files, netspec: Run, tmp_path: Path) -> None:
    done = netspec("prepare", "--download", "cifar10", "-o", tmp_path / "c")
    assert (done.code, done.err) == (0, "")
    assert "CIFAR-10 binary batches" in done.out
    prepared = open_prepared(tmp_path / "c")
    labels = [int(row[0]) for records in RECORDS[:5] for row in records]
    assert prepared.splits["train"].labels.tolist() == labels
    first = RECORDS[0][0, 1:].reshape(3, 32, 32).transpose(1, 2, 0)
    assert np.array_equal(prepared.splits["train"].images[0], first)
    assert (tmp_path / "c-download" / "cifar10" / "cifar-10-binary.tar.gz").is_file()
    assert netspec("prepare", "--download", "cifar10", "-o", tmp_path / "c").code == 0
    assert len(server.asked) == 1


def test_from_a_mirror(server: Files, netspec: Run, tmp_path: Path) -> None:
    mirror = server.url.replace("/files", "/files/mirror")
    server.content["mirror/cifar-10-binary.tar.gz"] = server.content.pop("cifar-10-binary.tar.gz")
    assert netspec("prepare", "--download", "cifar10", "--mirror", mirror, "-o", tmp_path / "c").code == 0
    assert server.asked == [("/files/mirror/cifar-10-binary.tar.gz", "")]


def test_without_a_network(server: Files, netspec: Run, tmp_path: Path) -> None:
    server.status = 503
    done = netspec("prepare", "--download", "cifar10", "-o", tmp_path / "c")
    assert (done.code, done.out) == (3, "")
    assert "cifar-10-binary.tar.gz: cannot be fetched" in done.err


@pytest.mark.parametrize("arguments", [[], ["photos", "--download", "cifar10"]])
def test_either_a_source_or_a_download(arguments: list[str], netspec: Run, tmp_path: Path) -> None:
    done = netspec("prepare", *arguments, "-o", tmp_path / "c")
    assert done.code == 2
    assert "give either SRC or --download" in done.err
