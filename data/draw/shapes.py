"""Shapes for the drawn data sets: signed distances on a grid, painted with soft edges.

Everything is plain arithmetic in double precision and one random stream a picture, so that a
picture is the same on every platform: no font, no drawing library and no global state.
A signed distance is negative inside of a shape; the two dozen formulas that matter are derived
in Inigo Quilez, "2D distance functions" (2020).
"""

import math

import numpy as np


class Dice:
    """A stream of random choices that depends only on its seed and key.

    Built on ``Generator.random`` alone: unlike ``normal`` or ``choice``, it is the bit
    generator's guaranteed stream with one multiplication, so it does not change with NumPy.

    Parameters
    ----------
    seed : int
        At least 0.
    *key : int
        Which stream of that seed, for example the number of the image.
    """

    def __init__(self, seed, *key):
        sequence = np.random.SeedSequence(seed, spawn_key=key)
        self._generator = np.random.Generator(np.random.PCG64(sequence))

    def between(self, low, high):
        """Return a float, uniform in [low, high)."""
        return low + (high - low) * self._generator.random()

    def about(self, centre, spread):
        """Return a float near `centre`, triangular, at most `spread` away."""
        return centre + spread * (self._generator.random() - self._generator.random())

    def chance(self, probability):
        """Return True with the given probability."""
        return self._generator.random() < probability

    def sign(self):
        """Return -1 or 1."""
        return -1 if self.chance(0.5) else 1

    def count(self, low, high):
        """Return an int from `low` to `high`, both included."""
        return low + int(self._generator.random() * (high - low + 1))

    def pick(self, options, weights=None):
        """Return one of `options`, with chances proportional to `weights` (equal without)."""
        if weights is None:
            return options[self.count(0, len(options) - 1)]
        mark = self._generator.random() * sum(weights)
        for option, weight in zip(options, weights, strict=True):
            mark -= weight
            if mark < 0:
                return option
        return options[-1]

    def order(self, n):
        """Return the numbers 0 … n−1 in random order, an int array (n,)."""
        return np.argsort(self._generator.random(n), kind="stable")

    def field(self, *shape):
        """Return a float array of that shape, uniform in [-1, 1)."""
        return 2 * self._generator.random(shape) - 1


class Frame:
    """Coordinates (u right, v down) laid over a window of a canvas, and the brush for it.

    Parameters
    ----------
    canvas : float array (height, width, channels)
        Painted in place, values in [0, 1].
    centre : pair of float
        Pixel position (x, y) of the frame's origin.
    right, down : pair of float
        One unit of u and of v, as perpendicular vectors in pixels.
    reach : float
        Half the side of the window that can be painted, in units; what is outside stays as it is.
    """

    def __init__(self, canvas, centre, right, down, reach):
        self.canvas, self.centre, self.right, self.down = canvas, centre, right, down
        length_u, length_v = math.hypot(*right), math.hypot(*down)
        self.unit = math.sqrt(length_u * length_v)
        height, width = canvas.shape[:2]
        radius = reach * max(length_u, length_v) * 1.45 + 2
        left, top = (max(0, math.floor(c - radius)) for c in centre)
        stop_x, stop_y = (max(0, math.ceil(c + radius)) for c in centre)
        self.image = canvas[top:stop_y, left:stop_x]
        rows, columns = self.image.shape[:2]
        x = np.arange(min(left, width), min(left, width) + columns) + 0.5 - centre[0]
        y = np.arange(min(top, height), min(top, height) + rows)[:, None] + 0.5 - centre[1]
        self.u = (x * right[0] + y * right[1]) / length_u**2
        self.v = (x * down[0] + y * down[1]) / length_v**2

    @classmethod
    def on(cls, canvas, x, y, unit, angle=0.0, mirror=False, reach=1.5, stretch=1.0):
        """Return a frame at pixel (x, y): `unit` pixels a unit, turned by `angle` radians."""
        cos, sin = math.cos(angle), math.sin(angle)
        side = -unit if mirror else unit
        wide, tall = math.sqrt(stretch), 1 / math.sqrt(stretch)
        right = (side * cos * wide, side * sin * wide)
        return cls(canvas, (x, y), right, (-unit * sin * tall, unit * cos * tall), reach)

    def part(self, u, v, unit=1.0, angle=0.0, mirror=False, reach=1.5):
        """Return a frame within this one, at (u, v), `unit` times as large, turned by `angle`."""
        (rx, ry), (dx, dy) = self.right, self.down
        centre = (self.centre[0] + u * rx + v * dx, self.centre[1] + u * ry + v * dy)
        cos, sin = unit * math.cos(angle), unit * math.sin(angle)
        side = -1 if mirror else 1
        right = (side * (cos * rx + sin * dx), side * (cos * ry + sin * dy))
        return Frame(self.canvas, centre, right, (cos * dx - sin * rx, cos * dy - sin * ry), reach)

    def cover(self, distance, softness=0.0):
        """Return how much of each pixel a shape covers: float array (rows, columns) in [0, 1].

        `distance` is in units; `softness` widens the edge, in units.
        """
        return np.clip(0.5 - distance * self.unit / (1 + softness * self.unit), 0, 1)

    def fill(self, distance, colour, opacity=1.0, softness=0.0):
        """Paint the inside of a shape with a colour: (channels,), or (rows, columns, channels)."""
        cover = (self.cover(distance, softness) * opacity)[..., None]
        self.image[...] += cover * (np.asarray(colour) - self.image)


def ellipse(frame, cu, cv, ru, rv, angle=0.0):
    """Return the distance to an ellipse, first order: float array like ``frame.u``."""
    u, v = frame.u - cu, frame.v - cv
    if angle:
        cos, sin = math.cos(angle), math.sin(angle)
        u, v = u * cos + v * sin, v * cos - u * sin
    a, b = u / ru, v / rv
    radius = np.sqrt(a * a + b * b)
    slope = np.sqrt((a / ru) ** 2 + (b / rv) ** 2)
    return (radius - 1) * radius / np.maximum(slope, 1e-9)


def box(frame, cu, cv, ru, rv, rounding=0.0):
    """Return the distance to a rectangle with half sides (ru, rv) and rounded corners."""
    a = np.abs(frame.u - cu) - ru + rounding
    b = np.abs(frame.v - cv) - rv + rounding
    outside = np.sqrt(np.maximum(a, 0) ** 2 + np.maximum(b, 0) ** 2)
    return outside + np.minimum(np.maximum(a, b), 0) - rounding


def stroke(frame, points, width, end=None):
    """Return the distance to a line through `points`, `width` thick, tapering to `end`."""
    end = width if end is None else end
    steps = len(points) - 1
    result = None
    for k, ((au, av), (bu, bv)) in enumerate(zip(points, points[1:], strict=False)):
        du, dv = bu - au, bv - av
        u, v = frame.u - au, frame.v - av
        along = np.clip((u * du + v * dv) / (du * du + dv * dv + 1e-12), 0, 1)
        half = (width + (end - width) * (k + along) / steps) / 2
        distance = np.sqrt((u - along * du) ** 2 + (v - along * dv) ** 2) - half
        result = distance if result is None else np.minimum(result, distance)
    return result


def curve(start, bend, stop, steps=8):
    """Return points on a quadratic Bézier curve from `start` to `stop`, drawn towards `bend`."""
    t = np.linspace(0, 1, steps + 1)[:, None]
    line = (1 - t) ** 2 * np.array(start) + 2 * t * (1 - t) * np.array(bend) + t**2 * np.array(stop)
    return [(float(u), float(v)) for u, v in line]


def polygon(frame, points, rounding=0.0):
    """Return the distance to a closed polygon whose corners are rounded outwards."""
    u, v = frame.u, frame.v
    nearest = None
    inside = np.zeros(u.shape, bool)
    for (au, av), (bu, bv) in zip(points, [*points[1:], points[0]], strict=True):
        du, dv = bu - au, bv - av
        pu, pv = u - au, v - av
        along = np.clip((pu * du + pv * dv) / (du * du + dv * dv + 1e-12), 0, 1)
        square = (pu - along * du) ** 2 + (pv - along * dv) ** 2
        nearest = square if nearest is None else np.minimum(nearest, square)
        if av != bv:
            inside ^= ((av > v) != (bv > v)) & (u < du * (v - av) / dv + au)
    return np.where(inside, -1, 1) * np.sqrt(nearest) - rounding


def mirrored(points):
    """Return a closed outline from its right half, listed from top to bottom."""
    return [*points, *((-u, v) for u, v in reversed(points))]


def melt(a, b, width):
    """Return the union of two distances with a smooth joint `width` wide."""
    h = np.maximum(width - np.abs(a - b), 0) / width
    return np.minimum(a, b) - h * h * width / 4
