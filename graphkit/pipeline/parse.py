"""A pipeline file -> Pipeline, or every mistake in it with line and column, before any model is opened."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from graphkit.errors import PipelineError, Problem, UsageError
from graphkit.passes import Pass
from graphkit.passes.registered import Registry, registry
from graphkit.pipeline.document import Place, Value, read_document
from graphkit.pipeline.pipeline import Pipeline, Verify

VERSION = 1
"""The version of the pipeline format that this graphkit reads."""

_KEYS = ("version", "passes", "verify")


def parse_pipeline(text: str, source: str, known: Registry | None = None) -> Pipeline:
    """Parse a pipeline's YAML text.

    Args:
        text: YAML 1.2.
        source: How the file is called in messages; relative paths in it start from its folder.
        known: The passes that may be named; all that are installed by default.

    Raises:
        PipelineError: With every mistake in the file, in its order.
    """
    root, problems = read_document(text, source)
    parser = _Parser(known or registry(), problems, Path(source).parent)
    pipeline = parser.pipeline(root, source, text)
    if parser.problems or pipeline is None:
        raise PipelineError(source, parser.problems)
    return pipeline


class _Parser:
    """Collects problems while it reads."""

    def __init__(self, known: Registry, problems: list[Problem], folder: Path) -> None:
        self.problems = problems
        self._known = known
        self._folder = folder

    def pipeline(self, root: Value | None, source: str, text: str) -> Pipeline | None:
        if root is None or root.data is None:
            self._problem(
                Place(1, 1), "the file is empty; a pipeline starts with `version: 1` and has a list `passes`."
            )
            return None
        if not isinstance(root.data, dict):
            self._problem(root.place, "a pipeline is a mapping with `version: 1` and a list `passes`.")
            return None
        for key, place in root.keys.items():
            if key not in _KEYS:
                self._problem(place, f'unknown key "{key}"{_suggest(key, _KEYS)}')
        self._version(root)
        steps = self._passes(root)
        verify = self._verify(root)
        return Pipeline(source=source, text=text, steps=tuple(steps), verify=verify)

    def _problem(self, place: Place, message: str) -> None:
        self.problems.append(Problem(place.line, place.column, message))

    def _version(self, root: Value) -> None:
        version = root.data.get("version")
        if version is None:
            self._problem(root.place, f"`version: {VERSION}` is missing; write it as the first line.")
        elif version.data != VERSION or isinstance(version.data, bool):
            self._problem(version.place, f"this graphkit reads pipelines of version {VERSION}, not {version.data!r}.")

    def _passes(self, root: Value) -> list[Pass]:
        passes = root.data.get("passes")
        if passes is None:
            self._problem(root.place, "the list `passes` is missing; `passes: []` changes nothing.")
            return []
        if not isinstance(passes.data, list):
            self._problem(passes.place, "`passes` is a list: one line starting with `- ` for each pass.")
            return []
        return [step for item in passes.data if (step := self._step(item)) is not None]

    def _step(self, item: Value) -> Pass | None:
        if isinstance(item.data, str):
            name, place, options = item.data, item.place, None
        elif isinstance(item.data, dict) and len(item.data) == 1:
            name = next(iter(item.data))
            place, options = item.keys[name], item.data[name]
        elif isinstance(item.data, dict) and item.data:
            second = list(item.keys)[1]
            self._problem(
                item.keys[second],
                f'"{second}" stands beside "{next(iter(item.keys))}": one pass an item; indent a pass\'s options '
                "under its name, or start a new item with `- `.",
            )
            return None
        else:
            self._problem(item.place, "a pass is a name, or a name with its options: `pin-opset: 17`.")
            return None
        try:
            cls = self._known.get(name)
        except UsageError as error:
            self._problem(place, str(error))
            return None
        return self._options(cls, place, options)

    def _options(self, cls: type[Pass], place: Place, options: Value | None) -> Pass | None:
        if options is None or options.data is None:
            data: Any = {}
            options = Value(place, {}, {})
        elif isinstance(options.data, dict):
            data = options.plain()
        elif cls.scalar is not None:
            key = cls.scalar.replace("_", "-")
            data = {key: options.plain()}
            options = Value(options.place, {key: options}, {key: options.place})
        else:
            names = ", ".join(_option_names(cls)) or "none"
            self._problem(options.place, f"{cls.name} takes its options by name ({names}), not a bare value.")
            return None
        try:
            return cls.model_validate(data, strict=True, by_alias=True, by_name=False)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._option_problem(cls, place, options, dict(detail))
            return None

    def _option_problem(self, cls: type[Pass], place: Place, options: Value, detail: dict[str, Any]) -> None:
        path = [part for part in detail["loc"] if isinstance(part, str | int)]
        key = str(path[0]) if path else ""
        value = options.data.get(key)
        at = value.place if value is not None else place
        given = detail.get("input")
        if detail["type"] == "extra_forbidden":
            hint = _suggest(key, _option_names(cls))
            self._problem(options.keys.get(key, place), f'unknown option "{key}" for {cls.name}{hint}')
        elif detail["type"] == "missing":
            self._problem(place, f'{cls.name} needs the option "{key}".')
        elif detail["type"] == "literal_error":
            expected = detail["ctx"]["expected"].replace("'", '"')
            choices = [part.strip('"') for part in expected.replace(" or ", ", ").split(", ")]
            near = get_close_matches(str(given), choices, n=1)
            hint = f'; did you mean "{near[0]}"?' if near else "."
            self._problem(at, f'{cls.name}: "{key}" is {expected}, not {_shown(given)}{hint}')
        else:
            reason = str(detail["msg"]).removeprefix("Value error, ")
            reason = reason.replace("Input should be", "must be").rstrip(".")
            self._problem(at, f'{cls.name}: "{key}" {reason}, not {_shown(given)}.')

    def _verify(self, root: Value) -> Verify:
        section = root.data.get("verify")
        if section is None or section.data is None:
            return Verify()
        if not isinstance(section.data, dict):
            self._problem(section.place, "`verify` is a mapping: `verify: {images: calibration/}`.")
            return Verify()
        for key, place in section.keys.items():
            if key not in ("images", "seed"):
                self._problem(place, f'unknown key "{key}" in verify{_suggest(key, ("images", "seed"))}')
        images, seed = section.data.get("images"), section.data.get("seed")
        folder: Path | None = None
        if images is not None:
            if isinstance(images.data, str) and images.data:
                folder = self._folder / images.data
            else:
                self._problem(images.place, "`images` is the path of a picture or of a folder of pictures.")
        if seed is not None and (not isinstance(seed.data, int) or isinstance(seed.data, bool) or seed.data < 0):
            self._problem(seed.place, f"`seed` is a whole number from 0, not {_shown(seed.plain())}.")
            seed = None
        return Verify(images=folder, seed=0 if seed is None else seed.data)


def _option_names(cls: type[Pass]) -> list[str]:
    return [str(info.alias or name) for name, info in cls.model_fields.items()]


def _suggest(name: str, known: list[str] | tuple[str, ...]) -> str:
    near = get_close_matches(name.lower().replace("_", "-"), known, n=1, cutoff=0.5)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; known: {', '.join(known)}." if known else "; it has no options."


def _shown(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
