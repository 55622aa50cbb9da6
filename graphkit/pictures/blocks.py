"""Blocks of a network, found in its graph and put together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from string import ascii_uppercase

from graphkit.pictures.cones import cone_of
from graphkit.pictures.known import RESIDUAL, is_convolution, kernel, name_of
from graphkit.pictures.regions import Region, region_of
from graphkit.pictures.transformers import join_transformers
from graphkit.pictures.units import join_units
from graphkit.pictures.web import Part, Web
from graphkit.pictures.wiring import Wiring

_LEAST, _MOST = 3, 40
"""Parts of a repeated region that has no name: less is no help to a reader, more hides too much."""
_MOVES = ("Reshape", "Transpose", "Squeeze", "Unsqueeze")
_BEHIND_A_HEAD = frozenset((*_MOVES, "Concat", "Flatten", "Output", "Sigmoid", "Slice", "Split", "Shape"))


def blocks(wiring: Wiring) -> Web:
    """The graph with its blocks put together: known ones by name, other repeated ones as "Block A" and so on."""
    web = Web(wiring)
    join_units(web)
    for number in sorted(web.parts):
        if number in web.parts and len(web.before[number]) > 1:
            region = region_of(web, number)
            name = name_of(web, region) if region is not None else None
            if region is not None and name is not None:
                _join_known(web, region, name)
    join_transformers(web)
    _join_chains(web)
    _join_repeated(web)
    return web


def _join_known(web: Web, region: Region, name: str) -> None:
    """Put a block together, with the convolutions before and behind it that belong to it."""
    inside = list(region.inside)
    first = region.entry
    if name in ("C2f", "C3k2", "C2PSA", "ELAN"):
        inside.append(first)
        first = web.sole_source(first) or first
    alone = web.after[first] <= set(inside)
    bare = name in RESIDUAL or name in ("C3", "RepC3", "Attention", "Feed-forward")
    if not bare and alone and first not in inside and is_convolution(web.parts[first].name):
        inside.append(first)
    if web.parts[region.exit].name == "Concat":
        last = region.exit
        for _ in range(2 if name == "HGBlock" else 1):
            behind = web.sole_reader(last)
            if behind is None or web.sole_source(behind) != last or not is_convolution(web.parts[behind].name):
                break
            inside.append(behind)
            last = behind
    web.join(inside, name, 2)


def _join_chains(web: Web) -> None:
    """Distributions over bins (DFL), and the branches of a head: convolutions that end in a bare one."""
    for number in sorted(web.parts):
        if number not in web.parts:
            continue
        name = web.parts[number].name
        if name == "Softmax":
            _join_dfl(web, number)
        elif name == "Conv":
            chain = _back(web, number, lambda other: is_convolution(other))
            ends = {web.parts[after].name for after in web.after[number]} <= _BEHIND_A_HEAD and kernel(web, number) == 1
            if len(chain) > 1 and ends and all(" + " in web.parts[item].name for item in chain[1:]):
                web.join(chain, "Head branch", 2)


def _back(web: Web, number: int, fits: Callable[[str], bool]) -> list[int]:
    """A part, and those before it as long as they fit and nothing else reads them."""
    chain = [number]
    while True:
        before = web.sole_source(chain[-1])
        if before is None or web.sole_reader(before) is None or not fits(web.parts[before].name):
            return chain
        chain.append(before)


def _join_dfl(web: Web, number: int) -> None:
    """Softmax over bins, then a convolution to one channel: the expected bin (Generalized Focal Loss)."""
    chain = _back(web, number, lambda name: name in _MOVES)
    place = web.sole_reader(number)
    found = False
    while place is not None and web.sole_source(place) is not None:
        part = web.parts[place]
        if part.name == "Conv" and not found:
            weights = web.wiring.boxes[part.boxes[0]].weights
            found = bool(weights) and weights[0] is not None and weights[0][0] == 1
            if not found:
                return
        elif part.name not in _MOVES:
            break
        chain.append(place)
        place = web.sole_reader(place)
    if found:
        web.join(chain, "DFL", 2)


def _join_repeated(web: Web) -> None:
    """What has no name but occurs more than once: regions with one way in, and what is only there for one part."""
    groups: defaultdict[tuple[object, ...], list[tuple[int, ...]]] = defaultdict(list)
    for number in sorted(web.parts):
        if len(web.before[number]) < 2 or not web.is_node(number):
            continue
        region, cone = region_of(web, number), cone_of(web, number, _is_block)
        if region is not None and _LEAST <= len(region.inside) <= _MOST:
            groups[_structure(web, (region.entry,), region.inside)].append(region.inside)
        if cone is not None and len(cone.entries) > 1 and 2 * _LEAST <= len(cone.inside) <= _MOST:
            groups[_structure(web, cone.entries, cone.inside)].append(cone.inside)
    letters = iter(ascii_uppercase)
    for same in sorted(groups.values(), key=lambda found: -len(found[0])):
        free = [inside for inside in same if all(number in web.parts for number in inside)]
        if len(free) < 2:
            continue
        name = f"Block {next(letters, 'Z')}"
        for inside in free:
            if all(number in web.parts for number in inside):
                web.join(inside, name, 2)


def _is_block(part: Part) -> bool:
    """Whether a part has a name already, that a letter should not hide."""
    return part.level == 2


def _structure(web: Web, entries: tuple[int, ...], inside: tuple[int, ...]) -> tuple[object, ...]:
    """A region without names: its parts in order, each with the places of what it reads."""
    places = {number: place for place, number in enumerate((*entries, *inside))}
    return (
        len(entries),
        *((web.parts[number].name, tuple(sorted(places[other] for other in web.before[number]))) for number in inside),
    )
