"""Pipeline files: what is accepted, and that every mistake is reported at once, at its place, with a way out."""

from pathlib import Path
from typing import ClassVar, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from graphkit.errors import PipelineError
from graphkit.model import Model
from graphkit.passes import Numerics, Pass, PassResult, Registry, registry
from graphkit.passes.registered import Entry
from graphkit.pipeline import Pipeline, parse_pipeline, shipped_pipelines


class Plain(Pass):
    """Do nothing."""

    name: ClassVar[str] = "plain"
    numerics: ClassVar[Numerics] = Numerics.EXACT

    def run(self, model: Model) -> PassResult:
        return PassResult(0)


class Pin(Pass):
    """Pin something."""

    name: ClassVar[str] = "pin"
    numerics: ClassVar[Numerics] = Numerics.EXACT
    scalar: ClassVar[str | None] = "to_version"
    to_version: int = Field(ge=7, description="The version.")

    def run(self, model: Model) -> PassResult:
        return PassResult(0)


class Embed(Pass):
    """Embed something."""

    name: ClassVar[str] = "embed"
    numerics: ClassVar[Numerics] = Numerics.DETECTIONS
    backend: Literal["onnx", "efficientnms"] = "onnx"
    iou: float = Field(0.7, ge=0, le=1)
    max_detections: int = Field(300, ge=1)

    def run(self, model: Model) -> PassResult:
        return PassResult(0)


KNOWN = Registry({cls.name: Entry(cls.name, "tests", loaded=cls) for cls in (Plain, Pin, Embed)})


def parse(text: str) -> Pipeline:
    return parse_pipeline(text, "folder/p.yaml", KNOWN)


def problems(text: str) -> list[str]:
    with pytest.raises(PipelineError) as caught:
        parse(text)
    assert caught.value.exit_status == 2
    return str(caught.value).splitlines()


def test_every_form_of_a_step() -> None:
    pipeline = parse(
        "version: 1\npasses:\n  - plain\n  - plain:\n  - plain: {}\n  - pin: 17\n  - pin: {to-version: 9}\n"
        "  - embed: {backend: efficientnms, iou: 1, max-detections: 5}\nverify: {images: pictures, seed: 3}\n"
    )
    assert [step.options() for step in pipeline.steps] == [
        {},
        {},
        {},
        {"to-version": 17},
        {"to-version": 9},
        {"backend": "efficientnms", "iou": 1, "max-detections": 5},
    ]
    assert pipeline.verify.images == Path("folder/pictures")
    assert pipeline.verify.seed == 3


def test_an_empty_list_is_a_pipeline() -> None:
    assert parse("version: 1\npasses: []\n").steps == ()


def test_the_hash_is_of_the_text() -> None:
    one, same = parse("version: 1\npasses: []"), parse("version: 1\npasses: []")
    other = parse("version: 1\npasses: [plain]")
    assert one.sha256 == same.sha256 != other.sha256


def test_every_mistake_at_once_in_the_order_of_the_file() -> None:
    text = (
        "version: 2\n"
        "passes:\n"
        "  - plian\n"
        "  - embed: {backend: onxn, max-detection: 300, iou: 1.5}\n"
        "  - pin\n"
        "  - pin: old\n"
        "  - plain: 5\n"
        "  - plain: {}\n"
        "    pin: 3\n"
        "  - [plain]\n"
        "verfy: {}\n"
    )
    assert problems(text) == [
        "folder/p.yaml:1:10: this graphkit reads pipelines of version 1, not 2.",
        'folder/p.yaml:3:5: there is no pass "plian"; did you mean "plain"?',
        'folder/p.yaml:4:22: embed: "backend" is "onnx" or "efficientnms", not "onxn"; did you mean "onnx"?',
        'folder/p.yaml:4:28: unknown option "max-detection" for embed; did you mean "max-detections"?',
        'folder/p.yaml:4:53: embed: "iou" must be less than or equal to 1, not 1.5.',
        'folder/p.yaml:5:5: pin needs the option "to-version".',
        'folder/p.yaml:6:10: pin: "to-version" must be a valid integer, not "old".',
        "folder/p.yaml:7:12: plain takes its options by name (none), not a bare value.",
        'folder/p.yaml:9:5: "pin" stands beside "plain": one pass an item; indent a pass\'s options under its name, or '
        "start a new item with `- `.",
        "folder/p.yaml:10:5: a pass is a name, or a name with its options: `pin-opset: 17`.",
        'folder/p.yaml:11:1: unknown key "verfy"; did you mean "verify"?',
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ("- plain\n", "a pipeline is a mapping"),
        ("passes: []\n", "`version: 1` is missing"),
        ("version: true\npasses: []\n", "not True"),
        ("version: 1\n", "the list `passes` is missing"),
        ("version: 1\npasses: plain\n", "`passes` is a list"),
        ("version: 1\npasses: [plain\n", "this is not valid YAML"),
        ("version: 1\nversion: 1\npasses: []\n", "a second time"),
        ("version: 1\npasses:\n- embed: {iou: 0.1, iou: 0.2}\n", "a second time"),
        ("version: 1\npasses:\n- embed: {iou: '0.7'}\n", "must be a valid number"),
        ("version: 1\npasses:\n- embed: {max_detections: 3}\n", 'did you mean "max-detections"'),
        ("version: 1\npasses: []\nverify: 3\n", "`verify` is a mapping"),
        ("version: 1\npasses: []\nverify: {image: x}\n", 'did you mean "images"'),
        ("version: 1\npasses: []\nverify: {images: 3}\n", "`images` is the path"),
        ("version: 1\npasses: []\nverify: {seed: -1}\n", "`seed` is a whole number"),
        ("version: 1\npasses: !!python/object/apply:os.system [x]\n", "apply:os.system means nothing"),
        ("version: 1\npasses: [!secret plain]\n", "the tag !secret means nothing"),
        ("version: 1\npasses:\n- ? [a, b]\n  : c\n", "a key must be a plain word"),
        ("\x00", "not valid YAML"),
    ],
)
def test_each_mistake_is_named(text: str, said: str) -> None:
    assert said in "\n".join(problems(text))


def test_aliases_that_explode_are_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert "more values than any pipeline can need" in problems("\n".join(lines))[0]


def test_an_alias_of_itself_is_refused() -> None:
    assert "nested deeper" in problems("version: 1\npasses: &p [*p]\n")[0]


@pytest.mark.parametrize("depth", [60, 5_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    assert "nested deeper" in problems("version: 1\npasses: " + "[" * depth + "]" * depth)[0]


@pytest.mark.parametrize(("text", "place"), [("- sort\n" * 100_000, "19998:3"), ("- {a: 1}\n" * 100_000, "6668:3")])
def test_too_many_values_are_refused_where_they_are_too_many(text: str, place: str) -> None:
    """Before all is read, which takes ruamel.yaml half a minute."""
    assert problems(f"version: 1\npasses:\n{text}") == [
        f"folder/p.yaml:{place}: holds (with its aliases) more values than any pipeline can need."
    ]


def test_a_huge_file_is_refused_unread() -> None:
    assert "over 1 MB" in problems("#" * 1_000_001)[0]


def test_aliases_may_be_used() -> None:
    pipeline = parse("version: 1\npasses:\n  - embed: &e {iou: 0.5}\n  - embed: *e\n")
    assert [step.options()["iou"] for step in pipeline.steps] == [0.5, 0.5]


@given(st.text(alphabet=st.sampled_from("version: 1\npasses[]{}-&*!|>'\"#%@`,?plain embed iou~\t."), max_size=120))
@settings(deadline=None, max_examples=300)
def test_no_text_gets_past_the_parser_with_anything_but_a_pipeline_error(text: str) -> None:
    try:
        parse(text)
    except PipelineError as error:
        assert error.problems


@pytest.mark.parametrize("name", sorted(shipped_pipelines()))
def test_shipped_pipelines_parse(name: str) -> None:
    path = shipped_pipelines()[name]
    pipeline = parse_pipeline(path.read_text(), str(path))
    assert pipeline.steps


def test_shipped_pipelines_are_the_documented_ones() -> None:
    assert {"cleanup", "yolo-onnxruntime", "yolo-tensorrt"} <= set(shipped_pipelines())


def test_every_pass_of_ours_imports_and_explains_itself() -> None:
    known = registry()
    for name in known.names():
        if known.entries[name].origin != "graphkit":
            continue
        cls = known.get(name)
        assert cls.title()
        page = cls.__doc__ or ""
        for heading in ("Declines:", "Numerics:", "Example:"):
            assert heading in page, f"{name} has no heading {heading}"
        for option, info in cls.model_fields.items():
            assert info.description, f"{name} does not describe {option}"
