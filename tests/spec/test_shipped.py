"""What a command's SPEC means: a file, a built-in spec, or a word that is near one."""

from __future__ import annotations

from pathlib import Path

import pytest

from netspec.diagnostics import SpecError
from netspec.spec.shipped import find_spec, shipped_folder


def test_a_file_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lenet").mkdir()
    assert find_spec("lenet") == shipped_folder() / "lenet.yaml"
    assert find_spec("alexnet") == shipped_folder() / "alexnet.yaml"
    (tmp_path / "alexnet").write_text("netspec: 1\n")
    assert find_spec("alexnet") == Path("alexnet")


@pytest.mark.parametrize(
    ("word", "help"),
    [
        ("alexnett", "did you mean `alexnet`?"),
        ("lenet.yaml", "did you mean `lenet`?"),
        ("cifar-quick", "the specs that come with netspec are alexnet, alexnet-2012, "),
        ("folder/mine.yaml", "check the path, or name a spec that comes with netspec"),
    ],
)
def test_a_word_that_is_neither(word: str, help: str) -> None:
    with pytest.raises(SpecError) as refused:
        find_spec(word)
    (found,) = refused.value.diagnostics
    assert (found.code, found.message) == ("NS101", f"cannot read `{word}`: No such file or directory")
    assert found.help.startswith(help)
