"""Export: from weights to a proven ONNX file."""

from __future__ import annotations

import importlib.metadata
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from graphkit.errors import ProofFailed, UsageError
from graphkit.export.choosing import choices_of, choose, device_of
from graphkit.export.lively import enliven
from graphkit.export.needs import needs_of
from graphkit.export.networks import open_network
from graphkit.export.options import ExportOptions
from graphkit.export.proving import Against, prove_float32, prove_half, with_nms
from graphkit.export.report import ExportProof, ExportReport, Tensor
from graphkit.export.source import Source, find_source
from graphkit.export.structure import same_graph
from graphkit.export.suppressing import prove_nms
from graphkit.export.tracing import NotTraceable, Traced, check_opset, lowest_that_works, trace
from graphkit.model import Model
from graphkit.tidy import tidy
from graphkit.verdict import Wanted
from graphkit.version import __version__

KEY = "graphkit.export"
Told = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """How to go about it.

    Attributes:
        verify: Whether to prove the result.
        images: Pictures for the proof; () for the built-in one.
        seed: Of untrained weights, and of the random input of the proof.
        trust: Load weights that may run code of their own.
        debug: Show what ultralytics and torch say.
    """

    verify: bool = True
    images: tuple[Path, ...] = ()
    seed: int = 0
    trust: bool = False
    debug: bool = False


def export(
    text: str, options: ExportOptions, target: Path, job: Job | None = None, told: Told = lambda _: None
) -> ExportReport:
    """Export ultralytics' weights, or an untrained network, and write the result once it is proven.

    Args:
        text: A `.pt`, or a `.yaml`, by its path or by a name that ultralytics has: "yolov8n-seg.yaml".
        options: What was asked for.
        target: Where to write; what stands there is replaced once everything held.
        job: How to go about it.
        told: Is called with what is being done, for a progress line.

    Raises:
        UsageError: The source or the options cannot be exported; says what can.
        ModelError: The weights are damaged.
        ProofFailed: The export does not compute what PyTorch does.
        WriteError: It cannot be written.
    """
    start = time.perf_counter()
    job = job or Job()
    source = find_source(text)
    if target.exists() and target.samefile(source.path):
        raise UsageError(f"{target} is the source itself; name another file with -o.")
    if options.opset is not None:
        check_opset(options.opset)
    told("loading torch and ultralytics")
    with tempfile.TemporaryDirectory(prefix="graphkit-") as scratch:
        folder = Path(scratch)
        device_of(options.device)
        network, weights = open_network(source, folder, job.seed, trust=job.trust, debug=job.debug)
        chosen = choose(options, network, source)
        begun = time.perf_counter()
        told(f"exporting at opset {chosen.opset}")
        traced = _traced(network, source, options, chosen, folder, job, told)
        model, sorted_ = _sorted(traced.model)
        seconds = time.perf_counter() - begun
        proof = None
        if job.verify:
            found = replace(traced, model=model)
            subject = _Subject(network, weights, source, chosen, folder, job)
            proof = _prove_untrained(subject, found, told) if source.kind == "yaml" else _prove(subject, found, told)
        model.set_metadata({KEY: _record(source, chosen, traced, job, proof)})
        told(f"writing {target}")
        model.save(target)
        return _report(source, network, options, chosen, traced, model, proof, target, sorted_, job, (seconds, start))


def _traced(
    network: Any, source: Source, asked: ExportOptions, chosen: ExportOptions, folder: Path, job: Job, told: Told
) -> Traced:
    """Export, or say what is in the way and what would work.

    Raises:
        UsageError: It does not work.
    """
    try:
        return trace(network, source, chosen, folder, debug=job.debug)
    except NotTraceable as error:
        problem = f"{source.name} cannot be exported at opset {chosen.opset}: {error}"
        if "half" in str(error) and chosen.half:
            raise UsageError(
                f"{source.name} cannot be exported in half precision on {chosen.device} by this ultralytics: {error}. "
                "Leave half out and put to-float16 into a pipeline for graphkit run."
            ) from error
        if not error.opset:
            raise UsageError(f"{problem}. --debug shows all of what ultralytics and torch say.") from error
        told("looking for the lowest opset that works")
        lowest = lowest_that_works(network, source, chosen, folder, job.debug)
        if lowest is None:
            hint = "no newer opset that torch writes works either"
        else:
            hint = f"opset {lowest} is the lowest that works, by trying: --opset {lowest}"
            if asked.opset is not None:
                hint += ", and graphkit run with pin-opset may go lower from there"
        raise UsageError(f"{problem}; {hint}.") from error


def _sorted(model: Model) -> tuple[Model, bool]:
    """The nodes in topological order: float16 conversion leaves them in another."""
    from graphkit.verify import check_model

    found = check_model(model).checker
    if found is None or "topologically sorted" not in found:
        return model, False
    made = model.copy()
    tidy(made.graph)
    made.commit()
    return made, True


@dataclass(frozen=True, eq=False)
class _Subject:
    """A network, and all that it takes to export it once more for a proof."""

    network: Any
    weights: Path
    source: Source
    chosen: ExportOptions
    folder: Path
    job: Job

    def traced(self, options: ExportOptions, confidence: float | None = None) -> Traced:
        found = trace(self.network, self.source, options, self.folder, confidence=confidence, debug=self.job.debug)
        return replace(found, model=_sorted(found.model)[0])

    def against(self) -> Against:
        batches = (1, self.chosen.batch) if self.chosen.dynamic and self.chosen.batch > 1 else ()
        return Against(
            weights=self.weights,
            name=self.source.name,
            torch=versions()["torch"],
            wanted=Wanted(images=self.job.images, batches=batches, seed=self.job.seed),
            end_to_end=self.chosen.nms is False,
            trust=self.job.trust,
        )


def _prove_untrained(subject: _Subject, traced: Traced, told: Told) -> ExportProof:
    """The same graph with weights that spread its outputs, proven; an untrained one returns the same whatever is wrong.

    Raises:
        ProofFailed: It does not hold, or the two are not the same graph.
    """
    told("exporting a copy with spread weights, for the proof")
    folder = subject.folder / "lively"
    folder.mkdir()
    # Built again, not loaded: torch traces a loaded module to other nodes than the built one.
    network, weights = open_network(subject.source, folder, subject.job.seed, change=enliven)
    lively = replace(subject, network=network, weights=weights)
    copy = lively.traced(subject.chosen)
    if not same_graph(traced.model.proto(), copy.model.proto(), other_weights=True):
        raise ProofFailed(
            f"{subject.source.name} exports to another graph when its weights are other ones, so nothing can be proven "
            "about an untrained one; export trained weights, or add --no-verify. Nothing was written."
        )
    note = "untrained, so proven on the same graph with weights that spread its outputs"
    proof = _prove(lively, copy, told)
    return replace(proof, notes=(note, *proof.notes))


def _prove(subject: _Subject, traced: Traced, told: Told) -> ExportProof:
    """Candidates against PyTorch in float32; then what half precision or NMS adds, each against what it was made of.

    Raises:
        ProofFailed: It does not hold.
    """

    def verifying(name: str) -> None:
        told(f"verifying against PyTorch on {name}")

    chosen, against = subject.chosen, subject.against()
    plain = replace(chosen, half=False, nms=None if chosen.nms else chosen.nms)
    path = subject.folder / "exported.onnx"
    if plain == chosen:
        traced.model.save(path)
        return prove_float32(path, against, verifying)
    told("exporting in float32, without NMS, for the proof")
    subject.traced(plain).model.save(path)
    proof = prove_float32(path, against, verifying)
    if not chosen.nms:
        half = subject.folder / "half.onnx"
        traced.model.save(half)
        return prove_half(half, path, proof, against, verifying)
    own = prove_nms(
        traced,
        lambda confidence: subject.traced(chosen, confidence),
        path,
        subject.folder,
        against,
        chosen.half,
        verifying,
    )
    return with_nms(proof, own)


def _record(source: Source, chosen: ExportOptions, traced: Traced, job: Job, proof: ExportProof | None) -> str:
    """What it takes to do it again. Names and hashes only: no path of this machine."""
    found: dict[str, Any] = {
        "source": source.name,
        "sha256": source.sha256,
        "options": {**asdict(chosen), "imgsz": list(chosen.imgsz or ())},
        "versions": versions(),
        "traced_opset": traced.traced_opset,
    }
    if source.kind == "yaml":
        found["seed"] = job.seed
    if proof is not None:
        found["verified"] = {"relative_l2": float(f"{proof.worst:.3g}"), "detections": proof.detections}
    return json.dumps(found, ensure_ascii=False)


def versions() -> dict[str, str]:
    """Of everything that has a part in an export."""
    found = {"graphkit": __version__}
    for name in ("ultralytics", "torch", "onnx", "onnxruntime", "onnxslim"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _report(
    source: Source,
    network: Any,
    asked: ExportOptions,
    chosen: ExportOptions,
    traced: Traced,
    model: Model,
    proof: ExportProof | None,
    target: Path,
    sorted_: bool,
    job: Job,
    times: tuple[float, float],
) -> ExportReport:
    graph = model.proto().graph
    assert chosen.imgsz is not None
    inputs = tuple(_tensor(info) for info in graph.input)
    stride = max(int(value) for value in network.stride.tolist())
    needs = needs_of(inputs, target.name, chosen.imgsz, chosen.batch, stride) if chosen.dynamic else ()
    head = network.model[-1]
    return ExportReport(
        source=source.name,
        sha256=source.sha256,
        untrained=source.kind == "yaml",
        seed=job.seed if source.kind == "yaml" else None,
        label=f"{network.task}, {head.nc} classes",
        choices=choices_of(asked, chosen, network, source),
        output=str(target),
        opset=model.opset,
        traced_opset=traced.traced_opset,
        nodes=model.node_count,
        bytes=model.size_bytes,
        inputs=inputs,
        outputs=tuple(_tensor(info) for info in graph.output),
        proof=proof,
        notes=tuple(_notes(source, chosen, traced, sorted_, job)),
        needs=needs,
        versions=versions(),
        export_seconds=times[0],
        seconds=time.perf_counter() - times[1],
    )


def _notes(source: Source, chosen: ExportOptions, traced: Traced, sorted_: bool, job: Job) -> Sequence[str]:
    found = []
    if source.kind == "yaml":
        found.append(
            f"untrained: {source.name} describes layers, and the weights are random ones of seed {job.seed}; the file "
            "shows how such a model is built, runs and converts, and finds nothing"
        )
    if chosen.opset is not None and traced.traced_opset < chosen.opset:
        found.append(
            f"torch's exporter knows opsets up to {traced.traced_opset}: written at that, and taken on to "
            f"{chosen.opset} by pin-opset"
        )
    if chosen.half and chosen.device == "cpu":
        found.append(
            "half on the CPU: ultralytics traces in float32 and converts the finished graph, whose inputs and outputs "
            "stay float32"
        )
    if sorted_:
        found.append("its nodes came in no topological order, which onnx.checker refuses: put in order")
    if chosen.nms:
        most = f" of up to {chosen.batch} images, written out one by one" if chosen.dynamic else ""
        found.append(
            f"nms is ultralytics' own{most}: best class only, confidence 0.25 and IoU 0.7 baked in, no count of "
            "detections; embed-nms behind a plain export leaves these open"
        )
    return found


def _tensor(info: Any) -> Tensor:
    dims = info.type.tensor_type.shape.dim
    return Tensor(
        info.name, tuple(dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?" for dim in dims)
    )
