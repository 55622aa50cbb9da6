"""The least that makes a model run whole: pipelines in the order of their length, each held against the table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from graphkit.analysis.coverage import RuntimeCoverage, cover
from graphkit.fit.candidates import BACKENDS, ORDER, SLOW, Step, has_nms, opsets, rewritten
from graphkit.fit.report import FitReport, Plan, closer, worse
from graphkit.model import Model
from graphkit.runtimes import Table


@dataclass(frozen=True)
class Bounds:
    """Where a search ends.

    Attributes:
        seconds: No rewrite is begun after so long.
        candidates: At most so many rewritten models are held against the table.
        passes: Of one pipeline.
    """

    seconds: float = 30.0
    candidates: int = 400
    passes: int = 3


@dataclass(frozen=True)
class _State:
    """A model on the way.

    Attributes:
        model: The model behind the steps.
        steps: The passes so far.
        rewrites: Places rewritten.
        coverage: What the table says of it.
    """

    model: Model
    steps: tuple[Step, ...]
    rewrites: int
    coverage: RuntimeCoverage

    @property
    def slow(self) -> bool:
        return any(step.name in SLOW for step in self.steps)

    @property
    def plan(self) -> Plan:
        items = tuple(step.item for step in self.steps)
        return Plan(items, self.rewrites, self.coverage.nodes, self.coverage)


def fit(model: Model, table: Table, bounds: Bounds = Bounds()) -> FitReport:
    """Find the least that makes a model run whole in a runtime, as far as its table says. Proves nothing.

    Least is the fewest passes, then the fewest rewrites, then the opset nearest to the model's, then the fewest nodes.

    Args:
        model: Not changed.
        table: Of the runtime.
        bounds: Where the search ends.
    """
    return _Search(model, table, bounds).run()


class _Search:
    def __init__(self, model: Model, table: Table, bounds: Bounds) -> None:
        self._start = time.perf_counter()
        self._model, self._table, self._bounds = model, table, bounds
        self._tried = 0
        self._nms = has_nms(model)

    def run(self) -> FitReport:
        first = _State(self._model, (), 0, self._judge(self._model))
        if first.coverage.verdict == "whole":
            return self._report(first, None, [], complete=True)
        level, seen = [first], list[_State]()
        for _ in range(self._bounds.passes):
            following: list[_State] = []
            for slow in (False, True):
                following += self._level(level, slow)
                whole = [state for state in following if state.coverage.verdict == "whole"]
                if whole:
                    return self._report(first, min(whole, key=self._cost), [], complete=True)
            seen += following
            # What closed most is carried on first: time may end the search.
            level = sorted(following, key=lambda state: (worse(state.coverage), self._cost(state)))
        return self._report(first, None, seen, complete=not self._spent())

    def _level(self, parents: list[_State], slow: bool) -> Iterator[_State]:
        """Every pipeline one pass longer; those with a slow pass, or the others."""
        for parent in parents:
            for step in self._steps(parent):
                if (parent.slow or step.name in SLOW) is not slow:
                    continue
                if self._spent():
                    return
                made = rewritten(parent.model, step)
                if made is not None:
                    self._tried += 1
                    steps = (*parent.steps, step)
                    yield _State(made[0], steps, parent.rewrites + made[1], self._judge(made[0]))

    def _steps(self, state: _State) -> Iterator[Step]:
        first = state.steps[-1].place + 1 if state.steps else 0
        for name in ORDER[first:]:
            if name == "pin-opset":
                found = opsets(state.model.opset, [(self._table, state.coverage)])
                yield from (Step(name, item.version) for item in found)
            elif name == "replace-nms":
                yield from (Step(name, backend) for backend in BACKENDS if self._nms)
            else:
                yield Step(name)

    def _judge(self, model: Model) -> RuntimeCoverage:
        return cover(model, [self._table]).runtimes[0]

    def _cost(self, state: _State) -> tuple[int, int, int, int]:
        away = abs(state.model.opset - self._model.opset)
        return len(state.steps), state.rewrites, away, state.coverage.nodes

    def _spent(self) -> bool:
        late = time.perf_counter() - self._start > self._bounds.seconds
        return late or self._tried >= self._bounds.candidates

    def _report(self, first: _State, found: _State | None, seen: list[_State], complete: bool) -> FitReport:
        better = [state for state in seen if closer(first.coverage, state.coverage)]
        nearest = min(better, key=lambda state: (worse(state.coverage), self._cost(state)), default=None)
        return FitReport(
            before=first.coverage,
            found=found.plan if found is not None else None,
            nearest=nearest.plan if nearest is not None else None,
            tried=self._tried,
            complete=complete,
            seconds=time.perf_counter() - self._start,
        )
