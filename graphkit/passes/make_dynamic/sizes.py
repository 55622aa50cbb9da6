"""Where the sizes of a graph come from, and how they are made of each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from graphkit.passes.make_dynamic.worlds import Vector, fixed


class CannotTell(Exception):
    """A size that a node has in it does not follow from the graph; the reason, as half a sentence."""


@dataclass
class Sizes:
    """Every dimension that depends on the sizes.

    Attributes:
        symbols: Names of those that are the inputs' own.
        places: The first tensor that has it, and on which axis.
        factors: What it is the product of, in the order in which the elements lie; several where two tensors
            disagree.
        parts: What it was concatenated from, in order; several where two tensors disagree.
    """

    symbols: dict[Vector, str]
    places: dict[Vector, tuple[str, int]] = field(default_factory=dict)
    factors: dict[Vector, set[tuple[Vector, ...]]] = field(default_factory=dict)
    parts: dict[Vector, set[tuple[Vector, ...]]] = field(default_factory=dict)

    def place(self, vector: Vector, tensor: str, axis: int) -> None:
        """Note a tensor that has a dimension."""
        if not fixed(vector):
            self.places.setdefault(vector, (tensor, axis))

    def product(self, vector: Vector, factors: Sequence[Vector]) -> None:
        """Note what a dimension is the product of."""
        flat = tuple(atom for factor in factors for atom in self.atoms(factor) if atom != (1,) * len(vector))
        if not fixed(vector) and len(flat) > 1:
            self.factors.setdefault(vector, set()).add(flat)

    def join(self, vector: Vector, parts: Sequence[Vector]) -> None:
        """Note what a dimension was concatenated from."""
        if not fixed(vector) and len(parts) > 1:
            self.parts.setdefault(vector, set()).add(tuple(parts))

    def atoms(self, vector: Vector) -> tuple[Vector, ...]:
        """What a dimension is the product of, outermost first; itself where it is none, or in more than one way."""
        known = self.factors.get(vector, set())
        return next(iter(known)) if len(known) == 1 else (vector,)

    def levels(self, vector: Vector) -> tuple[Vector, ...]:
        """What a dimension was concatenated from; itself where it was not, or in more than one way."""
        known = self.parts.get(vector, set())
        return next(iter(known)) if len(known) == 1 else (vector,)

    def can_make(self, vector: Vector) -> bool:
        """Whether a dimension can be computed from shapes of tensors."""
        if fixed(vector) or vector in self.places:
            return True
        parts, atoms = self.levels(vector), self.atoms(vector)
        operands = parts if len(parts) > 1 else atoms
        return len(operands) > 1 and all(self.can_make(operand) for operand in operands)

    def like(self, size: int) -> list[Vector]:
        """Every dimension that is `size` at the first size and something else at another."""
        return [vector for vector in self.places if vector[0] == size]

    def partition(self, dims: Sequence[Vector], sizes: Sequence[int]) -> list[tuple[Vector, ...]]:
        """Tell what each size of a Reshape is made of, from the dimensions of its input.

        A Reshape keeps the order of elements, so the atoms of its input (which earlier ones may have merged) are dealt
        out to its dimensions in their order. Fixed ones may be split, those that move may not.

        Args:
            dims: Of the input.
            sizes: Of the output, at the first size.

        Raises:
            CannotTell: A size that moves would have to be split.
        """
        one = (1,) * len(dims[0]) if dims else (1,)
        left = [atom for size in dims for atom in self.atoms(size) if atom != one]
        if not all(sizes) or not all(atom[0] for atom in left):
            raise CannotTell(f"it makes [{_list(sizes)}] of [{_list([d[0] for d in dims])}], which holds no elements")
        found: list[tuple[Vector, ...]] = []
        for size in sizes:
            taken: list[Vector] = []
            have = 1
            if size == 1 and left and left[0][0] == 1:
                taken.append(left.pop(0))
            while have != size:
                if not left:
                    raise CannotTell(f"it makes [{_list(sizes)}], which are more elements than it is given")
                atom, rest = left[0], size // have
                if size % (have * atom[0]) == 0:
                    taken.append(left.pop(0))
                    have *= atom[0]
                elif fixed(atom) and size % have == 0 and atom[0] % rest == 0:
                    taken.append((rest,) * len(atom))
                    left[0] = (atom[0] // rest,) * len(atom)
                    have = size
                else:
                    raise CannotTell(
                        f"it makes [{_list(sizes)}] of [{_list([d[0] for d in dims])}], and how much of the {size} "
                        "depends on the size of the input cannot be told"
                    )
            found.append(tuple(taken))
        if any(atom[0] != 1 for atom in left) or (left and not found):
            raise CannotTell(f"it makes [{_list(sizes)}], which are fewer elements than it is given")
        if left:
            found[-1] += tuple(left)
        return found


def multiply(factors: Sequence[Vector], count: int) -> Vector:
    """The product of dimensions."""
    return tuple(math.prod(factor[index] for factor in factors) for index in range(count))


def _list(sizes: Sequence[int]) -> str:
    return ", ".join(str(size) for size in sizes)
