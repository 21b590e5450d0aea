"""Pictures in, arrays out: against Pillow and numpy by hand, bad files, hold-out, what may be written over what."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from netspec_runtime.card import Channels, Preprocessing
from netspec_runtime.data.check import check_prepared
from netspec_runtime.data.find import find_source
from netspec_runtime.data.open import open_prepared
from netspec_runtime.data.prepare import Options, Report, cache_folder, ensure_prepared, prepare
from netspec_runtime.data.prepared import UNLABELLED
from netspec_runtime.data.source import fraction_of, hold_out
from netspec_runtime.errors import DataError
from netspec_runtime.images import read_picture
from netspec_runtime.preprocess import make_views
from tests.data.raw import encoded, noise, write_cifar10, write_folder
from tests.runtime.bombs import png

SMALL = Options(side=16, workers=2)


def quiet(done: int, total: int, bad: int) -> None:
    """No progress."""


def run(source: Path, out: Path, options: Options = SMALL) -> Report:
    return prepare([source], out, options, quiet)


def by_hand(path: Path, side: int) -> NDArray[np.uint8]:
    """Upright, the shorter side scaled, the central square cut."""
    with Image.open(path) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    shorter = min(picture.size)
    size = (picture.width * side // shorter, picture.height * side // shorter)
    pixels = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    return pixels[top : top + side, left : left + side]


def contents(folder: Path) -> dict[str, str]:
    """The sha256 of every file."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def spoil(folder: Path, photo: Path) -> list[str]:
    """Five files that are no pictures; returns their names, sorted."""
    (folder / "cut.JPEG").write_bytes(photo.read_bytes()[:20_000])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.png").write_text("no picture")
    (folder / "bomb.png").write_bytes(png(60_000, 60_000))
    (folder / "wrong.txt").write_bytes(photo.read_bytes())
    return ["bomb.png", "cut.JPEG", "empty.jpg", "text.png", "wrong.txt"]


@pytest.mark.slow
def test_photos_and_broken_files(shared: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    shutil.copytree(shared / "data" / "imagenet-samples", photos)
    paths = sorted(photos.iterdir())
    broken = spoil(photos, paths[0])
    report = run(photos, tmp_path / "out", Options(side=256))
    assert sorted(line.split("\t")[0] for line in report.bad) == broken
    assert (tmp_path / "out" / "quarantine.txt").read_text().splitlines() == list(report.bad)
    data = check_prepared(tmp_path / "out")
    expected = np.stack([by_hand(path, 256) for path in paths])
    assert np.array_equal(data.splits["train"].images, expected)
    assert [data.classes[label] for label in data.splits["train"].labels] == [path.name[:9] for path in paths]
    assert np.array_equal(data.statistics.mean_image, expected.mean(axis=0, dtype=np.float64).astype(np.float32))
    pixels = expected.reshape(-1, 3).astype(np.float64)
    np.testing.assert_allclose(data.statistics.mean_color, pixels.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(data.statistics.eigenvalues, np.linalg.eigvalsh(np.cov(pixels.T)), rtol=1e-9)


@pytest.mark.parametrize("size", [(24, 20), (20, 24), (16, 16), (7, 90)])
def test_pixels_are_those_by_hand(tmp_path: Path, size: tuple[int, int]) -> None:
    root = write_folder(tmp_path / "raw", {"cat": 3, "dog": 2}, *size)
    data = open_prepared(run(root, tmp_path / "out").path)
    paths = sorted(root.rglob("*.png"))
    assert np.array_equal(data.splits["train"].images, np.stack([by_hand(path, 16) for path in paths]))
    assert data.splits["train"].labels.tolist() == [0, 0, 0, 1, 1]
    assert data.classes == ("cat", "dog")


@pytest.mark.parametrize("recipe", [(16, (12, 10)), (None, (12, 10))], ids=["resized", "stretched"])
@pytest.mark.parametrize("channels", [Channels.RGB, Channels.GREY])
def test_infer_sees_the_same_pixels(
    tmp_path: Path, recipe: tuple[int | None, tuple[int, int]], channels: Channels
) -> None:
    resize, crop = recipe
    root = write_folder(tmp_path / "raw", {"a": 2})
    options = Options(side=resize, stretch=None if resize else crop, grey=channels is Channels.GREY)
    images = open_prepared(run(root, tmp_path / "out", options).path).splits["train"].images
    zeros, ones = (0.0,) * channels.planes, (1.0,) * channels.planes
    preprocessing = Preprocessing(resize, crop, channels, zeros, ones, 1)
    for image, path in zip(images, sorted(root.rglob("*.png")), strict=True):
        view = make_views(read_picture(str(path), channels), preprocessing, 1)[0]
        top, left = (image.shape[0] - crop[0]) // 2, (image.shape[1] - crop[1]) // 2
        cut = image[top : top + crop[0], left : left + crop[1]]
        assert np.array_equal(view, cut.transpose(2, 0, 1).astype(np.float32))


@pytest.mark.parametrize("workers", [2, 4])
def test_any_number_of_workers_leaves_the_same_bytes(tmp_path: Path, workers: int) -> None:
    root = write_folder(tmp_path / "raw", {"a": 40, "b": 40})
    (root / "a" / "007.png").write_bytes(b"broken")
    run(root, tmp_path / "one", replace(SMALL, workers=1))
    run(root, tmp_path / "many", replace(SMALL, workers=workers))
    assert contents(tmp_path / "one") == contents(tmp_path / "many")


def test_files_have_their_sha256_whether_or_not_one_is_bad(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "raw", {"a": 3})
    run(root, tmp_path / "whole")
    check_prepared(tmp_path / "whole")
    (root / "a" / "001.png").write_bytes(b"broken")
    run(root, tmp_path / "less")
    assert len(check_prepared(tmp_path / "less").splits["train"]) == 2


def test_a_file_that_goes_away_is_listed(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "raw", {"a": 3})
    (root / "a" / "nowhere.png").symlink_to(tmp_path / "nothing")
    report = run(root, tmp_path / "out")
    assert report.bad == ("a/nowhere.png\tNo such file or directory",)


def test_too_many_bad_files_stop_it_and_more_may_be_allowed(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "raw", {"a": 30})
    for number in range(11):
        (root / "a" / f"{number:03}.png").write_bytes(b"broken")
    with pytest.raises(
        DataError, match=r"11 of 30 files are bad so far, and 10 may be; the first: a/000\.png: no picture .* --max-bad"
    ):
        run(root, tmp_path / "out")
    assert "000.png\t" in (tmp_path / "out" / "quarantine.txt").read_text()
    report = run(root, tmp_path / "out", replace(SMALL, max_bad=0.4))
    assert len(report.bad) == 11
    run(root, tmp_path / "at once", replace(SMALL, max_bad=0.4))
    assert contents(tmp_path / "out") == contents(tmp_path / "at once")
    with pytest.raises(DataError, match="1 of 30 files are bad so far, and 0 may be; the first: a/000"):
        run(root, tmp_path / "strict", replace(SMALL, max_bad=0))


@pytest.mark.parametrize(("total", "allowed"), [(1, 0), (3, 1), (20, 10), (105, 10), (5000, 50)])
def test_how_many_may_be_bad(total: int, allowed: int) -> None:
    assert Options().bad_allowed(total) == allowed


def test_a_fraction_of_bad_files_is_what_it_says() -> None:
    """.29 x 100 is 28.999999999999996 in float64."""
    assert [Options(max_bad=part / 100).bad_allowed(100) for part in range(101)] == list(range(101))
    assert Options(max_bad=0.5).bad_allowed(3) == 1


def test_a_folder_of_broken_files(tmp_path: Path) -> None:
    (tmp_path / "raw" / "a").mkdir(parents=True)
    (tmp_path / "raw" / "a" / "x.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"1 of 1 files are bad so far, and 0 may be; the first: a/x\.png: "):
        run(tmp_path / "raw", tmp_path / "out")
    with pytest.raises(DataError, match="no picture for `train` could be read"):
        run(tmp_path / "raw", tmp_path / "out", replace(SMALL, max_bad=1))
    with pytest.raises(DataError, match=r"raw/a/x\.png: no picture in any format that is read here; check the files"):
        run(tmp_path / "raw", tmp_path / "new", Options(max_bad=1))


def test_sizes_where_none_is_given(tmp_path: Path) -> None:
    write_cifar10(tmp_path / "cifar", 1)
    assert run(tmp_path / "cifar", tmp_path / "1", Options()).manifest.contents.size == (32, 32)
    write_folder(tmp_path / "small", {"a": 1}, 20, 24)
    assert run(tmp_path / "small", tmp_path / "2", Options()).manifest.contents.size == (20, 20)
    write_folder(tmp_path / "large", {"a": 1}, 300, 400)
    assert run(tmp_path / "large", tmp_path / "3", Options()).manifest.contents.size == (256, 256)


def test_arrays_may_be_scaled_and_made_grey(tmp_path: Path) -> None:
    images, _ = write_cifar10(tmp_path / "cifar", 2)
    data = open_prepared(run(tmp_path / "cifar", tmp_path / "out", Options(stretch=(16, 24), grey=True)).path)
    picture = Image.fromarray(images[10]).convert("L").resize((24, 16), Image.Resampling.BILINEAR)
    assert np.array_equal(data.splits["test"].images[0, :, :, 0], np.asarray(picture))


def test_a_holdout_depends_on_names_alone(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "raw", {"a": 40, "b": 40})
    options = replace(SMALL, holdout=0.25)
    before = open_prepared(run(root, tmp_path / "1", options).path)
    assert 8 <= len(before.splits["test"]) <= 32
    assert len(before.splits["train"]) + len(before.splits["test"]) == 80
    held = {image.tobytes() for image in before.splits["test"].images}
    (root / "a" / "new.png").write_bytes(encoded(999))
    after = open_prepared(run(root, tmp_path / "2", options).path)
    new = by_hand(root / "a" / "new.png", 16).tobytes()
    assert {image.tobytes() for image in after.splits["test"].images} - {new} == held


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.123456789])
def test_what_was_set_aside_is_known_of_a_copy(fraction: float, tmp_path: Path) -> None:
    """And of nothing else; what is no such text says nothing."""
    root = write_folder(tmp_path / "raw", {"a": 3, "b": 3})
    said = hold_out(find_source([root]), fraction).held_out_of
    shutil.copytree(root, tmp_path / "copy")
    assert fraction_of(find_source([tmp_path / "copy"]), said) == fraction
    (root / "a" / "new.png").write_bytes(encoded(999))
    assert fraction_of(find_source([root]), said) is None
    likeness = said.split(" ")[0]
    for text in ("", likeness, f"{likeness} nan", f"{likeness} 1", f"{likeness} -0.1", f"{likeness} x", "0.1"):
        assert fraction_of(find_source([tmp_path / "copy"]), text) is None


def test_a_holdout_leaves_a_test_split_alone(tmp_path: Path) -> None:
    write_cifar10(tmp_path / "cifar", 3)
    report = run(tmp_path / "cifar", tmp_path / "out", Options(holdout=0.5))
    assert report.manifest.contents.counts == {"train": 15, "test": 3}


def test_unsplit_pictures_may_be_for_test(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "raw", {"a": 2})
    assert list(open_prepared(run(root, tmp_path / "out", replace(SMALL, unsplit="test")).path).splits) == ["test"]


def test_flat_pictures_without_ids_have_no_labels(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "n01491361_shark.png").write_bytes(encoded(1))
    (tmp_path / "raw" / "holiday.png").write_bytes(encoded(2))
    report = run(tmp_path / "raw", tmp_path / "out")
    data = open_prepared(tmp_path / "out")
    assert data.splits["train"].labels.tolist() == [UNLABELLED, 0]
    assert (data.classes, report.unlabelled) == (("n01491361",), {"train": 1})


def test_what_is_there_is_not_done_again(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "raw", {"a": 2})
    assert not run(root, tmp_path / "out").reused
    assert run(root, tmp_path / "out").reused
    (root / "a" / "new.png").write_bytes(encoded(999))
    with pytest.raises(DataError, match="it holds prepared data of another source or of other options"):
        run(root, tmp_path / "out")
    assert run(root, tmp_path / "out", replace(SMALL, replace=True)).manifest.contents.counts == {"train": 3}


def test_foreign_folders_are_left_alone(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "raw", {"a": 2})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    for forced in (False, True):
        with pytest.raises(DataError, match="the folder is not empty"):
            run(root, tmp_path / "out", replace(SMALL, replace=forced))
    assert contents(tmp_path / "out").keys() == {"thesis.tex"}
    with pytest.raises(DataError, match="it lies in the source"):
        run(root, root / "a" / "out")
    assert not (root / "a" / "out").exists()


def test_of_files_that_all_are_broken_the_first_says_why(tmp_path: Path) -> None:
    for name in ("x.png", "y.png", "z.png"):
        (tmp_path / "raw" / "a").mkdir(parents=True, exist_ok=True)
        (tmp_path / "raw" / "a" / name).write_bytes(b"text")
    with pytest.raises(DataError) as refused:
        run(tmp_path / "raw", tmp_path / "out", Options())
    assert str(refused.value) == (
        f"{tmp_path}/raw/a/x.png: no picture in any format that is read here, and none of the 3 tried can be read; "
        "check the files"
    )


def test_unfinished_data_are_no_source(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "raw", {"a": 2, "b": 1})
    (root / "a" / "000.png").write_bytes(b"broken")
    with pytest.raises(DataError, match="1 of 3 files are bad so far"):
        run(root, tmp_path / "out", replace(SMALL, max_bad=0))
    with pytest.raises(
        DataError, match=r"out: its preparation is unfinished; go on .* `netspec prepare \.\.\. -o .*out`"
    ):
        ensure_prepared(tmp_path / "out", tmp_path / "cache", SMALL, quiet)
    assert not (tmp_path / "cache").exists()


def test_a_file_is_no_place_for_data(tmp_path: Path) -> None:
    (tmp_path / "list.csv").touch()
    with pytest.raises(DataError, match=r"list\.csv: it is a file; choose a new folder"):
        run(write_folder(tmp_path / "raw", {"a": 2}), tmp_path / "list.csv")


def test_prepared_data_are_no_source(tmp_path: Path) -> None:
    run(write_folder(tmp_path / "raw", {"a": 2}), tmp_path / "out")
    with pytest.raises(DataError, match="this is prepared data already"):
        run(tmp_path / "out", tmp_path / "again")


def test_the_manifest_names_its_origin(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "raw", {"a": 2})
    run(root, tmp_path / "out")
    origin = json.loads((tmp_path / "out" / "prepared.json").read_text())["origin"]
    assert (origin["kind"], origin["sources"], origin["quarantined"]) == ("image folder", [str(root)], 0)


def test_train_and_eval_prepare_raw_data_once(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "raw", {"a": 2, "b": 2})
    calls: list[tuple[int, int, int]] = []

    def ensure() -> str:
        calls.clear()
        return ensure_prepared(root, tmp_path / "cache", SMALL, lambda *numbers: calls.append(numbers)).digest

    first = ensure()
    assert calls[-1] == (4, 4, 0)
    assert ensure() == first
    assert not calls
    assert {path.parent for path in (tmp_path / "cache").iterdir()} == {tmp_path / "cache"}
    assert sorted(path.name for path in root.iterdir()) == ["a", "b"]
    (root / "b" / "000.png").write_bytes(encoded(77, 30, 40))
    assert ensure() != first
    assert calls


def test_each_set_of_options_has_its_folder_in_the_cache(tmp_path: Path) -> None:
    wishes = [SMALL, replace(SMALL, side=17), replace(SMALL, grey=True), Options(stretch=(16, 16))]
    assert len({cache_folder(tmp_path, tmp_path, options) for options in wishes}) == len(wishes)
    assert cache_folder(tmp_path, tmp_path, replace(SMALL, workers=9)) == cache_folder(tmp_path, tmp_path, SMALL)


def test_prepared_data_are_opened_where_they_are(tmp_path: Path) -> None:
    run(write_folder(tmp_path / "raw", {"a": 2}), tmp_path / "out")
    data = ensure_prepared(tmp_path / "out", tmp_path / "cache", Options(side=99), quiet)
    assert (data.path, data.size) == (tmp_path / "out", (16, 16))
    assert not (tmp_path / "cache").exists()


def test_noise_differs_by_seed() -> None:
    assert len({noise(seed).tobytes() for seed in range(100)}) == 100
