"""Batches of a run: the same bytes for any workers, start and processes; exact sizes; errors; the colour noise."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import closing
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from netspec_runtime.card import Channels
from netspec_runtime.data.prepared import UNLABELLED, Split
from netspec_runtime.errors import DataError
from netspec_runtime.training.batches import Batch, TrainingBatches, global_batch, noise_directions
from netspec_runtime.training.draws import crop_offsets, epoch_order, reflections
from tests.training.pictures import on_disk, recipe, slow_crop, slow_reflection, split, statistics

WHOLE = slice(0, 16)


def batches(
    data: Split, workers: int = 0, rows: slice = WHOLE, batch: int = 16, seed: int = 7, **changes: Any
) -> TrainingBatches:
    pictures = recipe(prepared=data.images.shape[1:3], **{"noise": 0.1, **changes})
    return TrainingBatches(data, statistics(data), pictures, batch, seed, workers, rows)


def content(batch: Batch) -> tuple[object, ...]:
    noise = None if batch.noise is None else batch.noise.numpy().tobytes()
    return batch.step, batch.ids.tobytes(), batch.images.numpy().tobytes(), batch.labels.numpy().tobytes(), noise


def take(source: TrainingBatches, start: int, count: int) -> list[Batch]:
    with closing(source.start(start)) as iterator:
        return list(islice(iterator, count))


def test_workers_and_the_start_change_no_byte(tmp_path: Path) -> None:
    data = on_disk(tmp_path, split())  # 3 steps an epoch
    expected = [content(batch) for batch in take(batches(data), 0, 12)]
    assert len(set(expected)) == 12
    for workers in (0, 1, 2, 4):
        for start in (0, 1, 2, 3, 4, 8):
            found = [content(batch) for batch in take(batches(data, workers), start, 12 - start)]
            assert found == expected[start:], (workers, start)


def test_one_object_can_start_again_elsewhere() -> None:
    source = batches(split(), 2)
    later = [content(batch) for batch in take(source, 7, 4)]
    assert [content(batch) for batch in take(source, 0, 11)][7:] == later


@pytest.mark.parametrize("cuts", [(0, 16), (0, 8, 16), (0, 4, 8, 12, 16), (0, 5, 16)])
def test_processes_share_the_batch_of_one(cuts: tuple[int, ...]) -> None:
    data = split()
    for whole, *parts in zip(
        take(batches(data), 2, 4),
        *(take(batches(data, rows=slice(a, b)), 2, 4) for a, b in pairwise(cuts)),
        strict=True,
    ):
        assert [part.first for part in parts] == list(cuts[:-1])
        assert torch.equal(torch.cat([part.images for part in parts]), whole.images)
        assert torch.equal(torch.cat([part.labels for part in parts]), whole.labels)
        assert torch.equal(torch.cat(noises(parts)), noises([whole])[0])
        for part in parts:
            np.testing.assert_array_equal(part.ids, whole.ids)


def noises(parts: list[Batch]) -> list[torch.Tensor]:
    return [part.noise for part in parts if part.noise is not None]


def test_a_batch_is_what_its_draws_say() -> None:
    data, seed = split(), 11
    source = batches(data, seed=seed)
    for batch in take(source, 3, 3):  # the second epoch
        order = epoch_order(seed, 1, 50)[16 * (batch.step - 3) :][:16]
        tops, lefts = crop_offsets(seed, batch.step, 16, (4, 6))
        mirrored = reflections(seed, batch.step, 16)
        np.testing.assert_array_equal(batch.ids, order)
        np.testing.assert_array_equal(batch.labels.numpy(), data.labels[order])
        for row, picture in enumerate(order):
            patch = slow_crop(data.images[picture], (tops[row], lefts[row]), (9, 10))
            expected = slow_reflection(patch) if mirrored[row] else patch
            np.testing.assert_array_equal(batch.images[row].numpy(), expected)


def test_an_epoch_uses_no_picture_twice_and_drops_what_is_left() -> None:
    source = batches(split())
    assert source.steps_per_epoch == 3
    epochs = np.array([batch.ids for batch in take(source, 0, 9)]).reshape(3, 48)
    assert all(len(set(epoch)) == 48 for epoch in epochs)
    assert not (epochs[0] == epochs[1]).all()
    assert len({batch.images.shape for batch in take(source, 0, 9)}) == 1


def test_seeds_change_everything() -> None:
    one, other = (next(iter(take(batches(split(), seed=seed), 0, 1))) for seed in (7, 8))
    assert not any(a == b for a, b in zip(content(one)[1:], content(other)[1:], strict=True))


def test_a_small_data_set_is_one_batch_of_its_size() -> None:
    source = batches(split(10), rows=slice(0, 10))
    assert (global_batch(10, 16), global_batch(50, 16), source.steps_per_epoch) == (10, 16, 1)
    for batch in take(source, 0, 3):
        assert sorted(batch.ids) == list(range(10))
        assert batch.images.shape == (10, 9, 10, 3)


def test_a_process_may_have_no_rows() -> None:
    batch = batches(split(10), rows=slice(10, 20)).batch(4)
    assert batch.images.shape == (0, 9, 10, 3)
    assert batch.first == 10


def test_without_reflections_and_noise_whole_pictures_come_as_they_are() -> None:
    data = split()
    for batch in take(batches(data, mirror=False, noise=0.0, crop=(12, 15)), 0, 5):
        assert batch.noise is None
        np.testing.assert_array_equal(batch.images.numpy(), data.images[batch.ids])


def test_grey_pictures() -> None:
    data = split(size=(28, 30), colours=1)
    batch = batches(data, channels=Channels.GREY, crop=(28, 20)).batch(0)
    assert batch.images.shape == (16, 28, 20, 1)
    assert batch.noise is not None
    assert batch.noise.shape == (16, 1)


def test_what_a_run_never_draws_does_not_change_the_rest() -> None:
    data = split()
    plain, noisy = batches(data, mirror=False, noise=0.0).batch(5), batches(data, mirror=False, noise=0.1).batch(5)
    assert torch.equal(plain.images, noisy.images)


@pytest.mark.parametrize(("kind", "power"), [("std", 0.5), ("eigenvalue", 1.0)])
def test_noise_follows_the_principal_components(kind: str, power: float) -> None:
    data = split()
    figures = statistics(data)
    drawn = torch.cat(noises(take(batches(data, noise_of=kind), 0, 2000))).double().numpy()
    scale = 1 if kind == "std" else 255  # pixels from 0 to 1: eigenvalue / 255^2, and the noise x 255
    spread = 0.1 * figures.eigenvalues**power / scale
    components = drawn @ figures.eigenvectors
    assert np.abs(components.mean(0) / spread).max() < 5 / len(drawn) ** 0.5
    np.testing.assert_allclose(components.std(0), spread, rtol=0.02)
    vectors = figures.eigenvectors
    expected = vectors @ np.diag(spread**2) @ vectors.T
    np.testing.assert_allclose(np.cov(drawn.T), expected, atol=0.02 * expected.max())


def test_the_strongest_noise_of_imagenet_is_six_levels_by_the_paper_and_twelve_by_the_source() -> None:
    data = split()  # its largest eigenvalue is that of the authors' ImageNet, 121.78 squared
    strongest = {
        kind: np.linalg.norm(noise_directions(statistics(data), recipe(noise=0.1, noise_of=kind))[:, 2])
        for kind in ("eigenvalue", "std")
    }
    assert strongest == pytest.approx({"eigenvalue": 5.816, "std": 12.178}, abs=1e-3)


def test_an_eigenvalue_rounded_below_zero_is_zero() -> None:
    data = split(colours=1)
    figures = statistics(data)
    figures.eigenvalues[0] = -1e-12
    assert noise_directions(figures, recipe(noise=0.1, noise_of="std")).tolist() == [[0.0]]


def test_pictures_without_labels_are_refused() -> None:
    data = split()
    data.labels[3] = UNLABELLED
    with pytest.raises(DataError, match="no label"):
        batches(data)


def test_pictures_smaller_than_the_crop_are_refused() -> None:
    with pytest.raises(DataError, match="12 x 15"):
        batches(split(), crop=(13, 10))


@pytest.mark.parametrize("workers", [0, 1, 2, 4])
def test_a_file_cut_short_in_mid_run_is_an_error_for_the_consumer(tmp_path: Path, workers: int) -> None:
    iterator: Iterator[Batch] = batches(on_disk(tmp_path, split()), workers).start(0)
    next(iterator)
    os.truncate(tmp_path / "train-images.npy", 100)
    with pytest.raises(DataError, match="shorter"):
        list(islice(iterator, 20))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_folder_that_is_prepared_anew_in_mid_run_changes_no_picture(tmp_path: Path, workers: int) -> None:
    expected = [content(batch) for batch in take(batches(split()), 0, 6)]
    source = batches(on_disk(tmp_path, split()), workers)
    (tmp_path / "train-images.npy").unlink()
    on_disk(tmp_path, split(seed=1))
    assert [content(batch) for batch in take(source, 0, 6)] == expected


def test_a_folder_that_is_prepared_anew_before_its_files_are_opened_is_refused(tmp_path: Path) -> None:
    data = on_disk(tmp_path, split())
    (tmp_path / "train-images.npy").unlink()
    on_disk(tmp_path, split(seed=1))
    with pytest.raises(DataError, match=r"train-images\.npy: another file has taken its place; start again"):
        batches(data)


def test_a_file_is_open_as_long_as_its_pictures_are_used(tmp_path: Path) -> None:
    def opened() -> int:
        links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        return sum(str(link.readlink()).startswith(str(tmp_path)) for link in links)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs Linux's /proc")
    sources = [batches(data := on_disk(tmp_path, split()), 2), batches(Split(data.images[3:], data.labels[3:]))]
    for source in sources:
        take(source, 0, 6)
    held = opened()
    del source, sources, data
    gc.collect()
    assert (held > 0, opened()) == (True, 0)
