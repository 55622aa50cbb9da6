"""remove-identity: nodes that hand on their input unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model

_CANDIDATES = ("Identity", "Dropout", "Cast", "Concat")


class RemoveIdentity(Pass):
    """Remove nodes that hand on their input unchanged.

    These are Identity, Dropout at inference whose mask nobody reads, Cast to the type its input already has, and
    Concat of one tensor. Subgraphs are entered, functions are not. Initializers are shared, never copied.

    Declines:
        A node between a graph input (or an initializer, or another graph output) and a graph output: both names
        are the graph's to keep. A Dropout whose mask is read, or whose training_mode is not a constant false. A node
        whose removal would make a subgraph read another tensor of the same name. An Identity of float16 before a Cast,
        which keeps onnxruntime from dropping the rounding to float16.

    Numerics:
        EXACT: no value is computed differently.

    Example:
        Conv → Identity → Relu becomes Conv → Relu; weight → Identity → Conv becomes weight → Conv.
    """

    name: ClassVar[str] = "remove-identity"
    numerics: ClassVar[Numerics] = Numerics.EXACT

    def run(self, model: Model) -> PassResult:
        """See the class; touches nothing but the nodes it removes."""
        from graphkit import edit

        proto, opset = model.proto(), model.opset
        if not edit.operators(proto).intersection(_CANDIDATES):
            return PassResult(0, "none found", (Declined(f"there is no {', '.join(_CANDIDATES[:-1])} or Concat"),))
        fixed = edit.overridable(proto)
        graph = model.graph
        scopes = edit.Scopes(graph)
        declined: list[Declined] = []
        removed = 0
        for scope in scopes.graphs:
            gone: set[int] = set()
            for node in scope.nodes:
                verdict = _hands_on(node, opset, fixed, scopes)
                if verdict == "":
                    verdict = edit.bypass(node, scopes)
                    if verdict is None:
                        gone.add(id(node))
                if verdict:
                    declined.append(Declined(verdict, (edit.describe(node),)))
            if gone:
                scope.nodes[:] = [node for node in scope.nodes if id(node) not in gone]
                removed += len(gone)
        if not removed and not declined:
            declined.append(Declined("every Cast, Concat and Dropout here changes what it is given"))
        return PassResult(removed, f"{removed} removed" if removed else "none to remove", tuple(declined))


def _hands_on(node: Any, opset: int, fixed: frozenset[str], scopes: Any) -> str | None:
    """Whether the node hands on its input: "" if so, None if it is no candidate, else why it cannot be told."""
    from graphkit import edit

    if not node.inputs or not node.outputs:
        return None
    if edit.standard(node, "Identity"):
        return "it keeps a float16 rounding apart from a Cast" if _keeps_rounding(node) else ""
    if edit.standard(node, "Concat"):
        return "" if len(node.inputs) == 1 else None
    if edit.standard(node, "Cast"):
        return "" if _same_type(node) else None
    if edit.standard(node, "Dropout"):
        return _dropout_keeps(node, opset, fixed, scopes)
    return None


def _keeps_rounding(node: Any) -> bool:
    """Whether an Identity of float16 stands before a Cast.

    onnxruntime computes float16 in float32 on the CPU and drops a rounding to float16 that meets a Cast back, so
    without the Identity the numbers would change.
    """
    import numpy as np

    from graphkit import edit

    tensors = (node.inputs[0], node.outputs[0])
    if not any(tensor.dtype == np.float16 for tensor in tensors):
        return False
    return any(edit.standard(reader, "Cast") for tensor in tensors for reader in tensor.outputs)


def _same_type(node: Any) -> bool:
    """Whether a Cast's target is the known element type of its input."""
    import numpy as np
    import onnx

    dtype = node.inputs[0].dtype
    target = node.attrs.get("to")
    if dtype is None or not isinstance(target, int):
        return False
    if isinstance(dtype, int):
        return bool(dtype == target != onnx.TensorProto.UNDEFINED)
    try:
        return bool(onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)) == target)
    except (KeyError, TypeError, ValueError):
        return False


def _dropout_keeps(node: Any, opset: int, fixed: frozenset[str], scopes: Any) -> str | None:
    """Dropout-7 never drops; Dropout-12 drops if training_mode is true; Dropout-1 and -6 unless is_test is set."""
    from graphkit import edit

    mask = node.outputs[1] if len(node.outputs) > 1 else None
    if mask is not None and not mask.is_empty() and (mask.outputs or scopes.is_output(mask)):
        return "its mask is read"
    if opset < 7:
        return "" if node.attrs.get("is_test") == 1 else "it drops values: is_test is not set"
    training = node.inputs[2] if opset >= 12 and len(node.inputs) > 2 else None
    if training is None or training.is_empty():
        return ""
    value = None if training.name in fixed else edit.constant_value(training)
    if value is None:
        return "its training_mode is not a constant"
    return "its training_mode is true" if value.any() else ""
