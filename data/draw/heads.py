"""Heads of cats and dogs, from the front and from the side."""

import numpy as np
from shapes import box, curve, ellipse, melt, polygon, stroke

_PINK = np.array((0.93, 0.62, 0.62))
_INK = np.array((0.12, 0.10, 0.11))
WHITE = np.array((0.96, 0.95, 0.92))


def solid(frame, distance, colour, line, width=1.3):
    """Fill a shape with a thin outline, `width` pixels."""
    frame.fill(distance, line)
    frame.fill(distance + width / frame.unit, colour)


def _pair(points):
    """Yield (side, points) for the left and for the right copy of an outline."""
    for side in (-1, 1):
        yield side, [(side * u, v) for u, v in points]


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
        blaze = polygon(
            frame,
            [(turn - 0.05, -0.8), (turn + 0.05, -0.8), (turn + 0.22, 0.4), (turn - 0.22, 0.4)],
            0.08,
        )
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
    """Choose a bright iris, and a pupil from a slit to nearly round."""
    iris = np.array(
        dice.pick(((0.62, 0.75, 0.25), (0.88, 0.72, 0.22), (0.42, 0.66, 0.85), (0.80, 0.52, 0.2)))
    )
    return iris, dice.between(0.18, 0.8)


def _dog_eyes(dice):
    """Choose an iris, mostly brown, and a wide pupil."""
    irises = ((0.36, 0.22, 0.12), (0.55, 0.36, 0.16), (0.5, 0.7, 0.86))
    return np.array(dice.pick(irises, (0.55, 0.35, 0.1))), dice.between(0.6, 0.85)


def _whiskers(frame, dice, u, v, side, colour, length):
    for k in (-1, 0, 1):
        rise = 0.16 * k + dice.about(0, 0.06)
        end = (u + side * length, v + rise * 1.8)
        line = curve((u, v + 0.06 * k), (u + side * length * 0.5, v + rise * 0.5 - 0.04), end, 3)
        frame.fill(stroke(frame, line, 1.3 / frame.unit, 0.7 / frame.unit), colour, 0.85)


def _cat_face(frame, dice, fur, turn):
    """Draw a cat's head from the front; one unit is half its width."""
    tall, lean = dice.between(0.45, 0.8), dice.between(-0.08, 0.22)
    folded = dice.chance(0.05)
    for _, ear in _pair([(0.16, -0.66), (0.70 + lean, -0.72 - tall), (0.94, -0.28)]):
        shape = polygon(frame, ear, 0.06)
        if folded:
            flap = [ear[0], ear[2], (0.62 * ear[2][0], -0.36)]
            shape = np.minimum(np.maximum(shape, -0.92 - frame.v), polygon(frame, flap, 0.1))
        solid(frame, shape, fur.ears, fur.line)
        (au, av), (bu, bv), (cu, cv) = ear
        mu, mv = (au + bu + cu) / 3, (av + bv + cv) / 3
        inner = [(mu + 0.58 * (u - mu), mv + 0.58 * (v - mv)) for u, v in ear]
        if not folded:
            frame.fill(polygon(frame, inner), _PINK * dice.between(0.75, 1.0))
    cheeks = ellipse(frame, 0, 0.28, dice.between(0.98, 1.16), 0.52)
    head = melt(ellipse(frame, 0, -0.02, 1.0, dice.between(0.78, 0.88)), cheeks, 0.25)
    solid(frame, head, fur.base, fur.line)
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
    colour = WHITE if fur.base.sum() < 2.0 or dice.chance(0.5) else _INK
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
            solid(frame, ear, fur.ears, fur.line)
        return
    tall = dice.between(0.4, 0.75)
    for side, ear in _pair([(0.14, -0.72), (0.62 + dice.about(0, 0.1), -0.85 - tall), (0.9, -0.4)]):
        if kind == "prick":
            solid(frame, polygon(frame, ear, 0.07), fur.ears, fur.line)
            mu, mv = sum(u for u, _ in ear) / 3, sum(v for _, v in ear) / 3
            inner = [(mu + 0.5 * (u - mu), mv + 0.5 * (v - mv)) for u, v in ear]
            frame.fill(polygon(frame, inner), fur.ears * 0.7)
        else:
            stand = np.maximum(polygon(frame, ear, 0.07), -0.72 - 0.5 * tall - frame.v)
            solid(frame, stand, fur.ears * 0.85, fur.line)
            fold = -0.74 - 0.5 * tall
            flap = [(side * 0.34, fold), (side * 0.86, fold + 0.02), (side * 1.08, fold + 0.42)]
            solid(frame, polygon(frame, flap, 0.08), fur.ears, fur.line)


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
    solid(frame, head, fur.base, fur.line)
    _mark_face(frame, dice, fur, head, turn)
    if kind == "hang":
        _dog_ears(frame, dice, fur, kind)
    at, low = turn * 1.5, dice.between(0.36, 0.46)
    wide, tall = dice.between(0.42, 0.56), dice.between(0.36, 0.46)
    if dice.chance(0.42):
        tongue = box(frame, at + dice.about(0, 0.06), low + tall + 0.1, 0.15, 0.26, 0.15)
        solid(frame, tongue, _PINK * np.array((0.98, 0.8, 0.8)), _PINK * 0.55)
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
    solid(frame, polygon(frame, far, 0.06), fur.ears * 0.75, fur.line)
    muzzle = ellipse(frame, 0.72, 0.28, 0.4, 0.3)
    head = melt(ellipse(frame, 0, 0, 0.98, 0.85), muzzle, 0.25)
    solid(frame, head, fur.base, fur.line)
    _mark_face(frame, dice, fur, head, 0.15)
    near = [(-0.6, -0.5), (-0.3, -0.75 - tall), (0.14, -0.62)]
    solid(frame, polygon(frame, near, 0.06), fur.ears, fur.line)
    inner = [(-0.44, -0.58), (-0.28, -0.6 - 0.7 * tall), (-0.02, -0.64)]
    frame.fill(polygon(frame, inner), _PINK * 0.85)
    frame.fill(muzzle + 0.06, fur.light, softness=0.05)
    iris, slit = _cat_eyes(dice)
    _eye(frame, 0.42, -0.1, dice.between(0.17, 0.23), iris, slit * 0.7)
    frame.fill(ellipse(frame, 1.06, 0.16, 0.1, 0.08), dice.pick((_PINK * 0.85, _INK)))
    lip = curve((1.04, 0.26), (0.9, 0.5), (0.68, 0.42), 4)
    frame.fill(stroke(frame, lip, 0.05), fur.line * 0.7)
    colour = WHITE if fur.base.sum() < 2.0 or dice.chance(0.5) else _INK
    _whiskers(frame, dice, 0.8, 0.36, dice.sign(), colour, dice.between(0.6, 0.9))


def _dog_profile(frame, dice, fur):
    """Draw a dog's head from the side, looking along u; one unit is half its skull."""
    kind = dice.pick(("hang", "half", "prick"), (0.58, 0.22, 0.2))
    long = dice.between(1.15, 1.6)
    tall = dice.between(0.4, 0.75)
    if kind == "prick":
        far = [(-0.1, -0.6), (0.14, -0.8 - tall), (0.42, -0.5)]
        solid(frame, polygon(frame, far, 0.07), fur.ears * 0.75, fur.line)
    if dice.chance(0.42):
        tongue = stroke(frame, [(long - 0.4, 0.5), (long - 0.3, 0.95)], 0.26)
        solid(frame, tongue, _PINK * np.array((0.98, 0.8, 0.8)), _PINK * 0.55)
    snout = stroke(frame, [(0.2, 0.22), (long, 0.32)], dice.between(0.75, 0.95), 0.5)
    head = melt(ellipse(frame, -0.08, -0.08, 0.86, 0.8), snout, 0.3)
    solid(frame, head, fur.base, fur.line)
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
    solid(frame, ear, fur.ears, fur.line)


# By label: the head from the front, and in profile.
FACES = (_cat_face, _dog_face)
PROFILES = (_cat_profile, _dog_profile)
