"""The least that makes a model run whole: pipelines in the order of their length, each held against the table."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphkit.analysis.coverage import RuntimeCoverage, cover
from graphkit.fit.candidates import BACKENDS, LAST_BACKEND, ORDER, SLOW, Step, has_nms, opsets, rewritten
from graphkit.fit.report import FitReport, Plan, closer, open_by_operator, worse
from graphkit.model import Model
from graphkit.runtimes import Table


@dataclass(frozen=True)
class Bounds:
    """Where a search ends.

    Attributes:
        seconds: Of processor time, so that what is found does not depend on what else runs; no rewrite is begun after.
        candidates: At most so many rewritten models are held against the table.
        passes: Of one pipeline.
    """

    seconds: float = 600.0
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
    NMS is written out round by round only where no pipeline without that does it.

    Every pass is tried alone. Longer pipelines are made of passes that closed something there, or did nothing; and none
    is begun where an operator is left of whose gaps no pass closes any.

    Args:
        model: Not changed.
        table: Of the runtime.
        bounds: Where the search ends.
    """
    return _Search(model, table, bounds).run()


class _Search:
    def __init__(self, model: Model, table: Table, bounds: Bounds) -> None:
        self._start, self._used = time.perf_counter(), time.process_time()
        self._table, self._bounds = table, bounds
        self._tried, self._cut = 0, False
        self._nms = has_nms(model)
        self._first = _State(model, (), 0, self._judge(model))
        self._made: dict[tuple[Step, ...], _State | None] = {}

    def run(self) -> FitReport:
        if self._first.coverage.verdict == "whole":
            return self._report(None)
        found = self._shortest(BACKENDS)
        if found is None and self._may_unroll():
            found = self._shortest((LAST_BACKEND,))
        return self._report(found)

    def _shortest(self, backends: Sequence[str]) -> _State | None:
        """The least of the shortest pipelines that make the model run whole."""
        level = [self._first]
        for _ in range(self._bounds.passes):
            following: list[_State] = []
            for slow in (False, True):
                following += self._level(level, slow, backends)
                whole = [state for state in following if state.coverage.verdict == "whole"]
                if whole:
                    return min(whole, key=self._cost)
            # What closed most is carried on first: a bound may end the search.
            following.sort(key=lambda state: (worse(state.coverage), self._cost(state)))
            level = [state for state in following if self._closed(state) and not self._stuck(state)]
        return None

    def _level(self, parents: list[_State], slow: bool, backends: Sequence[str]) -> Iterator[_State]:
        """Every pipeline one pass longer that may help; those with a slow pass, or the others."""
        for parent in parents:
            for step in self._steps(parent, backends):
                if (parent.slow or step.name in SLOW) is slow and self._may_help(step, parent):
                    made = self._follow(parent, step)
                    if made is not None:
                        yield made

    def _follow(self, parent: _State, step: Step) -> _State | None:
        steps = (*parent.steps, step)
        if steps not in self._made:
            if self._spent():
                self._cut = True
                return None
            made = rewritten(parent.model, step)
            self._made[steps] = None
            if made is not None:
                self._tried += 1
                self._made[steps] = _State(made[0], steps, parent.rewrites + made[1], self._judge(made[0]))
        return self._made[steps]

    def _may_help(self, step: Step, state: _State) -> bool:
        """Whether a pass may close gaps behind others: it does alone, or does nothing alone, or was not tried alone."""
        if not state.steps:
            return True
        alone = self._made.get((step,))
        if alone is None:
            return True
        if step.value == LAST_BACKEND and not set(open_by_operator(alone.coverage)) & self._closed(state):
            return False  # what it leaves open is what those before it have to close
        now, first = (set(open_by_operator(item.coverage)) for item in (state, self._first))
        return bool(self._closed(alone) & now) or not now <= first

    def _may_unroll(self) -> bool:
        """Whether NMS can be written out: the runtime may have every operator that this takes."""
        from graphkit.passes.embed_nms.unrolled_backend import OPERATORS

        def missing(op: str) -> bool:
            rows = self._table.rows(op)
            return all(row.status == "none" for row in rows) if rows else self._table.absent == "none"

        return self._nms and not any(map(missing, OPERATORS))

    def _closed(self, state: _State) -> set[str]:
        """Operators that have fewer gaps than in the model as it came."""
        now = open_by_operator(state.coverage)
        return {op for op, count in open_by_operator(self._first.coverage).items() if now[op] < count}

    def _stuck(self, state: _State) -> tuple[str, ...]:
        """Operators with gaps, from the beginning, of which no pass alone closes any."""
        gaps = set(open_by_operator(state.coverage)) & set(open_by_operator(self._first.coverage))
        alone = [made for steps, made in self._made.items() if len(steps) == 1 and made is not None]
        return tuple(sorted(gaps.difference(*map(self._closed, alone))))

    def _steps(self, state: _State, backends: Sequence[str]) -> Iterator[Step]:
        first = state.steps[-1].place + 1 if state.steps else 0
        for name in ORDER[first:]:
            if name == "pin-opset":
                found = opsets(state.model.opset, [(self._table, state.coverage)])
                yield from (Step(name, item.version) for item in found if item.hopes or item.absent)
            elif name == "replace-nms":
                yield from (Step(name, backend) for backend in backends if self._nms)
            else:
                yield Step(name)

    def _judge(self, model: Model) -> RuntimeCoverage:
        return cover(model, [self._table]).runtimes[0]

    def _cost(self, state: _State) -> tuple[int, int, int, int]:
        away = abs(state.model.opset - self._first.model.opset)
        return len(state.steps), state.rewrites, away, state.coverage.nodes

    def _spent(self) -> bool:
        return time.process_time() - self._used > self._bounds.seconds or self._tried >= self._bounds.candidates

    def _report(self, found: _State | None) -> FitReport:
        before = self._first.coverage
        seen = [state for state in self._made.values() if state is not None and closer(before, state.coverage)]
        nearest = min(seen, key=lambda state: (worse(state.coverage), self._cost(state)), default=None)
        lost = found is None and before.verdict != "whole"
        return FitReport(
            before=before,
            found=found.plan if found is not None else None,
            nearest=nearest.plan if lost and nearest is not None else None,
            tried=self._tried,
            stuck=self._stuck(self._first) if lost and not self._cut else (),
            complete=not self._cut,
            seconds=time.perf_counter() - self._start,
        )
