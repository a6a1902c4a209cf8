"""Ten kinds of garment, white on black in 28×28 pixels, in the manner of Fashion-MNIST."""

import numpy as np
from shapes import Frame, box, curve, mirrored, polygon, stroke
from tops import cloth, coat, dress, near, pullover, shirt, t_shirt

SIZE = 28
_FINER = 3  # drawn this many times larger, then averaged
_LEVELS = 51  # grey steps: few enough to compress well, too many to see


def garment(dice, label):
    """Draw one garment.

    Parameters
    ----------
    dice : Dice
        The stream of random choices.
    label : int
        0 to 9, the classes of Fashion-MNIST in their order.

    Returns
    -------
    uint8 array (28, 28, 1)
    """
    side = SIZE * _FINER
    canvas = np.zeros((side, side, 1))
    middle = side / 2
    frame = Frame.on(
        canvas,
        middle + side * dice.about(0, 0.05),
        middle + side * dice.about(0, 0.05),
        side * dice.between(0.42, 0.50),
        angle=dice.about(0, 0.11),
        stretch=dice.between(0.85, 1.18),
    )
    frame.u = frame.u + dice.about(0, 0.07) * frame.v**2 + dice.about(0, 0.06) * frame.v
    _GARMENTS[label](frame, dice)
    image = canvas.reshape(SIZE, _FINER, SIZE, _FINER).mean(axis=(1, 3))
    grain = dice.between(0.0, 0.09)
    image = image * (1 + grain * dice.field(SIZE, SIZE))
    image = np.clip(image * dice.between(0.85, 1.15), 0, 1) ** dice.between(0.8, 1.25)
    return (np.rint(image * _LEVELS) * (255 // _LEVELS)).astype(np.uint8)[..., None]


def _trouser(frame, dice):
    shade = cloth(frame, dice, 0.8)
    top, low = dice.between(-0.98, -0.88), dice.between(0.8, 0.99)
    waist, hip = dice.between(0.22, 0.32), dice.between(0.30, 0.42)
    foot, apart = dice.between(0.14, 0.26), dice.between(0.0, 0.22)
    crotch = dice.between(-0.45, -0.15)
    edge = dice.between(0.4, 0.8)
    for side in (-1, 1):
        leg = [
            (0, top),
            (side * waist, top),
            (side * hip, -0.45),
            (side * (apart + foot), low),
            (side * apart, low),
            (side * 0.02, crotch),
            (0, crotch),
        ]
        shape = polygon(frame, leg, 0.02)
        frame.fill(shape, near(shade, edge))
        frame.fill(shape + 0.045, shade)
    frame.fill(box(frame, 0, top + 0.04, waist, 0.05), near(shade, dice.between(0.5, 1.2)))
    if dice.chance(0.3):
        frame.fill(stroke(frame, [(0, top), (0, crotch)], 0.04), near(shade, 0.5))


def _sole(frame, dice, shade, floor, heel):
    """Draw a sole from toe (left) to heel (right), `heel` high at the back."""
    thick = dice.between(0.07, 0.15)
    light = np.clip(dice.pick((0.95, 0.6, 0.25)) * dice.between(0.8, 1.1), 0, 1)
    line = curve((-0.86, floor), (0.0, floor), (0.80, floor - heel), 6)
    frame.fill(stroke(frame, line, thick, thick), light)
    return light


def _sandal(frame, dice):
    shade = np.clip(cloth(frame, dice, 0.8) * 1.2, 0.3, 1)
    floor = dice.between(0.3, 0.5)
    heel = dice.pick((0.0, dice.between(0.15, 0.35), dice.between(0.5, 0.8)), (0.4, 0.3, 0.3))
    light = _sole(frame, dice, shade, floor, heel)
    if heel > 0.05:
        if dice.chance(0.5):
            post = stroke(frame, [(0.72, floor - heel), (0.78, floor + 0.03)], 0.16, 0.07)
        else:
            post = polygon(frame, [(-0.8, floor), (0.82, floor - heel), (0.84, floor + 0.02)], 0.03)
        frame.fill(post, light * 0.65)
    width = dice.between(0.07, 0.16)
    for _ in range(dice.count(2, 4)):
        start = dice.between(-0.75, 0.1)
        rise = dice.between(0.18, 0.42)
        base = floor - heel * max(0, (start + 0.6) / 1.4) ** 2
        strap = curve(
            (start - 0.05, base), (start + 0.12, base - 1.6 * rise), (start + 0.42, base - 0.08), 5
        )
        frame.fill(stroke(frame, strap, width), shade)
    if dice.chance(0.75):
        ankle = floor - heel - dice.between(0.3, 0.55)
        back = curve((0.76, floor - heel), (0.9, ankle), (0.68, ankle), 5)
        frame.fill(stroke(frame, back, width), shade)
        front = curve((0.70, ankle), (0.4, ankle - 0.05), (0.22, floor - heel * 0.4 - 0.1), 5)
        frame.fill(stroke(frame, front, width), shade)


def _shoe(frame, dice, floor, collar, shaft):
    """Draw a closed shoe: the upper from toe to heel, `shaft` wide at height `collar`."""
    shade = cloth(frame, dice, 0.75)
    toe = dice.between(0.16, 0.3)
    front = 0.80 - shaft
    dip = dice.between(0.02, 0.12)
    upper = [
        (-0.88, floor),
        (-0.86, floor - toe * 0.6),
        (-0.66, floor - toe),
        (-0.34, floor - toe - dice.between(0.04, 0.1)),
        (front - 0.1, collar + 0.1),
        (front, collar - 0.02),
        (front + shaft * 0.6, collar + dip),
        (0.80, collar - 0.03),
        (0.77, floor - 0.3),
        (0.86, floor),
    ]
    body = polygon(frame, upper, 0.04)
    frame.fill(body, near(shade, dice.between(0.5, 0.8)))
    frame.fill(body + 0.035, shade)
    return shade, body, front


def _sneaker(frame, dice):
    floor = dice.between(0.24, 0.42)
    collar = floor - dice.between(0.46, 0.80)
    shade, body, front = _shoe(frame, dice, floor, collar, dice.between(0.4, 0.58))
    _sole(frame, dice, shade, floor + 0.03, 0.0)
    mark = near(shade, dice.pick((0.35, 0.6, 1.6)))
    if dice.chance(0.75):
        for k in range(dice.count(2, 4)):
            at = front - 0.1 - 0.16 * k
            lace = stroke(
                frame,
                [(at - 0.05, collar + 0.06 + 0.1 * k), (at + 0.1, collar + 0.2 + 0.1 * k)],
                0.05,
            )
            frame.fill(np.maximum(lace, body), mark)
    if dice.chance(0.6):
        lean = dice.between(-0.2, 0.3)
        for k in range(dice.count(1, 3)):
            at = 0.0 + 0.17 * k
            band = stroke(frame, [(at, floor - 0.02), (at + lean, collar + 0.15)], 0.07)
            frame.fill(np.maximum(band, body), mark)


def _bag(frame, dice):
    shade = cloth(frame, dice, 0.6)
    wide, tall = dice.between(0.55, 0.85), dice.between(0.32, 0.6)
    centre = dice.between(0.15, 0.35)
    taper = dice.between(-0.14, 0.14)
    top, low = centre - tall, centre + tall
    thick = dice.between(0.06, 0.13)
    grip = wide * dice.between(0.35, 0.9)
    peak = top - dice.between(0.2, 0.65)
    if dice.chance(0.85):
        handle = curve((-grip, top + 0.05), (-grip * 0.9, peak), (0, peak), 5)
        handle += [(-u, v) for u, v in reversed(handle)]
        frame.fill(stroke(frame, handle, thick), near(shade, dice.between(0.55, 1.1)))
    corners = mirrored([(wide - taper, top), (wide + taper, low)])
    body = polygon(frame, corners, dice.between(0.02, 0.08))
    frame.fill(body, near(shade, dice.between(0.4, 0.8)))
    frame.fill(body + 0.04, shade)
    if dice.chance(0.5):
        flap = np.maximum(body + 0.02, frame.v - centre + dice.between(-0.1, 0.2))
        frame.fill(flap, near(shade, dice.between(0.65, 1.2)))
    if dice.chance(0.5):
        clasp = box(frame, 0, centre - dice.between(0, 0.15), 0.09, 0.07)
        frame.fill(clasp, near(shade, dice.pick((0.3, 1.8))))


def _ankle_boot(frame, dice):
    floor = dice.between(0.55, 0.75)
    collar = floor - dice.between(0.85, 1.5)
    shaft = dice.between(0.55, 0.85)
    heel = dice.pick((0.02, 0.18, 0.35), (0.4, 0.35, 0.25))
    shade, body, front = _shoe(frame, dice, floor - heel * 0.5, collar, shaft)
    light = _sole(frame, dice, shade, floor - heel * 0.2, heel * 0.4)
    if heel > 0.05:
        post = polygon(
            frame,
            [(0.5, floor - 0.3), (0.86, floor - 0.3), (0.84, floor + 0.12), (0.62, floor + 0.12)],
        )
        frame.fill(post, light * 0.8)
    if dice.chance(0.5):
        frame.fill(
            np.maximum(stroke(frame, [(front, collar + 0.08), (0.8, collar + 0.08)], 0.12), body),
            near(shade, dice.between(0.5, 1.4)),
        )
    if dice.chance(0.4):
        zip_ = stroke(frame, [(0.45, collar + 0.1), (0.35, floor - 0.2)], 0.05)
        frame.fill(np.maximum(zip_, body), near(shade, 0.5))


_GARMENTS = (
    t_shirt,
    _trouser,
    pullover,
    dress,
    coat,
    _sandal,
    shirt,
    _sneaker,
    _bag,
    _ankle_boot,
)
