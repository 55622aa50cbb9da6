"""What goes wrong with one model stops no other, whatever it does to the process that runs it."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from graphkit.batch import STATE_NAME, Job, Work, crew, worker
from graphkit.model import Model
from tests.batch.models import PIPELINE, PLUGIN, POISONED, files, model, put, statuses
from tests.cli.command import Result, command, graphkit


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "poisoned.yaml").write_text(POISONED)
    (tmp_path / "plugin.py").write_text(PLUGIN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def poisoned(*arguments: object) -> Result:
    return graphkit("run", "poisoned.yaml", *arguments, "--plugin", "plugin.py", "--no-verify", "--json")


def test_a_process_that_dies_is_the_end_of_one_model(folder: Path) -> None:
    for name in ("a", "b", "c"):
        put(folder / f"m/{name}.onnx")
    for harm in ("segv", "kill", "memory"):
        put(folder / f"m/{harm}.onnx", model(1, harm))
    result = poisoned("m", "-o", "out", "--jobs", 2)
    assert result.status == 1
    errors = {Path(row["model"]).stem: row["error"] for row in result.json()["models"] if "error" in row}
    assert set(errors) == {"segv", "kill", "memory"}
    assert errors["segv"]["kind"] == errors["kill"]["kind"] == "WorkerDied"
    assert errors["segv"]["message"] == (
        'm/segv.onnx: the process that ran it crashed with SIGSEGV while it was at "poison: rewriting". '
        "Nothing was written; run it by itself to see what was said, or without the pass that was at work."
    )
    assert "was ended from outside (SIGKILL), as happens where memory runs out" in errors["kill"]["message"]
    assert "with fewer --jobs" in errors["kill"]["message"]
    assert errors["memory"]["message"].startswith("memory.onnx: poison needs more memory than there is. Nothing was ")
    assert files("out") == {"a.onnx", "b.onnx", "c.onnx", STATE_NAME}
    again = poisoned("m", "-o", "out", "--skip-done")
    assert again.json()["counts"] == {"done": 0, "failed": 3, "skipped": 3}


def test_a_model_is_not_blamed_for_what_one_before_it_left_behind(folder: Path) -> None:
    put(folder / "m/1.onnx", model(1, "first"))
    put(folder / "m/2.onnx", model(1, "second"))
    assert statuses(poisoned("m", "-o", "out")) == {"1.onnx": "done", "2.onnx": "done"}


def test_a_process_that_dies_while_it_writes_leaves_nothing_half_done(folder: Path) -> None:
    put(folder / "m/a.onnx", model(1, "halfway"))
    put(folder / "m/b.onnx")
    put(folder / "out/.other.onnx.0123abcd.tmp")
    os.utime(folder / "out/.other.onnx.0123abcd.tmp", (0, 0))
    result = poisoned("m", "-o", "out")
    assert statuses(result) == {"a.onnx": "failed", "b.onnx": "done"}
    message = result.json()["models"][0]["error"]["message"]
    assert 'ended with exit status 3 while it was at "writing". Run it by itself' in message
    assert files("out") == {"b.onnx", STATE_NAME, ".other.onnx.0123abcd.tmp"}


def test_a_model_that_takes_too_long_stops_no_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "GRACE", 0.5)
    put(folder / "m/a.onnx", model(1, "sleep"))
    put(folder / "m/b.onnx")
    put(folder / "m/c.onnx", model(1, "busy"))
    started = time.monotonic()
    result = poisoned("m", "-o", "out", "--jobs", 3, "--time-limit", 3)
    assert time.monotonic() - started < 30  # two of them would take a minute
    assert statuses(result) == {"a.onnx": "failed", "b.onnx": "done", "c.onnx": "failed"}
    for name, row in zip("abc", result.json()["models"], strict=True):
        if name != "b":
            assert row["error"] == {
                "kind": "TimeLimit",
                "message": f'm/{name}.onnx: it was not done within 3 s, and was at "poison: rewriting". Nothing was '
                "written; give it more with --time-limit, or run it by itself.",
            }
    assert result.status == 1
    assert files("out") == {"b.onnx", STATE_NAME}


def test_the_time_that_a_model_may_take_decides_on_no_result() -> None:
    work, limited = Work("p.yaml", PIPELINE), Work("p.yaml", PIPELINE, time_limit=1.0)
    assert work.fingerprint(work.pipeline()) == limited.fingerprint(limited.pipeline())


def test_time_is_limited_where_a_process_can_be_ended(folder: Path) -> None:
    put(folder / "a.onnx")
    result = graphkit("run", "poisoned.yaml", "a.onnx", "--plugin", "plugin.py", "--time-limit", 5)
    assert result.status == 2
    assert "--time-limit is for several models" in result.stderr
    assert files(".") == {"a.onnx", "plugin.py", "poisoned.yaml"}


def nobody_is_left(group: int) -> bool:
    """Whether all processes of a group end; those that have no work left may take a moment."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_processes_and_leaves_what_is_done(folder: Path, number: int) -> None:
    put(folder / "m/a.onnx")
    for name in ("b", "c"):
        put(folder / f"m/{name}.onnx", model(1, "sleep"))
    line = ["run", "poisoned.yaml", "m", "-o", "out", "--jobs", "2", "--plugin", "plugin.py", "--no-verify"]
    root = Path(__file__).parents[2]
    # Where the tests run in the background of a script, Ctrl-C is ignored by all that they start.
    code = "import signal; signal.signal(2, signal.default_int_handler); from graphkit.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *line],
        env={**os.environ, "PYTHONPATH": str(root)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while len(list(folder.glob("asleep-*"))) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does: to the workers, too
    else:
        process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert out == ""
    assert err.splitlines()[-1] == (
        "stopped: 1 of 3 models were done; the same command with --skip-done goes on from here."
    )
    assert "Traceback" not in err
    assert nobody_is_left(process.pid)
    assert files("out") == {"a.onnx", STATE_NAME}
    for name in ("b", "c"):
        put(folder / f"m/{name}.onnx")
    again = poisoned("m", "-o", "out", "--skip-done")
    assert statuses(again) == {"a.onnx": "skipped", "b.onnx": "done", "c.onnx": "done"}


def test_debug_shows_where_and_lets_libraries_talk(folder: Path) -> None:
    put(folder / "m/memory.onnx", model(1, "memory"))
    line = ["run", "poisoned.yaml", "m", "--plugin", "plugin.py", "-o", "out"]
    assert "raise MemoryError" in command(*line, "--debug", cwd=folder).stderr
    assert "Traceback" not in command(*line, cwd=folder).stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "there is not enough memory for it; run it by itself, or with fewer --jobs"),
        (RecursionError(), "it is nested deeper than graphkit can follow"),
        (ValueError("x"), "graphkit itself broke (ValueError: x), --debug shows where"),
    ],
)
def test_what_nobody_expected_is_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def load(_: Path) -> Model:
        raise error

    monkeypatch.setattr(Model, "load", load)
    work = Work("p.yaml", PIPELINE)
    job = Job(Path("m/a.onnx"), Path("out/a.onnx"), "a.onnx", "a.onnx")
    ours, theirs = multiprocessing.Pipe()
    ended = worker._attempt(job, work.pipeline(), work, None, theirs)
    assert ended.failure is not None
    assert ended.failure.message == f"m/a.onnx: {said}; nothing was written."
    assert ended.failure.kind == type(error).__name__
    ours.close()
    theirs.close()


@pytest.mark.slow
def test_forty_models_with_two_poisoned_ones(folder: Path, export: Callable[..., Path]) -> None:
    for number in range(34):
        put(folder / f"m/{number % 4}/{number:02}.onnx", model(number % 5))
    for number, name in enumerate(("yolov8n", "yolo11n", "yolo26n", "yolov5nu")):
        (folder / "m/yolo").mkdir(exist_ok=True)
        shutil.copy(export(name), folder / f"m/yolo/{number}.onnx")
    (folder / "m/cut.onnx").write_bytes(model().SerializeToString()[:100])
    put(folder / "m/crash.onnx", model(1, "segv"))
    (folder / "poisoned.yaml").write_text("version: 1\npasses: [sort, poison, simplify, remove-identity]\n")
    line = ["run", "poisoned.yaml", "m", "-o", "out", "--jobs", "2", "--plugin", "plugin.py", "--json"]
    first = command(*line, cwd=folder)
    assert first.status == 1
    assert first.json()["counts"] == {"done": 38, "failed": 2, "skipped": 0}
    errors = {row["model"]: row["error"]["message"] for row in first.json()["models"] if "error" in row}
    assert set(errors) == {"m/cut.onnx", "m/crash.onnx"}
    assert all(len(message.splitlines()) == 1 for message in errors.values())
    written = {name for name in files("out") if name.endswith(".onnx")}
    assert written == files("m") - {"cut.onnx", "crash.onnx"}
    assert len(json.loads((folder / "out" / STATE_NAME).read_text())["done"]) == 38
    second = command(*line, "--skip-done", cwd=folder)
    assert second.status == 1
    assert second.json()["counts"] == {"done": 0, "failed": 2, "skipped": 38}
    put(folder / "m/cut.onnx")
    put(folder / "m/crash.onnx")
    third = command(*line, "--skip-done", cwd=folder)
    assert third.status == 0
    assert third.json()["counts"] == {"done": 2, "failed": 0, "skipped": 38}
