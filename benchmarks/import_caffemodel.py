"""`netspec import` of AlexNet as Caffe's files: 244 MB of random weights, against a plain copy of that file.

The command runs as a process of its own, from the interpreter's start to both files written and synced; the copy is
synced too. Memory is the process's largest resident set, in which the pages of the mapped file count.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.in_turn import in_turn, show
from netspec_runtime.wire import BYTES, bytes_field, varint

ROUNDS = 5
MOST_SECONDS, MOST_MEMORY = 2.0, 2.5  # what an import may take, and times the file's size

_LAYER, _NAME, _TYPE, _BLOBS, _DATA, _SHAPE = 100, 1, 2, 7, 5, 7  # numbers of fields in caffe.proto
_CONVS = (  # filters, channels that one reads, side, and the rest as text
    ("conv1", 96, 3, 11, "stride: 4"),
    ("conv2", 256, 48, 5, "pad: 2 group: 2"),
    ("conv3", 384, 256, 3, "pad: 1"),
    ("conv4", 384, 192, 3, "pad: 1 group: 2"),
    ("conv5", 256, 192, 3, "pad: 1 group: 2"),
)
_FCS = (("fc6", 4096, 9216), ("fc7", 4096, 4096), ("fc8", 1000, 4096))
_NORM = "lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }"
_POOL = "pooling_param { pool: MAX kernel_size: 3 stride: 2 }"
# A process that runs another: its own children's largest resident set is that one's.
_MEASURE = """import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
sys.exit(done.returncode)"""


def main() -> None:
    """Print times, their ratio, and the memory, with what is allowed."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        net, weights = folder / "alexnet.prototxt", folder / "alexnet.caffemodel"
        net.write_text(prototxt())
        write_caffemodel(weights)
        rounds, peaks = count(), list[int]()
        timings = in_turn(
            {
                "copy of the .caffemodel, synced": lambda: _copy(weights, folder / "copy"),
                "netspec import": lambda: peaks.append(_import(net, weights, folder / f"{next(rounds)}.yaml")),
            },
            ROUNDS,
        )
        size = weights.stat().st_size
    show(f"import of AlexNet, {size / 1e6:.0f} MB of weights", timings)
    print(f"  {timings[1].seconds:.2f} s of at most {MOST_SECONDS} s")
    print(f"  {max(peaks) / 1e6:.0f} MB of memory: x {max(peaks) / size:.2f} of the file, of at most {MOST_MEMORY}")


def prototxt() -> str:
    """AlexNet for use as Caffe's text: 60,965,224 parameters."""
    text = 'name: "AlexNet" input: "data" input_dim: 1 input_dim: 3 input_dim: 227 input_dim: 227\n'
    blob = "data"
    for name, filters, _, side, more in _CONVS:
        text += _layer(
            name, "Convolution", blob, f"convolution_param {{ num_output: {filters} kernel_size: {side} {more} }}"
        )
        text += _layer(f"relu_{name}", "ReLU", name)
        blob = name
        if name in ("conv1", "conv2"):
            text, blob = text + _layer(f"norm_{name}", "LRN", blob, _NORM), f"norm_{name}"
        if name in ("conv1", "conv2", "conv5"):
            text, blob = text + _layer(f"pool_{name}", "Pooling", blob, _POOL), f"pool_{name}"
    for name, outputs, _ in _FCS:
        text, blob = text + _layer(name, "InnerProduct", blob, f"inner_product_param {{ num_output: {outputs} }}"), name
        text += _layer(f"relu_{name}", "ReLU", name) if name != "fc8" else ""
    return text + _layer("prob", "Softmax", blob)


def write_caffemodel(path: Path) -> None:
    """Its weights at random, as Caffe writes them: packed, with their shape."""
    random = np.random.default_rng(0)
    shapes: list[tuple[str, str, tuple[int, ...]]] = []
    shapes += [(name, "Convolution", (filters, maps, side, side)) for name, filters, maps, side, _ in _CONVS]
    shapes += [(name, "InnerProduct", (outputs, inputs)) for name, outputs, inputs in _FCS]
    with path.open("wb") as file:
        for name, type, shape in shapes:
            blobs = [_blob(random.standard_normal(dims, np.float32)) for dims in (shape, shape[:1])]
            head = bytes_field(_NAME, name.encode()) + bytes_field(_TYPE, type.encode())
            file.write(bytes_field(_LAYER, head + b"".join(bytes_field(_BLOBS, blob) for blob in blobs)))


def _blob(array: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bytes:
    dims = bytes_field(1, b"".join(map(varint, array.shape)))
    return bytes_field(_SHAPE, dims) + varint(_DATA << 3 | BYTES) + varint(array.nbytes) + array.tobytes()


def _layer(name: str, type: str, bottom: str, more: str = "") -> str:
    top = bottom if type == "ReLU" else name
    return f'layer {{ name: "{name}" type: "{type}" bottom: "{bottom}" top: "{top}" {more} }}\n'


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())
    target.unlink()


def _import(net: Path, weights: Path, out: Path) -> int:
    """The memory that it took, in bytes."""
    command = [sys.executable, "-m", "netspec", "import", str(net), str(weights), "--out", str(out)]
    done = subprocess.run([sys.executable, "-c", _MEASURE, *command], capture_output=True, text=True, check=True)
    out.with_suffix(".safetensors").unlink()
    return int(done.stdout)


if __name__ == "__main__":
    main()
