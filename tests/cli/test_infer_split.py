"""`infer` on the files of a net that was built with --split, against the same net in one file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from netspec.cli import app

SPEC = """
netspec: 1
name: towers
input: {size: 16}
layers:
  conv1: {type: conv, inputs: data, filters: 8, size: 3, gpu: [0, 1], neuron: relu, init_w: 0.1}
  conv2: {type: conv, inputs: conv1, filters: 8, size: 3, neuron: relu, init_w: 0.1}
  fc3: {type: fc, inputs: conv2, outputs: 5, gpu: 1, init_w: 0.1}
  probs: {type: softmax, inputs: fc3}
"""


@pytest.mark.parametrize("part", ["towers.gpu0.onnx", "towers.gpu1.onnx"])
def test_any_part_answers_as_the_whole_net(tmp_path: Path, part: str) -> None:
    spec, picture = tmp_path / "spec.yaml", tmp_path / "picture.png"
    spec.write_text(SPEC, encoding="utf-8")
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(picture)
    built = CliRunner().invoke(app, ["build", str(spec), "--split", "--no-check", "--out", str(tmp_path)])
    assert built.exit_code == 0, built.output

    answers = [_answer(tmp_path / name, picture) for name in ("towers.onnx", part)]
    assert answers[0] == pytest.approx(answers[1], rel=1e-5)
    assert len(answers[0]) == 5


def test_the_folder_of_a_build_is_its_whole_net(tmp_path: Path) -> None:
    spec, picture, out = tmp_path / "spec.yaml", tmp_path / "picture.png", tmp_path / "out"
    spec.write_text(SPEC, encoding="utf-8")
    Image.new("RGB", (20, 20)).save(picture)
    flags = ["--split", "--no-check", "--out", str(out)]
    assert CliRunner().invoke(app, ["build", str(spec), *flags]).exit_code == 0
    assert _answer(out, picture) == _answer(out / "towers.onnx", picture)
    assert CliRunner().invoke(app, ["build", str(spec), *flags, "--set", "name=other"]).exit_code == 0
    result = CliRunner().invoke(app, ["infer", "--onnx", str(out), str(picture)])
    assert f"it holds 2 ONNX files: other.onnx, towers.onnx; give one, as {out}/other.onnx" in result.output


def test_a_missing_part_is_one_line(tmp_path: Path) -> None:
    spec, picture = tmp_path / "spec.yaml", tmp_path / "picture.png"
    spec.write_text(SPEC, encoding="utf-8")
    Image.new("RGB", (20, 20)).save(picture)
    CliRunner().invoke(app, ["build", str(spec), "--split", "--no-check", "--out", str(tmp_path)])
    (tmp_path / "towers.gpu1.onnx").unlink()
    result = CliRunner().invoke(app, ["infer", "--onnx", str(tmp_path / "towers.gpu0.onnx"), str(picture)])
    assert "towers.gpu1.onnx" in (result.output or str(result.exception))
    assert result.exit_code != 0


def _answer(model: Path, picture: Path) -> dict[str, float]:
    result = CliRunner().invoke(app, ["infer", "--onnx", str(model), str(picture), "--json"])
    assert result.exit_code == 0, result.output
    predictions = json.loads(result.stdout)["results"][0]["predictions"]
    return {prediction["label"]: prediction["probability"] for prediction in predictions}
