"""AlexNet's weights, 244 MB, imported by the command: memory stays near the size of the file. Time is not asserted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from netspec.importers.caffe.net import read_caffe
from netspec.pipeline import compile_spec
from netspec.source import Source
from tests.importers.caffe.nets import imagenet
from tests.importers.caffe.opencv import Array, write_caffemodel

STATUS = Path("/proc/self/status")  # getrusage would count what this process had before it became the other
MEASURED = """
import pathlib, re, sys
from netspec.cli import main
try:
    main()
finally:
    peak = re.search(r"VmHWM:\\s+([0-9]+) kB", pathlib.Path("/proc/self/status").read_text())
    print(int(peak[1]) * 1024, file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="peak memory is read from /proc")
def test_memory(tmp_path: Path) -> None:
    text = imagenet.alexnet_deploy()
    (tmp_path / "alexnet.prototxt").write_text(text)
    blobs: dict[str, list[Array]] = {}
    random = np.random.default_rng(0)
    for owned in compile_spec(read_caffe(Source("alexnet.prototxt", text)).spec).typed.parameters:
        numbers = random.random(owned.parameter.dims, dtype=np.float32)
        blobs.setdefault(owned.name.partition(".")[0], []).append(numbers)
    weights = write_caffemodel(tmp_path / "alexnet.caffemodel", blobs)
    size = weights.stat().st_size
    assert size > 243_000_000
    command = [sys.executable, "-c", MEASURED, "import", "alexnet.prototxt", "alexnet.caffemodel", "-o", "net.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stderr.splitlines()[-1]) <= 2.5 * size
    with safe_open(tmp_path / "net.safetensors", framework="np") as file:
        for name in ("conv1", "fc6", "fc8"):
            np.testing.assert_array_equal(file.get_tensor(f"{name}.weight"), blobs[name][0])
