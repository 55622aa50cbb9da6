"""The committed notebooks can be read without being run, and what compares them tells a difference from noise."""

import base64
import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

pytest.importorskip("nbformat", reason="pip install onnx-graphkit[notebooks]")
pytest.importorskip("nbclient", reason="pip install onnx-graphkit[notebooks]")
pytest.importorskip("ipykernel", reason="pip install onnx-graphkit[notebooks]")

import nbformat

from scripts import notebooks

PATHS = sorted(notebooks.FOLDER.glob("*.ipynb"))


def book(*sources: str, tags: tuple[str, ...] = ()) -> Any:
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)} if tags else {}) for source in sources]
    return nbformat.v4.new_notebook(cells=cells)


def shown(*items: tuple[str, str], tags: tuple[str, ...] = ()) -> Any:
    """A notebook of one cell with these outputs, a MIME type and its content each; "stream" is what it prints."""
    made = book("…", tags=tags)
    for kind, text in items:
        output = (
            nbformat.v4.new_output("stream", text=text)
            if kind == "stream"
            else nbformat.v4.new_output("execute_result", data={kind: text})
        )
        made.cells[0].outputs.append(output)
    return made


def png(size: int, at: int) -> str:
    image = Image.new("RGB", (size, size), "white")
    ImageDraw.Draw(image).rectangle((at, at, at + 30, at + 30), fill="black")
    data = io.BytesIO()
    image.save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


def differ(left: Any, right: Any) -> list[str]:
    return list(notebooks.differences(left, right))


def test_there_are_five() -> None:
    assert [path.name[:2] for path in PATHS] == ["01", "02", "03", "04", "05"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_committed_notebook_can_be_read(path: Path) -> None:
    made = notebooks.read(path)
    nbformat.validate(made)
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    pictures = [output.data["image/svg+xml"] for output in outputs if "image/svg+xml" in output.get("data", {})]
    assert pictures
    assert all(text.startswith("<svg ") and text.rstrip().endswith("</svg>") for text in pictures)
    assert any("text/html" in output.get("data", {}) for output in outputs) or path.name.startswith("04")
    assert all("text/plain" in output.data for output in outputs if "data" in output)
    assert made.cells[0].source.startswith("# ")
    assert path.stat().st_size < 600_000


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_committed_notebook_names_no_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|work|Users)/", text)
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")


def test_what_is_measured_is_no_difference() -> None:
    old = shown(("stream", "proven in 0.41 s, 3 ms each,  relative L2 1.2e-07, IoU ≥ 0.9999, object at 0x7f12\n"))
    new = shown(("stream", "proven in 12.3 s, 31.5 ms each,\nrelative L2 9.8e-08, IoU ≥ 1, object at 0x9a\n"))
    assert differ(old, new) == []


def test_rounding_is_no_difference_and_counts_are() -> None:
    assert differ(shown(("stream", "off by 74.1 of 470.419")), shown(("stream", "off by 74.2 of 470.418"))) == []
    assert differ(shown(("stream", "off by 74.1")), shown(("stream", "off by 75.1"))) != []
    assert differ(shown(("stream", "264 nodes")), shown(("stream", "265 nodes"))) == [
        "cell 1, stream:",
        "  @@ -1 +1 @@",
        "  -264 nodes",
        "  +265 nodes",
    ]


def test_other_words_and_other_kinds_are_differences() -> None:
    assert differ(shown(("text/html", "<b>identical</b>")), shown(("text/html", "<b>not verified</b>")))
    assert differ(shown(("image/svg+xml", "<svg/>")), shown(("text/plain", "a"))) == [
        "cell 1 shows image/svg+xml → text/plain"
    ]
    assert differ(shown(("stream", "a")), shown()) == ["cell 1 shows stream → nothing"]


def test_what_varies_is_held_to_its_kind() -> None:
    old, new = shown(("stream", "a"), tags=("varies",)), shown(("stream", "b"), tags=("varies",))
    assert differ(old, new) == []
    assert differ(old, shown(("text/plain", "a"), tags=("varies",))) == ["cell 1 shows stream → text/plain"]


def test_pictures_are_compared_as_pictures() -> None:
    assert differ(shown(("image/png", png(100, 10))), shown(("image/png", png(100, 10)))) == []
    for other in (png(100, 60), png(120, 10)):
        assert differ(shown(("image/png", png(100, 10))), shown(("image/png", other))) == [
            "cell 1, image/png: another picture"
        ]


def test_a_notebook_is_run_in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = "import sys; from pathlib import Path; Path('made').write_text('x'); print('noise', file=sys.stderr)"
    made = notebooks.execute(book(source, "print(sorted(path.name for path in Path().iterdir()))\n1 + 1"))
    assert notebooks.outputs(made.cells[0]) == []
    assert notebooks.outputs(made.cells[1]) == [("stream", "['made']"), ("text/plain", "2")]
    assert [cell.id for cell in made.cells] == ["cell-0", "cell-1"]
    assert not (tmp_path / "made").exists()


def test_the_command_says_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    nbformat.write(book("print(1 + 1)"), tmp_path / "01-sum.ipynb")
    nbformat.write(book("raise ValueError('no such thing')"), tmp_path / "02-broken.ipynb")
    assert notebooks.main(["03"]) == 2
    assert notebooks.main(["01"]) == 1
    assert "cell 1 shows nothing → stream" in capsys.readouterr().out
    assert notebooks.main(["01", "--write"]) == 0
    assert notebooks.main(["01"]) == 0
    assert "01-sum.ipynb: as committed" in capsys.readouterr().out
    before = (tmp_path / "02-broken.ipynb").read_bytes()
    assert notebooks.main(["--write", "02"]) == 1
    assert "ValueError: no such thing" in capsys.readouterr().out
    assert (tmp_path / "02-broken.ipynb").read_bytes() == before
