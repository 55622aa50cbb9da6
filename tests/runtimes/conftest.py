"""What tests of several files start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtimes.generating import operators


@pytest.fixture
def operator_sources(tmp_path: Path) -> Path:
    """A folder of sources that has the operators and no runtime yet."""
    return operators(tmp_path)
