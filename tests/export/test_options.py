"""Options in both spellings, and what is said of those that are wrong."""

import pytest

from graphkit.errors import UsageError
from graphkit.export import ExportOptions, merged, parse_size, parse_words


def test_words_are_options() -> None:
    words = [
        "imgsz=384,640",
        "batch=2",
        "dynamic=True",
        "half=false",
        "opset=13",
        "simplify=1",
        "device=0",
        "format=onnx",
    ]
    assert merged({}, parse_words(words)) == ExportOptions((384, 640), 2, True, False, 13, True, None, "0")


@pytest.mark.parametrize(("text", "value"), [("True", True), ("False", False), ("None", None)])
def test_nms_has_three_values(text: str, value: bool | None) -> None:
    assert parse_words([f"nms={text}"]) == {"nms": value}


@pytest.mark.parametrize("text", ["384,640", "384x640", "[384, 640]", "(384, 640)", " 384 × 640 "])
def test_height_comes_first(text: str) -> None:
    assert parse_size(text) == (384, 640)


def test_one_side_is_both() -> None:
    assert parse_size("320") == (320, 320)


def test_both_spellings_go_together() -> None:
    assert merged({"batch": 4}, parse_words(["imgsz=64"])) == ExportOptions(imgsz=(64, 64), batch=4)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["imgz=640"], "did you mean imgsz?"),
        (["640"], '"640" is no option'),
        (["=3"], '"=3" is no option'),
        (["imgsz=big"], 'imgsz is "big"'),
        (["imgsz=0"], 'imgsz is "0"'),
        (["imgsz=640,0"], 'imgsz is "640,0"'),
        (["batch=0"], "a whole number from 1"),
        (["batch=-1"], "a whole number from 1"),
        (["opset=x"], "a whole number from 1"),
        (["half=maybe"], "give True or False"),
        (["imgsz=64", "imgsz=32"], "imgsz is given twice"),
        (["format=engine"], "to ONNX only, not to engine"),
        (["conf=0.1"], "embed-nms takes it, as confidence"),
        (["quantize=8"], "the runtime's own tools"),
        (["dynamic=True", "nms=True"], "batch=N"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("?", r"\?").replace("(", r"\(")):
        merged({}, parse_words(words))


def test_one_option_in_both_spellings() -> None:
    with pytest.raises(UsageError, match="imgsz is given twice, as --imgsz and imgsz="):
        merged({"imgsz": (64, 64)}, parse_words(["imgsz=64"]))


def test_nms_of_a_batch_may_be_dynamic() -> None:
    assert merged({}, parse_words(["dynamic=True", "nms=True", "batch=2"])).batch == 2
