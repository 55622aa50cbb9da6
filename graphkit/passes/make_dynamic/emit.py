"""Writing the computations that take the constants' places into a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from graphkit.edit import Builder
from graphkit.passes.make_dynamic.edits import Edit, Grid, Integers, Level, Plain, Recipe, Repeated, Row, Size
from graphkit.passes.make_dynamic.sizes import Sizes
from graphkit.passes.make_dynamic.worlds import Vector, fixed


def apply(graph: gs.Graph, edits: Sequence[Edit], sizes: Sizes) -> None:
    """Carry out what was planned. What is the same twice is computed once."""
    writer = _Writer(graph, sizes)
    nodes = {node.outputs[0].name: node for node in graph.nodes if node.outputs}
    for edit in edits:
        node = nodes[edit.output]
        made = writer.make(edit.recipe)
        inputs = list(node.inputs)
        while len(inputs) <= edit.index:
            inputs.append(gs.Variable.empty())
        inputs[edit.index] = made
        if edit.drop is not None and edit.drop < len(inputs):
            inputs[edit.drop] = gs.Variable.empty()
        while inputs and inputs[-1].is_empty():
            inputs.pop()
        node.inputs = inputs
        node.attrs.update(dict(edit.attributes))


class _Writer:
    """Adds nodes to a graph, and remembers what it has already made."""

    def __init__(self, graph: gs.Graph, sizes: Sizes) -> None:
        self._builder = Builder(graph, "make-dynamic")
        self._sizes = sizes
        self._tensors = {tensor.name: tensor for node in graph.nodes for tensor in node.outputs}
        self._tensors |= {tensor.name: tensor for tensor in graph.inputs}
        self._made: dict[Any, gs.Tensor] = {}
        self._opset = int(graph.opset)

    def make(self, recipe: Recipe) -> gs.Tensor:
        """The tensor that a recipe describes."""
        key = (type(recipe), repr(recipe)) if isinstance(recipe, Integers | Grid) else id(recipe)
        if key not in self._made:
            self._made[key] = self._new(recipe)
        return self._made[key]

    def _new(self, recipe: Recipe) -> gs.Tensor:
        if isinstance(recipe, Integers):
            return self._list(recipe.sizes)
        if isinstance(recipe, Plain):
            return self._constant(np.asarray(recipe.array))
        if isinstance(recipe, Repeated):
            array = np.asarray(recipe.array)
            return self._node("Expand", self._constant(array), self._list(recipe.sizes), dtype=array.dtype)
        return self._grid(recipe)

    def _node(self, op: str, *inputs: gs.Tensor, dtype: Any, hint: str = "", **attrs: Any) -> gs.Tensor:
        return self._builder.node(op, *inputs, dtype=dtype, hint=hint, **attrs)

    def _constant(self, array: Any) -> gs.Tensor:
        return self._builder.constant(np.asarray(array))

    def _list(self, sizes: Sequence[Size]) -> gs.Tensor:
        """int64 [n]."""
        if all(isinstance(size, int) for size in sizes):
            return self._constant(np.array(sizes, np.int64))
        runs: list[gs.Tensor] = []
        plain: list[int] = []
        for size in (*sizes, ()):
            if isinstance(size, int):
                plain.append(size)
                continue
            if plain:
                runs.append(self._constant(np.array(plain, np.int64)))
                plain = []
            if size:
                runs.append(self.size(size))
        return runs[0] if len(runs) == 1 else self._node("Concat", *runs, dtype=np.int64, hint="sizes", axis=0)

    def size(self, vector: Vector) -> gs.Tensor:
        """One dimension, int64 [1]."""
        if vector in self._made:
            return self._made[vector]
        if fixed(vector):
            return self._constant(np.array([vector[0]], np.int64))
        self._made[vector] = made = self._size(vector)
        return made

    def _size(self, vector: Vector) -> gs.Tensor:
        found = self._sizes.places.get(vector)
        if found is not None and found[0] in self._tensors:
            name, axis = found
            if ("shape", name) not in self._made:
                tensor = self._tensors[name]
                self._made["shape", name] = self._node("Shape", tensor, dtype=np.int64, hint="shape")
            index = self._constant(np.array([axis], np.int64))
            return self._node("Gather", self._made["shape", name], index, dtype=np.int64, hint="size", axis=0)
        parts, atoms = self._sizes.levels(vector), self._sizes.atoms(vector)
        operands, op = (parts, "Add") if len(parts) > 1 else (atoms, "Mul")
        made = self.size(operands[0])
        for operand in operands[1:]:
            made = self._node(op, made, self.size(operand), dtype=np.int64, hint="size")
        return made

    def _grid(self, grid: Grid) -> gs.Tensor:
        levels = [self._level(level, grid.dtype) for level in grid.levels]
        whole = levels[0]
        if len(levels) > 1:
            whole = self._node("Concat", *levels, dtype=grid.dtype, hint="levels", axis=1)
        rest = [axis for axis in range(len(grid.shape)) if axis not in grid.axes]
        order = [*rest, *grid.axes]
        shape: list[Size] = [grid.shape[axis] for axis in order]
        shape[-1] = -1
        if len(shape) != 2 or len(rest) != 1:
            whole = self._node("Reshape", whole, self._list(shape), dtype=grid.dtype, hint="grid")
        if order == sorted(order):
            return whole
        back = [order.index(axis) for axis in range(len(order))]
        return self._node("Transpose", whole, dtype=grid.dtype, hint="grid", perm=back)

    def _level(self, level: Level, dtype: np.dtype[Any]) -> gs.Tensor:
        """[rows, cells]."""
        key = (repr(level), dtype)
        if key in self._made:
            return self._made[key]
        if all(row == level.rows[0] for row in level.rows) and level.rows[0].axis is None:
            made = self._filled((len(level.rows), *level.cells), level.rows[0].start, dtype)
            if len(level.cells) > 1:
                flat = self._constant(np.array([len(level.rows), -1], np.int64))
                made = self._node("Reshape", made, flat, dtype=dtype, hint="level")
        else:
            rows = [self._row(row, level.cells, dtype) for row in level.rows]
            made = rows[0] if len(rows) == 1 else self._node("Concat", *rows, dtype=dtype, hint="rows", axis=0)
        self._made[key] = made
        return made

    def _row(self, row: Row, cells: tuple[Vector, ...], dtype: np.dtype[Any]) -> gs.Tensor:
        """[1, cells]."""
        if row.axis is None:
            made = self._filled((1, *cells), row.start, dtype)
        else:
            line = self._line(row, cells[row.axis], dtype)
            if len(cells) > 1:
                place = [-1 if axis == row.axis else 1 for axis in range(len(cells))]
                line = self._node("Reshape", line, self._constant(np.array(place, np.int64)), dtype=dtype, hint="line")
                line = self._node("Expand", line, self._list(self._plain(cells)), dtype=dtype, hint="cells")
            made = line
        return self._node("Reshape", made, self._constant(np.array([1, -1], np.int64)), dtype=dtype, hint="row")

    def _plain(self, cells: tuple[Vector, ...]) -> list[Size]:
        return [cell[0] if fixed(cell) else cell for cell in cells]

    def _filled(self, sizes: Sequence[Size], value: float, dtype: np.dtype[Any]) -> gs.Tensor:
        shape = [size[0] if isinstance(size, tuple) and fixed(size) else size for size in sizes]
        fill = gs.Constant("value", np.array([value], dtype))
        return self._node("ConstantOfShape", self._list(shape), dtype=dtype, hint="filled", value=fill)

    def _line(self, row: Row, cell: Vector, dtype: np.dtype[Any]) -> gs.Tensor:
        """start, start + step, …, one for each index of a cell dimension."""
        if row.table:
            return self._constant(np.array(row.table, dtype))
        key = (repr(row), cell, dtype)
        if key in self._made:
            return self._made[key]
        end = self._scalar(cell)
        zero, one = self._constant(np.array(0, np.int64)), self._constant(np.array(1, np.int64))
        line: gs.Tensor = self._node("Range", zero, end, one, dtype=np.int64, hint="index")
        if dtype != np.int64:
            to = int(onnx.helper.np_dtype_to_tensor_dtype(dtype))
            line = self._node("Cast", line, dtype=dtype, hint="index", to=to)
        offset = row.start / row.step if row.scaled else row.start
        steps = [("Mul", row.step, 1.0), ("Add", offset, 0.0)]
        for op, value, neutral in reversed(steps) if row.scaled else steps:
            if value != neutral:
                line = self._node(op, line, self._constant(np.array(value, dtype)), dtype=dtype, hint="index")
        self._made[key] = line
        return line

    def _scalar(self, vector: Vector) -> gs.Tensor:
        shape = self._constant(np.array([], np.int64))
        return self._node("Reshape", self.size(vector), shape, dtype=np.int64, hint="scalar")
