"""Cats and dogs in 150×150 pixels: colours, poses, and the light they stand in."""

from types import SimpleNamespace

import numpy as np
from heads import FACES, PROFILES, WHITE, solid
from scenes import backdrop, foreground
from shapes import Frame, curve, ellipse, melt, stroke

SIZE = 150
_LEVELS = 31  # steps a channel: flat enough to compress losslessly
_CAT = 0  # the label; a dog is 1

# Colour, and how often a cat and a dog has it: shared, as in life not equally.
_FURS = (
    ((0.87, 0.54, 0.24), (6, 2)),  # ginger
    ((0.52, 0.54, 0.58), (6, 2)),  # grey
    ((0.20, 0.19, 0.22), (4, 3)),  # black
    ((0.94, 0.92, 0.88), (3, 4)),  # white
    ((0.90, 0.77, 0.58), (2, 6)),  # cream
    ((0.47, 0.31, 0.21), (2, 6)),  # brown
    ((0.73, 0.53, 0.34), (2, 6)),  # tan
    ((0.74, 0.75, 0.77), (4, 2)),  # silver
)


def pet(dice, label):
    """Draw one cat or dog.

    Parameters
    ----------
    dice : Dice
        The stream of random choices.
    label : int
        0 for a cat, 1 for a dog.

    Returns
    -------
    uint8 array (150, 150, 3)
    """
    canvas = np.zeros((SIZE, SIZE, 3))
    backdrop(Frame.on(canvas, SIZE / 2, SIZE / 2, SIZE / 2), dice)
    fur = _fur(dice, label)
    pose = dice.pick((_portrait, _sitting, _lying, _standing), (0.46, 0.26, 0.14, 0.14))
    pose(canvas, dice, label, fur)
    foreground(Frame.on(canvas, SIZE / 2, SIZE / 2, SIZE / 2), dice)
    _light(canvas, dice)
    steps = np.rint(np.clip(canvas, 0, 1) * _LEVELS)
    return np.rint(steps * (255 / _LEVELS)).astype(np.uint8)


def _light(canvas, dice):
    """Change brightness, tint, haze and the side from which the light comes, in place."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE - 0.5
    side = 1 + dice.about(0, 0.3) * x + dice.about(0, 0.3) * y
    tint = np.array([dice.about(1, 0.1) for _ in range(3)])
    canvas *= dice.between(0.8, 1.15) * side[..., None] * tint
    haze = dice.between(0, 0.16)
    canvas += haze * (dice.between(0.25, 0.75) - canvas)


def _fur(dice, label):
    """Choose colours and markings."""
    colours, chances = [fur for fur, _ in _FURS], [chance[label] for _, chance in _FURS]
    base = np.array(dice.pick(colours, chances)) * dice.between(0.88, 1.08)
    other = np.array(dice.pick(colours, chances))
    weights = (0.3, 0.35, 0.2, 0.15) if label == _CAT else (0.4, 0.1, 0.32, 0.18)
    return SimpleNamespace(
        base=base,
        light=base + 0.6 * (WHITE - base),
        dark=base * dice.between(0.5, 0.7),
        line=base * 0.42,
        other=other,
        marks=dice.pick(("plain", "striped", "patched", "bib"), weights),
        ears=base * dice.pick((1.0, 0.62, 0.8)),
        collar=None
        if dice.chance(0.6)
        else np.array(dice.pick(((0.8, 0.2, 0.2), (0.2, 0.4, 0.8), (0.2, 0.6, 0.4)))),
    )


def _mark_body(frame, dice, fur, body, u, v, spread):
    """Put stripes, patches or a pale bib on a body around (u, v), `spread` in half width."""
    inner = body + 1.5 / frame.unit
    if fur.marks == "striped":
        for k in range(-4, 5):
            at = u + spread * k / 4 + dice.about(0, 0.05)
            line = [(at, v - 1.2), (at + dice.about(0, 0.15), v + dice.between(-0.05, 0.35))]
            frame.fill(np.maximum(stroke(frame, line, 0.1, 0.05), inner), fur.dark)
    elif fur.marks == "patched":
        for _ in range(dice.count(2, 4)):
            at = (u + dice.about(0, spread), v + dice.about(0, 0.7))
            size = (dice.between(0.2, 0.45), dice.between(0.15, 0.4))
            patch = ellipse(frame, *at, *size, dice.between(0, 3))
            frame.fill(np.maximum(patch, inner), fur.other)


def _tail(frame, dice, label, fur, u, v, side):
    """Draw a tail from (u, v) towards `side`: a cat's long and thin, a dog's shorter and thick."""
    if label == _CAT:
        long = dice.between(1.1, 1.6)
        bend = (u + side * long * 0.9, v + dice.between(-0.1, 0.3))
        end = (u + side * long * dice.between(0.5, 1.0), v - long * dice.between(0.4, 1.0))
        shape = stroke(frame, curve((u, v), bend, end), 0.24, 0.2)
    else:
        long = dice.between(0.5, 1.15)
        bend = (u + side * long * 0.8, v + dice.about(0, 0.2))
        end = (u + side * long * dice.between(0.6, 1.1), v - long * dice.between(0.1, 0.9))
        shape = stroke(frame, curve((u, v), bend, end), 0.34, dice.between(0.12, 0.26))
    solid(frame, shape, fur.base, fur.line)
    if fur.marks in ("striped", "bib") and dice.chance(0.6):
        frame.fill(np.maximum(shape + 0.05, frame.v - end[1] - 0.3), fur.dark)


def _collar(frame, fur, u, v, width):
    if fur.collar is not None:
        band = curve((u - width, v - 0.08), (u, v + 0.3), (u + width, v - 0.08), 6)
        frame.fill(stroke(frame, band, 0.17), fur.collar)
        frame.fill(ellipse(frame, u, v + 0.22, 0.11, 0.11), (0.95, 0.82, 0.3))


def _face(frame, dice, label, fur, turn):
    """Draw the head on the frame's origin, tilted a little."""
    FACES[label](frame.part(0, 0, angle=dice.about(0, 0.3), reach=2.1), dice, fur, turn)


def _portrait(canvas, dice, label, fur):
    """Draw head and shoulders, sometimes cut by the edge of the picture."""
    x, y = SIZE / 2 + dice.about(0, 26), SIZE * 0.48 + dice.about(0, 20)
    frame = Frame.on(canvas, x, y, dice.between(38, 54), reach=4)
    neck, lean = ellipse(frame, 0, 0.9, 0.62, 0.6), dice.about(0, 0.3)
    chest = melt(ellipse(frame, lean, 2.2, 1.25, 1.5), neck, 0.4)
    solid(frame, chest, fur.base, fur.line)
    _mark_body(frame, dice, fur, chest, lean, 1.9, 0.9)
    if fur.marks == "bib":
        frame.fill(np.maximum(ellipse(frame, lean, 1.7, 0.5, 0.8), chest + 0.05), fur.light)
    _collar(frame, fur, 0, 0.9, 0.62)
    _face(frame, dice, label, fur, dice.about(0, 0.24))


def _paw(frame, fur, u, v, colour):
    """Draw a paw with two lines for the toes."""
    solid(frame, ellipse(frame, u, v, 0.3, 0.2), colour, fur.line)
    for k in (-1, 1):
        line = stroke(frame, [(u + 0.09 * k, v), (u + 0.1 * k, v + 0.14)], 0.03)
        frame.fill(line, fur.line)


def _sitting(canvas, dice, label, fur):
    """Draw a pet that sits and looks at us."""
    x, y = SIZE / 2 + dice.about(0, 24), SIZE * 0.36 + dice.about(0, 14)
    unit = dice.between(27, 35)
    frame = Frame.on(canvas, x, y, unit, dice.about(0, 0.08), dice.chance(0.5), 4.5)
    stout = dice.between(0.9, 1.15)
    _tail(frame, dice, label, fur, 0.7, 2.75, 1)
    for side in (-1, 1):
        solid(frame, ellipse(frame, side * 0.72 * stout, 2.5, 0.5, 0.62), fur.base, fur.line)
        _paw(frame, fur, side * 0.95 * stout, 3.02, fur.base)
    body = melt(ellipse(frame, 0, 2.1, 0.82 * stout, 1.05), ellipse(frame, 0, 1.05, 0.6, 0.6), 0.4)
    solid(frame, body, fur.base, fur.line)
    _mark_body(frame, dice, fur, body, 0, 1.9, 0.8)
    if fur.marks == "bib":
        frame.fill(np.maximum(ellipse(frame, 0, 1.6, 0.42, 0.75), body + 0.05), fur.light)
    socks = fur.light if dice.chance(0.3) else fur.base
    for side in (-1, 1):
        leg = stroke(frame, [(side * 0.3, 1.75), (side * 0.34, 3.0)], 0.42, 0.34)
        solid(frame, leg, fur.base, fur.line)
        _paw(frame, fur, side * 0.35, 3.08, socks)
    _collar(frame, fur, 0, 0.85, 0.55)
    _face(frame, dice, label, fur, dice.about(0, 0.26))


def _lying(canvas, dice, label, fur):
    """Draw a pet that lies with its paws before it."""
    x, y = SIZE * 0.38 + dice.about(0, 18), SIZE * 0.5 + dice.about(0, 18)
    mirror = dice.chance(0.5)
    unit = dice.between(27, 36)
    frame = Frame.on(canvas, SIZE - x if mirror else x, y, unit, dice.about(0, 0.1), mirror, 5)
    _tail(frame, dice, label, fur, 2.4, 1.15, 1)
    back = ellipse(frame, 1.25, 0.75, dice.between(1.3, 1.6), dice.between(0.65, 0.85))
    body = melt(back, ellipse(frame, 0.1, 0.85, 0.8, 0.7), 0.4)
    solid(frame, body, fur.base, fur.line)
    _mark_body(frame, dice, fur, body, 1.2, 0.75, 1.2)
    thigh = ellipse(frame, 1.95, 0.95, 0.6, 0.52)
    solid(frame, thigh, fur.base, fur.line)
    _paw(frame, fur, 1.55, 1.42, fur.base)
    socks = fur.light if dice.chance(0.3) else fur.base
    for side in (-1, 1):
        leg = stroke(frame, [(side * 0.42, 1.1), (side * 0.45 - 0.2, 1.45)], 0.42)
        solid(frame, leg, fur.base, fur.line)
        _paw(frame, fur, side * 0.45 - 0.25, 1.5, socks)
    _collar(frame, fur, 0, 0.82, 0.55)
    _face(frame, dice, label, fur, dice.about(0, 0.28))


def _standing(canvas, dice, label, fur):
    """Draw a pet from the side, its head in profile or turned to us."""
    mirror = dice.chance(0.5)
    x, y = SIZE * 0.47 + dice.about(0, 14), SIZE * 0.56 + dice.about(0, 16)
    unit = dice.between(36, 47)
    frame = Frame.on(canvas, SIZE - x if mirror else x, y, unit, dice.about(0, 0.1), mirror, 3)
    if label == _CAT:
        deep, high, head = dice.between(0.32, 0.44), dice.between(0.62, 0.85), 0.5
    else:
        deep, high, head = dice.between(0.34, 0.48), dice.between(0.65, 1.05), 0.5
    tail = frame.part(-0.95, -0.1, 0.62, reach=3)
    _tail(tail, dice, label, fur, 0, 0, -1)
    socks = fur.light if dice.chance(0.3) else fur.base
    stride = dice.about(0, 0.2)
    for near in (False, True):
        colour = fur.base if near else fur.base * 0.72
        for at in (-0.72, 0.66):
            foot = at + (stride if near else -stride) + (0.0 if near else 0.2)
            hip = (at + (0.0 if near else 0.14), 0.15)
            leg = stroke(frame, [hip, (foot - 0.05, 0.5 * high + 0.1), (foot, high)], 0.3, 0.18)
            solid(frame, leg, colour, fur.line)
            paw = ellipse(frame, foot + 0.06, high + 0.03, 0.16, 0.09)
            solid(frame, paw, socks if near else socks * 0.72, fur.line)
        if not near:
            rump = ellipse(frame, -0.55, 0, 0.52, deep)
            body = melt(rump, ellipse(frame, 0.5, 0.02, 0.52, deep * 1.08), 0.4)
            back = stroke(frame, [(-0.5, 0.0), (0.5, 0.0)], 1.75 * deep, 1.85 * deep)
            body = melt(body, back, 0.1)
            neck = stroke(frame, [(0.7, -0.1), (1.02, -0.55)], 0.6, 0.5)
            body = melt(body, neck, 0.2)
            solid(frame, body, fur.base, fur.line)
            _mark_body(frame, dice, fur, body, 0, 0, 0.9)
            if fur.marks == "bib":
                pale = ellipse(frame, 0.85, 0.1, 0.3, 0.5, 0.3)
                frame.fill(np.maximum(pale, body + 0.05), fur.light)
    if fur.collar is not None:
        band = stroke(frame, [(0.72, -0.42), (1.12, -0.22)], 0.1)
        frame.fill(np.maximum(band, body - 0.02), fur.collar)
    at = (1.08, -0.72 + dice.about(0, 0.14))
    if dice.chance(0.55):
        part = frame.part(*at, head, dice.about(0, 0.25), reach=2.4)
        PROFILES[label](part, dice, fur)
    else:
        _face(frame.part(*at, head * 1.05, reach=2.4), dice, label, fur, dice.about(0.1, 0.25))
