"""Which passes there are: ours by name, other people's by entry point or by a module named on the command line."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from graphkit.errors import UsageError
from graphkit.passes.contract import Pass

ENTRY_POINT_GROUP = "graphkit.passes"

_OWN = {
    "sort": "graphkit.passes.sort:Sort",
    "simplify": "graphkit.passes.simplify:Simplify",
    "fold-constants": "graphkit.passes.fold_constants:FoldConstants",
    "remove-identity": "graphkit.passes.remove_identity:RemoveIdentity",
    "split-head": "graphkit.passes.split_head:SplitHead",
    "embed-nms": "graphkit.passes.embed_nms:EmbedNms",
    "replace-nms": "graphkit.passes.replace_nms:ReplaceNms",
    "remove-transposes": "graphkit.passes.remove_transposes:RemoveTransposes",
    "remove-no-ops": "graphkit.passes.remove_no_ops:RemoveNoOps",
    "merge-reshapes": "graphkit.passes.merge_reshapes:MergeReshapes",
    "pin-opset": "graphkit.passes.pin_opset:PinOpset",
    "make-dynamic": "graphkit.passes.make_dynamic:MakeDynamic",
    "set-input-shape": "graphkit.passes.set_input_shape:SetInputShape",
    "to-float16": "graphkit.passes.to_float16:ToFloat16",
    "embed-preprocess": "graphkit.passes.embed_preprocess:EmbedPreprocess",
    "rename-io": "graphkit.passes.rename_io:RenameIo",
    "extract": "graphkit.passes.extract:Extract",
    "deduplicate-constants": "graphkit.passes.deduplicate_constants:DeduplicateConstants",
    "strip-metadata": "graphkit.passes.strip_metadata:StripMetadata",
}


@dataclass(frozen=True)
class Entry:
    """One name in the registry.

    Attributes:
        name: The name that a pipeline uses.
        origin: "graphkit", "PACKAGE VERSION" or the module named with --plugin.
        target: "module:Class", where the class has not been imported yet.
        loaded: The class, where it has been.
    """

    name: str
    origin: str
    target: str = ""
    loaded: type[Pass] | None = None


@dataclass(frozen=True)
class Registry:
    """Names -> passes. Looking a name up imports only that pass.

    Attributes:
        entries: In the order in which they are listed.
    """

    entries: dict[str, Entry]

    def names(self) -> list[str]:
        """Every name, ours first."""
        return list(self.entries)

    def nearest(self, name: str) -> str | None:
        """The known name that `name` was probably meant to be."""
        folded = name.strip().lower().replace("_", "-").replace(" ", "-")
        return next(iter(get_close_matches(folded, self.entries, n=1, cutoff=0.6)), None)

    def get(self, name: str) -> type[Pass]:
        """The pass called `name`.

        Raises:
            UsageError: There is none, or the plug-in that offers it does not import.
        """
        entry = self.entries.get(name)
        if entry is None:
            near = self.nearest(name)
            hint = f'; did you mean "{near}"?' if near else "; `graphkit passes` lists them all."
            raise UsageError(f'there is no pass "{name}"{hint}')
        return entry.loaded or _import(entry)

    def with_modules(self, modules: list[str]) -> Registry:
        """This registry and the passes of `modules`, each an importable name or the path of a .py file.

        Raises:
            UsageError: A module does not import, defines no pass, or uses a name that is taken.
        """
        entries = dict(self.entries)
        for module in modules:
            found = list(_passes_in(_import_module(module)))
            if not found:
                raise UsageError(f"--plugin {module}: it defines no subclass of graphkit.Pass.")
            for cls in found:
                _add(entries, Entry(cls.name, module, loaded=_checked(cls, cls.name, module)))
        return Registry(entries)


def registry() -> Registry:
    """Our passes and those that installed packages offer under the entry point group `graphkit.passes`.

    Raises:
        UsageError: Two packages offer a pass of the same name.
    """
    entries = {name: Entry(name, "graphkit", target) for name, target in _OWN.items()}
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        _add(entries, Entry(point.name, _origin(point), point.value))
    return Registry(entries)


def _origin(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _add(entries: dict[str, Entry], entry: Entry) -> None:
    if entry.name in entries:
        raise UsageError(
            f'two passes are called "{entry.name}": one of {entries[entry.name].origin}, one of {entry.origin}; '
            "uninstall or rename one of them."
        )
    entries[entry.name] = entry


def _import(entry: Entry) -> type[Pass]:
    module, _, attribute = entry.target.partition(":")
    try:
        cls = getattr(importlib.import_module(module), attribute)
    except Exception as error:
        raise UsageError(
            f'the pass "{entry.name}" of {entry.origin} cannot be imported: {type(error).__name__}: {error}; '
            "reinstall or uninstall that package."
        ) from error
    return _checked(cls, entry.name, entry.origin)


def _checked(cls: object, name: str, origin: str) -> type[Pass]:
    if not (isinstance(cls, type) and issubclass(cls, Pass)):
        raise UsageError(f'the pass "{name}" of {origin} is not a subclass of graphkit.Pass.')
    missing = [attribute for attribute in ("name", "numerics") if not hasattr(cls, attribute)]
    if missing:
        raise UsageError(f'the pass "{name}" of {origin} does not set {" and ".join(missing)}.')
    if cls.name != name:
        raise UsageError(f'the pass "{name}" of {origin} calls itself "{cls.name}"; the two must be the same.')
    return cls


def _import_module(module: str) -> ModuleType:
    try:
        if not module.endswith(".py"):
            return importlib.import_module(module)
        path = Path(module).resolve(strict=True)
        if not path.is_file():
            raise ImportError(f"{path} is no file")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} is not a Python module")
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = loaded
        spec.loader.exec_module(loaded)
    except Exception as error:
        raise UsageError(f"--plugin {module} cannot be imported: {type(error).__name__}: {error}") from error
    return loaded


def _passes_in(module: ModuleType) -> Iterator[type[Pass]]:
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Pass) and value.__module__ == module.__name__:
            yield value
