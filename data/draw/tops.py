"""Garments for the upper body, and the cloth that every garment is made of."""

import numpy as np
from shapes import box, curve, ellipse, mirrored, polygon, stroke


def cloth(frame, dice, plain=0.5):
    """Return the shade of the material everywhere: pattern, folds, darker edges."""
    u, v = frame.u, frame.v
    shade = np.full(u.shape, dice.between(0.38, 0.98))
    kind = dice.pick(
        ("plain", "rows", "columns", "check", "blotches", "halves"),
        (plain, 0.14, 0.08, 0.08, 0.12, 0.08),
    )
    contrast = dice.between(0.15, 0.6)
    pitch, phase = dice.between(0.14, 0.4), dice.between(0, 1)
    rows = (v / pitch + phase) % 1 < 0.5
    columns = (u / pitch + phase) % 1 < 0.5
    if kind == "rows":
        shade = shade * np.where(rows, 1 - contrast, 1)
    elif kind == "columns":
        shade = shade * np.where(columns, 1 - contrast, 1)
    elif kind == "check":
        shade = shade * (1 - contrast * (rows.astype(float) + columns) / 2)
    elif kind == "blotches":
        for _ in range(dice.count(4, 9)):
            spot = ellipse(
                frame,
                dice.about(0, 0.8),
                dice.about(0, 1.0),
                dice.between(0.05, 0.2),
                dice.between(0.05, 0.2),
            )
            shade = shade * (1 - contrast * frame.cover(spot, 0.05))
    elif kind == "halves":
        cut = dice.about(0, 0.6)
        shade = shade * np.where(v < cut, 1 - contrast, 1)
    for _ in range(dice.count(0, 3)):
        start, stop = dice.about(0, 0.6), dice.about(0, 0.6)
        fold = stroke(frame, [(start, dice.about(-0.2, 0.6)), (stop, dice.about(0.6, 0.5))], 0.03)
        shade = shade + dice.about(0, 0.22) * frame.cover(fold, 0.12)
    shade = shade * (1 - dice.between(0, 0.35) * u * u + dice.about(0, 0.15) * v)
    return np.clip(shade, 0.12, 1)[..., None]


def near(shade, factor):
    """Return a lighter or darker shade of the same material, never black."""
    return np.clip(shade * factor, 0.06, 1)


def _top(frame, dice, cut):
    """Draw the body and sleeves of an upper garment; return its material and measures.

    `cut` gives (low, high) for: shoulder, waist, hem, top, bottom, sleeve (0 none … 1 long),
    spread (how far the sleeves stand off), neck (half width).
    """
    m = {name: dice.between(*ends) for name, ends in cut.items()}
    shade = cloth(frame, dice)
    edge = dice.between(0.4, 0.85)
    top, shoulder = m["top"], m["shoulder"]
    drop = dice.between(0.06, 0.2)
    if m["sleeve"] > 0.05:
        thick = dice.between(0.24, 0.36)
        cuff = thick * (dice.between(0.5, 0.85) if m["sleeve"] > 0.5 else dice.between(0.9, 1.2))
        length = 0.25 + 1.2 * m["sleeve"]
        for side in (-1, 1):
            reach = m["spread"] * dice.between(0.9, 1.1)
            start = (side * (shoulder - 0.1), top + drop + 0.1)
            elbow = (side * (shoulder + 0.10 + reach * 0.6 * min(1, length)), top + length * 0.55)
            wrist = (side * (shoulder + 0.06 + reach * length * 0.75), top + drop + length * 0.95)
            arm = stroke(frame, curve(start, elbow, wrist, 4), thick, cuff)
            tip = (side * 0.35 * reach + 0.0, 1.0)
            past = (frame.u - wrist[0]) * tip[0] + (frame.v - wrist[1]) * tip[1]
            arm = np.maximum(arm, past)
            frame.fill(arm - 0.02, near(shade, edge))
            frame.fill(arm + 0.02, near(shade, dice.between(0.85, 1.0)))
    armpit = top + dice.between(0.42, 0.55)
    body = polygon(
        frame,
        mirrored(
            [
                (m["neck"], top),
                (shoulder - 0.04, top + drop),
                (shoulder * 0.94, armpit),
                (m["waist"], (armpit + m["bottom"]) / 2),
                (m["hem"], m["bottom"]),
            ]
        ),
        0.03,
    )
    frame.fill(body - 0.02, near(shade, edge))
    frame.fill(body + 0.02, shade)
    return shade, body, m


def _neckline(frame, dice, shade, body, m, kind):
    """Draw an opening for the head: round, v, boat, high or collar."""
    top, neck = m["top"], m["neck"]
    dark = near(shade, dice.between(0.05, 0.5))
    if kind == "high":
        roll = box(frame, 0, top - 0.07, neck * 0.95, dice.between(0.09, 0.14), 0.04)
        frame.fill(roll, near(shade, dice.between(0.75, 1.15)))
        return
    if kind == "v":
        deep = dice.between(0.25, 0.6)
        hole = polygon(frame, [(-neck, top - 0.06), (neck, top - 0.06), (0, top + deep)])
    else:
        deep = dice.between(0.05, 0.10) if kind == "boat" else dice.between(0.14, 0.3)
        hole = ellipse(frame, 0, top - 0.04, neck * 0.95, deep)
    if kind != "collar":
        trim = dice.between(0.5, 1.4)
        frame.fill(np.maximum(hole - 0.06, body), near(shade, trim))
    frame.fill(hole, dark if dice.chance(0.6) else 0.0)
    if kind == "collar":
        light = near(shade, dice.pick((dice.between(0.55, 0.8), dice.between(1.15, 1.5))))
        low = top + dice.between(0.16, 0.28)
        for side in (-1, 1):
            flap = [
                (side * neck * 1.1, top - 0.05),
                (side * 0.02, top + 0.12),
                (side * 0.16, low),
                (side * neck * 1.25, top + 0.07),
            ]
            frame.fill(polygon(frame, flap, 0.02), light)


def _opening(frame, dice, shade, body, m, strong):
    """Draw a front that opens: a line from neck to hem, often with buttons."""
    off = dice.about(0, 0.06)
    contrast = dice.between(*strong)
    line = np.maximum(
        stroke(frame, [(off, m["top"] + 0.1), (off, m["bottom"])], dice.between(0.04, 0.07)), body
    )
    frame.fill(line, near(shade, 1 - contrast))
    if dice.chance(0.6):
        pitch = dice.between(0.2, 0.34)
        beads = np.abs((frame.v - m["top"]) % pitch - pitch / 2)
        bead = np.maximum(np.maximum(np.abs(frame.u - off - 0.06), beads) - 0.035, body)
        frame.fill(bead, near(shade, dice.pick((1 - contrast, 1 + contrast))))


def _pockets(frame, dice, shade, level):
    wide, gap = dice.between(0.10, 0.16), dice.between(0.2, 0.28)
    for side in (-1, 1):
        pocket = box(frame, side * gap, level, wide, dice.between(0.02, 0.05))
        frame.fill(pocket, near(shade, dice.between(0.5, 0.8)))


def _band(frame, dice, shade, body, low, high):
    """Draw a knitted band across the body, between two heights."""
    band = np.maximum(np.maximum(low - frame.v, frame.v - high), body)
    frame.fill(band, near(shade, dice.between(0.6, 1.2)))


def t_shirt(frame, dice):
    """Draw a T-shirt: short sleeves, often a print."""
    cut = {
        "shoulder": (0.44, 0.60),
        "waist": (0.38, 0.54),
        "hem": (0.38, 0.58),
        "top": (-0.92, -0.78),
        "bottom": (0.65, 0.95),
        "sleeve": (0.08, 0.26),
        "spread": (0.3, 0.95),
        "neck": (0.18, 0.30),
    }
    if dice.chance(0.1):
        cut["sleeve"] = (0, 0.01)
    shade, body, m = _top(frame, dice, cut)
    _neckline(frame, dice, shade, body, m, dice.pick(("round", "v", "boat"), (0.6, 0.25, 0.15)))
    if dice.chance(0.4):
        print_ = ellipse(
            frame, 0, dice.about(-0.1, 0.15), dice.between(0.1, 0.28), dice.between(0.08, 0.3)
        )
        frame.fill(print_, near(shade, dice.pick((0.45, 0.65, 1.5))), 0.9, 0.08)


def pullover(frame, dice):
    """Draw a pullover: long sleeves, closed front, knitted hem."""
    cut = {
        "shoulder": (0.40, 0.54),
        "waist": (0.36, 0.52),
        "hem": (0.36, 0.54),
        "top": (-0.90, -0.76),
        "bottom": (0.62, 0.95),
        "sleeve": (0.8, 1.08),
        "spread": (0.05, 0.5),
        "neck": (0.16, 0.28),
    }
    shade, body, m = _top(frame, dice, cut)
    kind = dice.pick(("round", "v", "high", "boat"), (0.5, 0.15, 0.25, 0.1))
    _neckline(frame, dice, shade, body, m, kind)
    if dice.chance(0.7):
        _band(frame, dice, shade, body, m["bottom"] - dice.between(0.08, 0.16), 2)
    if dice.chance(0.2):
        _pockets(frame, dice, shade, m["bottom"] - 0.35)
    if dice.chance(0.12):
        _opening(frame, dice, shade, body, m, (0.1, 0.3))


def dress(frame, dice):
    """Draw a dress: narrow above, wide or straight below."""
    flare = dice.between(0.28, 0.62)
    cut = {
        "shoulder": (0.22, 0.36),
        "waist": (0.18, 0.32),
        "hem": (flare - 0.02, flare + 0.02),
        "top": (-0.98, -0.86),
        "bottom": (0.78, 0.99),
        "sleeve": dice.pick(((0, 0.01), (0.06, 0.25), (0.7, 0.95)), (0.5, 0.28, 0.22)),
        "spread": (0.1, 0.5),
        "neck": (0.12, 0.22),
    }
    shade, body, m = _top(frame, dice, cut)
    _neckline(frame, dice, shade, body, m, dice.pick(("round", "v", "boat"), (0.5, 0.3, 0.2)))
    if dice.chance(0.35):
        level = dice.between(-0.3, 0.1)
        _band(frame, dice, shade, body, level, level + dice.between(0.05, 0.12))
    if dice.chance(0.12):
        _opening(frame, dice, shade, body, m, (0.15, 0.4))


def coat(frame, dice):
    """Draw a coat: long, long sleeves, open front, pockets."""
    cut = {
        "shoulder": (0.40, 0.53),
        "waist": (0.34, 0.50),
        "hem": (0.38, 0.58),
        "top": (-0.94, -0.78),
        "bottom": (0.76, 0.99),
        "sleeve": (0.82, 1.1),
        "spread": (0.02, 0.4),
        "neck": (0.15, 0.26),
    }
    shade, body, m = _top(frame, dice, cut)
    _neckline(frame, dice, shade, body, m, dice.pick(("v", "collar", "high"), (0.4, 0.4, 0.2)))
    _opening(frame, dice, shade, body, m, (0.15, 0.75))
    if dice.chance(0.55):
        _pockets(frame, dice, shade, dice.between(0.2, 0.5))
    if dice.chance(0.25):
        level = dice.between(-0.05, 0.2)
        _band(frame, dice, shade, body, level, level + 0.1)


def shirt(frame, dice):
    """Draw a shirt or blouse: collar and buttons, sleeves long or short."""
    cut = {
        "shoulder": (0.40, 0.56),
        "waist": (0.35, 0.52),
        "hem": (0.36, 0.58),
        "top": (-0.93, -0.77),
        "bottom": (0.64, 0.97),
        "sleeve": dice.pick(((0.12, 0.32), (0.75, 1.08)), (0.4, 0.6)),
        "spread": (0.05, 0.6),
        "neck": (0.15, 0.27),
    }
    shade, body, m = _top(frame, dice, cut)
    kind = dice.pick(("collar", "v", "round"), (0.7, 0.18, 0.12))
    _neckline(frame, dice, shade, body, m, kind)
    if dice.chance(0.85):
        _opening(frame, dice, shade, body, m, (0.1, 0.5))
    if dice.chance(0.35):
        patch = box(frame, dice.sign() * 0.2, -0.25, 0.09, 0.1)
        frame.fill(patch, near(shade, dice.between(0.6, 0.85)))
