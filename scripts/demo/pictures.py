"""Draw the pictures the demo detector learns from: ten shapes in eight colours, every object with its box.

A picture is planned first (`plan`, a list of `Thing`s and a `Backdrop`) and drawn afterwards (`draw`), so that a
hand-placed picture like `SHOWCASE` goes through the same code as the random ones. Lengths are pixels of a picture
whose longer side is 320; `draw` takes a zoom for larger ones. The same seed gives the same picture.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

Points = list[tuple[float, float]]
Colour = tuple[int, int, int]

SUPERSAMPLING = 4  # masks are drawn this much larger, so that edges are smooth and boxes exact to a quarter pixel
SIZES = ((320, 320), (320, 240), (240, 320), (320, 212))
LEAST_VISIBLE = 0.65  # an object that is covered further than this is not drawn: its class could not be told

# name: hue in degrees, saturation, value
COLOURS = {
    "red": (0, 0.88, 0.86),
    "orange": (27, 0.92, 0.97),
    "yellow": (53, 0.88, 0.98),
    "green": (128, 0.75, 0.66),
    "cyan": (181, 0.78, 0.86),
    "blue": (222, 0.82, 0.85),
    "purple": (276, 0.70, 0.68),
    "pink": (328, 0.52, 0.97),
}


def _arc(start: float, stop: float, radius: float = 1.0, centre_x: float = 0.0, points: int = 40) -> Points:
    """Points on an arc around (`centre_x`, 0), angles in degrees."""
    angles = np.radians(np.linspace(start, stop, points))
    return [(centre_x + radius * math.cos(a), radius * math.sin(a)) for a in angles]


def _star() -> Points:
    radii = [1.0, 0.44] * 5
    return [(r * math.sin(math.pi * i / 5), -r * math.cos(math.pi * i / 5)) for i, r in enumerate(radii)]


def _cross(arm: float = 0.34, reach: float = 0.95) -> Points:
    corner = [(arm, -reach), (arm, -arm), (reach, -arm)]
    turns: list[Callable[[float, float], tuple[float, float]]] = [
        lambda x, y: (x, y),
        lambda x, y: (-y, x),
        lambda x, y: (-x, -y),
        lambda x, y: (y, -x),
    ]
    return [turn(x, y) for turn in turns for x, y in corner]


def _heart() -> Points:
    angles = np.linspace(0, 2 * math.pi, 60, endpoint=False)
    x = 16 * np.sin(angles) ** 3
    y = -(13 * np.cos(angles) - 5 * np.cos(2 * angles) - 2 * np.cos(3 * angles) - np.cos(4 * angles)) - 2.5
    return [(float(a), float(b)) for a, b in zip(x / 16.5, y / 16.5, strict=True)]


def _crescent() -> Points:
    # The moon's own edge, then back along a second circle of the same size that is pushed to the right.
    outer = _arc(55, 305)
    tip_x, tip_y = outer[-1]
    centre_x, radius = 0.62, math.hypot(tip_x - 0.62, tip_y)
    tip = math.degrees(math.atan2(tip_y, tip_x - centre_x)) % 360
    return outer + _arc(tip, 360 - tip, radius, centre_x)


# Each outline fits in the circle of radius 1 around (0, 0); y points down.
OUTLINES: dict[str, Points] = {
    "circle": _arc(0, 360, 0.92),
    "square": [(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)],
    "triangle": [(0.0, -1.0), (0.87, 0.5), (-0.87, 0.5)],
    "star": _star(),
    "cross": _cross(),
    "ring": _arc(0, 360, 0.95),
    "hexagon": _arc(0, 360, 0.97, points=7)[:-1],
    "crescent": _crescent(),
    "arrow": [(1.0, 0.0), (0.15, -0.78), (0.15, -0.3), (-0.95, -0.3), (-0.95, 0.3), (0.15, 0.3), (0.15, 0.78)],
    "heart": _heart(),
}
HOLES: dict[str, Points] = {"ring": _arc(0, 360, 0.52)}

NAMES = [f"{colour} {shape}" for shape in OUTLINES for colour in COLOURS]


@dataclass(frozen=True)
class Thing:
    """One object: class, centre and radius in pixels, angle in degrees, and how it is painted."""

    name: str
    x: float
    y: float
    radius: float
    angle: float = 0.0
    stretch: float = 1.0
    hue_shift: float = 0.0
    value: float = 1.0
    shading: float = 0.25
    outline: bool = False
    shadow: float = 0.3


@dataclass(frozen=True)
class Backdrop:
    """What is behind the objects: a kind of pattern between two colours, and the camera's faults."""

    kind: str
    light: Colour
    dark: Colour
    angle: float = 90.0
    noise: float = 0.0
    blur: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Label:
    """The truth about one object: its class and its box (x1, y1, x2, y2) in pixels of the drawn picture."""

    class_id: int
    box: tuple[float, float, float, float]


def mask(thing: Thing, width: int, height: int, zoom: float = 1.0) -> Image.Image:
    """The area of `thing` in a picture of `width` x `height` pixels, as an 8-bit picture, 255 inside."""
    scale = SUPERSAMPLING * zoom
    cos, sin = math.cos(math.radians(thing.angle)), math.sin(math.radians(thing.angle))

    def place(points: Points) -> Points:
        return [
            (
                scale * (thing.x + thing.radius * (x * cos * thing.stretch - y * sin)),
                scale * (thing.y + thing.radius * (x * sin * thing.stretch + y * cos)),
            )
            for x, y in points
        ]

    # Only the surroundings of the object are drawn large: a whole picture 16 times the size would be slow.
    reach = thing.radius * max(1.0, thing.stretch) + 1
    left, top = int((thing.x - reach) * zoom), int((thing.y - reach) * zoom)
    side = int(2 * reach * zoom) + 2
    large = Image.new("L", (side * SUPERSAMPLING, side * SUPERSAMPLING))
    pen = ImageDraw.Draw(large)
    shape = thing.name.split(" ")[1]
    for points, fill in ((OUTLINES[shape], 255), (HOLES.get(shape, []), 0)):
        if points:
            shifted = [(x - left * SUPERSAMPLING, y - top * SUPERSAMPLING) for x, y in place(points)]
            pen.polygon(shifted, fill=fill)
    whole = Image.new("L", (width, height))
    whole.paste(large.reduce(SUPERSAMPLING), (left, top))
    return whole


def _paint(canvas: Image.Image, thing: Thing, area: Image.Image, zoom: float) -> None:
    """Put `thing` on the canvas: a soft shadow, then its colour, lighter towards the top left."""
    box = area.getbbox()
    if box is None:
        return
    offset = round(thing.radius * zoom * 0.09) + 1
    left, top, right, bottom = box[0] - 2 * offset, box[1] - 2 * offset, box[2] + 4 * offset, box[3] + 4 * offset
    area = area.crop((left, top, right, bottom))  # may reach over the edge, where it is 0
    if thing.shadow:
        shadow = Image.new("L", area.size)
        shadow.paste(area.point(lambda level: level * thing.shadow), (offset, offset))
        canvas.paste((0, 0, 0), (left, top), shadow.filter(ImageFilter.GaussianBlur(offset)))
    hue, saturation, value = COLOURS[thing.name.split(" ")[0]]
    value = min(1.0, value * thing.value)
    rgb = np.array(colorsys.hsv_to_rgb((hue + thing.hue_shift) / 360 % 1.0, saturation, value)) * 255
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32) / zoom
    slope = (x - thing.x + y - thing.y) / (2 * thing.radius)
    colour = rgb * (1 - thing.shading * slope[..., None])
    canvas.paste(Image.fromarray(colour.clip(0, 255).astype(np.uint8)), (left, top), area)
    if thing.outline:
        inner = area.filter(ImageFilter.MinFilter(2 * max(1, round(zoom)) + 1))
        dark = tuple(int(channel * 0.45) for channel in rgb)
        canvas.paste(dark, (left, top), ImageChops.subtract(area, inner))


def _backdrop(backdrop: Backdrop, width: int, height: int, zoom: float) -> Image.Image:
    """The picture before any object is on it."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / zoom
    cos, sin = math.cos(math.radians(backdrop.angle)), math.sin(math.radians(backdrop.angle))
    along = x * cos + y * sin
    across = y * cos - x * sin
    blend: NDArray[np.floating]
    if backdrop.kind == "stripes":
        blend = (np.sin(along / 7) > 0).astype(np.float32)
    elif backdrop.kind == "checks":
        blend = ((np.sin(along / 9) > 0) ^ (np.sin(across / 9) > 0)).astype(np.float32)
    elif backdrop.kind == "dots":
        blend = (np.cos(along / 5) + np.cos(across / 5) > 1.4).astype(np.float32)
    elif backdrop.kind == "clouds":
        coarse = np.random.default_rng(backdrop.seed).integers(0, 256, (6, 8), dtype=np.uint8)
        smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        blend = np.asarray(smooth, np.float32) / 255
    else:
        blend = (along - along.min()) / max(float(np.ptp(along)), 1e-6)
    light, dark = np.array(backdrop.light, np.float32), np.array(backdrop.dark, np.float32)
    return Image.fromarray((light + (dark - light) * blend[..., None]).clip(0, 255).astype(np.uint8))


def _clutter(canvas: Image.Image, seed: int, zoom: float) -> None:
    """Grey lines and blobs that are no objects, so that not every edge is one."""
    random = np.random.default_rng(seed)
    pen = ImageDraw.Draw(canvas)
    width, height = canvas.size
    for _ in range(int(random.integers(0, 7))):
        grey = (int(random.integers(20, 236)),) * 3
        x1, y1, x2, y2 = (random.random(4) * (width, height, width, height)).tolist()
        if random.random() < 0.7:
            pen.line((x1, y1, x2, y2), fill=grey, width=max(1, round(random.uniform(1, 5) * zoom)))
        else:
            half = random.uniform(4, 25) * zoom
            pen.ellipse((x1 - half, y1 - half, x1 + half, y1 + half), fill=grey)


def draw(
    things: list[Thing], backdrop: Backdrop, size: tuple[int, int], zoom: float = 1.0
) -> tuple[Image.Image, list[Label]]:
    """Draw `things`, later ones on top, in a picture of `size` times `zoom` pixels."""
    width, height = round(size[0] * zoom), round(size[1] * zoom)
    canvas = _backdrop(backdrop, width, height, zoom)
    if backdrop.seed:
        _clutter(canvas, backdrop.seed, zoom)
    labels = []
    for thing in things:
        area = mask(thing, width, height, zoom)
        _paint(canvas, thing, area, zoom)
        box = area.point(lambda level: 255 if level >= 128 else 0).getbbox()
        if box is not None:
            labels.append(Label(NAMES.index(thing.name), box))
    if backdrop.blur:
        canvas = canvas.filter(ImageFilter.GaussianBlur(float(backdrop.blur * zoom)))
    if backdrop.noise:
        grain = np.random.default_rng(backdrop.seed).normal(0, backdrop.noise, (height, width, 3))
        canvas = Image.fromarray((np.asarray(canvas, np.float32) + grain).clip(0, 255).astype(np.uint8))
    return canvas, labels


def plan(seed: int) -> tuple[list[Thing], Backdrop, tuple[int, int]]:
    """Choose objects, a backdrop and a size at random."""
    random = np.random.default_rng(seed)
    size = SIZES[int(random.choice(len(SIZES), p=(0.55, 0.2, 0.15, 0.1)))]

    def muted() -> Colour:
        rgb = colorsys.hsv_to_rgb(random.random(), random.uniform(0, 0.28), random.uniform(0.08, 1.0))
        return (int(rgb[0] * 255), int(rgb[1] * 255), int(rgb[2] * 255))

    backdrop = Backdrop(
        kind=str(random.choice(["gradient", "stripes", "checks", "dots", "clouds"])),
        light=muted(),
        dark=muted(),
        angle=random.uniform(0, 360),
        noise=float(random.choice([0.0, 0.0, random.uniform(1, 10)])),
        blur=float(random.choice([0.0, 0.0, random.uniform(0.2, 0.8)])),
        seed=int(random.integers(1, 2**31)),
    )
    things: list[Thing] = []
    areas: list[NDArray[np.bool_]] = []
    for _ in range(int(random.integers(3, 16))):
        radius = math.exp(random.uniform(math.log(14), math.log(60)))
        thing = Thing(
            name=NAMES[int(random.integers(len(NAMES)))],
            x=random.uniform(0.6 * radius, size[0] - 0.6 * radius),
            y=random.uniform(0.6 * radius, size[1] - 0.6 * radius),
            radius=radius,
            angle=random.uniform(0, 360),
            stretch=random.uniform(0.85, 1.15),
            hue_shift=random.uniform(-6, 6),
            value=random.uniform(0.85, 1.12),
            shading=float(random.choice([0.0, random.uniform(0, 0.4)])),
            outline=bool(random.random() < 0.25),
            shadow=float(random.choice([0.0, random.uniform(0.1, 0.5)])),
        )
        area = np.asarray(mask(thing, *size)) >= 128
        # The part outside of the picture counts as hidden too, hence the area from the outline's own formula.
        whole = np.count_nonzero(np.asarray(mask(_centred(thing), 160, 160)) >= 128)
        if np.count_nonzero(area) < LEAST_VISIBLE * whole or not _leaves_enough(areas, area):
            continue
        things.append(thing)
        areas.append(area)
    return things, backdrop, size


def _centred(thing: Thing) -> Thing:
    return Thing(thing.name, 80, 80, thing.radius, thing.angle, thing.stretch)


def _leaves_enough(areas: list[NDArray[np.bool_]], new: NDArray[np.bool_]) -> bool:
    """Whether every earlier object stays visible enough when `new` is put on top of all of them."""
    covered = new
    for area in reversed(areas):
        if np.count_nonzero(area & ~covered) < LEAST_VISIBLE * np.count_nonzero(area):
            return False
        covered = covered | area
    return True


def picture(seed: int) -> tuple[Image.Image, list[Label]]:
    """A random RGB picture and what is on it."""
    things, backdrop, size = plan(seed)
    return draw(things, backdrop, size)


# The picture that is shipped, and the top of the README: placed by hand, none of it seen in training.
SHOWCASE_SIZE = (320, 240)
SHOWCASE_ZOOM = 2.0
SHOWCASE_BACKDROP = Backdrop("gradient", (246, 243, 236), (206, 212, 222), angle=65)
SHOWCASE = [
    Thing("blue circle", 46, 52, 33),
    Thing("yellow star", 122, 50, 40, angle=-10),
    Thing("red heart", 204, 54, 36, angle=8),
    Thing("green hexagon", 277, 48, 31, angle=12),
    Thing("purple ring", 60, 128, 30),
    Thing("orange arrow", 140, 126, 38, angle=-24),
    Thing("cyan cross", 222, 130, 30, angle=18),
    Thing("pink crescent", 283, 122, 28, angle=-25),
    Thing("green triangle", 112, 196, 36, angle=-6),
    Thing("blue star", 44, 200, 24, angle=14),
    Thing("red square", 188, 199, 34, angle=15),
    Thing("yellow circle", 222, 212, 20),
    Thing("purple heart", 276, 198, 28, angle=-12),
]


def showcase() -> tuple[Image.Image, list[Label]]:
    """The shipped picture, 640 x 480, and what is on it."""
    return draw(SHOWCASE, SHOWCASE_BACKDROP, SHOWCASE_SIZE, SHOWCASE_ZOOM)
