"""Every kind of picture gives upright colours, and every kind of damage one line."""

from __future__ import annotations

import io
import os
import random
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netspec_runtime.card import Channels
from netspec_runtime.errors import DataError
from netspec_runtime.images import MAX_PIXELS, read_picture
from tests.runtime.bombs import png

RED, WHITE = (255, 0, 0), (255, 255, 255)


def saved(picture: Image.Image, path: Path, **options: object) -> str:
    picture.save(path, None, **options)
    return str(path)


def colour(path: str, channels: Channels = Channels.RGB) -> object:
    return read_picture(path, channels).getpixel((0, 0))


def reason(path: Path | str) -> str:
    with pytest.raises(DataError) as caught:
        read_picture(str(path), Channels.RGB)
    assert str(caught.value).startswith(f"{path}: ")
    return caught.value.reason


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "ppm", "gif", "webp", "jp2", "avif", "jpg"])
def test_formats(suffix: str, tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (32, 32), RED), tmp_path / f"a.{suffix}")
    found = read_picture(path, Channels.RGB)
    assert (found.mode, found.size) == ("RGB", (32, 32))
    assert np.abs(np.asarray(found).astype(int) - RED).max() <= 8


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Image.new("1", (4, 4), 1), WHITE),
        (Image.new("L", (4, 4), 100), (100, 100, 100)),
        (Image.new("LA", (4, 4), (100, 255)), (100, 100, 100)),
        (Image.new("LA", (4, 4), (100, 0)), WHITE),
        (Image.new("RGBA", (4, 4), (*RED, 255)), RED),
        (Image.new("RGBA", (4, 4), (*RED, 0)), WHITE),
        (Image.new("RGBA", (4, 4), (0, 0, 0, 51)), (204, 204, 204)),
        (Image.new("RGB", (4, 4), RED).quantize(), RED),
        (Image.new("I;16", (4, 4), 65535), WHITE),
        (Image.new("I;16", (4, 4), 257 * 100), (100, 100, 100)),
        (Image.new("I;16", (4, 4), 257 * 100 + 129), (101, 101, 101)),
    ],
    ids=[
        "bit",
        "grey",
        "grey+alpha",
        "clear grey",
        "rgba",
        "clear",
        "fifth",
        "palette",
        "16 white",
        "16",
        "16 rounded",
    ],
)
def test_modes_of_png(picture: Image.Image, expected: tuple[int, int, int], tmp_path: Path) -> None:
    assert colour(saved(picture, tmp_path / "a.png")) == expected


def test_transparent_colours(tmp_path: Path) -> None:
    palette = Image.new("RGB", (4, 4), RED).quantize()
    index = palette.getpixel((0, 0))
    assert colour(saved(palette, tmp_path / "a.png", transparency=index)) == WHITE
    assert colour(saved(palette, tmp_path / "a.gif", transparency=index)) == WHITE
    assert colour(saved(Image.new("RGB", (4, 4), RED), tmp_path / "b.png", transparency=RED)) == WHITE


def test_16_bits_outside_of_png(tmp_path: Path) -> None:
    deep = Image.new("I;16", (4, 4), 257 * 100)
    assert colour(saved(deep, tmp_path / "a.tiff")) == (100, 100, 100)
    (tmp_path / "a.pgm").write_bytes(b"P5 2 2 65535\n" + struct.pack(">H", 257 * 100) * 4)
    assert colour(str(tmp_path / "a.pgm")) == (100, 100, 100)


def test_32_bits_have_no_scale(tmp_path: Path) -> None:
    assert "32 bits" in reason(saved(Image.new("F", (4, 4), 0.5), tmp_path / "a.tiff"))
    assert "32 bits" in reason(saved(Image.new("I", (4, 4), 1 << 20), tmp_path / "b.tiff"))


def test_cmyk(tmp_path: Path) -> None:
    red = read_picture(saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), tmp_path / "a.jpg"), Channels.RGB)
    assert np.abs(np.asarray(red).astype(int) - RED).max() <= 8


def test_a_grey_net_gets_greys(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (4, 4), RED), tmp_path / "a.png")
    assert read_picture(path, Channels.GREY).mode == "L"
    assert colour(path, Channels.GREY) == 76  # ITU-R 601: .299 of red


def test_a_bgr_net_gets_rgb_here(tmp_path: Path) -> None:
    assert colour(saved(Image.new("RGB", (4, 4), RED), tmp_path / "a.png"), Channels.BGR) == RED


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(orientation: int, tmp_path: Path) -> None:
    # What the camera saw, and how each orientation stores it (CIPA DC-008, 4.6.4).
    seen = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    stored: dict[int, Callable[[], np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]] = {
        1: lambda: seen,
        2: lambda: seen[:, ::-1],
        3: lambda: seen[::-1, ::-1],
        4: lambda: seen[::-1],
        5: lambda: seen.T,
        6: lambda: np.rot90(seen),
        7: lambda: np.rot90(seen, 2).T,
        8: lambda: np.rot90(seen, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(Image.fromarray(np.ascontiguousarray(stored[orientation]())), tmp_path / "a.png", exif=exif)
    assert np.asarray(read_picture(path, Channels.GREY)).tolist() == seen.tolist()


@pytest.mark.parametrize(
    "block", [b"Exif\0\0garbage", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"]
)
def test_a_damaged_exif_block_turns_nothing(block: bytes, tmp_path: Path) -> None:
    assert read_picture(saved(Image.new("RGB", (8, 4), RED), tmp_path / "a.jpg", exif=block), Channels.RGB).size == (
        8,
        4,
    )


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tiff"])
def test_of_several_frames_the_first(suffix: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, (0, 255, 0), (0, 0, 255))]
    options = {"lossless": True} if suffix == "webp" else {}
    path = saved(frames[0], tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], **options)
    assert colour(path) == RED


@pytest.mark.parametrize("side", [10_001, 13_000, 20_000, 2**31 - 1])
def test_a_bomb_is_refused_by_its_header(side: int, tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(side, side, bytes(1000)))
    assert reason(path).endswith(f"more than {MAX_PIXELS:,} pixels")


def test_a_large_picture_is_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(png(9_500, 9_500))
    assert "cannot be decoded" in reason(path)  # it has no rows, but its size is accepted without a warning


def test_a_text_file_named_jpg(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("this is no picture")
    assert reason(tmp_path / "a.jpg") == "no picture in any format that is read here"


def test_a_format_that_starts_other_programs(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.eps")
    assert "no picture" in reason(tmp_path / "a.eps")


def test_a_truncated_jpeg(picture: Image.Image, tmp_path: Path) -> None:
    picture.resize((300, 200)).save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    assert "truncated" in reason(tmp_path / "a.jpg")


def test_no_file_empty_file_folder(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    assert reason(tmp_path / "none.png") == "No such file or directory"
    assert "no picture" in reason(tmp_path / "empty.png")
    assert reason(tmp_path) == "a special file"
    assert reason("/dev/zero") == "a special file"


def test_a_pipe(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), RED).save(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe")
    content = (tmp_path / "a.png").read_bytes()
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(content))
    writer.start()
    assert colour(str(tmp_path / "pipe")) == RED
    writer.join()


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (4, 4), RED).save(tmp_path / "a.png")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((tmp_path / "a.png").read_bytes())))
    assert colour("-") == RED
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    assert reason("-") == "nothing came in"


def test_a_library_that_writes_to_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.tiff"
    Image.new("1", (64, 64)).save(path, compression="group4")
    content = path.read_bytes()
    for position in range(8, 40):
        path.write_bytes(content[:position] + b"\x55" + content[position + 1 :])
        outcome(path)
    assert capfd.readouterr().err == ""


def test_a_library_that_logs(tmp_path: Path, root: Path) -> None:
    path = tmp_path / "a.tiff"
    Image.new("RGB", (4, 4)).save(path)
    entry = struct.pack("<HHI", 277, 3, 1)  # SamplesPerPixel, a short, one of it
    content = path.read_bytes()
    path.write_bytes(content.replace(entry + b"\x03\x00", entry + b"\x00\x08"))
    assert path.read_bytes() != content
    script = "import sys; from tests.runtime.test_images import outcome, Path; print(outcome(Path(sys.argv[1])))"
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, check=True, cwd=root)
    assert (b"no picture" in done.stdout, done.stderr) == (True, b"")


def outcome(path: Path) -> str:
    try:
        return read_picture(str(path), Channels.RGB).mode
    except DataError as error:
        return str(error)


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp", "tiff", "bmp", "ppm"])
def test_mutants_are_pictures_or_one_line(suffix: str, picture: Image.Image, tmp_path: Path) -> None:
    path, chance = tmp_path / f"a.{suffix}", random.Random(suffix)
    picture.save(path)
    content = path.read_bytes()
    for _ in range(60):
        data = bytearray(content)
        for _ in range(chance.choice((1, 2, 8))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data[: chance.choice((len(data), chance.randrange(len(data))))])
        assert outcome(path).isprintable()
