"""MNIST and its relatives (Fashion-MNIST, EMNIST, KMNIST) as idx files, gzipped or not. Only bytes are read.

http://yann.lecun.com/exdb/mnist: two zeros, a type (8: unsigned bytes), the number of dimensions, each dimension as a
big-endian 32-bit number, then the data.
"""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from netspec_runtime.data.manifest import TEST, TRAIN
from netspec_runtime.data.source import RawPictures, Source, file_state
from netspec_runtime.errors import DataError

_STEMS: Final = {TRAIN: "train", TEST: "t10k"}
_BYTES: Final = 8
_FIX: Final = "fetch the file again"
_FASHION: Final = re.compile(r"fashion[-_. ]?mnist")
FASHION: Final = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)


def is_idx(root: Path) -> bool:
    """Whether the folder has training pictures of this form."""
    return _file(root, TRAIN, "images-idx3") is not None


def read_idx(root: Path) -> Source:
    """Both splits, or the training split alone. Raises DataError."""
    files: list[Path] = []
    splits = {}
    for split in (TRAIN, TEST):
        images, labels = _file(root, split, "images-idx3"), _file(root, split, "labels-idx1")
        if images is None:
            continue
        if labels is None:
            raise DataError(str(images), "there is no file of labels beside it", f"put {_STEMS[split]}-labels there")
        splits[split] = _pictures(split, images, labels)
        files += [images, labels]
    most = max(int(pictures.labels.max()) for pictures in splits.values())
    fashion = most < len(FASHION) and _is_fashion(root.resolve())
    return Source(
        kind="idx files" + " (Fashion-MNIST)" * fashion,
        paths=(str(root),),
        classes=FASHION if fashion else tuple(map(str, range(most + 1))),
        splits=dict(splits),
        files=tuple(file_state(path, path.name) for path in files),
    )


def _is_fashion(root: Path) -> bool:
    """Whether the folder is called so, or the one above as in torchvision's `FashionMNIST/raw`: files do not say it."""
    own, above = root.name.lower(), root.parent.name.lower()
    return own == "fashion" or bool(_FASHION.search(own) or _FASHION.fullmatch(above))


def _file(root: Path, split: str, kind: str) -> Path | None:
    """``train-images-idx3-ubyte``, also with a dot before idx as some unpackers leave it, also .gz."""
    for joint in ("-", "."):
        for suffix in ("", ".gz"):
            path = root / f"{_STEMS[split]}-{kind.replace('-', joint)}-ubyte{suffix}"
            if path.is_file():
                return path
    return None


def _pictures(split: str, images: Path, labels: Path) -> RawPictures:
    pixels, numbers = _read(images, 3), _read(labels, 1)
    if not pixels.size:
        raise DataError(str(images), f"no pixels in pictures of {list(pixels.shape)}", _FIX)
    if len(pixels) != len(numbers):
        raise DataError(str(labels), f"{len(numbers):,} labels of {len(pixels):,} pictures", _FIX)
    return RawPictures(split, pixels[..., None], numbers.astype(np.int64))


def _read(path: Path, dimensions: int) -> NDArray[np.uint8]:
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(str(path), f"cannot be read ({error})", _FIX) from error
    head = 4 + 4 * dimensions
    if content[:4] != bytes((0, 0, _BYTES, dimensions)) or len(content) < head:
        raise DataError(str(path), f"no idx file of bytes with {dimensions} dimensions", _FIX)
    shape = np.frombuffer(content, ">u4", dimensions, offset=4).tolist()
    if len(content) - head != int(np.prod(shape, dtype=object)):
        raise DataError(str(path), f"{len(content) - head:,} bytes of data, and not {shape}", _FIX)
    return np.frombuffer(content, np.uint8, offset=head).reshape(shape)
