"""Running models: onnxruntime on the CPU, all optimisation off, so that what is run is what is in the file."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.errors import GraphkitError, ModelError
from graphkit.model import Model, reads
from graphkit.verify import cut
from graphkit.verify.feeds import Feed
from graphkit.verify.plugin import has_plugin, plugin_nodes, run_behind
from graphkit.verify.session import THREADS, NoKernel, NotRunnable, Setting, first_line, open_session

Values = dict[str, NDArray[Any]]

BY_REFERENCE = "onnx's reference ran the model as it came"
"""How a note begins that says so."""


def run_model(model: Model, feeds: Sequence[Feed], threads: int = THREADS) -> list[Values]:
    """Run a model on every feed with onnxruntime on the CPU, all graph optimisation off.

    EfficientNMS_TRT, which onnxruntime has only with TensorRT, and everything that depends on it runs in NumPy (see
    `references.efficientnms`); the rest of the model runs in onnxruntime all the same. One session serves all feeds
    and is let go before this returns. Inputs the model does not have are left out of a feed; inputs with
    an initializer may be in it or not. A sequence output is
    returned as one value an element, "name[0]", "name[1]"; an absent optional one is left out.

    Args:
        model: Any model, sorted or not; an IR version newer than onnxruntime reads is lowered in a copy.
        feeds: The inputs.
        threads: Of one operator; the same number gives the same bits.

    Returns:
        For each feed: output name -> value, in the order of the graph's outputs.

    Raises:
        NotRunnable: Says which operator is in the way, or which input is missing, and what to do.
    """
    run = opened(model, Setting(threads))
    try:
        return [run(feed) for feed in feeds]
    finally:
        del run
        gc.collect(0)


def opened(model: Model, setting: Setting | None = None) -> Callable[[Feed], Values]:
    """A model that stays loaded: a function from a feed to its outputs, as `run_model` gives them.

    Args:
        model: As for `run_model`.
        setting: Threads, providers, optimisation; by default those of the proofs.

    Raises:
        NotRunnable: The model cannot be loaded. The function raises it where it cannot be run.
        UsageError: A provider that is asked for is not there, or does not load.
    """
    # Written back once: asking an open graph for its proto exports it each time.
    settled = Model(model.proto(), model.source)
    runner = _plugin_runner if has_plugin(settled.proto()) else _session_runner
    return runner(settled, setting or Setting())


def run_what_works(model: Model, feeds: Sequence[Feed], threads: int = THREADS) -> tuple[list[Feed], list[Values], str]:
    """Run a model on the feeds it can be run on.

    An export that says "dynamic" and only works at the size it was traced at is common; the feeds it fails on can
    prove nothing, and the rest can. Where onnxruntime has no kernel for an operator, onnx's reference runs the model.

    Returns:
        The feeds that ran, their outputs, and a sentence about those that did not ("" where all did).

    Raises:
        NotRunnable: The model cannot be loaded, or runs on none of the feeds.
    """
    good, failed = list(feeds), []
    while True:
        try:
            results = run_model(model, good, threads)
        except NoKernel as error:
            note = f"{BY_REFERENCE}, for {str(error).partition(',')[0]}"
            return good, _by_reference(model, good, error), note
        except NotRunnable as error:
            good_after = [feed for feed in good if feed.name != error.feed]
            if error.feed is None or not good_after or len(good_after) == len(good):
                raise
            failed.append(str(error))
            good = good_after
        else:
            return good, results, f"left out of the proofs: {'; '.join(failed)}" if failed else ""


def run_as_before(model: Model, feeds: Sequence[Feed], threads: int, note: str) -> list[Values]:
    """Run a model as the one before it was run: by onnx's reference too, where onnxruntime had no kernel for that.

    Args:
        model: The model.
        feeds: The inputs.
        threads: As in `run_model`.
        note: What `run_what_works` said of the model before.

    Raises:
        NotRunnable: As in `run_model`.
    """
    try:
        return run_model(model, feeds, threads)
    except NoKernel as error:
        if not note.startswith(BY_REFERENCE):
            raise
        return _by_reference(model, feeds, error)


def run_part(
    model: Model, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str] | None = None, threads: int = THREADS
) -> Values:
    """Run only what lies between some tensors and the graph's outputs.

    Args:
        model: The whole model.
        inputs: Tensor name -> value. Any tensors of the main graph.
        outputs: Graph outputs to compute; by default those that depend on the given tensors.
        threads: As in `run_model`.

    Returns:
        Output name -> value.

    Raises:
        ModelError: The part depends on something else (a graph input), or a tensor does not exist.
        NotRunnable: As in `run_model`.
    """
    part = extract_part(model, inputs, outputs)
    return run_model(part, [Feed("part", dict(inputs))], threads)[0]


def exposing(model: Model, tensors: Iterable[str]) -> Model:
    """A copy of a model that hands out these tensors too, behind its outputs."""
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto())
    there = {info.name for info in proto.graph.output}
    # onnxruntime infers the type of an output that declares none.
    proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in dict.fromkeys(tensors) if name not in there)
    return Model(proto, model.source)


def extract_part(model: Model, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str] | None = None) -> Model:
    """The part of a model behind some tensors, as a model that takes arrays of these types, of any shape.

    Raises:
        ModelError: See `run_part`.
    """
    proto = model.proto()
    graph = proto.graph
    existing = {name for node in graph.node for name in node.output} | {info.name for info in graph.input}
    for name in inputs:
        if not name or name not in existing | cut.constants(graph):
            raise ModelError(f'the graph has no tensor "{name}" that values could be fed into')
    reached = {name for index in cut.behind(graph, (), inputs) for name in graph.node[index].output} | set(inputs)
    wanted = list(outputs) if outputs is not None else [info.name for info in graph.output if info.name in reached]
    if not wanted:
        raise ModelError(f"no output of the graph depends on {_quoted(inputs)}")
    nodes, sources = cut.needed(graph, wanted, inputs)
    foreign = sources - cut.constants(graph)
    if foreign:
        raise ModelError(f"the part behind {_quoted(inputs)} also depends on {_quoted(sorted(foreign))}")
    types = {name: onnx.helper.np_dtype_to_tensor_dtype(value.dtype) for name, value in inputs.items()}
    return Model(cut.assemble(proto, nodes, types, wanted), model.source)


def _plugin_runner(model: Model, setting: Setting) -> Callable[[Feed], Values]:
    """Use onnxruntime up to the plugin, NumPy from there on."""
    proto = model.proto()
    graph = proto.graph
    tail = cut.behind(graph, plugin_nodes(proto), ())
    fixed = cut.constants(graph)
    made_behind = {name for index in tail for name in graph.node[index].output if name}
    outputs = [info.name for info in graph.output]
    border = {name for index in tail for name in reads(graph.node[index])} - made_behind - fixed
    border |= {name for name in outputs if name not in made_behind}
    fed = {info.name for info in graph.input}
    front_outputs = sorted(border - fed - fixed)
    front_runner: Callable[[Feed], Values] | None = None
    if front_outputs:
        nodes, _ = cut.needed(graph, front_outputs, ())
        front = cut.assemble(proto, nodes, {}, front_outputs)
        front.graph.input.extend(graph.input)
        front_runner = _session_runner(Model(front, model.source), setting)

    def run(feed: Feed) -> Values:
        known = {name: feed.inputs[name] for name in border & set(feed.inputs)}
        if front_runner is not None:
            known.update(front_runner(feed))
        try:
            return run_behind(model, tail, known, outputs)
        except GraphkitError:
            raise
        except Exception as error:
            raise NotRunnable(
                f'the part behind EfficientNMS_TRT cannot be run on "{feed.name}": {first_line(error)}', feed.name
            ) from error

    return run


def _session_runner(model: Model, setting: Setting) -> Callable[[Feed], Values]:
    names = [info.name for info in model.proto().graph.output]
    session = open_session(model, setting)
    wanted = {item.name for item in session.get_inputs()}
    defaulted = {item.name for item in session.get_overridable_initializers()}

    def run(feed: Feed) -> Values:
        missing = wanted - set(feed.inputs)
        if missing:
            raise NotRunnable(f'"{feed.name}" has no value for the input {_quoted(sorted(missing))}', feed.name)
        try:
            given = wanted | defaulted & set(feed.inputs)
            values = session.run(None, {name: feed.inputs[name] for name in given})
        except Exception as error:
            shapes = ", ".join(f"{name} {list(feed.inputs[name].shape)}" for name in sorted(wanted))
            raise NotRunnable(
                f'onnxruntime cannot run the model on "{feed.name}" ({shapes}): {first_line(error)}', feed.name
            ) from error
        return _flat(names, values)

    return run


def _by_reference(model: Model, feeds: Sequence[Feed], why: NoKernel) -> list[Values]:
    from graphkit.verify.by_reference import run_by_reference

    names = [info.name for info in model.proto().graph.output]
    try:
        return [_flat(names, values) for values in run_by_reference(model, feeds)]
    except Exception:  # noqa: BLE001 - what onnxruntime lacks is what the user can do something about
        raise why from None


def _flat(names: Sequence[str], values: Sequence[Any]) -> Values:
    result: Values = {}
    for name, value in zip(names, values, strict=True):
        if isinstance(value, list):
            result.update({f"{name}[{index}]": np.asarray(item) for index, item in enumerate(value)})
        elif value is not None:
            result[name] = np.asarray(value)
    return result


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
