"""The checks: each a function from an environment to what it finds."""

from graphkit.doctor.checks.cuda import cuda
from graphkit.doctor.checks.imports import broken_imports
from graphkit.doctor.checks.owners import damaged_packages, rival_packages
from graphkit.doctor.checks.requirements import requirements
from graphkit.doctor.checks.runtime import providers, readable
from graphkit.doctor.checks.tested import known_versions

CHECKS = (
    rival_packages,
    damaged_packages,
    broken_imports,
    providers,
    cuda,
    readable,
    requirements,
    known_versions,
)

__all__ = [
    "CHECKS",
    "broken_imports",
    "cuda",
    "damaged_packages",
    "known_versions",
    "providers",
    "readable",
    "requirements",
    "rival_packages",
]
