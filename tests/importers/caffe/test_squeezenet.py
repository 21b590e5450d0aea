"""A real net with its weights on real photos: SqueezeNet 1.0 as its authors published it, against OpenCV."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import pytest
from PIL import Image
from safetensors.numpy import save_file
from typer.testing import CliRunner

from netspec.build import BuildOptions, Built, build_files
from netspec.cli import app
from netspec.importers.caffe.net import CaffeOptions, read_caffe
from netspec.importers.remark import Imported
from netspec.pipeline import compile_file, compile_spec
from netspec.spec.dump import dump
from netspec.syntax.reader import read_source
from tests.importers.caffe.opencv import Array, opencv_values, our_values, pairs_of

MEAN = (104, 117, 123)


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "data" / "squeezenet-1.0"


@pytest.fixture(scope="module")
def net(folder: Path) -> Imported:
    return imported(folder, CaffeOptions())


@pytest.fixture(scope="module")
def built(net: Imported, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(net, tmp_path_factory.mktemp("squeezenet"))


def imported(folder: Path, options: CaffeOptions) -> Imported:
    return read_caffe(read_source(folder / "deploy.prototxt"), options, folder / "squeezenet_v1.0.caffemodel")


def build(net: Imported, folder: Path) -> Built:
    """The files of a build with its proof, from what `netspec import` writes."""
    spec, weights = folder / "net.yaml", folder / "net.safetensors"
    spec.write_text(dump(net.spec))
    save_file({name: np.array(array, np.float32) for name, array in (net.tensors or {}).items()}, weights)
    return build_files(compile_file(spec), None, BuildOptions(out=folder / "built", spec=spec, weights=weights))


def photos(shared: Path) -> list[tuple[Path, int]]:
    """Each sample photo with its class: their names begin with the WordNet id."""
    lines = (shared / "data" / "ilsvrc2012_synset_words.txt").read_text().splitlines()
    order = [line.split()[0] for line in lines]
    paths = sorted((shared / "data" / "imagenet-samples").glob("*.JPEG"))
    return [(path, order.index(path.name.split("_")[0])) for path in paths]


def prepared(path: Path, *, bgr: bool = True) -> Array:
    """The shorter side to 256, the centre of 227 x 227, the mean."""
    picture = Image.open(path).convert("RGB")
    scale = 256 / min(picture.size)
    width, height = (max(256, int(side * scale)) for side in picture.size)
    left, top = (width - 227) // 2, (height - 227) // 2
    resized = picture.resize((width, height), Image.Resampling.BILINEAR)
    pixels = np.asarray(resized.crop((left, top, left + 227, top + 227)), np.float32)
    centred = pixels[:, :, ::-1] - np.array(MEAN, np.float32)
    return np.ascontiguousarray((centred if bgr else centred[:, :, ::-1]).transpose(2, 0, 1)[None])


def test_the_net_and_its_remarks(net: Imported) -> None:
    assert compile_spec(net.spec).typed.parameter_count == 1_248_424
    data = net.spec.data
    assert (data.resize, data.crop, data.channels, data.mean) == (256, (227, 227), "bgr", MEAN)
    topics = {remark.topic for remark in net.remarks}
    assert {"channel order", "preprocessing", "rounding", "dropout", "output", "name", "xavier"} <= topics


def test_every_layer_equals_opencv(net: Imported, folder: Path, shared: Path) -> None:
    batch = prepared(photos(shared)[0][0])
    ours, pairs = our_values(net, batch), pairs_of(net)
    files = folder / "deploy.prototxt", folder / "squeezenet_v1.0.caffemodel"
    theirs = opencv_values(*files, batch, list(pairs.values()))
    assert len(pairs) == 39
    for here, there in pairs.items():
        scale = np.abs(theirs[there]).max()
        np.testing.assert_allclose(ours[here].ravel() / scale, theirs[there].ravel() / scale, atol=1e-4, err_msg=here)


@pytest.mark.slow
def test_it_builds_with_proof_and_names_the_photos(built: Built, shared: Path) -> None:
    assert built.parity is not None
    assert built.parity.holds
    session = onnxruntime.InferenceSession(str(built.model), providers=["CPUExecutionProvider"])
    first = fifth = 0
    for path, truth in photos(shared):
        best = np.argsort(-session.run(None, {"data": prepared(path)})[0][0])[:5]
        first, fifth = first + (best[0] == truth), fifth + (truth in best)
    assert abs(first - 60) <= 1
    assert abs(fifth - 86) <= 1


@pytest.mark.slow
def test_infer_names_most_of_the_photos(built: Built, shared: Path) -> None:
    truths = {str(path): truth for path, truth in photos(shared)}
    done = CliRunner().invoke(app, ["infer", "--onnx", str(built.model), "--json", "--top-k", "5", *truths])
    assert done.exit_code == 0, done.stderr
    answers = json.loads(done.stdout)["results"]
    right = [truths[answer["path"]] in [p["index"] for p in answer["predictions"]] for answer in answers]
    assert len(right) == 100
    assert sum(right) >= 80


def test_a_net_turned_to_rgb_gives_the_same_numbers(net: Imported, folder: Path, shared: Path) -> None:
    turned = imported(folder, CaffeOptions(rgb=True))
    assert turned.spec.data.channels == "rgb"
    assert list(turned.spec.data.mean) == list(reversed(MEAN))
    path = photos(shared)[1][0]
    one, other = our_values(net, prepared(path)), our_values(turned, prepared(path, bgr=False))
    np.testing.assert_allclose(other["pool_final_flat"], one["pool_final_flat"], atol=1e-4)


def test_weights_of_a_renamed_layer_are_refused_with_its_old_name(folder: Path, tmp_path: Path) -> None:
    from netspec_runtime.errors import DataError

    text = (folder / "deploy.prototxt").read_text().replace('"fire4/conv3x3_2"', '"fire4/conv3x3_two"')
    renamed = tmp_path / "renamed.prototxt"
    renamed.write_text(text)
    with pytest.raises(DataError, match="`fire4/conv3x3_two` has no weights \\(did you mean `fire4/conv3x3_2`\\?\\)"):
        read_caffe(read_source(renamed), CaffeOptions(), folder / "squeezenet_v1.0.caffemodel")
