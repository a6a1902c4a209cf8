"""Cats and dogs in 150×150 pixels: heads, poses and markings, and the light they stand in."""

from types import SimpleNamespace

import numpy as np

from .drawing_scenes import backdrop, foreground
from .drawing_shapes import Frame, box, curve, ellipse, melt, polygon, stroke

SIZE = 150
_LEVELS = 31  # steps a channel: flat enough to compress losslessly
_CAT, _DOG = 0, 1

# Colour, and how often a cat and a dog has it: shared, as in life not equally.
_FURS = (
    ((0.87, 0.54, 0.24), (5, 2)),  # ginger
    ((0.52, 0.54, 0.58), (5, 2)),  # grey
    ((0.20, 0.19, 0.22), (4, 3)),  # black
    ((0.94, 0.92, 0.88), (3, 4)),  # white
    ((0.90, 0.77, 0.58), (2, 5)),  # cream
    ((0.47, 0.31, 0.21), (2, 5)),  # brown
    ((0.73, 0.53, 0.34), (2, 5)),  # tan
    ((0.74, 0.75, 0.77), (4, 2)),  # silver
)
_PINK = np.array((0.93, 0.62, 0.62))
_INK = np.array((0.12, 0.10, 0.11))
_WHITE = np.array((0.96, 0.95, 0.92))


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
    pose = dice.pick((_portrait, _sitting, _lying, _standing), (0.38, 0.24, 0.18, 0.2))
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
        light=base + 0.6 * (_WHITE - base),
        dark=base * dice.between(0.5, 0.7),
        line=base * 0.42,
        other=other,
        marks=dice.pick(("plain", "striped", "patched", "bib"), weights),
        ears=base * dice.pick((1.0, 0.62, 0.8)),
        collar=None
        if dice.chance(0.6)
        else np.array(dice.pick(((0.8, 0.2, 0.2), (0.2, 0.4, 0.8), (0.2, 0.6, 0.4)))),
    )


def _solid(frame, distance, colour, line, width=1.3):
    """Fill a shape with a thin outline, `width` pixels."""
    frame.fill(distance, line)
    frame.fill(distance + width / frame.unit, colour)


def _pair(points):
    """Yield (side, points) for the left and for the right copy of an outline."""
    for side in (-1, 1):
        yield side, [(side * u, v) for u, v in points]


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


def _mark_face(frame, dice, fur, head, turn):
    """Put forehead stripes, an eye patch or a blaze on a head."""
    inner = head + 1.5 / frame.unit
    if fur.marks == "striped":
        for k in (-1, 0, 1):
            line = stroke(frame, [(turn + 0.2 * k, -1.0), (turn + 0.15 * k, -0.45)], 0.12, 0.05)
            frame.fill(np.maximum(line, inner), fur.dark)
            for side in (-1, 1):
                v = 0.1 + 0.2 * k
                cheek = stroke(frame, [(side * 1.15, v), (side * 0.78, v + 0.06)], 0.1, 0.04)
                frame.fill(np.maximum(cheek, inner), fur.dark)
    elif fur.marks == "patched":
        side = dice.sign()
        patch = ellipse(frame, turn + side * 0.5, -0.2, 0.45, 0.5, side * 0.4)
        frame.fill(np.maximum(patch, inner), fur.other)
    elif fur.marks == "bib":
        blaze = polygon(frame, [(turn - 0.05, -0.8), (turn + 0.05, -0.8), (turn + 0.22, 0.4),
                                (turn - 0.22, 0.4)], 0.08)  # fmt: skip
        frame.fill(np.maximum(blaze, inner), fur.light)


def _eye(frame, u, v, radius, iris, slit, squint=1.0, tilt=0.0):
    """Draw an eye: rim, iris, a pupil `slit` times as wide as high, and a glint."""
    tall = radius * squint
    frame.fill(ellipse(frame, u, v, radius * 1.16, tall * 1.18, tilt), _INK)
    eye = ellipse(frame, u, v, radius, tall, tilt)
    frame.fill(eye, iris)
    pupil = ellipse(frame, u, v, radius * 0.85 * slit, tall * 0.88)
    frame.fill(np.maximum(pupil, eye), _INK)
    frame.fill(ellipse(frame, u + 0.3 * radius, v - 0.35 * tall, radius * 0.24, radius * 0.24), 1.0)


def _cat_eyes(dice):
    iris = np.array(
        dice.pick(((0.62, 0.75, 0.25), (0.88, 0.72, 0.22), (0.42, 0.66, 0.85), (0.80, 0.52, 0.2)))
    )
    return iris, dice.between(0.18, 0.8)


def _dog_eyes(dice):
    return np.array(dice.pick(((0.36, 0.22, 0.12), (0.55, 0.36, 0.16), (0.5, 0.7, 0.86)),
                              (0.55, 0.35, 0.1))), dice.between(0.6, 0.85)  # fmt: skip


def _whiskers(frame, dice, u, v, side, colour, length):
    for k in (-1, 0, 1):
        rise = 0.16 * k + dice.about(0, 0.06)
        end = (u + side * length, v + rise * 1.8)
        line = curve((u, v + 0.06 * k), (u + side * length * 0.5, v + rise * 0.5 - 0.04), end, 3)
        frame.fill(stroke(frame, line, 1.3 / frame.unit, 0.7 / frame.unit), colour, 0.85)


def _cat_face(frame, dice, fur, turn):
    """Draw a cat's head from the front; one unit is half its width."""
    tall, lean = dice.between(0.45, 0.8), dice.between(-0.08, 0.22)
    folded = dice.chance(0.08)
    for _, ear in _pair([(0.16, -0.66), (0.70 + lean, -0.72 - tall), (0.94, -0.28)]):
        shape = polygon(frame, ear, 0.06)
        if folded:
            flap = [ear[0], ear[2], (0.62 * ear[2][0], -0.36)]
            shape = np.minimum(np.maximum(shape, -0.92 - frame.v), polygon(frame, flap, 0.1))
        _solid(frame, shape, fur.ears, fur.line)
        (au, av), (bu, bv), (cu, cv) = ear
        mu, mv = (au + bu + cu) / 3, (av + bv + cv) / 3
        inner = [(mu + 0.58 * (u - mu), mv + 0.58 * (v - mv)) for u, v in ear]
        if not folded:
            frame.fill(polygon(frame, inner), _PINK * dice.between(0.75, 1.0))
    cheeks = ellipse(frame, 0, 0.28, dice.between(0.98, 1.16), 0.52)
    head = melt(ellipse(frame, 0, -0.02, 1.0, dice.between(0.78, 0.88)), cheeks, 0.25)
    _solid(frame, head, fur.base, fur.line)
    _mark_face(frame, dice, fur, head, turn)
    pale = fur.light if dice.chance(0.7) else fur.base * 1.08
    muzzle = melt(
        melt(
            ellipse(frame, turn - 0.19, 0.42, 0.27, 0.2),
            ellipse(frame, turn + 0.19, 0.42, 0.27, 0.2),
            0.1,
        ),
        ellipse(frame, turn, 0.6, 0.2, 0.14),
        0.1,
    )
    frame.fill(muzzle, pale, softness=0.04)
    iris, slit = _cat_eyes(dice)
    size, squint = dice.between(0.19, 0.26), dice.between(0.75, 1.1)
    for side in (-1, 1):
        _eye(frame, turn * 0.8 + side * 0.42, -0.06, size, iris, slit, squint, side * -0.3)
    nose = [(turn - 0.1, 0.23), (turn + 0.1, 0.23), (turn, 0.33)]
    frame.fill(polygon(frame, nose, 0.035), dice.pick((_PINK * 0.9, _INK, _PINK * 0.6)))
    for side in (-1, 1):
        lip = curve((turn, 0.36), (turn + side * 0.06, 0.54), (turn + side * 0.24, 0.47), 4)
        frame.fill(stroke(frame, lip, 0.045), fur.line * 0.7)
    colour = _WHITE if fur.base.sum() < 2.0 or dice.chance(0.5) else _INK
    for side in (-1, 1):
        _whiskers(frame, dice, turn + side * 0.3, 0.42, side, colour, dice.between(0.7, 1.1))


def _dog_ears(frame, dice, fur, kind):
    """Draw one pair of a dog's ears: prick, half (tip folded) or hang."""
    if kind == "hang":
        long, wide, out = dice.between(0.5, 0.85), dice.between(0.24, 0.36), dice.between(0.1, 0.5)
        for side in (-1, 1):
            ear = melt(
                ellipse(frame, side * 0.95, -0.68 + long, wide, long, -side * out * 0.7),
                ellipse(frame, side * 0.68, -0.6, 0.26, 0.2),
                0.2,
            )
            _solid(frame, ear, fur.ears, fur.line)
        return
    tall = dice.between(0.4, 0.75)
    for side, ear in _pair([(0.14, -0.72), (0.62 + dice.about(0, 0.1), -0.85 - tall), (0.9, -0.4)]):
        if kind == "prick":
            _solid(frame, polygon(frame, ear, 0.07), fur.ears, fur.line)
            mu, mv = sum(u for u, _ in ear) / 3, sum(v for _, v in ear) / 3
            inner = [(mu + 0.5 * (u - mu), mv + 0.5 * (v - mv)) for u, v in ear]
            frame.fill(polygon(frame, inner), fur.ears * 0.7)
        else:
            stand = np.maximum(polygon(frame, ear, 0.07), -0.72 - 0.5 * tall - frame.v)
            _solid(frame, stand, fur.ears * 0.85, fur.line)
            fold = -0.74 - 0.5 * tall
            flap = [(side * 0.34, fold), (side * 0.86, fold + 0.02),
                    (side * 1.08, fold + 0.42)]  # fmt: skip
            _solid(frame, polygon(frame, flap, 0.08), fur.ears, fur.line)


def _dog_face(frame, dice, fur, turn):
    """Draw a dog's head from the front; one unit is half its width."""
    kind = dice.pick(("hang", "half", "prick"), (0.58, 0.24, 0.18))
    if kind != "hang":
        _dog_ears(frame, dice, fur, kind)
    width = dice.between(0.80, 0.95)
    head = melt(
        ellipse(frame, 0, -0.12, width, 0.84),
        ellipse(frame, turn, 0.4, dice.between(0.56, 0.72), 0.56),
        0.35,
    )
    _solid(frame, head, fur.base, fur.line)
    _mark_face(frame, dice, fur, head, turn)
    if kind == "hang":
        _dog_ears(frame, dice, fur, kind)
    at, low = turn * 1.5, dice.between(0.36, 0.46)
    wide, tall = dice.between(0.42, 0.56), dice.between(0.36, 0.46)
    if dice.chance(0.42):
        tongue = box(frame, at + dice.about(0, 0.06), low + tall + 0.1, 0.15, 0.26, 0.15)
        _solid(frame, tongue, _PINK * np.array((0.98, 0.8, 0.8)), _PINK * 0.55)
    muzzle = ellipse(frame, at, low, wide, tall)
    pale = fur.light if dice.chance(0.65) else fur.base * 1.06
    frame.fill(muzzle, pale * 0.8, softness=0.03)
    frame.fill(muzzle + 0.03, pale, softness=0.03)
    iris, slit = _dog_eyes(dice)
    size = dice.between(0.11, 0.17)
    for side in (-1, 1):
        u = turn * 0.9 + side * dice.between(0.36, 0.40)
        _eye(frame, u, -0.2, size, iris, slit, dice.between(0.85, 1.05))
        if fur.marks == "plain" and fur.base.sum() < 1.4:
            frame.fill(ellipse(frame, u, -0.46, 0.09, 0.06), fur.light)
    nose = ellipse(frame, at, low - tall * 0.5, dice.between(0.19, 0.26), dice.between(0.13, 0.18))
    frame.fill(nose, dice.pick((_INK, _INK, np.array((0.35, 0.2, 0.17)))))
    frame.fill(ellipse(frame, at + 0.06, low - tall * 0.5 - 0.06, 0.06, 0.03), 0.75)
    ink = fur.line * 0.7
    bottom = low + tall * 0.4
    frame.fill(stroke(frame, [(at, low - tall * 0.3), (at, bottom)], 0.045), ink)
    for side in (-1, 1):
        lip = curve((at, bottom), (at + side * 0.2, bottom + 0.2), (at + side * 0.42, bottom), 4)
        frame.fill(stroke(frame, lip, 0.045), ink)


def _cat_profile(frame, dice, fur):
    """Draw a cat's head from the side, looking along u; one unit is half its length."""
    tall = dice.between(0.5, 0.8)
    far = [(0.1, -0.7), (0.32, -0.8 - tall), (0.62, -0.5)]
    _solid(frame, polygon(frame, far, 0.06), fur.ears * 0.75, fur.line)
    muzzle = ellipse(frame, 0.72, 0.28, 0.4, 0.3)
    head = melt(ellipse(frame, 0, 0, 0.98, 0.85), muzzle, 0.25)
    _solid(frame, head, fur.base, fur.line)
    _mark_face(frame, dice, fur, head, 0.15)
    near = [(-0.6, -0.5), (-0.3, -0.75 - tall), (0.14, -0.62)]
    _solid(frame, polygon(frame, near, 0.06), fur.ears, fur.line)
    inner = [(-0.44, -0.58), (-0.28, -0.6 - 0.7 * tall), (-0.02, -0.64)]
    frame.fill(polygon(frame, inner), _PINK * 0.85)
    frame.fill(muzzle + 0.06, fur.light, softness=0.05)
    iris, slit = _cat_eyes(dice)
    _eye(frame, 0.42, -0.1, dice.between(0.17, 0.23), iris, slit * 0.7)
    frame.fill(ellipse(frame, 1.06, 0.16, 0.1, 0.08), dice.pick((_PINK * 0.85, _INK)))
    lip = curve((1.04, 0.26), (0.9, 0.5), (0.68, 0.42), 4)
    frame.fill(stroke(frame, lip, 0.05), fur.line * 0.7)
    colour = _WHITE if fur.base.sum() < 2.0 or dice.chance(0.5) else _INK
    _whiskers(frame, dice, 0.8, 0.36, dice.sign(), colour, dice.between(0.6, 0.9))


def _dog_profile(frame, dice, fur):
    """Draw a dog's head from the side, looking along u; one unit is half its skull."""
    kind = dice.pick(("hang", "half", "prick"), (0.58, 0.22, 0.2))
    long = dice.between(1.15, 1.6)
    tall = dice.between(0.4, 0.75)
    if kind == "prick":
        far = [(-0.1, -0.6), (0.14, -0.8 - tall), (0.42, -0.5)]
        _solid(frame, polygon(frame, far, 0.07), fur.ears * 0.75, fur.line)
    if dice.chance(0.42):
        tongue = stroke(frame, [(long - 0.4, 0.5), (long - 0.3, 0.95)], 0.26)
        _solid(frame, tongue, _PINK * np.array((0.98, 0.8, 0.8)), _PINK * 0.55)
    snout = stroke(frame, [(0.2, 0.22), (long, 0.32)], dice.between(0.75, 0.95), 0.5)
    head = melt(ellipse(frame, -0.08, -0.08, 0.86, 0.8), snout, 0.3)
    _solid(frame, head, fur.base, fur.line)
    _mark_face(frame, dice, fur, head, 0.15)
    tip = stroke(frame, [(0.75, 0.33), (long, 0.33)], 0.5, 0.44)
    frame.fill(tip + 0.04, fur.light if dice.chance(0.5) else fur.base * 1.05, softness=0.06)
    frame.fill(ellipse(frame, long + 0.16, 0.16, 0.19, 0.15), _INK)
    lip = curve((long + 0.14, 0.42), (long - 0.2, 0.62), (long - 0.75, 0.5), 5)
    frame.fill(stroke(frame, lip, 0.05), fur.line * 0.7)
    iris, slit = _dog_eyes(dice)
    _eye(frame, 0.36, -0.2, dice.between(0.12, 0.16), iris, slit)
    if kind == "hang":
        ear = melt(
            ellipse(frame, -0.5, 0.1, 0.3, dice.between(0.55, 0.8), dice.between(0, 0.35)),
            ellipse(frame, -0.35, -0.5, 0.25, 0.18),
            0.2,
        )
    elif kind == "half":
        ear = polygon(frame, [(-0.55, -0.6), (-0.3, -1.0), (0.2, -0.5), (-0.05, -0.55)], 0.09)
    else:
        ear = polygon(frame, [(-0.62, -0.45), (-0.4, -0.8 - tall), (0.0, -0.62)], 0.07)
    _solid(frame, ear, fur.ears, fur.line)


_FACES = (_cat_face, _dog_face)
_PROFILES = (_cat_profile, _dog_profile)


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
    _solid(frame, shape, fur.base, fur.line)
    if fur.marks in ("striped", "bib") and dice.chance(0.6):
        frame.fill(np.maximum(shape + 0.05, frame.v - end[1] - 0.3), fur.dark)


def _collar(frame, fur, u, v, width):
    if fur.collar is not None:
        band = curve((u - width, v - 0.08), (u, v + 0.3), (u + width, v - 0.08), 6)
        frame.fill(stroke(frame, band, 0.17), fur.collar)
        frame.fill(ellipse(frame, u, v + 0.22, 0.11, 0.11), (0.95, 0.82, 0.3))


def _face(frame, dice, label, fur, turn):
    """Draw the head on the frame's origin, tilted a little."""
    _FACES[label](frame.part(0, 0, angle=dice.about(0, 0.3), reach=2.1), dice, fur, turn)


def _portrait(canvas, dice, label, fur):
    """Draw head and shoulders, sometimes cut by the edge of the picture."""
    x, y = SIZE / 2 + dice.about(0, 34), SIZE * 0.5 + dice.about(0, 26)
    frame = Frame.on(canvas, x, y, dice.between(34, 52), reach=4)
    neck, lean = ellipse(frame, 0, 0.9, 0.62, 0.6), dice.about(0, 0.3)
    chest = melt(ellipse(frame, lean, 2.2, 1.25, 1.5), neck, 0.4)
    _solid(frame, chest, fur.base, fur.line)
    _mark_body(frame, dice, fur, chest, lean, 1.9, 0.9)
    if fur.marks == "bib":
        frame.fill(np.maximum(ellipse(frame, lean, 1.7, 0.5, 0.8), chest + 0.05), fur.light)
    _collar(frame, fur, 0, 0.9, 0.62)
    _face(frame, dice, label, fur, dice.about(0, 0.24))


def _paw(frame, fur, u, v, colour):
    """Draw a paw with two lines for the toes."""
    _solid(frame, ellipse(frame, u, v, 0.3, 0.2), colour, fur.line)
    for k in (-1, 1):
        line = stroke(frame, [(u + 0.09 * k, v), (u + 0.1 * k, v + 0.14)], 0.03)
        frame.fill(line, fur.line)


def _sitting(canvas, dice, label, fur):
    """Draw a pet that sits and looks at us."""
    x, y = SIZE / 2 + dice.about(0, 30), SIZE * 0.36 + dice.about(0, 16)
    unit = dice.between(24, 33)
    frame = Frame.on(canvas, x, y, unit, dice.about(0, 0.08), dice.chance(0.5), 4.5)
    stout = dice.between(0.9, 1.15)
    _tail(frame, dice, label, fur, 0.7, 2.75, 1)
    for side in (-1, 1):
        _solid(frame, ellipse(frame, side * 0.72 * stout, 2.5, 0.5, 0.62), fur.base, fur.line)
        _paw(frame, fur, side * 0.95 * stout, 3.02, fur.base)
    body = melt(ellipse(frame, 0, 2.1, 0.82 * stout, 1.05), ellipse(frame, 0, 1.05, 0.6, 0.6), 0.4)
    _solid(frame, body, fur.base, fur.line)
    _mark_body(frame, dice, fur, body, 0, 1.9, 0.8)
    if fur.marks == "bib":
        frame.fill(np.maximum(ellipse(frame, 0, 1.6, 0.42, 0.75), body + 0.05), fur.light)
    socks = fur.light if dice.chance(0.3) else fur.base
    for side in (-1, 1):
        leg = stroke(frame, [(side * 0.3, 1.75), (side * 0.34, 3.0)], 0.42, 0.34)
        _solid(frame, leg, fur.base, fur.line)
        _paw(frame, fur, side * 0.35, 3.08, socks)
    _collar(frame, fur, 0, 0.85, 0.55)
    _face(frame, dice, label, fur, dice.about(0, 0.26))


def _lying(canvas, dice, label, fur):
    """Draw a pet that lies with its paws before it."""
    x, y = SIZE * 0.38 + dice.about(0, 18), SIZE * 0.5 + dice.about(0, 18)
    mirror = dice.chance(0.5)
    unit = dice.between(24, 34)
    frame = Frame.on(canvas, SIZE - x if mirror else x, y, unit, dice.about(0, 0.1), mirror, 5)
    _tail(frame, dice, label, fur, 2.4, 1.15, 1)
    back = ellipse(frame, 1.25, 0.75, dice.between(1.3, 1.6), dice.between(0.65, 0.85))
    body = melt(back, ellipse(frame, 0.1, 0.85, 0.8, 0.7), 0.4)
    _solid(frame, body, fur.base, fur.line)
    _mark_body(frame, dice, fur, body, 1.2, 0.75, 1.2)
    thigh = ellipse(frame, 1.95, 0.95, 0.6, 0.52)
    _solid(frame, thigh, fur.base, fur.line)
    _paw(frame, fur, 1.55, 1.42, fur.base)
    socks = fur.light if dice.chance(0.3) else fur.base
    for side in (-1, 1):
        leg = stroke(frame, [(side * 0.42, 1.1), (side * 0.45 - 0.2, 1.45)], 0.42)
        _solid(frame, leg, fur.base, fur.line)
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
            _solid(frame, leg, colour, fur.line)
            paw = ellipse(frame, foot + 0.06, high + 0.03, 0.16, 0.09)
            _solid(frame, paw, socks if near else socks * 0.72, fur.line)
        if not near:
            rump = ellipse(frame, -0.55, 0, 0.52, deep)
            body = melt(rump, ellipse(frame, 0.5, 0.02, 0.52, deep * 1.08), 0.4)
            back = stroke(frame, [(-0.5, 0.0), (0.5, 0.0)], 1.75 * deep, 1.85 * deep)
            body = melt(body, back, 0.1)
            neck = stroke(frame, [(0.7, -0.1), (1.02, -0.55)], 0.6, 0.5)
            body = melt(body, neck, 0.2)
            _solid(frame, body, fur.base, fur.line)
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
        _PROFILES[label](part, dice, fur)
    else:
        _face(frame.part(*at, head * 1.05, reach=2.4), dice, label, fur, dice.about(0.1, 0.25))
