"""Fetch the scripts that report pages hold, by the versions and hashes of `vendored.json`, with their licences.

python -m scripts.vendor [--check]

Needs npm, which fetches the packages; nothing is written unless every hash is right. `--check` only says whether the
files here are those of the packages. To take another version, write its number, `npm view NAME@VERSION dist.integrity`
and the files' SHA-256 into `vendored.json`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "graphkit/render/html/vendor"


def main(arguments: list[str]) -> int:
    """Fetch everything, or check it."""
    check = arguments == ["--check"]
    if arguments and not check:
        print("usage: python -m scripts.vendor [--check]", file=sys.stderr)
        return 2
    wrong = []
    for name, entry in json.loads((FOLDER / "vendored.json").read_text()).items():
        for path, content in fetched(entry).items():
            target = FOLDER / name / Path(path).name
            if not check:
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(content)
            elif not target.is_file() or target.read_bytes() != content:
                wrong.append(f"{target} is not that of {entry['package']} {entry['version']}")
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


def fetched(entry: dict[str, Any]) -> dict[str, bytes]:
    """The files of a package, each with the content that its hash says."""
    wanted = f"{entry['package']}@{entry['version']}"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["npm", "pack", "--silent", wanted], cwd=folder, check=True, capture_output=True, text=True
        )
        archive = Path(folder) / done.stdout.strip().splitlines()[-1]
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != entry["integrity"]:
            raise SystemExit(f"{wanted}: the package is not the one that vendored.json names.")
        found = {}
        with tarfile.open(archive) as held:
            for path, sha256 in entry["files"].items():
                member = held.extractfile(f"package/{path}")
                content = member.read() if member is not None else b""
                if hashlib.sha256(content).hexdigest() != sha256:
                    raise SystemExit(f"{wanted}: {path} is not the file that vendored.json names.")
                found[path] = content
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
