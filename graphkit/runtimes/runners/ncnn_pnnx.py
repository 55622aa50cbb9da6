"""ncnn: converted with pnnx, run on the CPU.

pnnx converts for inputs of one size, which its users name: here those that are fed.

ncnn has no batch dimension. pnnx says for every input and output which axis it took for the batch, in the Python script
that it writes beside the model; feeding and reading follow that. In a model the convolutions tell pnnx the axis, and it
takes out what does nothing. So a node that is measured alone is not quite alone: see `as_in_a_model`.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphkit.runtimes.runners.contract import Adapter, NotLoaded, NotMeasurable, NotRun, Ready, Value
from graphkit.runtimes.runners.outputs import has_external_data, input_shapes, output_types

if TYPE_CHECKING:
    from onnx import ModelProto

_INPUT = re.compile(r'ex\.input\("(\w+)", ncnn\.Mat\(\w+\.numpy\(\), batch_index=(\d+)\)')
_OUTPUT = re.compile(r'_, (\w+) = ex\.extract\("(\w+)"\)')
_BATCH = re.compile(r"(\w+)\.numpy\(batch_index=(\d+)\)")
Sizes = Mapping[str, tuple[tuple[int, ...] | None, int]]
"""Shape and element type of each input, in order."""

_NO_BATCH = 233
"""pnnx's word for no batch axis."""
_SHORT = {
    "float32": "f32",
    "float16": "f16",
    "float64": "f64",
    "int64": "i64",
    "int32": "i32",
    "int16": "i16",
    "int8": "i8",
    "uint8": "u8",
    "bool": "i8",
}


def make(_choice: str, alone: bool) -> Adapter:
    """The adapter; alone for nodes that are measured by themselves."""
    return _Ncnn(alone)


class _Ncnn(Adapter):
    def __init__(self, alone: bool) -> None:
        self._alone = alone

    def load(self, model: ModelProto | None, path: Path, folder: Path) -> Ready:
        """Convert, then load: the conversion exits with 0 whatever became of it."""
        inputs, kinds = input_shapes(model, path), output_types(model, path)
        if self._alone and not inputs:
            raise NotMeasurable("pnnx computes it by itself, and a net without layers returns nothing")
        if has_external_data(model, path):
            raise NotMeasurable("pnnx is given a model in one file only, and this one has its weights in others")
        sizes = {name: (self.fed.get(name, shape), kind) for name, (shape, kind) in inputs.items()}
        if self._alone and model is not None:
            path = folder / "told.onnx"
            path.write_bytes(as_in_a_model(model, sizes).SerializeToString())
        net = _Net(_convert(path, folder, sizes, alone=self._alone), folder, alone=self._alone)
        if self._alone and net.without_batch(sizes):
            raise NotMeasurable("pnnx cannot tell from this node which axis is the batch, and in a model it can")
        net.load(len(sizes), len(kinds))
        return lambda values: net.run(values, list(sizes), kinds)


class _Net:
    """What pnnx made of a model.

    Args:
        script: The Python script that it writes beside it.
        folder: Where it lies.
        alone: Whether it is a node that is measured by itself.
    """

    def __init__(self, script: str, folder: Path, *, alone: bool) -> None:
        self._folder = folder
        self._alone = alone
        self._net: Any = None
        found = {name: int(batch) for name, batch in _INPUT.findall(script)}
        self._inputs = {blob: found[blob] for blob in sorted(found, key=_number)}
        self._outputs = [blob for _, blob in _OUTPUT.findall(script)]
        self._batches = {name: int(batch) for name, batch in _BATCH.findall(script)}

    def without_batch(self, sizes: Sizes) -> bool:
        """Whether an input would have a batch in a model, and pnnx saw none: layers then count other dimensions."""
        pairs = zip(sizes.values(), self._inputs.values(), strict=False)
        return len(self._inputs) == len(sizes) and any(
            batch == _NO_BATCH and shape is not None and len(shape) >= 3 and shape[0] == 1
            for (shape, _), batch in pairs
        )

    def load(self, inputs: int, outputs: int) -> None:
        """Load it.

        Args:
            inputs: How many the model has.
            outputs: Likewise.
        """
        import ncnn

        net = ncnn.Net()
        net.opt.use_vulkan_compute = False
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        net.opt.use_bf16_storage = False
        net.opt.num_threads = 1
        files = [str(self._folder / f"model.ncnn.{ending}") for ending in ("param", "bin")]
        if net.load_param(files[0]) or net.load_model(files[1]):
            raise NotLoaded("it does not load what pnnx writes")
        if self._inputs and len(self._inputs) != inputs:
            raise NotMeasurable(f"pnnx computes it itself, as far as {inputs - len(self._inputs)} inputs go")
        if len(self._outputs) != outputs:
            raise NotLoaded(f"pnnx keeps {len(self._outputs)} of {outputs} outputs")
        self._net = net

    def run(self, values: Mapping[str, Value], inputs: list[str], kinds: Mapping[str, int]) -> dict[str, Value]:
        """Run it; what pnnx computed by itself needs no input."""
        import ncnn

        results: dict[str, Value] = {}
        # A matrix made of an array shares its memory, and does not keep it.
        arrays = {name: _array(values[name]) for name in inputs} if self._inputs else {}
        with self._net.create_extractor() as extractor:
            for name, (blob, batch) in zip(inputs, self._inputs.items(), strict=bool(self._inputs)):
                extractor.input(blob, ncnn.Mat(arrays[name], batch_index=batch).clone())
            for name, blob in zip(kinds, self._outputs, strict=True):
                status, mat = extractor.extract(blob)
                if self._alone and not self._inputs and mat.empty():
                    raise NotMeasurable("pnnx computes it by itself, and a net without layers returns nothing")
                if status or mat.empty():
                    raise NotRun(f"extracting an output returns {status}")
                results[name] = _read(mat.numpy(batch_index=self._batches.get(blob, _NO_BATCH)), kinds[name])
        return results


def as_in_a_model(model: ModelProto, sizes: Sizes) -> ModelProto:
    """A model of one node with something in front of each input of numbers that changes nothing.

    What may have a batch, [1, C, …], gets a convolution that multiplies by 1; all else is negated twice.

    Args:
        model: It; not changed.
        sizes: Shape and element type of each input.
    """
    import numpy as np
    from onnx import ModelProto, TensorProto, helper, numpy_helper

    told, added = ModelProto(), []
    told.CopyFrom(model)
    for name, (shape, kind) in sizes.items():
        if shape is None or 0 in shape or kind not in (TensorProto.FLOAT, TensorProto.FLOAT16):
            continue
        made, between = f"{name}/behind", f"{name}/between"
        for node in told.graph.node:
            node.input[:] = [made if item == name else item for item in node.input]
        if 3 <= len(shape) <= 5 and shape[0] == 1:
            ones = np.ones((shape[1], 1, *[1] * (len(shape) - 2)), helper.tensor_dtype_to_np_dtype(kind))
            told.graph.initializer.append(numpy_helper.from_array(ones, between))
            conv = helper.make_node("Conv", [name, between], [made], group=shape[1], kernel_shape=ones.shape[2:])
            added.append(conv)
        else:
            added += [helper.make_node("Neg", [name], [between]), helper.make_node("Neg", [between], [made])]
    nodes = [*added, *told.graph.node]
    del told.graph.node[:]
    told.graph.node.extend(nodes)
    return told


def _convert(path: Path, folder: Path, inputs: Sizes, *, alone: bool) -> str:
    from onnx import helper

    spec = find_spec("pnnx")
    if spec is None or not spec.submodule_search_locations:
        raise NotLoaded("pnnx is not there")
    tool = Path(next(iter(spec.submodule_search_locations)), "pnnx")
    (folder / "model.onnx").symlink_to(path)
    shapes = []
    for name, (shape, kind) in inputs.items():
        short = _SHORT.get(str(helper.tensor_dtype_to_np_dtype(kind)))
        if shape is None or short is None:
            raise NotLoaded(f'pnnx needs the shape of every input and numbers in it, and "{name}" has none')
        shapes.append(f"[{','.join(map(str, shape))}]{short}")
    command = [str(tool), "model.onnx", f"inputshape={','.join(shapes)}", "fp16=0"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)  # noqa: S603  (pnnx's own program)
    if done.returncode:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
        if alone:  # it expects more than one node in many places, so this says nothing of the node in a model
            raise NotMeasurable(f"pnnx ends with {how}")
        raise NotLoaded(f"pnnx ends with {how}")
    script = folder / "model_ncnn.py"
    if not script.is_file():
        raise NotLoaded("pnnx writes no ncnn model")
    return script.read_text("utf-8")


def _number(blob: str) -> int:
    return int(re.sub(r"\D", "", blob) or 0)


def _array(value: Value) -> Value:
    """As pnnx's own script makes them: 64-bit numbers are 32-bit ones in ncnn."""
    import numpy as np

    if not isinstance(value, np.ndarray):
        raise NotMeasurable("it takes tensors only")
    if value.dtype.kind in "f":
        return np.ascontiguousarray(value.astype(np.float32))
    if value.dtype.kind in "iub":
        return np.ascontiguousarray(value.astype(np.int32))
    raise NotMeasurable(f"its Python interface cannot be given {value.dtype}")


def _read(values: Value, kind: int) -> Value:
    """Its matrices hold bits of 32 and do not say of what: of what the model says."""
    import numpy as np
    from onnx import helper

    whole = np.dtype(helper.tensor_dtype_to_np_dtype(kind)).kind in "iub" if kind else False
    if whole and values.dtype == np.float32:
        return values.view(np.int32).copy()
    return values.copy()
