"""Steps between two definitions of an operator that need no rule, derived from onnx.defs.

Where two definitions differ only by the types they admit, by attributes that one of them lacks or by inputs that may be
left out, a node that uses none of that means the same in both. What a comparison of two schemas cannot show (an
attribute's values, a sentence in the documentation) has a rule in `rules/`, which goes before anything derived here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import onnx
from onnx.defs import OpSchema

from graphkit.facts import schemas
from graphkit.passes.opset.blockers import Blocked
from graphkit.passes.opset.site import Site

_OPTIONAL = OpSchema.FormalParameterOption.Optional
_VARIADIC = OpSchema.FormalParameterOption.Variadic
_SINGLE = OpSchema.FormalParameterOption.Single


@dataclass(frozen=True)
class Side:
    """The inputs or the outputs of one definition.

    Attributes:
        names: Of the formal parameters.
        options: Single, Optional or Variadic, of each.
        variables: The type variable of each, or the type itself.
        same: Whether a variadic parameter's values all have one type.
        allowed: The types that each admits, as "tensor(float)".
    """

    names: tuple[str, ...]
    options: tuple[OpSchema.FormalParameterOption, ...]
    variables: tuple[str, ...]
    same: tuple[bool, ...]
    allowed: tuple[frozenset[str], ...]

    def place(self, index: int) -> int:
        """The parameter that the value at `index` is of; -1 where there is none."""
        if index < len(self.names):
            return index
        return len(self.names) - 1 if self.options and self.options[-1] == _VARIADIC else -1


@dataclass(frozen=True)
class Difference:
    """How the definition `new` of an operator differs from `old`.

    Attributes:
        underivable: What differs in form, so that only a rule can tell what to do; "" where nothing does.
        gone: Attributes that `new` lacks, with the value that means as much as leaving them out, or None.
        typed: Whether some types that `old` admits are not admitted by `new`.
        admitted: Types of a node's inputs and outputs that were held to `new` and found to be admitted.
    """

    underivable: str
    gone: dict[str, onnx.AttributeProto | None]
    typed: bool
    old_inputs: Side
    new_inputs: Side
    old_outputs: Side
    new_outputs: Side
    least: int
    most: int
    most_outputs: int
    admitted: set[tuple[str | None, ...]] = field(default_factory=set, compare=False)


@cache
def difference(op: str, old: int, new: int) -> Difference:
    """What changes for a node that goes from one definition of its operator to another one."""
    one, two = schemas.schema(op, old), schemas.schema(op, new)
    sides = [_side(one, "inputs"), _side(two, "inputs"), _side(one, "outputs"), _side(two, "outputs")]
    gone = {}
    for name, attribute in one.attributes.items():
        if name not in two.attributes:
            gone[name] = attribute.default_value if attribute.default_value.name and new < old else None
    return Difference(
        underivable=_form(one, two),
        gone=gone,
        typed=_narrower(sides[0], sides[1]) or _narrower(sides[2], sides[3]),
        old_inputs=sides[0],
        new_inputs=sides[1],
        old_outputs=sides[2],
        new_outputs=sides[3],
        least=two.min_input,
        most=two.max_input,
        most_outputs=two.max_output,
    )


def derive(site: Site) -> None:
    """Take the step without a rule: check that the node means the same there, and drop what says nothing.

    Raises:
        Blocked: It does not, or that cannot be told.
    """
    assert site.new is not None
    found = difference(site.op, site.old, site.new)
    if found.underivable:
        raise Blocked(f"{found.underivable} between opset {min(site.old, site.new)} and {max(site.old, site.new)}")
    _check_arity(site, found)
    dropped = _dropped(site, found)
    if found.typed:
        check_types(site, found)
    if dropped:
        site.rewrite(drop=dropped)


def _side(schema: OpSchema, which: str) -> Side:
    items = getattr(schema, which)
    constraints = {item.type_param_str: frozenset(item.allowed_type_strs) for item in schema.type_constraints}
    return Side(
        names=tuple(item.name for item in items),
        options=tuple(item.option for item in items),
        variables=tuple(item.type_str for item in items),
        same=tuple(item.is_homogeneous for item in items),
        allowed=tuple(constraints.get(item.type_str, frozenset([item.type_str])) for item in items),
    )


def _narrower(old: Side, new: Side) -> bool:
    """Whether a node that fits `old` may have types that do not fit `new`."""
    for index, allowed in enumerate(old.allowed[: len(new.allowed)]):
        if not allowed <= new.allowed[index]:
            return True
    # Two parameters that had a variable each share one now, and so must have one type.
    pairs = list(zip(old.variables, new.variables, strict=False))
    return len({new for _, new in pairs}) < len(set(pairs))


def _form(one: OpSchema, two: OpSchema) -> str:
    """What differs between two definitions that no comparison of types and defaults settles; "" where nothing."""
    if one.deprecated or two.deprecated:
        return "it was deprecated"
    for name in sorted(one.attributes.keys() & two.attributes.keys()):
        a, b = one.attributes[name], two.attributes[name]
        if a.type != b.type:
            return f"the type of its attribute {name} changed"
        if a.default_value != b.default_value:
            return f"the default of its attribute {name} changed"
    for name in sorted(two.attributes.keys() - one.attributes.keys()):
        if two.attributes[name].required:
            return f"it got the attribute {name}"
    for which in ("inputs", "outputs"):
        a_names = [item.name for item in getattr(one, which)]
        b_names = [item.name for item in getattr(two, which)]
        shared = min(len(a_names), len(b_names))
        if a_names[:shared] != b_names[:shared]:
            return f"its {which} changed"
    for attributes, other in ((one.attributes, two), (two.attributes, one)):
        moved = attributes.keys() & {item.name for item in other.inputs} - other.attributes.keys()
        if moved:
            return f"{_list(sorted(moved))} moved between attribute and input"
    return ""


def _check_arity(site: Site, found: Difference) -> None:
    given = site.given_inputs
    if given > found.most:
        extra = found.old_inputs.names[found.most : given] or ("one more",)
        raise Blocked(f"its input {_list(extra)} does not exist there")
    for index, option in enumerate(found.new_inputs.options):
        if option == _SINGLE and not site.has(index):
            raise Blocked(f"its input {found.new_inputs.names[index]} must be given there")
    if site.given_outputs > found.most_outputs:
        raise Blocked(f"its output {site.given_outputs} does not exist there")


def _dropped(site: Site, found: Difference) -> list[str]:
    """Attributes to leave out, because the other definition lacks them and they say what is so anyway."""
    dropped = []
    for name, default in found.gone.items():
        attribute = site.attribute(name)
        if attribute is None:
            continue
        if attribute.ref_attr_name or default is None or not _equal(attribute, default):
            value = "" if attribute.ref_attr_name else f"={site.shown(name)}"
            raise Blocked(f"its attribute {name}{value} does not exist there")
        dropped.append(name)
    return dropped


def _equal(a: onnx.AttributeProto, b: onnx.AttributeProto) -> bool:
    same: bool = onnx.helper.get_attribute_value(a) == onnx.helper.get_attribute_value(b)
    return a.type == b.type and same


def check_types(site: Site, found: Difference) -> None:
    """Hold the node's actual types to what the new definition admits.

    Raises:
        Blocked: A type is not admitted, or is not known and might not be.
    """
    sides = [[site.type_string(name) if name else "" for name in names] for names in (site.inputs, site.outputs)]
    kinds = (*sides[0], "→", *sides[1])
    if kinds in found.admitted:
        return
    _check_types(site, found)
    found.admitted.add(kinds)


def _check_types(site: Site, found: Difference) -> None:
    bound: dict[str, str] = {}
    values = [
        *((found.old_inputs, found.new_inputs, i, name) for i, name in enumerate(site.inputs)),
        *((found.old_outputs, found.new_outputs, i, name) for i, name in enumerate(site.outputs)),
    ]
    # A tensor whose type is not known has that of another one with the same type variable.
    told: dict[str, str] = {}
    for old, _, index, name in values:
        place = old.place(index)
        kind = site.type_string(name) if name and place >= 0 else None
        if kind is not None and old.same[place]:
            told.setdefault(old.variables[place], kind)
    for old, new, index, name in values:
        if not name:
            continue
        before, after = old.place(index), new.place(index)
        if before < 0 or after < 0:
            continue
        kind = site.type_string(name) or (told.get(old.variables[before]) if old.same[before] else None)
        if kind is None:
            if old.allowed[before] <= new.allowed[after]:
                continue
            raise Blocked(
                f'the type of "{name}" is not known, and not every type is admitted there',
                "simplify or a declared value_info tells types",
            )
        if kind not in new.allowed[after]:
            raise Blocked(f"{kind} is not admitted for {new.names[after]} in its definition of opset {site.new}")
        if new.same[after]:
            first = bound.setdefault(new.variables[after], kind)
            if first != kind:
                raise Blocked(f"{first} and {kind} must be one type there")


def _list(names: list[str] | tuple[str, ...]) -> str:
    return " and ".join(names)
