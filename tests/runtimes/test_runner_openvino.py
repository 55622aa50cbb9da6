"""OpenVINO's ports, found by the names of the model's inputs. OpenVINO itself is not needed for it."""

from __future__ import annotations

from dataclasses import dataclass

from graphkit.runtimes.runners.openvino_cpu import _places


@dataclass
class Port:
    """As OpenVINO has them: names of the tensor, and of the node."""

    friendly: str
    names: tuple[str, ...]

    def get_node(self) -> Port:
        return self

    def get_friendly_name(self) -> str:
        return self.friendly

    def get_names(self) -> set[str]:
        return set(self.names)


def test_by_the_name_of_the_tensor() -> None:
    a, b = Port("a", ("a",)), Port("b", ("b",))
    assert _places([b, a], ["a", "b"]) == {"a": a, "b": b}


def test_an_input_that_is_passed_on_keeps_the_name_of_its_node() -> None:
    x = Port("x", ("y",))
    assert _places([x], ["x"]) == {"x": x}


def test_an_input_that_bears_the_output_s_name_alone_is_what_is_left() -> None:
    passed, other = Port("y", ("y",)), Port("w", ("w",))
    assert _places([passed, other], ["x", "w"]) == {"x": passed, "w": other}


def test_where_ports_are_missing_none_is_guessed() -> None:
    assert _places([Port("y", ("y",))], ["x", "w"]) == {}
