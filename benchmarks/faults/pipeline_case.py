"""One mutated pipeline: made from its number, read as a file, and run on a small model where it can be read."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from benchmarks.faults.findings import Finding, attempt
from graphkit.errors import PipelineError
from graphkit.model import Model
from graphkit.passes import registry
from graphkit.pipeline import Pipeline, Settings, parse_pipeline, run_pipeline
from graphkit.pipeline.files import read_text, shipped_pipelines

Watch = Callable[[str], Any]

_TAGS = ("!!python/object/apply:os.system", "!!python/name:os.system", "!!binary", "!!set", "!!omap", "!x", "!!int")
_SCALARS: tuple[str, ...] = (
    "null", "~", "true", "yes", "-1", "0", "1e400", ".nan", ".inf", "0x1F", "0o17", "9" * 400, "1_000", "2001-02-30",
    "2001-12-14t21:59:43.10-05:00", "'", '"', "[", "{", "[]", "{}", "&a", "*a", "<<", "|", ">", "%YAML 1.1", "---",
    "\t", "\0", "\x1b[2J", "\u202e", "\ufeff", "é", "?", "- -", "a: b: c", '"\\xff"', '"\\ud800"', "(a+)+$", "[!a-",
    "*" * 60 + "b", "../../etc/passwd", "/dev/zero", "@", "`", "!", "12:30:45", "=",
)  # fmt: skip
_OPTIONS = (
    "sort", "simplify", "split-head: {layout: nc}", "embed-nms: {iou: 0.7, backend: matrix}", "pin-opset: 17",
    "to-float16: {keep: [Softmax, /model/*]}", "strip-metadata: {keep: ['*']}", "rename-io: {inputs: {x: y}}",
    "extract: {outputs: [a]}", "set-input-shape: [1, 3, 8, 8]", "fold-constants: {max-bytes: 1024}", "make-dynamic",
    "set-input-shape: {x: [2, 2]}", "embed-preprocess: {mean: [1, 2, 3], std: [1, 1, 1]}", "remove-identity",
)  # fmt: skip


def make(seed: int, number: int) -> tuple[str, bytes]:
    """What was done, and the bytes of the pipeline."""
    chance = random.Random(f"{seed}/{number}")
    text = _base(chance)
    done = []
    for _ in range(chance.choice((0, 1, 1, 2, 3, 5))):
        mutation = chance.choice((_exchange, _insert, _cut, _tag, _twice, _nest, _explode, _huge, _indent, _unknown))
        text = mutation(text, chance)
        done.append(mutation.__name__.strip("_"))
    data = text.encode(errors="surrogatepass")
    if chance.random() < 0.1:
        at = chance.randrange(len(data) + 1)
        data, done = data[:at] + bytes((chance.randrange(256),)) + data[at:], [*done, "byte"]
    if chance.random() < 0.02:
        data, done = text.encode(chance.choice(("utf-16", "utf-32", "utf-8-sig"))), [*done, "encoding"]
    return ", ".join(done), data


def run(seed: int, number: int, folder: Path, watch: Watch) -> tuple[str, list[Finding]]:
    """Make the pipeline and try it; the folder is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    made, data = make(seed, number)
    path = folder / "pipeline.yaml"
    path.write_bytes(data)
    parsed: list[Pipeline] = []
    with watch("parse"):
        findings = [attempt("parse", lambda: parsed.append(_parse(path)))]
    if parsed:
        with watch("run"):
            findings.append(attempt("run", lambda: _run(parsed[0])))
    left = sorted(item.name for item in folder.iterdir() if item != path)
    if left:
        findings.append(Finding("all", "litter", ", ".join(left)))
    return made, findings


def _parse(path: Path) -> Pipeline:
    try:
        return parse_pipeline(read_text(path), str(path))
    except PipelineError as error:
        if not error.problems or not all(problem.message.strip() for problem in error.problems):
            raise AssertionError("refused without a reason") from error
        raise


def _run(pipeline: Pipeline) -> None:
    # onnxsim is a process of its own and takes half a second; what is tried here are options.
    steps = tuple(step for step in pipeline.steps if step.name != "simplify")[:20]
    json.dumps([step.options() for step in steps])
    for step in steps:
        alone = replace(pipeline, steps=(step,))
        found = attempt(step.name, partial(run_pipeline, alone, _model(), Settings(verify=False)))
        if found.kind not in ("ok", "refused"):
            raise AssertionError(f"{step.name} {step.options()}: {found.kind} {found.what} {found.where}")


@cache
def _model() -> Model:
    from benchmarks.faults.seeds import pick

    return Model(pick(random.Random(0), (), 0)[1])


def _base(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return chance.choice(list(_shipped()))
    steps = "".join(f"  - {chance.choice(_OPTIONS)}\n" for _ in range(chance.randrange(6)))
    verify = chance.choice(("", "verify: {images: x, seed: 3}\n"))
    return f"version: 1\npasses:\n{steps}{verify}"


@cache
def _shipped() -> tuple[str, ...]:
    return tuple(path.read_text(encoding="utf-8") for path in shipped_pipelines().values())


def _scalar(chance: random.Random) -> str:
    return chance.choice((*_SCALARS, *registry().names()))


def _exchange(text: str, chance: random.Random) -> str:
    """A word becomes another value."""
    words = [word for word in text.replace(":", " ").replace(",", " ").split() if len(word) > 1]
    return text.replace(chance.choice(words), _scalar(chance), chance.choice((1, -1))) if words else text


def _insert(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + _scalar(chance) + text[at:]


def _cut(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + text[at + chance.randrange(30) :]


def _tag(text: str, chance: random.Random) -> str:
    """A value gets a tag."""
    places = [at for at, char in enumerate(text) if char == " "]
    at = chance.choice(places) + 1 if places else 0
    return text[:at] + chance.choice(_TAGS) + " " + text[at:]


def _twice(text: str, chance: random.Random) -> str:
    """A line stands there again, so that a key is there twice."""
    lines = text.splitlines()
    if lines:
        lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return "\n".join(lines) + "\n"


def _nest(text: str, chance: random.Random) -> str:
    depth = chance.choice((5, 50, 500, 5000, 100_000))
    opening, closing = chance.choice((("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("[", "")))
    return text + chance.choice(("  - ", "x: ", "")) + opening * depth + closing * depth + "\n"


def _explode(text: str, chance: random.Random) -> str:
    """Aliases of aliases, as many a level as make a billion values of ten lines; or one of itself."""
    if chance.random() < 0.3:
        return text + "loop: &loop [*loop, {a: *loop}]\n"
    wide, levels = chance.choice((2, 9, 50)), chance.choice((4, 9, 30))
    lines = [f"a0: &a0 [{', '.join(['x'] * wide)}]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * wide)}]" for level in range(1, levels)]
    merge = chance.choice(("", f"<<: *a{levels - 1}\n"))
    return "\n".join(lines) + "\n" + merge + text


def _huge(text: str, chance: random.Random) -> str:
    # Most are short: what is long takes the campaign longer than all the others, and says little more.
    length = chance.choices((1000, 100_000, 999_000, 3_000_000), (20, 4, 1, 1))[0]
    value = chance.choice(("x", "9", "a ", "'", "#", "\n", "- a\n", "[", "\u00e9")) * length
    return text.replace("1", value, 1) if chance.random() < 0.5 else text + value[:length]


def _indent(text: str, chance: random.Random) -> str:
    lines = text.splitlines()
    if lines:
        at = chance.randrange(len(lines))
        lines[at] = chance.choice((" ", "\t", "    ")) + lines[at] if chance.random() < 0.6 else lines[at].lstrip()
    return "\n".join(lines) + "\n"


def _unknown(text: str, chance: random.Random) -> str:
    """A pass or an option that is not there, or a plug-in that a file must not be able to name."""
    line = chance.choice(
        (
            "  - evil.module:Class",
            "  - os.system",
            "  - pin-opsett: 17",
            "  - embed-nms: {max-detection: 3}",
            "plugins: [evil]",
            "plugin: evil.py",
            "import: os",
            "version: 2",
        )
    )
    return text + line + "\n"
