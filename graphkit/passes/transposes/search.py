"""The search for layouts that make fewer elements move.

A Transpose that is paid for is a wish: that the node behind it, or the one before it, ran in another layout. A wish
spreads over the nodes that could share it; which of them should is a minimum cut, with the price of every Transpose
that appears on the border (Boykov, Veksler, Zabih: "Fast approximate energy minimization via graph cuts", 2001, with
one label expanding at a time). What comes of it is counted again, and kept only where fewer elements move, or as
many in fewer Transposes, whatever the sizes of named dimensions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphkit.passes.transposes.amounts import Monomial, at_most, total
from graphkit.passes.transposes.cut import Choice, choose
from graphkit.passes.transposes.network import Need, Network, Node, Order, Tensor, Use, layout_for, wanted_for
from graphkit.passes.transposes.permutation import full, is_swap
from graphkit.passes.transposes.site import Label

_REGIONS = (32, 512, 8192, 1 << 40)
"""How far a wish may spread, in nodes: near things first."""
_WORK_A_READING = 6
"""Readings that may be looked at for each of the graph, at each of these: what keeps the search linear."""
_LEAST_WORK = 100_000


class Search:
    """Chooses a label for every node of a network.

    Attributes:
        network: Its nodes' labels change.
        changed: Whether any did.
        tired: Whether the search ended before everything was tried.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.changed = False
        self._readings = sum(len(tensor.uses) for tensor in network.tensors)
        self._left = 0
        self._widest = 0
        self._tried: dict[int, Label] = {}
        self._queue: deque[Use] = deque()
        self._queued: set[int] = set()
        self.tired = False

    def run(self) -> None:
        """Try every wish, and those that come of the others, until none changes anything."""
        for self._widest in _REGIONS:
            self._left = _WORK_A_READING * self._readings + _LEAST_WORK
            again = True
            while again and self._left > 0:
                again = self._pass()
                self.changed = self.changed or again
            self.tired = self._left <= 0
            if self._readings < self._widest:
                break

    def _pass(self) -> bool:
        """Try every wish once, and those that come of them."""
        changed = False
        self._tried.clear()
        for tensor in self.network.tensors:
            self._wish(tensor.uses)
        while self._queue and self._left > 0:
            use = self._queue.popleft()
            self._queued.discard(id(use))
            changed = self._grant(use) or changed
        self._queue.clear()
        self._queued.clear()
        return changed

    def _wish(self, uses: Iterable[Use]) -> None:
        for use in uses:
            if id(use) not in self._queued and self._paid(use) is not None:
                self._queued.add(id(use))
                self._queue.append(use)

    def _paid(self, use: Use) -> Order | None:
        """What has to be moved for a reading; None for nothing."""
        tensor = self.network.tensors[use.tensor]
        if tensor.constant or use.perm is None or tensor.shape is None:
            return None
        layout = self.network.layout(tensor)
        label = self.network.nodes[use.node].label if use.node >= 0 else ()
        return self.network.moving(use, layout, label)

    def _grant(self, use: Use) -> bool:
        """Try what would make a reading free: another layout behind it, and another one before it."""
        if self._paid(use) is None:
            return False
        tensor = self.network.tensors[use.tensor]
        assert use.perm is not None
        rank = len(full(use.perm, tensor.rank or 0))
        if use.node >= 0:
            node = self.network.nodes[use.node]
            wide = _width(node, rank)
            label = node.entering(use.slot, wanted_for(self.network.layout(tensor), use.perm, rank, wide))
            if label is not None and self._spread(node, label):
                return True
        if tensor.maker >= 0:
            wanted = (
                self.network.nodes[use.node].reads(self.network.nodes[use.node].label, use.slot)
                if use.node >= 0
                else ()
            )
            layout = layout_for(use.perm, wanted, rank)
            maker = self.network.nodes[tensor.maker]
            label = None if layout is None else maker.leaving(tensor.output, layout)
            if label is not None and self._spread(maker, label):
                return True
        return False

    def _spread(self, start: Node, label: Label) -> bool:
        """Let a label spread as far as it would go, choose who takes it, and keep it where that is better."""
        if label == start.label or self._tried.get(start.index) == label:
            return False
        wishes = self._region(start, label)
        self._tried.update(wishes)
        for chosen in self._choices(wishes):
            if chosen and self._better(chosen):
                for index, new in chosen.items():
                    self.network.nodes[index].label = new
                for tensor in self._around(wishes):
                    self._tried.pop(tensor.maker, None)
                    for use in tensor.uses:
                        self._tried.pop(use.node, None)
                    self._wish(tensor.uses)
                return True
        return False

    def _choices(self, wishes: Mapping[int, Label]) -> Iterable[Mapping[int, Label]]:
        """Who should take the label: all, if nothing is to be paid then; else the minimum cut, else all the same."""
        if len(wishes) == 1 or self._free(wishes):
            yield wishes
            return
        taken = choose(Choice(self.network, wishes, list(self._around(wishes))))
        yield {index: wishes[index] for index in wishes if index in taken}
        yield wishes

    def _free(self, wishes: Mapping[int, Label]) -> bool:
        """Whether nothing is moved where all take their label."""
        bill = self._bill(self._around(wishes), wishes, wishes)
        return not bill.moved and not bill.inside

    def _region(self, start: Node, label: Label) -> dict[int, Label]:
        """The nodes that a label would spread to, each with the one that it would take."""
        wishes: dict[int, Label] = {start.index: label}
        waiting = deque([start])
        while waiting and self._left > 0 and len(wishes) < self._widest:
            node = waiting.popleft()
            for use in node.uses:
                if use is not None:
                    self._left -= 1
                    self._up(use, wishes, waiting)
            for output in node.outputs:
                if output is not None:
                    self._down(self.network.tensors[output], wishes, waiting)
        return wishes

    def _up(self, use: Use, wishes: dict[int, Label], waiting: deque[Node]) -> None:
        """To the maker of what a node reads, and if it cannot follow, to the others that read the same."""
        network = self.network
        tensor = network.tensors[use.tensor]
        if tensor.constant or use.perm is None or tensor.shape is None:
            return
        layout = network.layout(tensor)
        node = network.nodes[use.node]
        if network.moving(use, layout, wishes[use.node]) is None or network.moving(use, layout, node.label) is not None:
            return
        wanted = layout_for(use.perm, node.reads(wishes[use.node], use.slot), len(tensor.shape))
        maker = network.nodes.get(tensor.maker)
        if maker is not None and maker.index in wishes:
            return
        label = None if maker is None or wanted is None else maker.leaving(tensor.output, wanted)
        if maker is not None and label is not None:
            wishes[maker.index] = label
            waiting.append(maker)
        elif wanted is not None:
            for other in tensor.uses:
                self._left -= 1
                if other is not use and other.node >= 0 and other.perm is not None:
                    self._follow(other, wanted, tensor, wishes, waiting)

    def _down(self, tensor: Tensor, wishes: dict[int, Label], waiting: deque[Node]) -> None:
        """To those that read what a node makes."""
        network = self.network
        layout, old = network.layout(tensor, wishes), network.layout(tensor)
        for use in tensor.uses:
            self._left -= 1
            if use.node < 0 or use.perm is None or tensor.shape is None or use.node in wishes:
                continue
            node = network.nodes[use.node]
            if network.moving(use, layout, node.label) is None or network.moving(use, old, node.label) is not None:
                continue
            self._follow(use, layout, tensor, wishes, waiting)

    def _follow(
        self, use: Use, layout: tuple[int, ...], tensor: Tensor, wishes: dict[int, Label], waiting: deque[Node]
    ) -> None:
        """Let a node read a tensor in a layout, if it can."""
        if use.node in wishes:
            return
        node = self.network.nodes[use.node]
        if node.flow is None or use.perm is None or tensor.shape is None:
            return
        rank = len(tensor.shape)
        label = node.entering(use.slot, wanted_for(layout, use.perm, rank, _width(node, rank)))
        if label is not None and label != node.label:
            wishes[node.index] = label
            waiting.append(node)

    def _around(self, nodes: Iterable[int]) -> Iterable[Tensor]:
        """The tensors that nodes read and make, each once."""
        seen: set[int] = set()
        for index in nodes:
            node = self.network.nodes[index]
            for item in (*(use.tensor for use in node.uses if use is not None), *node.outputs):
                if item is not None and item not in seen:
                    seen.add(item)
                    yield self.network.tensors[item]

    def _better(self, chosen: Mapping[int, Label]) -> bool:
        """Whether fewer elements move, or as many in fewer Transposes, and never more Transposes, nor more nodes."""
        tensors = list(self._around(chosen))
        before, after = self._bill(tensors, {}, chosen), self._bill(tensors, chosen, chosen)
        if after.transposes > before.transposes or after.nodes > before.nodes:
            return False
        was, now = total(before.moved), total(after.moved)
        paid = total([*before.paid, *before.inside]), total([*after.paid, *after.inside])
        if not at_most(now, was) or not at_most(paid[1], paid[0]):
            return False
        return after.transposes < before.transposes or now != was

    def _bill(self, tensors: Iterable[Tensor], labels: Mapping[int, Label], nodes: Iterable[int]) -> _Bill:
        """What tensors cost, and what these nodes do inside, with other labels."""
        bill = _Bill([], [], [], 0, 0)
        for index in nodes:
            node = self.network.nodes[index]
            often = node.inside(labels.get(index, node.label))
            if often and node.outputs[0] is not None:
                names, count = self.network.tensors[node.outputs[0]].size
                bill.inside.append((names, count * often))
        for tensor in tensors:
            if tensor.constant:
                continue
            layout = self.network.layout(tensor, labels)
            orders: set[Order] = set()
            paid: set[Order] = set()
            needs: set[Need] = set()
            for use in tensor.uses:
                self._left -= 1
                label: Label = ()
                if use.node >= 0:
                    label = labels[use.node] if use.node in labels else self.network.nodes[use.node].label
                    if not label and not layout and not use.perm and use.perm is not None:
                        continue
                need = self.network.need(use, layout, label)
                if need is not None:
                    needs.add(need)
                    order = self.network.moving(use, layout, label)
                    if order is not None:
                        orders.add(order)
                        if not self._swapped(use, need):
                            paid.add(order)
            bill.moved.extend([tensor.size] * len(orders))
            bill.paid.extend([tensor.size] * len(paid))
            bill.transposes += len(orders)
            bill.nodes += len(needs)
        return bill

    def _swapped(self, use: Use, need: Need) -> bool:
        """Whether a reading needs no more than the last two axes swapped, and its node does that by itself."""
        flow = self.network.nodes[use.node].flow if use.node >= 0 else None
        return flow is not None and flow.swaps and is_swap(need[1])


@dataclass(slots=True)
class _Bill:
    """What tensors cost.

    Attributes:
        moved: What Transposes move.
        paid: The same without those that a runtime does on the way.
        inside: What nodes move inside.
        transposes: How many there are.
        nodes: All nodes that they have become.
    """

    moved: list[tuple[Monomial, int]]
    paid: list[tuple[Monomial, int]]
    inside: list[tuple[Monomial, int]]
    transposes: int
    nodes: int


def _width(node: Node, rank: int) -> int:
    """The axes that an input is read with."""
    return rank if node.flow is None else max(rank, node.flow.width)
