"""Numbers as a person says them."""

import pytest

from graphkit.render.closer_text import sparkline
from graphkit.render.quantities import count, shape_words, size


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0"),
        (999, "999"),
        (3888, "3.89 k"),
        (999_994, "999.99 k"),
        (999_996, "1.00 M"),
        (4_371_993_600, "4.37 G"),
        (10**17, "100000.00 T"),
        (1 << 4000, "over 10^1204"),
    ],
)
def test_counts(number: int, said: str) -> None:
    assert count(number) == said


def test_bytes_and_shapes() -> None:
    assert [size(number) for number in (0, 999, 1000, 999_960, 12_824_147)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "1.0 MB",
        "12.8 MB",
    ]
    assert shape_words((1, "height", None)) == "[1,height,?]"
    assert shape_words(()) == "[]"
    assert shape_words(None) == "shape unknown"


def test_a_sparkline_shows_the_least_count_and_none_apart() -> None:
    assert sparkline((0, 1, 400, 800)) == " ▁▄█"
    assert sparkline(()) == ""
