"""Opening a model: what onnxruntime gets is the same model, and what is damaged is one line."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import pytest
from safetensors.numpy import save

from netspec_runtime.device import Device
from netspec_runtime.errors import DataError
from netspec_runtime.layout import read_layout
from netspec_runtime.model_file import ALIGNMENT, BIG, SEAL_KEY, read_model, seal, seal_of
from netspec_runtime.session import open_net
from netspec_runtime.wire import WireError
from tests.runtime.models import LABELS, SIDE, SmallNet, aligned

BATCH = np.random.default_rng(5).normal(0, 1, (3, 3, SIDE, SIDE)).astype(np.float32)


def plain_answer(path: Path) -> list[list[float]]:
    """What onnxruntime makes of the file itself."""
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    answer: list[list[float]] = session.run(None, {"data": BATCH})[0].tolist()
    return answer


def our_answer(path: Path, *, prepack: bool = True) -> list[list[float]]:
    answer: list[list[float]] = (
        open_net(read_model(str(path)), Device.CPU, prepack=prepack).probabilities(BATCH).tolist()
    )
    return answer


def test_the_file_is_valid_onnx(model_path: Path) -> None:
    onnx.checker.check_model(onnx.load(model_path), full_check=True)


def test_large_weights_are_aligned_and_left_in_the_file(model_path: Path) -> None:
    raws = [tensor.raw for tensor in read_layout(model_path.read_bytes()).initializers.values() if tensor.raw]
    large = [raw for raw in raws if raw.end - raw.body >= BIG]
    assert len(large) == 2
    assert all(raw.body % ALIGNMENT == 0 for raw in large)
    assert (
        len(read_model(str(model_path)).graph)
        < model_path.stat().st_size - sum(raw.end - raw.body for raw in large) + 400
    )


def test_answers_are_those_of_the_plain_file(model_path: Path) -> None:
    assert our_answer(model_path) == plain_answer(model_path)


def test_without_prepacking_answers_differ_by_rounding_only(model_path: Path) -> None:
    assert np.allclose(our_answer(model_path, prepack=False), plain_answer(model_path), atol=1e-6)


def test_a_file_of_the_onnx_package_works_too(tmp_path: Path) -> None:
    path = tmp_path / "plain.onnx"
    path.write_bytes(SmallNet().plain_bytes())
    assert our_answer(path) == plain_answer(path)


def test_the_card_is_read(model_path: Path) -> None:
    opened = read_model(str(model_path))
    assert (opened.card.labels, opened.name, opened.path) == (LABELS, str(model_path), model_path)


@pytest.mark.parametrize(
    "name", ["with space.onnx", "größe.onnx", "*.onnx", "-.onnx", "a#b?c.onnx", os.fsdecode(b"\xff.onnx")]
)
def test_any_file_name(name: str, tmp_path: Path) -> None:
    path = SmallNet().write(tmp_path / name)
    assert our_answer(path) == plain_answer(path)


def test_links_to_a_model(model_path: Path, tmp_path: Path) -> None:
    (tmp_path / "soft.onnx").symlink_to(model_path)
    (tmp_path / "hard.onnx").hardlink_to(model_path)
    for name in ("soft.onnx", "hard.onnx"):
        assert our_answer(tmp_path / name) == plain_answer(model_path)


def test_the_working_folder_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = SmallNet().write(tmp_path / "small.onnx")
    monkeypatch.chdir(tmp_path)
    assert our_answer(Path("small.onnx")) == plain_answer(path)


def test_a_file_that_is_replaced_meanwhile_is_noticed(tmp_path: Path) -> None:
    path = SmallNet().write(tmp_path / "small.onnx")
    opened = read_model(str(path))
    path.unlink()
    SmallNet(seed=1).write(path)
    with pytest.raises(DataError, match="changed while it was read"):
        open_net(opened, Device.CPU, prepack=False)


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_model(str(path))
    assert str(caught.value).startswith(f"{path}: ")
    return caught.value.reason


def test_missing_empty_and_special_files(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").touch()
    os.mkfifo(tmp_path / "pipe.onnx")
    assert refused(tmp_path / "none.onnx") == "No such file or directory"
    assert refused(tmp_path) == "Is a directory"
    assert "empty" in refused(tmp_path / "empty.onnx")
    assert refused(tmp_path / "pipe.onnx") == "a special file"


def test_a_file_without_preprocessing_says_how_to_get_one(tmp_path: Path) -> None:
    path = tmp_path / "foreign.onnx"
    path.write_bytes(SmallNet(metadata={}).plain_bytes())
    with pytest.raises(DataError, match=r"records no preprocessing.*; write it with `netspec build SPEC`$"):
        read_model(str(path))


@pytest.mark.parametrize("content", [bytes(100), b"\x7fELF", b"\xff\xfea\0", b"caf\xe9 \xe9 an old text"])
def test_other_files(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    assert "no ONNX model" in refused(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jpg", b"\xff\xd8\xff\xe0 a photo", "this is a picture (JPEG), and no ONNX model; give an ONNX file"),
        ("a.onnx", b"RIFF\x24\0\0\0WEBPVP8 ", "this is a picture (WebP), "),
        (
            "best.safetensors",
            save({"w": np.zeros(3)}),
            "these are weights (safetensors), and no ONNX model; give the folder",
        ),
        ("a.yaml", b"layers: {}\n", "this is a layer file, and no ONNX model; build it first, with `netspec build`"),
        ("a.onnx", b"# mine\nnetspec: 1\n", "this is a layer file"),
        ("words.txt", "größer".encode() * 90, "this is text, "),
        ("a.pth", b"PK\3\4 archive", "this is a ZIP archive, as weights of torch are, "),
    ],
)
def test_what_another_file_seems_to_be(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_model(str(tmp_path / name))
    assert str(caught.value).startswith(f"{tmp_path / name}: {said}")


def test_the_model_of_a_run_is_written_again_by_its_run(model_path: Path, tmp_path: Path) -> None:
    run = tmp_path / "a run"
    run.mkdir()
    (run / "arguments.json").write_text("{}")
    content = bytearray(model_path.read_bytes())
    for damaged in (content[:900], content.replace(b"conv", b"c0nv", 1)):
        (run / "model.onnx").write_bytes(damaged)
        with pytest.raises(DataError, match=f"write it again with `netspec train --resume '{run}'`"):
            read_model(str(run / "model.onnx"))


def test_a_truncated_file(model_path: Path, tmp_path: Path) -> None:
    content, path = model_path.read_bytes(), tmp_path / "cut.onnx"
    for size in random.Random(1).sample(range(1, len(content)), 60):
        path.write_bytes(content[:size])
        assert refused(path)


def test_every_flipped_bit_outside_the_weights_is_found(model_path: Path, tmp_path: Path) -> None:
    content, path = model_path.read_bytes(), tmp_path / "flipped.onnx"
    raws = [tensor.raw for tensor in read_layout(content).initializers.values() if tensor.raw]
    inside = {i for raw in raws if raw.end - raw.body >= BIG for i in range(raw.body, raw.end)}
    outside = [i for i in range(len(content)) if i not in inside]
    for position in random.Random(2).sample(outside, 200):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        try:
            opened = read_model(str(path))
        except DataError:
            continue
        # The one way out: the key of the seal itself was hit, and then only that.
        assert SEAL_KEY not in opened.graph.decode("latin-1")


def test_the_seal_is_no_part_of_itself(model_path: Path) -> None:
    data = model_path.read_bytes()
    layout = read_layout(data)
    place = layout.metadata[SEAL_KEY]
    assert data[place.body : place.end].decode() == seal_of(data, layout)


def test_a_file_without_room_for_a_seal(tmp_path: Path) -> None:
    path = SmallNet().write(tmp_path / "small.onnx", sealed=False)
    with pytest.raises(WireError, match="no room"):
        seal(path)


def test_weights_that_do_not_fill_their_shape(tmp_path: Path) -> None:
    net, path = SmallNet(), tmp_path / "short.onnx"
    content = aligned(net.graph(), net.metadata, net.weights())
    path.write_bytes(content.replace(b"\x08\x05\x08\x88\x03\x10\x01", b"\x08\x06\x08\x88\x03\x10\x01"))
    assert "'fc.weight' is 6x392 and has 7840 bytes" in refused(path)


def mutated(content: bytes, chance: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at, length = chance.randrange(len(data)), chance.randrange(1, 40)
        kind = chance.randrange(4)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at] = chance.choice((0, 1, 127, 128, 255))
        elif kind == 2:
            del data[at : at + length]
        else:
            data[at:at] = data[chance.randrange(len(data)) :][:length]
        data = data or bytearray(b"\0")
    return bytes(data)


def answer_or_line(path: Path) -> list[list[float]] | str:
    try:
        return our_answer(path, prepack=False)
    except DataError as error:
        return str(error)


@pytest.mark.parametrize("sealed", [True, False])
def test_mutants_answer_or_are_one_line(tmp_path: Path, *, sealed: bool) -> None:
    content = SmallNet().write(tmp_path / "small.onnx", sealed=sealed).read_bytes()
    # Most of the file is weights, where nothing can go wrong: without them the mutants hit the structure.
    head, tail = (content[: (cut := content.rindex(b"conv1.weight"))], content[cut:])
    chance, path = random.Random(3), tmp_path / "mutant.onnx"
    for _ in range(300):
        path.write_bytes(mutated(head, chance) + tail)
        outcome = answer_or_line(path)
        assert outcome.isprintable() if isinstance(outcome, str) else np.isfinite(outcome).all()
