"""One export by ultralytics, and what is said where it cannot be done."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graphkit.errors import GraphkitError, UsageError
from graphkit.export.opsets import exporter_limit
from graphkit.export.options import ExportOptions
from graphkit.export.quiet import quiet, said
from graphkit.export.source import Source
from graphkit.model import Model
from graphkit.passes.opset import convert, fitting_ir, newest

_OPSET = re.compile(
    r"requires opset\s*>=|opset version|is not supported|Unsupported|prim::|aten::|SymbolicValueError|symbolic"
)


class NotTraceable(GraphkitError):
    """Torch or ultralytics gave up, for what the message says.

    Attributes:
        opset: Whether another opset may help.
    """

    def __init__(self, message: str, opset: bool) -> None:
        super().__init__(message)
        self.opset = opset


@dataclass(frozen=True, eq=False)
class Traced:
    """An export in memory, and the network as it was traced.

    Attributes:
        model: The ONNX model, at the opset that was asked for.
        traced_opset: The opset that torch wrote; older where `pin-opset` went on from there.
        network: ultralytics' model as it was traced: fused, its head in export mode.
        arguments: ultralytics' arguments.
    """

    model: Model
    traced_opset: int
    network: Any
    arguments: Any


def trace(
    network: Any,
    source: Source,
    options: ExportOptions,
    folder: Path,
    *,
    confidence: float | None = None,
    debug: bool = False,
) -> Traced:
    """Export once. ultralytics writes into `folder`, nowhere else.

    Args:
        network: As `open_network` gave it; not changed.
        source: For its name.
        options: With `imgsz` and `opset` chosen.
        folder: A temporary one.
        confidence: Of the NMS inside, 0..1; ultralytics' own by default.
        debug: Show what ultralytics and torch say.

    Raises:
        NotTraceable: It does not work.
    """
    import torch
    from ultralytics.engine.exporter import Exporter
    from ultralytics.utils import DEFAULT_CFG_DICT

    assert options.imgsz is not None
    assert options.opset is not None
    traced_opset = min(options.opset, exporter_limit())
    wanted: dict[str, Any] = {
        "mode": "export",
        "format": "onnx",
        "verbose": False,
        "imgsz": list(options.imgsz),
        "batch": options.batch,
        "dynamic": options.dynamic,
        "opset": traced_opset,
        "simplify": options.simplify,
        "device": options.device,
    }
    if options.nms is not None:
        wanted["nms"] = options.nms
    if options.half:
        wanted |= {"quantize": 16} if "quantize" in DEFAULT_CFG_DICT else {"half": True}
    if confidence is not None:
        wanted["conf"] = confidence
    network.pt_path = str(folder / f"{source.stem}.pt")  # the exporter writes beside it
    try:
        with quiet(debug), torch.random.fork_rng(devices=[]):
            exporter = Exporter(overrides=wanted)
            made = Path(exporter(model=network))
    except Exception as error:
        text = said(error)
        raise NotTraceable(text, bool(_OPSET.search(f"{type(error).__name__} {text}"))) from error
    model = Model.load(made)
    if model.opset != options.opset:
        model.replace(_pinned(model, options.opset))
    # Held in memory from here on, so that the next export may take the same name.
    return Traced(Model(model.proto(), None), traced_opset, exporter.model, exporter.args)


def _pinned(model: Model, opset: int) -> Any:
    made = convert(model.proto(), opset, model.values)
    if made.blockers:
        first = made.blockers[0]
        raise NotTraceable(f"from opset {model.opset} on, {first.node} stands in the way: {first.reason}", False)
    made.model.ir_version = fitting_ir(made.model, model.opset, opset, "follow")
    return made.model


def lowest_that_works(
    network: Any, source: Source, options: ExportOptions, folder: Path, debug: bool = False
) -> int | None:
    """The lowest opset above the one that was asked for at which the export works, by trying; None where none does."""
    assert options.opset is not None
    for opset in range(options.opset + 1, exporter_limit() + 1):
        try:
            trace(network, source, replace(options, opset=opset), folder, debug=debug)
        except NotTraceable:
            continue
        return opset
    return None


def check_opset(opset: int) -> None:
    """Refuse an opset that nobody here can write.

    Raises:
        UsageError: It is newer than the installed onnx.
    """
    if opset > newest():
        import onnx

        raise UsageError(
            f"opset {opset} is asked for, and the newest that onnx {onnx.__version__} knows is {newest()}; choose "
            f"{newest()} or less, or install a newer onnx."
        )
