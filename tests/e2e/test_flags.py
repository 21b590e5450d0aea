"""What a run keeps of its start, whichever way it goes on, and what it does not take from others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netspec_runtime.model_file import read_model
from tests.e2e.runs import CLASSES, OFTEN, SPEC, Server, metrics, outcome, steps

pytestmark = pytest.mark.slow
DATA = ("--data", "data")
NAMES = tuple(f"the {name}" for name in CLASSES)


def killed(server: Server, place: Path, run: str, *arguments: object) -> Path:
    """A run that is ended after some of its steps."""
    running = server.start(place, "train", *arguments, *DATA, "--out", run)
    assert running.until(lambda: max(steps(place / run), default=0) >= 9)
    running.kill()
    return place / run


def test_the_labels_of_a_file_go_with_the_run(server: Server, place: Path) -> None:
    """They are read before anything else, and the file may be gone when the run goes on."""
    (place / "named.yaml").write_text(SPEC.replace("classes: 6", "classes: 6\nlabels: lists/names.txt"))
    (place / "lists").mkdir()
    file = place / "lists" / "names.txt"
    file.write_text("\n".join(NAMES[:5]))
    refused = server.run(place, "train", "named.yaml", *DATA, "--out", "named")
    assert refused.code == 1
    assert "NS605" in refused.err
    assert not (place / "named").exists()
    file.write_text("\n".join(NAMES))
    run = killed(server, place, "named", "named.yaml", *OFTEN)
    again = server.start(place, "train", "named.yaml", *DATA, "--out", "named", "--resume", "auto")
    assert again.until(lambda: max(steps(run), default=0) >= 18)
    again.kill()
    file.unlink()
    done = server.run(place, "train", "--resume", "named")
    assert done.code == 0, done.err
    assert read_model(str(run / "model.onnx")).card.labels == NAMES


def test_auto_goes_on_as_the_run_began(server: Server, place: Path) -> None:
    """With its data and flags, those of the files that it writes too."""
    flags = (*OFTEN, "--parts", "3", "--views", "10", "--no-channels-last", "--until-error", "0.01", "--tensorboard")
    assert server.run(place, "train", "tiny.yaml", *DATA, "--out", "flags-whole", *flags).code == 0
    run = killed(server, place, "flags", "tiny.yaml", *flags)
    events = set((run / "tensorboard").iterdir())
    assert events
    done = server.run(place, "train", "tiny.yaml", "--out", "flags", "--resume", "auto")
    assert done.code == 0, done.err
    assert outcome(run) == outcome(place / "flags-whole")
    assert set((run / "tensorboard").iterdir()) > events


def test_what_is_said_again_replaces_a_flag(server: Server, place: Path) -> None:
    run = killed(server, place, "changed", "tiny.yaml", *OFTEN)
    done = server.run(place, "train", "--resume", "changed", "--until-error", "1")
    assert done.code == 0, done.err
    assert max(steps(run)) % 12 == 0
    assert max(steps(run)) < 48


def test_every_start_is_noted(server: Server, place: Path) -> None:
    run = killed(server, place, "noted", "tiny.yaml", *OFTEN, "--device", "cpu")
    assert server.run(place, "train", "--resume", "noted", "--devices", "cpu,cpu").code == 0
    starts = json.loads((run / "environment.json").read_text())["starts"]
    assert len(starts) == 2
    assert starts[0]["time"] <= starts[1]["time"]
    assert all(start["devices"] == {"cpu": "cpu"} and start["versions"]["torch"] for start in starts)


def test_views_of_the_test_are_the_specs(server: Server, place: Path) -> None:
    """If none are given."""
    (place / "ten.yaml").write_text(SPEC.replace("color_pca: 0.1", "color_pca: 0.1, test_views: 10"))
    losses = {}
    for name, flags in {"own": (), "10": ("--views", "10"), "1": ("--views", "1")}.items():
        done = server.run(
            place, "train", "ten.yaml", *DATA, "--out", f"views-{name}", "--set", "train.epochs=1", *flags
        )
        assert done.code == 0, done.err
        losses[name] = [record["test_loss"] for record in metrics(place / f"views-{name}") if record["kind"] == "epoch"]
    assert losses["own"] == losses["10"] != losses["1"]


@pytest.mark.usefixtures("unbroken")
@pytest.mark.parametrize("flags", [("--out", "x"), ("--runs", "x"), ("--init-from", "unbroken"), ("-o", "x")])
def test_options_of_new_runs_are_refused_for_one_that_is_there(
    server: Server, place: Path, flags: tuple[str, str]
) -> None:
    done = server.run(place, "train", "--resume", "unbroken", *flags)
    assert done.code == 2
    assert "is for a new run, and --resume unbroken names one that is there" in done.err
    assert not (place / "x").exists()
