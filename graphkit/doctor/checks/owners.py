"""Distributions that write the same files."""

from __future__ import annotations

from collections import defaultdict

from graphkit.doctor.environment import Environment, Package, family
from graphkit.doctor.finding import Finding

PACKAGE_OF = {
    "CUDAExecutionProvider": "onnxruntime-gpu",
    "TensorrtExecutionProvider": "onnxruntime-gpu",
    "DmlExecutionProvider": "onnxruntime-directml",
    "OpenVINOExecutionProvider": "onnxruntime-openvino",
    "QNNExecutionProvider": "onnxruntime-qnn",
    "MIGraphXExecutionProvider": "onnxruntime-rocm",
    "ROCMExecutionProvider": "onnxruntime-rocm",
    "VitisAIExecutionProvider": "onnxruntime-vitisai",
    "CoreMLExecutionProvider": "onnxruntime",
    "CPUExecutionProvider": "onnxruntime",
    "AzureExecutionProvider": "onnxruntime",
}
"""Execution provider -> the distribution on PyPI that brings it."""


def rival_packages(environment: Environment) -> list[Finding]:
    """Members of one family beside each other: whichever was installed last has overwritten the others."""
    groups: dict[str, list[Package]] = defaultdict(list)
    for package in environment.packages.values():
        if stem := family(package.name):
            groups[stem].append(package)
    found = []
    if not groups["onnxruntime"]:
        found.append(
            Finding("broken", "onnxruntime", "onnxruntime is not installed, so no model can be run or proven.",
                    "pip install onnxruntime")
        )  # fmt: skip
    for stem, members in groups.items():
        if len(members) < 2:
            found += [Finding("ok", stem, f"{one.name} {one.version}, and no other of its kind.") for one in members]
            continue
        names = [one.name for one in members]
        shared = set.intersection(*(set(one.files) for one in members))
        whole = [one.name for one in members if one.files and not _wrong(one)]
        if len(whole) == len(members):
            lies = "they lie in folders of their own, and Python takes the first"
        else:
            lies = f"on disk are those of {' and '.join(whole)}" if whole else "on disk is a mixture"
        keep = _keep(environment, names)
        found.append(
            Finding(
                "broken",
                stem,
                f"{' and '.join(f'{one.name} {one.version}' for one in members)} are installed beside each other and "
                f"write the same files ({len(shared)} of them; {lies}), so that only one works, or none.",
                f"pip uninstall -y {' '.join(names)} && pip install {keep}",
            )
        )
    return found


def damaged_packages(environment: Environment) -> list[Finding]:
    """A family's only member whose files are not those that it installed: another was there once, and took them."""
    members = [package for package in environment.packages.values() if family(package.name)]
    found = []
    for package in members:
        alone = sum(family(one.name) == family(package.name) for one in members) == 1
        wrong = _wrong(package)
        if alone and wrong:
            gone = sum(package.files[path][1] is None for path in wrong)
            found.append(
                Finding(
                    "broken",
                    family(package.name),
                    f"{len(wrong)} files of {package.name} {package.version} are not those that it installed ({gone} "
                    f"are missing; {wrong[0]} is one): another package overwrote or took them.",
                    f"pip install --force-reinstall --no-deps {package.name}=={package.version}",
                )
            )
    return found


def _wrong(package: Package) -> list[str]:
    return [path for path, (told, there) in package.files.items() if there is None or told not in (None, there)]


def _keep(environment: Environment, names: list[str]) -> str:
    """The one that has what is asked for, else the one that nobody installs by accident."""
    asked = [PACKAGE_OF[name] for name in environment.wanted if PACKAGE_OF.get(name) in names]
    if asked:
        return asked[0]
    special = [name for name in names if name not in ("onnxruntime", "opencv-python")]
    for liked in ("onnxruntime-gpu", "opencv-python-headless"):
        if liked in special:
            return liked
    return special[0]
