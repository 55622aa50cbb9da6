"""What is timed, in which order, for how long; with a clock of our own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from graphkit.bench.ratio import interval, ratio_of
from graphkit.bench.rounds import LOADS, Budget, plan, time_rounds, warm_up

pytestmark = pytest.mark.usefixtures("only_what_is_new_is_collected")


class Machine:
    """A clock that only models move, and what they did."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[tuple[str, int]] = []
        self.drift = 0.0

    def __call__(self) -> float:
        return self.now

    def opener(
        self, name: str, seconds: float, loading: float = 5.0, offset: float = 0.0, chance: int = 0
    ) -> Callable[[], Callable[[int], None]]:
        rng = np.random.default_rng(chance)

        def load() -> Callable[[int], None]:
            self.now += loading
            self.log.append((f"load {name}", 0))
            own = seconds * (1 + offset * rng.standard_normal())

            def run(number: int) -> None:
                self.log.append((name, number))
                self.now += own * (1 + self.drift * self.now)

            return run

        return load


def test_the_ratio_is_exact_where_nothing_disturbs() -> None:
    machine = Machine()
    timings = time_rounds([machine.opener("A", 0.1), machine.opener("B", 0.2)], Budget(rounds=40), 0, machine)
    assert timings.turns.shape == (10, 4, 2)
    assert [len(runs) for runs in timings.runs] == [40, 40]
    assert np.asarray(timings.loading) == pytest.approx(np.full((2, 10), 5.0))
    ratio, low, high = ratio_of(timings.turns, 1, (1, 1))
    assert [ratio, low, high] == pytest.approx([2, 2, 2])


def test_a_machine_that_slows_down_does_not_decide() -> None:
    machine = Machine()
    machine.drift = 0.05  # over the whole time everything gets several times as slow
    timings = time_rounds([machine.opener("A", 0.1), machine.opener("B", 0.1)], Budget(rounds=40), 1, machine)
    assert max(timings.runs[0]) > 2 * min(timings.runs[0])
    ratio, low, high = ratio_of(timings.turns, 1, (1, 1))
    assert ratio == pytest.approx(1, abs=2e-3)
    assert low <= 1 <= high
    assert high - low < 0.02


def test_every_order_is_met_by_its_reverse_and_both_come_first() -> None:
    machine = Machine()
    time_rounds([machine.opener("A", 0.1), machine.opener("B", 0.1)], Budget(rounds=80), 3, machine)
    names = [name for name, _ in machine.log]
    starts = [
        index for index in range(1, len(names)) if names[index].startswith("load") and names[index - 1][:4] == "load"
    ]
    assert len(starts) == LOADS
    firsts = []
    for start, end in zip(starts, [*(start - 1 for start in starts[1:]), len(names)], strict=True):
        turns = names[start + 1 : end][-16:]
        for pair in range(0, 16, 4):
            assert turns[pair : pair + 2] == turns[pair + 2 : pair + 4][::-1]
            firsts.append(turns[pair])
    assert 8 <= firsts.count("A") <= 32


def test_loads_come_in_both_orders_as_often() -> None:
    machine = Machine()
    time_rounds([machine.opener("A", 0.1), machine.opener("B", 0.1)], Budget(rounds=80), 3, machine)
    loads = [name for name, _ in machine.log if name.startswith("load")]
    assert loads[::2].count("load A") == loads[::2].count("load B") == LOADS // 2
    for pair in range(0, len(loads), 4):
        assert loads[pair : pair + 2] == loads[pair + 2 : pair + 4][::-1]


def test_a_fast_model_has_several_runs_a_turn_after_one_that_is_not_timed() -> None:
    machine = Machine()
    timings = time_rounds([machine.opener("A", 1 / 1024), machine.opener("B", 0.125)], Budget(rounds=20), 0, machine)
    assert [len(runs) for runs in timings.runs] == [20 * 21, 20]
    warm = sum(1 for name, _ in machine.log if name == "A") - 420 - 20  # one a turn is not timed
    assert warm == 10 * 21  # 20 ms of warming up in each load
    assert ratio_of(timings.turns, 1, (1, 1))[0] == pytest.approx(128)


@pytest.mark.parametrize(
    ("budget", "turn", "loading", "expected"),
    [
        (Budget(seconds=20), 0.2, 1.5, (10, 10)),
        (Budget(seconds=20), 0.2, 0.5, (20, 4)),
        (Budget(seconds=20), 0.02, 0.1, (30, 32)),
        (Budget(seconds=20), 1.0, 6.0, (10, 2)),
        (Budget(seconds=20), 2.0, 9.0, (8, 2)),
        (Budget(seconds=20), 30.0, 99.0, (8, 2)),  # never fewer loads: an interval needs them
        (Budget(rounds=16), 1.0, 5.0, (8, 2)),
        (Budget(rounds=20), 99.0, 500.0, (10, 2)),
        (Budget(rounds=21), 99.0, 500.0, (10, 4)),
        (Budget(seconds=0.1), 1e-5, 0.1, (10, 1000)),
    ],
)
def test_plan(budget: Budget, turn: float, loading: float, expected: tuple[int, int]) -> None:
    assert plan(budget, turn, loading) == expected


@pytest.mark.parametrize(
    ("times", "runs"),
    [
        ([1.0], 2),  # 2 s have gone by
        ([0.1], 4),
        ([0.4, 0.3, 0.2, 0.1], 7),  # the last two must not be below the two before
        ([1 / 1024], 21),  # at least 20 ms
    ],
)
def test_warm_up_ends_where_it_gets_no_faster(times: list[float], runs: int) -> None:
    machine = Machine()
    done = []

    def run(number: int) -> None:
        done.append(number)
        machine.now += times[min(number, len(times) - 1)]

    assert warm_up(run, machine)[-1] == pytest.approx(times[-1])
    assert done == list(range(runs))


def made_up(rng: np.random.Generator, ratio: float = 1.0, rounds: int = 10) -> NDArray[Any]:
    """Turns on a machine whose noise lasts, with loads that differ by 3 % for as long as they last."""
    level = np.repeat(rng.standard_normal(LOADS * rounds // 4 + 1) * 0.2, 4)[: LOADS * rounds].reshape(LOADS, rounds, 1)
    spikes = rng.exponential(0.08, (LOADS, rounds, 2)) * (rng.random((LOADS, rounds, 2)) < 0.3)
    placed = rng.standard_normal((LOADS, 1, 2)) * 0.03
    return np.exp(np.log([0.1, 0.1 * ratio]) + level + spikes + placed)


def test_a_model_against_itself_holds_1_in_99_of_100() -> None:
    rng = np.random.default_rng(0)
    found = [ratio_of(made_up(rng), 1, (1, 1)) for _ in range(400)]
    assert sum(low <= 1 <= high for _, low, high in found) >= 390
    assert np.median([high - low for _, low, high in found]) < 0.12


def test_an_interval_that_forgot_the_loads_would_not_hold() -> None:
    rng = np.random.default_rng(0)
    holds = 0
    for _ in range(400):
        turns = made_up(rng)
        _, low, high = interval(np.log(turns[..., 1] / turns[..., 0]).ravel())
        holds += low <= 0 <= high
    assert holds < 380


def test_a_difference_of_a_tenth_is_seen() -> None:
    rng = np.random.default_rng(1)
    found = [ratio_of(made_up(rng, 0.9), 1, (1, 1)) for _ in range(100)]
    assert sum(high < 1 for _, _, high in found) >= 75
    assert np.median([ratio for ratio, _, _ in found]) == pytest.approx(0.9, abs=0.01)


def test_the_ratio_is_of_the_time_an_image() -> None:
    turns = np.ones((4, 2, 2)) * [1.0, 6.0]
    assert ratio_of(turns, 1, (1, 8))[0] == pytest.approx(0.75)


@pytest.mark.parametrize("count", [8, 12, 30])
def test_the_interval_leaves_out_what_wilcoxons_test_rejects(count: int) -> None:
    rng = np.random.default_rng(count)
    rejected = 0
    for _ in range(200):
        loads = rng.standard_normal(count) + 0.8
        middle, low, high = interval(loads)
        assert low <= middle <= high
        rejects = wilcoxon(loads, method="exact").pvalue <= 0.01
        assert rejects == (not low <= 0 <= high)
        rejected += rejects
    assert rejected > 0


def test_loads_that_were_interrupted_do_not_widen_it() -> None:
    loads = np.linspace(-0.01, 0.01, 30)
    disturbed = np.concatenate([loads[1:-1], [-3.0, 5.0]])
    assert interval(disturbed)[2] < 0.012


def test_of_too_few_loads_it_is_the_whole_range() -> None:
    assert interval(np.array([3.0, 1.0, 2.0])) == (2.0, 1.0, 3.0)
