"""What stands behind and before a drawn pet: rooms, gardens, toys. The same for both classes."""

import numpy as np
from shapes import box, curve, ellipse, polygon, stroke

_WALLS = (
    (0.80, 0.74, 0.66), (0.62, 0.70, 0.74), (0.74, 0.62, 0.60), (0.58, 0.64, 0.54),
    (0.86, 0.82, 0.72), (0.45, 0.48, 0.55), (0.72, 0.66, 0.76), (0.50, 0.42, 0.38),
)  # fmt: skip
_FLOORS = ((0.55, 0.40, 0.28), (0.70, 0.66, 0.60), (0.42, 0.36, 0.34), (0.62, 0.50, 0.40))
_BRIGHT = (
    (0.80, 0.25, 0.25), (0.25, 0.45, 0.75), (0.90, 0.75, 0.25), (0.30, 0.60, 0.40),
    (0.60, 0.35, 0.65), (0.90, 0.55, 0.25), (0.85, 0.85, 0.82),
)  # fmt: skip


def backdrop(frame, dice):
    """Paint the whole frame: a room, a garden or a plain screen, with up to four things in it.

    Parameters
    ----------
    frame : Frame
        The whole picture, from -1 to 1 both ways.
    dice : Dice
    """
    dice.pick((_room, _garden, _screen), (0.5, 0.3, 0.2))(frame, dice)
    for _ in range(dice.count(0, 3)):
        u, v = dice.between(-0.95, 0.95), dice.between(-0.1, 0.95)
        thing = dice.pick((_ball, _bowl, _plant, _cushion, _bone, _fish))
        thing(frame.part(u, v, dice.between(0.14, 0.3), dice.about(0, 0.4), reach=1.8), dice)


def foreground(frame, dice):
    """Paint what hides a part of the pet, in about a third of the pictures."""
    kind = dice.pick(("none", "edge", "grass", "thing", "branch"), (0.66, 0.1, 0.1, 0.09, 0.05))
    colour = _colour(dice)
    if kind == "edge":
        height = dice.between(0.45, 0.8)
        frame.fill(height - frame.v + dice.about(0, 0.25) * frame.u, colour * 0.6)
        frame.fill(height + 0.03 - frame.v, colour)
    elif kind == "grass":
        green = np.array((0.30, 0.52, 0.24)) * dice.between(0.7, 1.2)
        for _ in range(dice.count(6, 16)):
            u, tall = dice.between(-1, 1), dice.between(0.25, 0.75)
            tip = (u + dice.about(0, 0.25), 1 - tall)
            frame.fill(stroke(frame, [(u, 1.05), tip], 0.07, 0.01), green * dice.between(0.8, 1.2))
    elif kind == "thing":
        u, v = dice.about(0, 0.9), dice.between(0.55, 0.95)
        thing = dice.pick((_ball, _bowl, _cushion, _plant))
        thing(frame.part(u, v, dice.between(0.25, 0.42), reach=1.8), dice)
    elif kind == "branch":
        side = dice.sign()
        start, stop = (side * 1.1, dice.between(-1, 0.5)), (side * 0.1, dice.between(-0.9, 0.6))
        line = curve(start, (side * 0.6, start[1] + dice.about(0, 0.3)), stop, 5)
        frame.fill(stroke(frame, line, 0.05, 0.02), (0.36, 0.27, 0.2))
        for u, v in line[1:]:
            leaf = ellipse(frame, u, v + 0.08, 0.07, 0.15, dice.about(0, 1.0))
            frame.fill(leaf, np.array((0.35, 0.55, 0.28)) * dice.between(0.7, 1.2))


def _colour(dice):
    """Return one of the bright colours, lighter or darker."""
    return np.array(dice.pick(_BRIGHT)) * dice.between(0.65, 1.1)


def _room(frame, dice):
    wall = np.array(dice.pick(_WALLS)) * dice.between(0.7, 1.15)
    frame.image[...] = wall
    if dice.chance(0.4):
        pitch = dice.between(0.15, 0.4)
        paper = np.abs((frame.u + 9) % pitch - pitch / 2) - pitch / 4
        frame.fill(paper + 0 * frame.v, wall * dice.between(0.86, 1.1))
    edge = dice.between(0.1, 0.6)
    floor = np.array(dice.pick(_FLOORS)) * dice.between(0.7, 1.2)
    if dice.chance(0.5):
        u, v, ru, rv = dice.about(0, 0.8), -0.45, dice.between(0.2, 0.4), dice.between(0.2, 0.35)
        frame.fill(box(frame, u, v, ru, rv), dice.pick((0.92, 0.35)))
        pane = (0.66, 0.82, 0.92) if dice.chance(0.6) else _colour(dice)
        frame.fill(box(frame, u, v, ru - 0.05, rv - 0.05), pane)
        if dice.chance(0.5):
            frame.fill(box(frame, u, v, 0.02, rv), 0.92)
            frame.fill(box(frame, u, v, ru, 0.02), 0.92)
    frame.fill(edge - frame.v + 0 * frame.u, floor)
    frame.fill(np.abs(frame.v - edge) - 0.03 + 0 * frame.u, wall * 0.7)
    if dice.chance(0.4):
        rug = ellipse(frame, dice.about(0, 0.4), 0.85, dice.between(0.5, 0.9), 0.28)
        colour = _colour(dice)
        frame.fill(rug, colour * 0.75)
        frame.fill(rug + 0.05, colour)
    if dice.chance(0.25):
        sofa = _colour(dice) * 0.8
        high = dice.between(-0.35, 0.1)
        frame.fill(box(frame, 0, high + 0.5, 0.9, 0.5, 0.15), sofa * 0.85)
        for side in (-1, 1):
            frame.fill(box(frame, side * 0.9, high + 0.7, 0.2, 0.45, 0.12), sofa)


def _garden(frame, dice):
    frame.image[...] = np.array((0.60, 0.76, 0.90)) * dice.between(0.75, 1.1)
    horizon = dice.between(-0.4, 0.3)
    for _ in range(dice.count(1, 4)):
        u, size = dice.between(-1, 1), dice.between(0.25, 0.6)
        tree = ellipse(frame, u, horizon - size * 0.7, size * 0.6, size * 0.7)
        frame.fill(stroke(frame, [(u, horizon - size), (u, horizon + 0.05)], 0.1), (0.4, 0.3, 0.2))
        green = np.array((0.32, 0.50, 0.28)) * dice.between(0.7, 1.25)
        frame.fill(tree, green * 0.8)
        frame.fill(tree + 0.04, green)
    ground = np.array(dice.pick(((0.44, 0.62, 0.32), (0.72, 0.64, 0.44), (0.88, 0.90, 0.92))))
    ground = ground * dice.between(0.8, 1.1)
    frame.fill(horizon - frame.v + dice.about(0, 0.15) * frame.u, ground)
    if dice.chance(0.35):
        for k in range(-4, 5):
            frame.fill(box(frame, k * 0.25, horizon - 0.1, 0.07, 0.25, 0.03), (0.85, 0.82, 0.78))
        frame.fill(box(frame, 0, horizon - 0.12, 1.1, 0.03), (0.78, 0.75, 0.7))
    for _ in range(dice.count(0, 14)):
        u, v = dice.between(-1, 1), dice.between(horizon + 0.1, 1)
        tuft = stroke(frame.part(u, v, reach=0.2), [(0, 0.06), (dice.about(0, 0.06), -0.08)], 0.03)
        frame.part(u, v, reach=0.2).fill(tuft, ground * 0.75)


def _screen(frame, dice):
    """Paint a photographer's screen: one colour with a soft round light."""
    colour = np.array(dice.pick(_WALLS + _BRIGHT)) * dice.between(0.6, 1.0)
    frame.image[...] = colour * 0.8
    glow = ellipse(frame, dice.about(0, 0.5), dice.about(0, 0.5), 0.7, 0.7)
    frame.fill(glow, np.minimum(colour * 1.2, 1), softness=0.5)


def _ball(frame, dice):
    colour = _colour(dice)
    ball = ellipse(frame, 0, 0, 0.8, 0.8)
    frame.fill(ball, colour * 0.6)
    frame.fill(ball + 0.08, colour)
    for side in (-1, 1):
        seam = np.abs(ellipse(frame, side * 0.9, 0, 0.6, 0.8)) - 0.06
        frame.fill(np.maximum(seam, ball + 0.08), np.minimum(colour * 1.4, 1))


def _bowl(frame, dice):
    colour = _colour(dice)
    side = polygon(frame, [(-0.7, -0.2), (0.7, -0.2), (0.95, 0.5), (-0.95, 0.5)], 0.06)
    frame.fill(side, colour * 0.6)
    frame.fill(side + 0.06, colour)
    frame.fill(ellipse(frame, 0, -0.2, 0.75, 0.2), colour * 0.5)
    frame.fill(ellipse(frame, 0, -0.22, 0.6, 0.14), (0.5, 0.35, 0.25))


def _plant(frame, dice):
    green = np.array((0.30, 0.52, 0.30)) * dice.between(0.7, 1.2)
    for k in range(-2, 3):
        leaf = stroke(
            frame, curve((0, 0.2), (0.2 * k, -0.7), (0.4 * k, -0.9 + 0.1 * k * k)), 0.24, 0.04
        )
        frame.fill(leaf, green * (1.0 if k % 2 else 0.8))
    pot = polygon(frame, [(-0.45, 0.1), (0.45, 0.1), (0.32, 0.9), (-0.32, 0.9)], 0.05)
    frame.fill(pot, (0.72, 0.42, 0.30))


def _cushion(frame, dice):
    colour = _colour(dice)
    frame.fill(box(frame, 0, 0, 1.0, 0.7, 0.3), colour * 0.65)
    frame.fill(box(frame, 0, -0.03, 0.92, 0.62, 0.3), colour)
    if dice.chance(0.5):
        for k in (-1, 0, 1):
            frame.fill(box(frame, 0.5 * k, -0.03, 0.09, 0.6), np.minimum(colour * 1.3, 1))


def _bone(frame, dice):
    ends = [ellipse(frame, side * 0.7, v, 0.24, 0.24) for side in (-1, 1) for v in (-0.2, 0.2)]
    shape = np.minimum(box(frame, 0, 0, 0.7, 0.18), np.minimum.reduce(ends))
    frame.fill(shape, (0.6, 0.55, 0.45))
    frame.fill(shape + 0.07, (0.93, 0.90, 0.80))


def _fish(frame, dice):
    colour = _colour(dice)
    tail = polygon(frame, [(0.4, 0), (0.95, -0.4), (0.95, 0.4)], 0.04)
    shape = np.minimum(ellipse(frame, -0.1, 0, 0.75, 0.42), tail)
    frame.fill(shape, colour * 0.55)
    frame.fill(shape + 0.07, colour)
    frame.fill(ellipse(frame, -0.5, -0.08, 0.09, 0.09), 0.1)
