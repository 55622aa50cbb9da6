"""`graphkit run` over many models: results, reports, and what is refused before anything runs."""

from pathlib import Path

import onnx
import pytest

from graphkit.batch import STATE_NAME
from tests.batch.models import PIPELINE, files, model, put, put_external, statuses
from tests.cli.command import graphkit


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "p.yaml").write_text(PIPELINE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_results_reports_and_the_exit_status(folder: Path) -> None:
    put(folder / "m/a.onnx")
    put(folder / "m/deep/er/b.onnx", model(0))
    put_external(folder / "m/ext/c.onnx")
    (folder / "m/broken.onnx").write_bytes(model().SerializeToString()[:60])
    result = graphkit("run", "p.yaml", "m", "-o", "new/out", "--jobs", 2, "--json")
    assert result.status == 1
    assert result.stderr == ""
    told = result.json()
    assert told["counts"] == {"done": 3, "failed": 1, "skipped": 0}
    assert (told["pipeline"], told["folder"], told["jobs"]) == ("p.yaml", "new/out", 2)
    rows = {row["model"]: row for row in told["models"]}
    assert list(rows) == ["m/a.onnx", "m/broken.onnx", "m/deep/er/b.onnx", "m/ext/c.onnx"]
    first = rows["m/a.onnx"]
    assert first["output"] == first["report"]["output"] == "new/out/a.onnx"
    assert (first["report"]["before"]["nodes"], first["report"]["after"]["nodes"]) == (3, 2)
    assert [record["rewrites"] for record in first["report"]["passes"]] == [0, 1]
    assert first["report"]["passes"][1]["proof"]["identical"] is True
    assert rows["m/broken.onnx"]["error"]["kind"] == "ModelError"
    assert "m/broken.onnx: it was cut off" in rows["m/broken.onnx"]["error"]["message"]
    assert rows["m/broken.onnx"]["output"] is None
    assert files("new/out") == {"a.onnx", "deep/er/b.onnx", "ext/c.onnx", "ext/weights.bin", STATE_NAME}
    assert len(onnx.load("new/out/a.onnx").graph.node) == 2
    # What one model says alone is what it says among others.
    assert graphkit("run", "p.yaml", "m/broken.onnx").sentence == rows["m/broken.onnx"]["error"]["message"]


def test_without_a_folder_and_in_place(folder: Path) -> None:
    one, two = put(folder / "m/a.onnx"), put(folder / "n/a.onnx")
    before = one.read_bytes()
    assert graphkit("run", "p.yaml", one, two, "--no-verify").status == 0
    assert files("m") == files("n") == {"a.onnx", "a.graphkit.onnx"}
    assert one.read_bytes() == before
    assert graphkit("run", "p.yaml", "m", two, "--in-place", "--no-verify").status == 0
    assert one.read_bytes() == (folder / "m/a.graphkit.onnx").read_bytes()
    assert files("m") == files("n") == {"a.onnx", "a.graphkit.onnx"}


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    put(folder / "m/a.onnx")
    result = graphkit("run", "p.yaml", "m", "-o", "out", "--dry-run", "--no-verify")
    assert result.status == 0
    assert "dry run, nothing written" in result.stdout
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--bisect"], "--bisect is for one model"),
        (["--keep-failing", "k.onnx"], "--keep-failing is for one model"),
        (["--report", "r.html"], "--report is for one model"),
        (["--skip-done"], "--skip-done goes by the record in the output folder; name that with -o FOLDER"),
        (["--in-place", "-o", "out"], "--in-place and --output"),
        (["-o", "p.yaml"], "need a folder"),
        (["-o", "out", "none.onnx"], "none.onnx is not there"),
        (["-o", "out", "--images", "none"], "none does not exist"),
        (["-o", "out", "--best-effort"], "--best-effort is for passes that have this option"),
        (["-o", "out", "--jobs", "0"], "--jobs"),
    ],
)
def test_bad_usage_is_told_before_anything_runs(folder: Path, more: list[str], said: str) -> None:
    put(folder / "m/a.onnx")
    put(folder / "m/b.onnx")
    before = files(folder)
    result = graphkit("run", "p.yaml", "m", *more)
    assert result.status == 2
    assert said in result.sentence
    assert result.stdout == ""
    assert files(folder) == before


def test_mistakes_in_the_pipeline_come_before_the_models_are_looked_for(folder: Path) -> None:
    (folder / "p.yaml").write_text("version: 1\npasses: [srt]\n")
    result = graphkit("run", "p.yaml", "none.onnx", "nor-this.onnx")
    assert result.status == 2
    assert result.sentence == 'p.yaml:2:10: there is no pass "srt"; did you mean "sort"?'


def test_for_one_model_skip_done_keeps_a_record_too(folder: Path) -> None:
    put(folder / "a.onnx")
    line = ["run", "p.yaml", "a.onnx", "-o", "out", "--skip-done", "--no-verify", "--json"]
    assert [statuses(graphkit(*line)) for _ in range(2)] == [{"a.onnx": "done"}, {"a.onnx": "skipped"}]


def test_a_line_for_each_model_in_a_pipe(folder: Path) -> None:
    put(folder / "m/a.onnx")
    put(folder / "m/b.onnx")
    result = graphkit("run", "p.yaml", "m", "-o", "out", "--no-verify")
    lines = result.stderr.splitlines()
    assert [line.rpartition(",")[0] for line in lines] == [
        "1 of 2  a.onnx: done, 3 → 2 nodes",
        "2 of 2  b.onnx: done, 3 → 2 nodes",
    ]
