"""What stands above and below each tensor of a graph, as hashes: from the inputs on, and from the outputs backwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from graphkit.matching.digests import mix
from graphkit.matching.view import Constant, Node, View

Level = Literal["exact", "shaped", "bare"]
"""What of a node counts: everything; operator and the sizes of its constants; the operator alone."""
LEVELS: tuple[Level, ...] = ("exact", "shaped", "bare")


@dataclass(frozen=True, eq=False)
class Hashes:
    """Of one graph at one level.

    Attributes:
        above: Of each tensor: all that it is computed from.
        below: Of each node: itself, and all that is computed from what it makes.
    """

    above: list[bytes]
    below: list[bytes]


def local(view: View, node: Node, level: Level) -> bytes:
    """A node without its neighbours."""
    if level == "bare":
        return mix(node.op.encode())
    constants = [
        str(slot).encode() + b":" + constant_label(view.constants[item], level)
        for slot, item in enumerate(node.inputs)
        if item in view.constants
    ]
    if level == "shaped":
        return mix(node.op.encode(), *constants)
    attributes = [mix(name.encode(), digest) for name, digest in sorted(node.attributes.items())]
    return mix(node.op.encode(), b"".join(attributes), *constants)


def constant_label(constant: Constant, level: Level) -> bytes:
    """A constant, as far as it counts."""
    if level == "exact":
        return constant.digest
    return str(constant.shape).encode() if level == "shaped" else b""


def above(view: View, level: Level, own: Sequence[bytes], seeds: dict[int, bytes]) -> list[bytes]:
    """Of each tensor a hash of all that it is computed from.

    Args:
        view: The graph.
        level: What counts. Where contents do not, Cast and Identity do not either.
        own: `local` of each node.
        seeds: Of inputs and captured tensors.
    """
    found = [b""] * len(view.names)
    for tensor, constant in view.constants.items():
        found[tensor] = mix(b"constant", constant_label(constant, level))
    for tensor, seed in seeds.items():
        found[tensor] = mix(b"input", seed)
    for node in view.nodes:
        if level != "exact" and node.transparent:
            found[node.outputs[0]] = found[node.inputs[0]]
            continue
        # The node's own hash holds what counts of its constants.
        made = mix(own[node.index], *(found[item] for _, item in view.wires(node)))
        for slot, tensor in enumerate(node.outputs):
            if tensor >= 0:
                found[tensor] = mix(made, str(slot).encode()) if slot else made
    return found


def ahead(view: View, own: Sequence[bytes], tops: Sequence[bytes]) -> list[bytes]:
    """Of each node a hash of itself and of all that it is computed from; `tops` is what `above` gave."""
    return [mix(own[node.index], *(tops[item] for _, item in view.wires(node))) for node in view.nodes]


def below(view: View, level: Level, own: Sequence[bytes], seeds: dict[int, list[bytes]]) -> list[bytes]:
    """Of each node a hash of itself and of all that is computed from what it makes.

    Args:
        view: The graph.
        level: As in `above`.
        own: The same.
        seeds: Of graph outputs: one for each place at which a tensor is returned.
    """
    ends: list[list[bytes]] = [[] for _ in view.names]
    for tensor, marks in seeds.items():
        ends[tensor] += [mix(b"output", mark) for mark in marks]
    found = [b""] * len(view.nodes)
    for node in reversed(view.nodes):
        made = [mix(*sorted(ends[tensor])) if tensor >= 0 else b"" for tensor in node.outputs]
        found[node.index] = mix(own[node.index], *made)
        if level != "exact" and node.transparent:
            ends[node.inputs[0]] += ends[node.outputs[0]]
            continue
        for slot, tensor in view.wires(node):
            ends[tensor].append(mix(found[node.index], str(slot).encode()))
    return found


def body_digest(view: View) -> bytes:
    """A whole body: what it returns, and what nothing depends on, by the places of what it reads."""
    own = [local(view, node, "exact") for node in view.nodes]
    seeds = {tensor: f"i{place}".encode() for place, tensor in enumerate(view.inputs)}
    seeds |= {tensor: f"c{place}".encode() for place, tensor in enumerate(view.captured)}
    found = above(view, "exact", own, seeds)
    unused = sorted(digest for _, digest in unused_ends(view, own, found))
    return mix(str(len(view.inputs)).encode(), *(found[tensor] for tensor in view.outputs), b"unused", *unused)


def unused_ends(view: View, own: Sequence[bytes], tops: Sequence[bytes]) -> list[tuple[Node, bytes]]:
    """The nodes of which nothing is read or returned, each with the hash of itself and all that it is computed from."""
    returned = set(view.outputs)
    return [
        (node, digest)
        for node, digest in zip(view.nodes, ahead(view, own, tops), strict=True)
        if not any(tensor in returned or view.readers[tensor] for tensor in node.outputs if tensor >= 0)
    ]
