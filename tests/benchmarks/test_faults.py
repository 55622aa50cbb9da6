"""The campaigns of broken files: the same from the same seed, and they notice what they are made to notice."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults import messages, model_case, pipeline_case, seeds
from benchmarks.faults.campaign import run_campaign
from benchmarks.faults.findings import FINE, Finding, attempt, steers
from graphkit.errors import ModelError, PassFailed, ProofFailed
from graphkit.model import Model


def quiet(_: str) -> Any:
    return contextlib.nullcontext()


@pytest.mark.parametrize("name", seeds._MADE)
def test_every_seed_can_be_loaded(name: str, tmp_path: Path) -> None:
    (tmp_path / seeds.EXTERNAL).write_bytes(bytes(2064))
    path = tmp_path / "m.onnx"
    path.write_bytes(seeds._MADE[name]().SerializeToString())
    Model.load(path)


@pytest.mark.parametrize("mutation", dict.fromkeys(messages.MUTATIONS), ids=lambda item: item.__name__)
def test_every_mutation_changes_most_models(mutation: messages.Mutation) -> None:
    changed = 0
    for number in range(40):
        chance = random.Random(number)
        _, model = seeds.pick(chance, (), 0)
        before = model.SerializeToString(deterministic=True)
        mutation(model, chance)
        changed += model.SerializeToString(deterministic=True) != before
    assert changed >= 20


def test_a_case_follows_from_its_number(tmp_path: Path) -> None:
    made = []
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        case = model_case.make(3, 17, (), tmp_path / place)
        made.append((case[0], case[1].read_bytes()))
    assert made[0] == made[1]
    assert pipeline_case.make(3, 17) == pipeline_case.make(3, 17)
    assert len({pipeline_case.make(3, number)[1] for number in range(50)}) > 40


def test_mutated_models_are_worked_on_or_refused(tmp_path: Path) -> None:
    """A few of them, in this process; the long campaigns are run by hand."""
    for number in range(6):
        made, findings = model_case.run(5, (), number, tmp_path / "case", quiet)
        assert findings[0].step == "load"
        assert not [item for item in findings if item.kind not in FINE], (number, made)


def test_mutated_pipelines_are_read_or_refused(tmp_path: Path) -> None:
    kinds = set()
    for number in range(20):
        made, findings = pipeline_case.run(5, number, tmp_path / "case", quiet)
        kinds |= {item.kind for item in findings}
        assert not [item for item in findings if item.kind not in FINE], (number, made)
    assert kinds == {"ok", "refused"}


def raising(error: BaseException, cause: Exception | None = None) -> Callable[[], object]:
    def action() -> None:
        raise error from cause

    return action


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (lambda: None, "ok"),
        (raising(ModelError("m.onnx is empty")), "refused"),
        (raising(ModelError("")), "traceback"),
        (raising(PassFailed("broke"), KeyError("x")), "broke"),
        (raising(PassFailed("left an invalid graph")), "invalid"),
        (raising(ProofFailed("differs")), "unproven"),
        (raising(MemoryError()), "memory"),
        (raising(KeyError("x")), "traceback"),
        (raising(AssertionError("wrong")), "traceback"),
    ],
)
def test_what_came_of_a_step(action: Callable[[], object], kind: str) -> None:
    assert attempt("step", action).kind == kind


def test_what_steers_a_terminal_is_seen() -> None:
    assert steers("plain text, ü → �\nand a line") == ""
    for char in "\x1b\r\x07\x9b\u202e\u200b":
        assert steers(f"a{char}b") == repr(char)


def behave(number: int, folder: Path, watch: Callable[[str], Any]) -> tuple[str, list[Finding]]:
    """Fine, one that breaks, and one that takes its worker along."""
    with watch(f"step {number}"):
        if number == 1:
            return "broken", [Finding("step 1", "traceback", "KeyError", "graphkit/x.py:1 f")]
        if number == 2:
            os.kill(os.getpid(), signal.SIGSEGV)
        if number == 3:
            found = attempt("step 3", lambda: bytearray(3 * 2**30))
            return "large", [found]
    return "fine", [Finding("load", "refused" if number == 4 else "ok")]


def sleepy(limit: float, number: int, folder: Path, watch: Callable[[str], Any]) -> tuple[str, list[Finding]]:
    with watch("sleep"):
        signal.setitimer(signal.ITIMER_REAL, limit)
        return "slow", [attempt("sleep", lambda: time.sleep(20))]


@pytest.mark.slow
def test_the_journal_has_what_went_wrong(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    counts = run_campaign(behave, range(6), journal)
    kinds = {kind: counts[kind] for kind in counts if not kind.startswith("step")}
    assert kinds == {"cases": 6, "ok": 2, "refused": 1, "traceback": 1, "died": 1, "memory": 1}
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [(line["number"], line["wrong"][0]["kind"]) for line in lines] == [
        (1, "traceback"),
        (2, "died"),
        (3, "memory"),
    ]
    assert lines[1]["wrong"][0] == {"step": "step 2", "kind": "died", "what": "SIGSEGV", "where": ""}


@pytest.mark.slow
def test_a_step_without_end_is_ended(tmp_path: Path) -> None:
    started = time.monotonic()
    counts = run_campaign(partial(sleepy, 0.5), range(1), tmp_path / "journal.jsonl")
    assert counts["hang"] == 1
    assert time.monotonic() - started < 15
