"""What installed distributions ask of each other, and do not get."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from graphkit.doctor.environment import Environment, canonical, family
from graphkit.doctor.finding import Finding, Level

ROOT = "onnx-graphkit"
_SHARED = ("numpy", "protobuf", "onnx", "onnxruntime", "onnxsim", "onnx-graphsurgeon")


def requirements(environment: Environment) -> list[Finding]:
    """Requirements that are not met: of graphkit and what it stands on, and of others where they concern it."""
    needed = _closure(environment)
    asked: dict[str, list[tuple[str, Requirement]]] = defaultdict(list)
    for package in environment.packages.values():
        for one in _parsed(package.requires):
            asked[canonical(one.name)].append((package.name, one))
    found = []
    for name, askers in sorted(asked.items()):
        version = _there(environment, name)
        unmet = [(owner, one) for owner, one in askers if not _met(version, one)]
        unmet = [(owner, one) for owner, one in unmet if owner in needed or (version and name in _SHARED)]
        if not unmet:
            continue
        level: Level = "broken" if any(owner in needed for owner, _ in unmet) else "note"
        who = ", ".join(f"{owner} {environment.version(owner)} asks for {name}{one.specifier}" for owner, one in unmet)
        have = f"{name} {version} is installed" if version else "it is not installed"
        found.append(Finding(level, "requirements", f"{who}, and {have}.", _mend(name, askers, unmet)))
    if not found:
        found.append(
            Finding("ok", "requirements", f"what graphkit and {len(needed) - 1} packages under it ask for is there.")
        )
    return found


def _parsed(requires: tuple[str, ...]) -> Iterator[Requirement]:
    for text in requires:
        try:
            one = Requirement(text)
        except InvalidRequirement:
            continue
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            yield one


def _closure(environment: Environment) -> set[str]:
    """Graphkit and everything that it needs, as far as it is installed."""
    reached, waiting = {ROOT}, [ROOT]
    while waiting:
        package = environment.packages.get(waiting.pop())
        for one in _parsed(package.requires if package is not None else ()):
            name = canonical(one.name)
            if name in environment.packages and name not in reached:
                reached.add(name)
                waiting.append(name)
    return reached


def _there(environment: Environment, name: str) -> str:
    """The version; onnxruntime-gpu is an onnxruntime too, whatever it is called."""
    if name in environment.packages or not family(name):
        return environment.version(name)
    kin = [one.version for one in environment.packages.values() if family(one.name) == family(name)]
    return kin[0] if kin else ""


def _met(version: str, one: Requirement) -> bool:
    if not version:
        return False
    try:
        return one.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True


def _mend(name: str, askers: list[tuple[str, Requirement]], unmet: list[tuple[str, Requirement]]) -> str:
    """A version that all of them take; where there is none, newer ones of those that are not content."""
    every = SpecifierSet(",".join(str(one.specifier) for _, one in askers if one.specifier))
    if any(every.contains(version, prereleases=True) for version in _candidates(every)):
        return f"pip install '{name}{every}'" if str(every) else f"pip install {name}"
    return f"pip install -U {' '.join(dict.fromkeys(owner for owner, _ in unmet))} {name}"


def _candidates(every: SpecifierSet) -> list[Version]:
    """Versions on either side of every bound: if any version fits, one of these does."""
    found = [Version("0"), Version("9999")]
    for one in every:
        text = one.version.removesuffix(".*")
        try:
            bound = Version(text)
        except InvalidVersion:
            continue
        release = [*bound.release]
        below = (
            [*release[:-1], release[-1] - 1]
            if release[-1]
            else [*release[:-2], max(release[-2] - 1, 0)]
            if len(release) > 1
            else [0]
        )
        found += [bound, Version(f"{text}.9999"), Version(".".join(map(str, below)) + ".9999")]
    return found
