"""AlexNet, built once by the command, and its generated module. No expectations."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch

from netspec.pipeline import Compiled, compile_file
from netspec.proof.modules import load_classes
from netspec.spec.shipped import shipped_specs


@dataclass(frozen=True)
class Built:
    """A net and the folder that `netspec build` made of it."""

    net: Compiled
    folder: Path

    @property
    def model(self) -> Path:
        return self.folder / f"{self.net.spec.name}.onnx"

    @property
    def classes(self) -> tuple[type[torch.nn.Module], type[torch.nn.Module]]:
        """The merged and the split class of the file that lies in the folder."""
        name = self.net.spec.name
        merged, split = load_classes((self.folder / f"{name}.py").read_text(encoding="utf-8"), name)
        assert split is not None
        return merged, split


def build(folder: Path, *options: str, spec: str = "alexnet", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in ``folder``; a failure shows its messages."""
    command = [sys.executable, "-m", "netspec", "build", spec, *options]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="session")
def alexnet() -> Iterator[Built]:
    """Without its proof, also as a file a device, in a folder that goes at once: 488 MB."""
    with TemporaryDirectory() as folder:
        build(Path(folder), "--no-check", "--split", "--out", "out")
        yield Built(compile_file(shipped_specs()["alexnet"]), Path(folder) / "out")
