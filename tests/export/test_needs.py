"""What is said to each runtime about open dimensions."""

import re

import pytest

from graphkit.export import Tensor
from graphkit.export.needs import needs_of
from graphkit.pipeline import parse_pipeline

INPUTS = (Tensor("images", ("batch", 3, "height", "width")),)


def line(runtime: str, size: tuple[int, int] = (640, 640), batch: int = 4, stride: int = 32) -> str:
    found = needs_of(INPUTS, "m.onnx", size, batch, stride)
    return next(need.line for need in found if need.runtime.startswith(runtime))


def test_the_profile_goes_from_half_to_twice_the_size() -> None:
    assert line("TensorRT") == (
        "trtexec --onnx=m.onnx --minShapes=images:1x3x320x320 --optShapes=images:4x3x640x640 "
        "--maxShapes=images:4x3x1280x1280"
    )


@pytest.mark.parametrize(("stride", "least"), [(32, "192x320"), (64, "192x320")])
def test_sizes_of_the_profile_are_multiples_of_the_stride(stride: int, least: str) -> None:
    assert f"--minShapes=images:1x3x{least}" in line("TensorRT", (384, 640), stride=stride)
    assert f"--minShapes=images:1x3x{stride}x{stride} " in line("TensorRT", (stride, stride), stride=stride)


def test_every_symbol_is_overridden() -> None:
    assert re.findall(r'by_name\("(\w+)", (\d+)\)', line("onnxruntime", (384, 640))) == [
        ("batch", "4"),
        ("height", "384"),
        ("width", "640"),
    ]


def test_the_step_is_one_that_a_pipeline_takes() -> None:
    pipeline = parse_pipeline(f"version: 1\npasses:\n  {line('CoreML')}\n", "shapes.yaml")
    assert [step.name for step in pipeline.steps] == ["set-input-shape"]


def test_the_shape_for_openvino() -> None:
    assert line("OpenVINO") == "ovc m.onnx --input images[4,3,640,640]"
