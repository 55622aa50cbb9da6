from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graphkit.errors import UsageError
from graphkit.images import find_images, read_image
from tests.images.pictures import gradient, rotated_jpeg, saved, truncated_jpeg


def test_rgb_is_read_as_it_is(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", gradient())
    assert np.array_equal(np.asarray(read_image(path)), np.asarray(gradient()))


@pytest.mark.parametrize(
    ("mode", "suffix"), [("P", ".png"), ("L", ".png"), ("1", ".png"), ("CMYK", ".jpg"), ("P", ".gif")]
)
def test_other_modes_become_rgb(mode: str, suffix: str, tmp_path: Path) -> None:
    image = gradient(mode)
    found = read_image(saved(tmp_path / f"a{suffix}", image))
    assert (found.mode, found.size) == ("RGB", (64, 48))
    expected = np.asarray(image.convert("RGB"), np.int64)
    assert np.abs(np.asarray(found, np.int64) - expected).mean() < 4  # JPEG loses a little


def test_transparency_is_left_out(tmp_path: Path) -> None:
    image = gradient().convert("RGBA")
    image.putalpha(0)
    found = read_image(saved(tmp_path / "a.png", image))
    assert np.array_equal(np.asarray(found), np.asarray(gradient()))


def test_a_transparent_palette_keeps_its_colours(tmp_path: Path) -> None:
    image = gradient("P")
    found = read_image(saved(tmp_path / "a.png", image, transparency=3))
    assert np.array_equal(np.asarray(found), np.asarray(image.convert("RGB")))


def test_sixteen_bits_are_scaled_not_cut_off(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64 * 48).reshape(48, 64).astype(np.uint16)
    for suffix in (".png", ".tif"):
        found = np.asarray(read_image(saved(tmp_path / f"a{suffix}", Image.fromarray(ramp))))
        assert np.array_equal(found[..., 0], ramp >> 8)
        assert np.array_equal(found[..., 0], found[..., 2])


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    found = read_image(rotated_jpeg(tmp_path / "a.jpg"))
    assert found.size == (48, 64)
    upright = np.asarray(gradient().rotate(-90, expand=True), np.int64)
    assert np.abs(np.asarray(found, np.int64) - upright).mean() < 4


@pytest.mark.parametrize("size", [(1, 1), (20000, 10)])
def test_odd_sizes_are_read(size: tuple[int, int], tmp_path: Path) -> None:
    assert read_image(saved(tmp_path / "a.png", Image.new("RGB", size))).size == size


def test_bad_pictures_are_refused_in_one_sentence(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.jpg", tmp_path / "text.jpg"
    empty.write_bytes(b"")
    text.write_text("no picture")
    floats = saved(tmp_path / "floats.tif", Image.fromarray(np.zeros((4, 4), np.float32)))
    cases = {
        empty: "is empty (0 bytes)",
        text: "cannot be read as a picture",
        truncated_jpeg(tmp_path / "broken.jpg"): "broken off",
        floats: "32-bit pixels",
        tmp_path / "none.jpg": "cannot be read: No such file",
        tmp_path: "is a folder",
    }
    for path, words in cases.items():
        with pytest.raises(UsageError) as caught:
            read_image(path)
        message = str(caught.value)
        assert words in message
        assert str(path) in message
        assert "\n" not in message
        assert message.endswith(".")


def test_a_decompression_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "bomb.png", Image.new("1", (4000, 4000)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000_000)
    with pytest.raises(UsageError, match="decompression bomb"):
        read_image(path)


def test_files_folders_and_globs_are_found_once(tmp_path: Path) -> None:
    one, two = saved(tmp_path / "b.png", gradient()), saved(tmp_path / "a.JPG", gradient())
    (tmp_path / "notes.txt").write_text("")
    assert find_images([tmp_path]) == [two, one]
    assert find_images([one, tmp_path, tmp_path / "*.png"]) == [one, two]
    assert find_images([str(tmp_path / "*.txt")]) == [tmp_path / "notes.txt"]  # named, so it is taken


@pytest.mark.parametrize("name", ["nowhere", "empty", "*.webp"])
def test_nothing_found_is_said(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"holds no picture|does not exist"):
        find_images([tmp_path / name])
