"""Finding chains of operators that only reshape, and writing each with as few of them as there are."""

from __future__ import annotations

from dataclasses import dataclass, field

from onnx import ModelProto

from graphkit.facts import NodeFacts
from graphkit.facts.scope import Reader
from graphkit.model import standard_domain, subgraphs
from graphkit.passes.merge_reshapes.emitting import Emitter
from graphkit.passes.merge_reshapes.sizes import Sizes, sizes_of
from graphkit.passes.merge_reshapes.spreading import OPERATORS, Known, spread
from graphkit.passes.merge_reshapes.writing import Written, rewires, undoes, written
from graphkit.passes.residue import ROUNDED, Key, Place, Site, Wires, look

_ROUNDS = 8
"""A chain that is written anew may tell more of shapes. Models need two rounds."""


@dataclass(eq=False)
class _Shaped:
    """A tensor of a tree of reshapes: what is reshaped first, or what one of them makes.

    Attributes:
        key: The tensor.
        known: What is known of its sizes.
        seen: The tensors of the tree, by their sizes.
        site: The node that makes it; None for the root.
        parent: What that node reads.
        source: The tensor highest up that one node can make it of.
        how: What that node is; None where it is the node that is there.
        children: What is made of it.
    """

    key: Key
    known: Known
    seen: dict[Sizes, _Shaped]
    site: Site | None = None
    parent: _Shaped | None = None
    source: _Shaped | None = None
    how: Written | None = None
    children: list[_Shaped] = field(default_factory=list)


@dataclass
class Outcome:
    """What was merged.

    Attributes:
        model: The model; the one given where nothing was.
        gone: How many nodes are gone.
        left: How many reshaping nodes are left.
        kept: Reason -> the nodes that stay for it.
    """

    model: ModelProto
    gone: int = 0
    left: int = 0
    kept: dict[str, list[str]] = field(default_factory=dict)

    def keep(self, reason: str, node: NodeFacts) -> None:
        """Note a node that stays."""
        self.kept.setdefault(reason, []).append(node.label)


def has_chains(model: ModelProto) -> bool:
    """Whether one of the operators anywhere reads what another makes; functions are not entered."""
    waiting = [model.graph]
    while waiting:
        graph = waiting.pop()
        mine = [node for node in graph.node if node.op_type in OPERATORS and standard_domain(node.domain)]
        made = {name for node in mine for name in node.output}
        if any(node.input and node.input[0] in made for node in mine):
            return True
        waiting += [inner for node in graph.node for item in node.attribute for inner in subgraphs(item)]
    return False


def merge(model: ModelProto, read: Reader) -> Outcome:
    """Merge chains in the graph and its subgraphs; `model` itself stays as it is."""
    outcome = Outcome(model)
    for _ in range(_ROUNDS):
        outcome.kept = {}
        gone = _Merging(outcome, read).run()
        outcome.gone += gone
        if not gone or not has_chains(outcome.model):
            break
    return outcome


class _Merging:
    """One round."""

    def __init__(self, outcome: Outcome, read: Reader) -> None:
        model = outcome.model
        self._outcome = outcome
        self._wires = Wires(model)
        self._emitter = Emitter(model)
        self._shaped: dict[Key, _Shaped] = {}
        self._sites = [
            site
            for site in look(model, read)
            if site.facts.since and site.facts.op in OPERATORS and site.facts.input(0) is not None
        ]
        self._gone = 0
        self._constants_fit = model.ir_version >= 4  # before, each initializer had to be a graph input

    def run(self) -> int:
        """Merge what can be; returns how many nodes are gone."""
        made = [shaped for site in self._sites if (shaped := self._enter(site)) is not None]
        for shaped in reversed(made):
            self._settle(shaped)
        self._outcome.left = len(self._sites) - self._gone
        if not self._gone:
            return 0
        changed = ModelProto()
        changed.CopyFrom(self._outcome.model)
        self._wires.apply(changed, self._emitter.nodes, self._emitter.constants)
        self._outcome.model = changed
        return self._gone

    def _enter(self, site: Site) -> _Shaped | None:
        """Set a node's output into its tree; None where another tensor of the tree now stands for it."""
        node, result = site.facts, site.facts.outputs[0] if site.facts.outputs else None
        given = node.input(0)
        read = self._wires.key(site.path, given.name) if given is not None else None
        if result is None or given is None or read is None:
            return None
        if given.type is None or given.type in ROUNDED:
            self._keep_rounding(site, read)
            return None
        key = (site.path, result.name)
        if self._wires.maker(key) != (site.path, site.index) or self._wires.unclear(read, self._wires.find(read), key):
            return None
        parent = self._shaped.get(self._wires.find(read))
        if parent is None or parent.key[0] != site.path:
            parent = self._root(read, given.shape)
        shaped = _Shaped(key, spread(node, parent.known), parent.seen, site, parent)
        if parent.site is not None and self._stands_in(shaped, parent):
            return None
        parent.children.append(shaped)
        self._shaped[key] = shaped
        if shaped.known.sizes is not None:
            shaped.seen.setdefault(shaped.known.sizes, shaped)
        self._climb(shaped, parent)
        return shaped

    def _keep_rounding(self, site: Site, read: Key) -> None:
        """Note a node of a chain that is left alone for its type."""
        maker = self._wires.maker(read)
        if maker is not None and self._wires.node(maker).op_type in OPERATORS:
            given = site.facts.input(0)
            known = given is not None and given.type is not None
            told = "it is float16: onnxruntime would round elsewhere without it" if known else "its type is not known"
            self._outcome.keep(told, site.facts)

    def _root(self, key: Key, shape: tuple[int | str | None, ...] | None) -> _Shaped:
        key = self._wires.find(key)
        known = Known(None if shape is None else sizes_of(shape, f"{len(key[0])}{key[1]}"))
        root = _Shaped(key, known, {})
        if known.sizes is not None:
            root.seen[known.sizes] = root
        self._shaped[key] = root
        return root

    def _stands_in(self, shaped: _Shaped, parent: _Shaped) -> bool:
        """Let a tensor of the same tree and the same sizes stand for one, if there is one that can."""
        site = shaped.site
        same = shaped.seen.get(shaped.known.sizes) if shaped.known.sizes is not None else None
        if same is None and parent.site is not None and site is not None and undoes(parent.site.facts, site.facts):
            same = parent.parent
        if same is None or site is None:
            return False
        reason = self._wires.bypass((site.path, site.index), same.key, shaped.key)
        if reason is not None:
            self._outcome.keep(reason, site.facts)
            return False
        self._gone += 1
        self._shaped[self._wires.find(same.key)] = same
        return True

    def _climb(self, shaped: _Shaped, parent: _Shaped) -> None:
        """Find the tensor highest up that one node can make it of."""
        site, source = shaped.site, parent.source
        shaped.source = parent
        while source is not None and site is not None:
            how: Written | None = None
            if not rewires(site.facts, source.known, parent.known, shaped.known):
                how = written(site.facts, source.known, shaped.known)
                if how is None or not (self._constants_fit or self._emitter.without_constant(how, site.facts)):
                    return
            shaped.source, shaped.how = source, how
            source = source.source

    def _settle(self, shaped: _Shaped) -> None:
        """Let a tensor go that only others of the tree read, which can all do without it."""
        site, parent = shaped.site, shaped.parent
        readers = self._wires.readers(shaped.key)
        if site is None or parent is None:
            return
        if self._wires.idle(shaped.key):
            self._wires.drop((site.path, site.index))
            self._gone += 1
            return
        if not readers and not self._wires.is_output(shaped.key):
            return  # nothing ever read it: that is for the pipeline to tidy up
        places: dict[Place, _Shaped] = {}
        for child in shaped.children:
            if child.site is not None:
                places[child.site.path, child.site.index] = child
        apart = self._wires.is_output(shaped.key) or len(readers) > len(places)
        apart = apart or any(place not in places for place in readers)
        movable = [places[place] for place in readers if place in places]
        stuck = [child for child in movable if child.source is shaped]
        if apart or stuck:
            for child in stuck:
                if child.site is not None and not apart:
                    self._outcome.keep("no one node does the same for all inputs", child.site.facts)
            return
        for child in movable:
            if child.site is not None and child.source is not None:
                place = (child.site.path, child.site.index)
                self._wires.reread(place, child.source.key)
                if child.how is not None:
                    self._emitter.write(child.site, self._wires.node(place), child.how)
        self._wires.drop((site.path, site.index))
        self._gone += 1
