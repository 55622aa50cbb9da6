"""What counts as done: the same model, pipeline, options and version, and all results still there."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from graphkit.batch import STATE_NAME, BatchReport, Work, plan, run_batch
from graphkit.batch import run as batch_run
from graphkit.errors import UsageError
from tests.batch.models import PIPELINE, model, put, put_external

OUT = Path("out")
WORK = Work("p.yaml", PIPELINE, verify=False)


def again(work: Work = WORK, *, skip_done: bool = True) -> BatchReport:
    return run_batch(plan([Path("m")], OUT), work, work.pipeline(), folder=OUT, skip_done=skip_done)


def done(report: BatchReport) -> list[str]:
    return [result.name for result in report.models if result.status == "done"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models and their results."""
    folder = tmp_path_factory.mktemp("made")
    put(folder / "m/a.onnx")
    put_external(folder / "m/ext/b.onnx")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert done(again(skip_done=False)) == ["a.onnx", "ext/b.onnx"]
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to change something in."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_done_is_skipped_without_a_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphkit.batch.crew._start", lambda *_: pytest.fail("a process was started"))
    before = (folder / "out" / STATE_NAME).read_bytes()
    report = again()
    assert report.counts == {"done": 0, "failed": 0, "skipped": 2}
    assert report.models[0].output == "out/a.onnx"
    assert (folder / "out" / STATE_NAME).read_bytes() == before


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda: put(Path("m/a.onnx"), model(2)), ["a.onnx"]),
        (lambda: put_external(Path("m/ext/b.onnx"), bytes(24)), ["ext/b.onnx"]),
        (lambda: Path("out/a.onnx").unlink(), ["a.onnx"]),
        (lambda: put(Path("out/a.onnx")), ["a.onnx"]),
        (lambda: Path("out/ext/weights.bin").unlink(), ["ext/b.onnx"]),
        (lambda: (OUT / STATE_NAME).unlink(), ["a.onnx", "ext/b.onnx"]),
        (lambda: put(Path("m/new.onnx")), ["new.onnx"]),
    ],
    ids=["model", "its data", "no result", "other result", "no data of the result", "no record", "new"],
)
def test_what_changed_is_done_again(folder: Path, change: Callable[[], object], expected: list[str]) -> None:
    change()
    assert done(again()) == expected


@pytest.mark.parametrize(
    "work",
    [
        Work("p.yaml", PIPELINE + "# a comment\n", verify=False),
        Work("p.yaml", PIPELINE, verify=True),
    ],
    ids=["pipeline", "verify"],
)
def test_another_pipeline_or_other_options_are_not_done(folder: Path, work: Work) -> None:
    assert done(again(work)) == ["a.onnx", "ext/b.onnx"]


def test_another_version_is_not_done(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_run, "__version__", "999")
    assert done(again()) == ["a.onnx", "ext/b.onnx"]


def test_pictures_and_the_code_of_plugins_count(folder: Path) -> None:
    from PIL import Image

    def fingerprint(work: Work) -> str:
        return work.fingerprint(work.pipeline())

    Image.new("RGB", (8, 8)).save("p.png")
    pictured = Work("p.yaml", PIPELINE, images=(Path("p.png"),))
    first = fingerprint(pictured)
    assert first != fingerprint(Work("p.yaml", PIPELINE))
    Image.new("RGB", (8, 8), "red").save("p.png")
    assert fingerprint(pictured) != first

    code = (
        "from graphkit import Pass\nfrom graphkit.passes import Numerics, PassResult\n\n\nclass Mine(Pass):\n"
        '    """Nothing."""\n\n    name = "mine"\n    numerics = Numerics.EXACT\n\n'
        "    def run(self, model):\n        return PassResult(0)\n"
    )
    plugged = Work("p.yaml", "version: 1\npasses: [mine]\n", plugins=("mine.py",))
    Path("mine.py").write_text(code)
    first = fingerprint(plugged)
    assert fingerprint(plugged) == first
    Path("mine.py").write_text(code + "# changed\n")
    assert fingerprint(plugged) != first


def test_records_of_other_models_stay(folder: Path) -> None:
    put(folder / "other/c.onnx")
    run_batch(plan([Path("other")], OUT), WORK, WORK.pipeline(), folder=OUT)
    assert again().counts["skipped"] == 2


def test_a_failure_is_forgotten_and_tried_again(folder: Path) -> None:
    good = (folder / "m/a.onnx").read_bytes()
    (folder / "m/a.onnx").write_bytes(good[:60])
    assert again().counts == {"done": 0, "failed": 1, "skipped": 1}
    (folder / "m/a.onnx").write_bytes(good)
    assert done(again()) == ["a.onnx"]


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1, "done": {"a.onnx": {"inputs": 3}}}', '{"format": 7}'])
def test_a_record_that_is_none_is_refused_with_what_to_do(folder: Path, text: str) -> None:
    (folder / "out" / STATE_NAME).write_text(text)
    with pytest.raises(UsageError, match=rf"out/{STATE_NAME} is .*; delete it"):
        again()
    assert (folder / "out" / STATE_NAME).read_text() == text
