"""The script in docs/onnx-file.md, as it stands there, gives the answers of `netspec infer`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from netspec.build import BuildOptions, build_files
from netspec.seen import Seen
from netspec_runtime.card import read_card
from netspec_runtime.model_file import read_graph
from netspec_runtime.preprocess import make_views
from tests.build.nets import ONE, compiled

SIZES = ((24, 24), (37, 24), (53, 30), (31, 77), (9, 120), (17, 19))  # width and height
RANDOM = np.random.default_rng(0)
SEEN = Seen(RANDOM.uniform(0, 255, (27, 27, 3)).astype(np.float32), (101.0, 52.5, 203.25), tuple("abcde"))
GREY = Seen(SEEN.mean_image[:, :, :1], (101.0,))
SCORES = ONE.replace("  probs: {type: softmax, inputs: fc}\n", "").replace("inputs: data", "inputs: data, init_b: 0.1")
NETS = {
    "mean image": (ONE + "data: {resize: 27, mean: image, std: [60, 61, 62]}\n", SEEN),
    "mean image, blue first": (ONE + "data: {resize: 24, mean: image, channels: bgr}\n", SEEN),
    "mean colour": (ONE.replace("size: 16", "size: [16, 13]") + "data: {resize: 17, mean: color}\n", SEEN),
    "stretched, scores": (SCORES.replace("size: 16", "size: [16, 21]") + "data: {mean: [1, 2, 3]}\n", None),
    "grey": (ONE.replace("channels: 3", "channels: 1") + "data: {resize: 19, mean: image}\n", GREY),
}


@pytest.fixture(scope="module")
def script(root: Path) -> str:
    (found,) = re.findall(
        r"```python\n(.*?)```", (root / "docs" / "onnx-file.md").read_text(encoding="utf-8"), re.DOTALL
    )
    return str(found)


@pytest.fixture
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    text, seen = NETS[request.param]
    return build_files(
        compiled(text), None, BuildOptions(tmp_path, tmp_path / "net.yaml", seen=seen, check=False)
    ).model


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    """Noise of all proportions, one lying on its side, one grey, one with a palette."""
    paths = [str(tmp_path / f"{number}.png") for number in range(len(SIZES))]
    for number, (path, (width, height)) in enumerate(zip(paths, SIZES, strict=True)):
        picture = Image.fromarray(RANDOM.integers(0, 256, (height, width, 3), np.uint8))
        exif = Image.Exif()
        exif[0x0112] = 6 if number == 2 else 1
        picture.convert({3: "L", 4: "P"}.get(number, "RGB")).save(path, exif=exif)
    return paths


def said(*words: object) -> list[str]:
    """The lines that a Python program prints."""
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("model", NETS, indirect=True)
def test_the_script_gives_the_answers_of_infer(script: str, model: Path, pictures: list[str], tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(script, encoding="utf-8")
    rows = [line.split("\t") for line in said(tmp_path / "plain.py", model, *pictures)]
    document = json.loads("".join(said("-m", "netspec", "infer", "--json", "--onnx", model, *pictures)))
    expected = [(answer["path"], found) for answer in document["results"] for found in answer["predictions"]]
    assert [(path, label) for path, _, label in rows] == [(path, found["label"]) for path, found in expected]
    probabilities = [found["probability"] for _, found in expected]
    assert [float(row[1]) for row in rows] == pytest.approx(probabilities, abs=2e-6)


@pytest.mark.parametrize("model", NETS, indirect=True)
def test_its_input_is_that_of_infer_bit_for_bit(script: str, model: Path, pictures: list[str]) -> None:
    names: dict[str, object] = {}
    exec(script.replace("sys.argv[1:]", repr([str(model)])), names)  # noqa: S102 - our own documentation
    view, card = names["view"], read_card(read_graph(str(model)).metadata).preprocessing
    assert callable(view)
    for path in pictures:
        with Image.open(path) as stored:
            picture = ImageOps.exif_transpose(stored).convert("L" if card.channels.planes == 1 else "RGB")
        assert np.array_equal(view(path), make_views(picture, card, 1)[0])
