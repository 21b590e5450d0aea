"""The tables and the document of `netspec eval`, from numbers that no net would give."""

from __future__ import annotations

import json

from netspec.report.scores import Evaluation, Result, render_scores, scores_document
from netspec_runtime.training.score import ClassScores, Confusion, Scores

BROKEN = Result("broken.onnx", Scores(10, float("nan"), 1.0, 1.0), "onnx", "CPUExecutionProvider", 1)
GOOD = Result("good.onnx", Scores(10, 0.25, 0.1, 0.0), "torch", "cuda:0", 10, 1.0, 12345.6)


def found(*results: Result, names: tuple[str, ...] = ("cat\x1b[31m", "dog")) -> Evaluation:
    confusions = (Confusion(0, 1, 1234),)
    classes = (ClassScores(0, 5, 0.2, 0.0, 4), ClassScores(1, 5, 0.0, 0.0, 6))
    return Evaluation("data", "abc", "test", names, results, None, confusions, classes)


def test_a_loss_that_is_no_number_is_null() -> None:
    text = json.dumps(scores_document(found(BROKEN)), allow_nan=False)
    assert json.loads(text)["results"][0]["loss"] is None
    assert " nan" in render_scores(found(BROKEN))


def test_columns_line_up_and_names_are_printable() -> None:
    text = render_scores(found(GOOD, BROKEN))
    head, *rows = text.splitlines()[2:5]
    assert {len(line) for line in (head, *rows)} - {len(head)} <= {len(rows[1])}  # an empty last cell
    assert "12,346" in rows[0]
    assert "CPUExecutionProvider" not in text
    assert "\x1b" not in text
    assert "cat\\x1b[31m  taken for  dog  1,234" in text


def test_classes_without_names_have_numbers() -> None:
    text = render_scores(found(GOOD, names=()))
    assert "class 0  taken for  class 1" in text


def test_of_few_classes_there_is_no_top_5_error() -> None:
    """Of five guesses among five one is always right; the document has all fields in any case."""
    few, many = (render_scores(found(GOOD, names=tuple("abcdefgh"[:count]))) for count in (5, 6))
    assert "top-5 error" not in few
    assert few.count("top-1 error") == 2
    assert many.count("top-5 error") == 2
    assert few.splitlines()[3].split()[:6] == ["good.onnx", "torch", "cuda:0", "10", "10.00%", "0.2500"]
