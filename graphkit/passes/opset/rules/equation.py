"""The equation of an Einsum, read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Equation:
    """Labels of dimensions; those that "..." stands for are numbers, counted from the last."""

    operands: tuple[tuple[str, ...], ...]
    output: tuple[str, ...]


def parse(text: str, ranks: list[int]) -> Equation:
    """Read an equation.

    Without "->" the result has what "..." stands for, and then every label that occurs once, in ASCII order.

    Args:
        text: The equation.
        ranks: How many dimensions each operand has.

    Raises:
        ValueError: It is not one, or not for such operands; a clause says why.
    """
    left, arrow, right = text.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"has {len(terms)} terms, for {len(ranks)} inputs: the model is invalid")
    operands = tuple(_labels(term, rank) for term, rank in zip(terms, ranks, strict=True))
    hidden = max((len(_hidden(labels)) for labels in operands), default=0)
    if arrow:
        shown = len(right.replace("...", ""))
        output = _labels(right, shown + (hidden if "..." in right else 0))
    else:
        once = "".join(sorted(letter for letter in left if letter.isalpha() and left.count(letter) == 1))
        output = _labels(f"...{once}", hidden + len(once))
    if len(set(output)) != len(output) or not set(output) <= {label for labels in operands for label in labels}:
        raise ValueError("has an output with a label twice, or one that no input has: the model is invalid")
    return Equation(operands, output)


def _labels(term: str, rank: int) -> tuple[str, ...]:
    before, ellipsis, after = term.partition("...")
    hidden = rank - len(before) - len(after)
    if hidden < 0 or (hidden and not ellipsis) or (not (before + after).isalpha() and before + after):
        raise ValueError(f'has the term "{term}" for {rank} dimensions: the model is invalid')
    return (*before, *(str(place) for place in range(hidden - 1, -1, -1)), *after)


def _hidden(labels: tuple[str, ...]) -> list[str]:
    return [label for label in labels if not label.isalpha()]
