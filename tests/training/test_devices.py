"""Which devices a list of words means for a spec, and what is said of the others."""

from __future__ import annotations

import pytest

from netspec.processes import DevicesError, find_devices


def test_one_for_all_or_one_for_each() -> None:
    assert find_devices("cpu", 2) == ("cpu",)
    assert find_devices("cpu, cpu", 2) == ("cpu", "cpu")


@pytest.mark.parametrize(
    ("text", "placed", "said"),
    [
        ("cpu,cpu", 1, "2 devices, and the spec places its layers on 1; give one, or `gpu` keys in the spec"),
        ("cpu,cpu,cpu", 2, "3 devices, and the spec places its layers on 2; give one or 2, or `gpu` keys in the spec"),
        ("cpu;cpu", 2, "no device; separate them by commas: --devices cpu,cpu"),
        ("gpu", 1, "no device; for instance cpu, cuda:0 or cuda:0,cuda:1"),
    ],
)
def test_what_does_not_fit(text: str, placed: int, said: str) -> None:
    with pytest.raises(DevicesError) as refused:
        find_devices(text, placed)
    assert str(refused.value) == f"--devices {text}: {said}"
