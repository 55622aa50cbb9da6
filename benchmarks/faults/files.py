"""Mutations of the file: bytes that are no protobuf, texts that are no UTF-8, external data that is not as it says."""

from __future__ import annotations

import random
from pathlib import Path

from onnx import ModelProto, TensorProto

from benchmarks.faults.messages import walk
from benchmarks.faults.seeds import EXTERNAL


def damage(data: bytes, chance: random.Random) -> bytes:
    """The bytes of a file after an accident."""
    what = chance.randrange(5)
    at = chance.randrange(len(data) + 1)
    some = chance.randrange(1, 40)
    if what == 0:
        return data[:at]
    if what == 1:
        return data[:at] + bytes(chance.randrange(256) for _ in range(some)) + data[at + some :]
    if what == 2:
        return data[:at] + data[at + some :]
    if what == 3:
        return data[:at] + data[at : at + some] * 2 + data[at + some :]
    changed = bytearray(data)
    for _ in range(min(some, len(data))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def spoil_text(model: ModelProto, data: bytes, chance: random.Random) -> bytes:
    """The bytes with one of the model's names no longer UTF-8."""
    names = [item.name for item in walk(model) if len(getattr(item, "name", "")) > 1 and len(item.name) < 200]
    names += [node.op_type for node in model.graph.node if len(node.op_type) > 1]
    names += [name for node in model.graph.node for name in node.output if len(name) > 1]
    if not names:
        return data
    name = chance.choice(names).encode()
    spoiled = bytearray(name)
    spoiled[chance.randrange(len(spoiled))] = chance.choice((0xFF, 0xC0, 0xED, 0x80))
    return data.replace(name, bytes(spoiled), chance.choice((1, -1)))


def place_external(model: ModelProto, folder: Path, chance: random.Random) -> None:
    """Put the data file that the model names into its folder, or what may stand in its place; some models get wrong."""
    path = folder / EXTERNAL
    what = chance.randrange(8)
    if what == 1:
        return
    if what == 2:
        path.symlink_to(chance.choice(("/etc/hostname", "/dev/zero", EXTERNAL, "../..")))
    elif what == 3:
        path.symlink_to("/dev/null")
    elif what == 4:
        path.mkdir()
    else:
        path.write_bytes(bytes(2064 if what != 5 else chance.randrange(2048)))
    tensors = [item for item in walk(model) if isinstance(item, TensorProto) and item.external_data]
    if what > 5 and tensors:
        entry = chance.choice(list(chance.choice(tensors).external_data))
        if entry.key == "location":
            places = (
                "../x",
                "/etc/passwd",
                "C:\\x",
                "..\\x",
                "\0",
                "",
                "sub/../../x",
                ".",
                "/proc/self/mem",
                "x" * 5000,
            )
            entry.value = chance.choice(places)
        else:
            entry.value = chance.choice(("-1", "1", "9" * 30, "", "abc", "0x10", "1e3", str(2**63), "٣", "2049", " 4 "))
