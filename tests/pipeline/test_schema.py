"""The JSON Schema accepts what the parser accepts, and refuses what it refuses."""

import pytest
from jsonschema import Draft202012Validator

from graphkit.errors import PipelineError
from graphkit.pipeline import parse_pipeline, shipped_pipelines
from graphkit.pipeline.document import read_document
from graphkit.pipeline.schema import pipeline_schema
from tests.pipeline.test_parse import KNOWN

SCHEMA = pipeline_schema(KNOWN)


def plain(text: str) -> object:
    root, _ = read_document(text, "p.yaml")
    assert root is not None
    return root.plain()


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\npasses: []",
        "version: 1\npasses: [plain, pin: 17, embed: ]",
        "version: 1\npasses: [{pin: {to-version: 9}}, {embed: {iou: 0, backend: onnx}}]",
        "version: 1\npasses: [plain]\nverify: {images: here, seed: 2}",
        "version: 1\npasses: [{plain: {}}]\nverify:",
        "version: 2\npasses: []",
        "version: 1",
        "passes: []",
        "version: 1\npasses: [nothing]",
        "version: 1\npasses: [pin]",
        "version: 1\npasses: [{pin: 3}]",
        "version: 1\npasses: [{pin: {}}]",
        "version: 1\npasses: [{embed: {iou: 2}}]",
        "version: 1\npasses: [{embed: {max_detections: 2}}]",
        "version: 1\npasses: [{embed: {max-detections: 0}}]",
        "version: 1\npasses: [{embed: {backend: other}}]",
        "version: 1\npasses: [{plain: 3}]",
        "version: 1\npasses: [{plain: , pin: 17}]",
        "version: 1\npasses: {plain: }",
        "version: 1\npasses: []\nverify: {image: here}",
        "version: 1\npasses: []\nother: 1",
    ],
)
def test_schema_and_parser_agree(text: str) -> None:
    try:
        parse_pipeline(text, "p.yaml", KNOWN)
        right = True
    except PipelineError:
        right = False
    assert Draft202012Validator(SCHEMA).is_valid(plain(text)) == right


@pytest.mark.parametrize("name", sorted(shipped_pipelines()))
def test_shipped_pipelines_fit_the_schema_of_our_passes(name: str) -> None:
    from graphkit.passes import registry

    Draft202012Validator(pipeline_schema(registry())).validate(plain(shipped_pipelines()[name].read_text()))
