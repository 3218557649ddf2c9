"""Random rich scenes."""

import numpy as np

from maskvos.datasets.generator_figures import draw_figure
from maskvos.datasets.generator_look import draw_look
from maskvos.datasets.generator_motion import Excursion, Motion, Wave
from maskvos.datasets.generator_rich import RichLayer, RichScene
from maskvos.datasets.generator_rich_textures import make_collage
from maskvos.datasets.generator_scene import way_out


def draw_rich_scene(
    random: np.random.Generator, size: tuple[int, int], frames: int, max_objects: int, late: bool
) -> RichScene:
    """A random scene; arguments as `maskvos.datasets.generator_scene.draw_scene` has them."""
    unit = min(size)
    side = 1 << int(np.ceil(np.log2(max(size))))
    background = make_collage(random, 2 * side, unit, int(random.integers(8, 30)), (0.04, 0.25))
    layers = [RichLayer(_still(size), None, 0, background)]
    count = int(random.integers(1, max_objects + 1))
    behind, before = int(random.integers(0, 3)), int(random.integers(0, 2))
    leaver = int(random.integers(1, count + 1)) if random.random() < 0.3 else 0
    for _ in range(behind):
        layers.append(_thing(random, size, 0, None))
    for label in range(1, count + 1):
        excursion = None
        if late and label == count > 1 and random.random() < 0.7:
            excursion = Excursion(way_out(random, size), (-np.inf, random.uniform(0.15, 0.45) * frames), 4)
        elif label == leaver:
            middle = random.uniform(0.4, 0.7) * frames
            excursion = Excursion(way_out(random, size), (middle - 2, middle + 2), 5)
        layers.append(_thing(random, size, label, excursion))
    for _ in range(before):
        layers.append(_thing(random, size, 0, None, small=True))
    return RichScene(*size, _camera(random, size), layers, draw_look(random))


def _thing(
    random: np.random.Generator, size: tuple[int, int], label: int, excursion: Excursion | None, small: bool = False
) -> RichLayer:
    unit = min(size)
    radius = unit * (random.uniform(0.05, 0.1) if small else random.uniform(0.1, 0.26))
    figure = draw_figure(random, radius, int(random.integers(0, 6)))
    side = 1 << int(np.ceil(np.log2(4 * radius)))
    texture = make_collage(random, side, 2 * radius, int(random.integers(0, 6)), (0.1, 0.4))
    return RichLayer(_motion(random, size, excursion), figure, label, texture)


def _motion(random: np.random.Generator, size: tuple[int, int], excursion: Excursion | None) -> Motion:
    extent, unit = np.array(size, float), min(size)
    return Motion(
        centre=extent / 2 + extent * random.uniform(-0.2, 0.2, 2),
        path=Wave.draw(random, extent * random.uniform(0.05, 0.35, 2), (20, 70)),
        angle=random.uniform(0, 2 * np.pi),
        turn=Wave.draw(random, random.uniform(0.05, 0.6, 1), (16, 60)),
        zoom=Wave.draw(random, random.uniform(0.03, 0.35, 1), (20, 60)),
        drift=unit * random.uniform(-0.006, 0.006, 2),
        bend=Wave.draw(random, np.full((2, 3), unit * random.uniform(0.004, 0.02)), (8, 30)),
        ripple=random.uniform(-1, 1, (2, 3, 2)) * 2 * np.pi / (0.4 * unit),
        excursion=excursion,
    )


def _camera(random: np.random.Generator, size: tuple[int, int]) -> Motion:
    unit = min(size)
    return Motion(
        centre=np.array(size, float) / 2,
        path=Wave.draw(random, unit * random.uniform(0.0, 0.25, 2), (16, 60)),
        angle=0.0,
        turn=Wave.draw(random, random.uniform(0.0, 0.15, 1), (20, 60)),
        zoom=Wave.draw(random, random.uniform(0.0, 0.2, 1), (24, 60)),
        drift=unit * random.uniform(-0.015, 0.015, 2),
        bend=Wave.draw(random, np.zeros((2, 3)), (15, 40)),
        ripple=np.zeros((2, 3, 2)),
    )


def _still(size: tuple[int, int]) -> Motion:
    zero = Wave(np.zeros(2), np.zeros(2), np.zeros(2))
    one = Wave(np.zeros(1), np.zeros(1), np.zeros(1))
    bend = Wave(np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 3)))
    return Motion(np.array(size, float) / 2, zero, 0.0, one, one, np.zeros(2), bend, np.zeros((2, 3, 2)))
