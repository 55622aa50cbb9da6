"""ncnn: converted with pnnx, run on the CPU.

ncnn has no batch dimension. pnnx says for every input and output which axis it took for the batch, in the Python script
that it writes beside the model; feeding and reading follow that.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from graphkit.runtimes.runners.contract import Adapter, NotLoaded, NotMeasurable, NotRun, Ready, Value
from graphkit.runtimes.runners.outputs import has_external_data, input_shapes, output_types

if TYPE_CHECKING:
    from onnx import ModelProto

_INPUT = re.compile(r'ex\.input\("(\w+)", ncnn\.Mat\(\w+\.numpy\(\), batch_index=(\d+)\)')
_OUTPUT = re.compile(r'_, (\w+) = ex\.extract\("(\w+)"\)')
_BATCH = re.compile(r"(\w+)\.numpy\(batch_index=(\d+)\)")
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


def make(_choice: str, _alone: bool) -> Adapter:
    """The adapter."""
    return _Ncnn()


class _Ncnn(Adapter):
    def load(self, model: ModelProto | None, path: Path, folder: Path) -> Ready:
        """Convert, then load: the conversion exits with 0 whatever became of it."""
        import ncnn

        inputs, kinds = input_shapes(model, path), output_types(model, path)
        names = list(kinds)
        if has_external_data(model, path):
            raise NotMeasurable("pnnx is given a model in one file only, and this one has its weights in others")
        script = _convert(path, folder, inputs)
        net = ncnn.Net()
        net.opt.use_vulkan_compute = False
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        net.opt.use_bf16_storage = False
        net.opt.num_threads = 1
        if net.load_param(str(folder / "model.ncnn.param")) or net.load_model(str(folder / "model.ncnn.bin")):
            raise NotLoaded("it does not load what pnnx writes")
        blobs = _INPUT.findall(script)
        wanted = {name: int(batch) for name, batch in blobs}
        if len(wanted) != len(inputs):
            raise NotMeasurable(f"pnnx computes it itself, as far as {len(inputs) - len(wanted)} inputs go")
        alone = [shape for shape, batch in zip(_shapes(inputs), _batches(wanted), strict=True) if batch == _NO_BATCH]
        if any(len(shape) >= 3 and shape[0] == 1 for shape in alone):
            # In a whole model the convolutions tell it; a blob then has a dimension less, and layers do otherwise.
            raise NotMeasurable("pnnx cannot tell from this node which axis is the batch, and in a model it can")
        extracts = [blob for _, blob in _OUTPUT.findall(script)]
        batches = {name: int(batch) for name, batch in _BATCH.findall(script)}
        if len(extracts) != len(names):
            raise NotLoaded(f"pnnx keeps {len(extracts)} of {len(names)} outputs")

        def ready(values: Mapping[str, Value]) -> dict[str, Value]:
            results: dict[str, Value] = {}
            with net.create_extractor() as extractor:
                for name, blob in zip(inputs, sorted(wanted, key=_number), strict=True):
                    extractor.input(blob, ncnn.Mat(_array(values[name]), batch_index=wanted[blob]).clone())
                for name, blob in zip(names, extracts, strict=True):
                    status, mat = extractor.extract(blob)
                    if status or mat.empty():
                        raise NotRun(f"extracting an output returns {status}")
                    results[name] = _read(mat.numpy(batch_index=batches.get(blob, _NO_BATCH)), kinds[name])
            return results

        return ready


def _shapes(inputs: Mapping[str, tuple[tuple[int, ...] | None, int]]) -> list[tuple[int, ...]]:
    return [shape or () for shape, _ in inputs.values()]


def _batches(wanted: Mapping[str, int]) -> list[int]:
    """The batch axis of each input, in order."""
    return [wanted[blob] for blob in sorted(wanted, key=_number)]


def _convert(path: Path, folder: Path, inputs: Mapping[str, tuple[tuple[int, ...] | None, int]]) -> str:
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
            raise NotLoaded(f'pnnx needs an input of fixed shape and of a number type, and "{name}" is not')
        shapes.append(f"[{','.join(map(str, shape))}]{short}")
    command = [str(tool), "model.onnx", f"inputshape={','.join(shapes)}", "fp16=0"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)  # noqa: S603  (pnnx's own program)
    if done.returncode:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit status {done.returncode}"
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
