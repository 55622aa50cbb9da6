"""What a region is, told by its structure alone: the blocks that detectors are built of.

Names are those of the papers and of ultralytics' modules; a region that has the structure of none gets no name.
"""

from __future__ import annotations

from graphkit.pictures.regions import Arm, Region, arms_of
from graphkit.pictures.web import Web

RESIDUAL = frozenset(("Bottleneck", "HGBlock", "RepConv", "Residual block"))
_WHOLE_STEPS = {"Attention", "Feed-forward"}


def name_of(web: Web, region: Region) -> str | None:
    """The block that a region is; None for none that is known."""
    names = [web.parts[number].name for number in region.inside]
    if names[-1] == "Add":
        return _added(web, region, names)
    if names[-1] == "Concat":
        return _concatenated(web, region)
    return "Attention" if names[-1].startswith("MatMul") and attends(names) else None


def is_convolution(name: str) -> bool:
    """Whether a part is a convolution, with its activation or bare."""
    return name == "Conv" or name.startswith("Conv + ")


def attends(names: list[str]) -> bool:
    """Whether scores are made of two products and normalised in between."""
    if "Softmax" not in names:
        return False
    place = names.index("Softmax")
    product = [name.startswith("MatMul") for name in names]
    return any(product[:place]) and any(product[place:])


def _added(web: Web, region: Region, names: list[str]) -> str | None:
    once = names.count("Attention") + names.count("Softmax") == 1 and "Feed-forward" not in names
    if once and ("Attention" in names or attends(names)):
        return "Attention"
    arms = arms_of(web, region)
    if arms is None or len(arms) != 2 or any(arm.stop != region.entry for arm in arms):
        return None
    short, long = sorted(arms, key=lambda arm: len(arm.chain))
    steps = [web.parts[number].name for number in long.chain]
    if short.chain:
        return _both_ways([web.parts[number].name for number in short.chain], steps)
    if sum(step.startswith(("MatMul", "Gemm")) for step in steps) == 2 and len(steps) <= 8:
        return "Feed-forward"
    if not all(is_convolution(step) or step in RESIDUAL for step in steps):
        return None
    if steps == ["HGBlock"]:
        return "HGBlock"
    if len(steps) != 2:
        return "Residual block" if len(steps) > 2 else None
    return "Feed-forward" if all(kernel(web, number) == 1 for number in long.chain) else "Bottleneck"


def _both_ways(short: list[str], long: list[str]) -> str | None:
    """Two ways that are added and both have something on them."""
    if len(short) != 1 or not all(is_convolution(step) or step == "RepConv" for step in (*short, *long)):
        return None
    if len(long) == 1:
        return "RepConv" if short == long == ["Conv"] else None
    return "RepC3" if all(step != "Conv" for step in (*short, *long)) else None


def kernel(web: Web, number: int) -> int | None:
    """The larger side of a convolution's kernel; None for what is no convolution."""
    box = web.wiring.boxes[web.parts[number].boxes[0]]
    if box.op != "Conv" or not box.weights or box.weights[0] is None:
        return None
    sides = [side for side in box.weights[0][2:] if isinstance(side, int)]
    return max(sides, default=None)


def _concatenated(web: Web, region: Region) -> str | None:
    arms = arms_of(web, region)
    if arms is None:
        return None
    chains = [[web.parts[number].name for number in arm.chain] for arm in arms]
    filled = [chain for chain in chains if chain]
    if len(filled) >= 2 and all(chain == ["MaxPool"] for chain in filled):
        stops = {arm.stop for arm in arms if arm.chain}
        return "SPP" if stops == {region.entry} else "SPPF" if len(stops) == len(filled) else None
    if web.parts[region.entry].name == "Split" and len(filled) < len(chains) and filled:
        return _stepwise(filled)
    dense = len(filled) == len(chains) - 1 >= 3 and len({arm.stop for arm in arms if arm.chain}) == len(filled)
    if dense and all(is_convolution(name) for chain in filled for name in chain):
        return "HGBlock"
    return _crossing(region, arms, chains)


def _stepwise(steps: list[list[str]]) -> str | None:
    """Split, steps one after the other, and everything joined."""
    if all(set(step) <= _WHOLE_STEPS for step in steps):
        return "C2PSA"
    if any("C3" in step for step in steps):
        return "C3k2"
    if all(_bottleneck(step) for step in steps):
        return "C2f"
    joined = all(is_convolution(name) or name in RESIDUAL or name == "C3" for step in steps for name in step)
    return "ELAN" if joined else None


def _bottleneck(step: list[str]) -> bool:
    """A bottleneck with its shortcut, or without one: then it is just two convolutions."""
    return step in (["Bottleneck"], ["Residual block"]) or (len(step) == 2 and all("Conv + " in name for name in step))


def _crossing(region: Region, arms: list[Arm], chains: list[list[str]]) -> str | None:
    """Two ways from the same part: one convolution, and one followed by bottlenecks."""
    if len(arms) != 2 or any(arm.stop != region.entry for arm in arms) or not all(chains):
        return None
    short, long = sorted(chains, key=len)
    if len(short) != 1 or not short[0].startswith("Conv + ") or len(long) < 2 or not long[0].startswith("Conv + "):
        return None
    rest = long[1:]
    return "C3" if all(name in RESIDUAL or name.startswith("Conv + ") for name in rest) else None
