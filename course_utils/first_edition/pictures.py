"""A picture of the reader's own, as a network of the course takes it: whatever file it comes from.

A file is refused in one sentence, or what had to be done to it is said in one. Nothing is guessed
in silence.
"""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .formats import DataError, reading, times

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
PIXEL_LIMIT = 16_000_000
BYTE_LIMIT = 64_000_000  # of a file
EXACT = {"1", "L", "P", "RGB"}  # modes whose values are kept as they are
BOX, SIDE = 20, 28  # MNIST's digits: a box of 20×20 in an image of 28×28


class Picture(NamedTuple):
    """A picture that was read.

    Attributes
    ----------
    array : ndarray of uint8, shape (height, width, channels)
    notes : tuple of str
        What was done to it, a sentence each.
    """

    array: np.ndarray
    notes: tuple

    def batch(self):
        """Return it as a batch of one, (1, height, width, channels), for ``model(batch)``."""
        return self.array[None]


def load_picture(path, size=150, channels=3):
    """Read a picture, upright, on white, scaled to a square as the course's photos are.

    Parameters
    ----------
    path : path-like
        PNG, JPEG, GIF, BMP, WebP, TIFF or PPM. Of several frames or pages the first is taken.
    size : int, default 150
        Height and width of the result; the sides are scaled separately.
    channels : {1, 3}, default 3

    Returns
    -------
    Picture
        Array of shape (size, size, channels).

    Raises
    ------
    DataError
        If there is no such file, or it is no picture, cut off, or far too large.
    ValueError
        For a size below 1, or other channels.
    """
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or not 1 <= size <= 2048:
        raise ValueError(f"size must be a whole number of pixels from 1 to 2048: got {size!r}")
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 (grey) or 3 (colours): got {channels!r}")
    from PIL import Image

    picture, notes = _open(path)
    if picture.mode == "L" and channels == 3:
        notes.append("It is grey: all three colours are the same.")
    if picture.size != (size, size):
        if min(picture.size) < size:
            notes.append(f"It has {_shown(picture)} pixels and was enlarged.")
        elif max(picture.size) > 1.05 * min(picture.size):
            notes.append(f"It has {_shown(picture)} pixels and was squeezed into a square.")
    picture = picture.convert("RGB" if channels == 3 else "L")
    picture = picture.resize((size, size), Image.Resampling.BILINEAR)
    return Picture(np.array(picture).reshape(size, size, channels), tuple(notes))


def load_digit(path):
    """Read a digit as MNIST has them: white on black, in a box of 20×20, centred in 28×28.

    The ink is what differs from the border. It is scaled into the box with its proportions kept,
    and its centre of mass is put in the middle (LeCun and others, 1998).

    Parameters
    ----------
    path : path-like
        As for `load_picture`: one digit, dark on light or light on dark, with a border around it.

    Returns
    -------
    Picture
        Array of shape (28, 28, 1).

    Raises
    ------
    DataError
        As `load_picture`, and if there is no ink, or no border that is lighter or darker than it.
    """
    from PIL import Image

    picture, notes = _open(path)
    values = np.asarray(picture.convert("L")).astype(float)
    edge = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    ground = float(np.median(edge))
    dark = ground > 127.5
    if dark:
        notes.append("It is dark on light: turned into light on dark.")
    ink = np.maximum(ground - values if dark else values - ground, 0)
    strongest = ink.max()
    if strongest < 32:
        raise DataError(f"{path} holds no digit: nothing in it stands out from its border")
    ink = np.where(ink < 0.15 * strongest, 0, 255 * ink / strongest)
    if (np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]]) > 0).mean() > 0.3:
        raise DataError(f"{path} has no even border around the digit: cut it out more widely")
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(ink.shape)
    width, height = (max(1, round(scale * n)) for n in ink.shape[::-1])
    small = Image.fromarray(np.rint(ink).astype(np.uint8))
    small = np.asarray(small.resize((width, height), Image.Resampling.BOX if scale < 1 else 2))
    notes.append(f"Its ink was scaled into {width}×{height} and centred in {SIDE}×{SIDE}.")
    return Picture(_centred(small), tuple(notes))


def _centred(small):
    """Put a small grey image on black so that its centre of mass is in the middle."""
    height, width = small.shape
    mass = small.astype(float)
    middle = SIDE / 2
    top = round(middle - (mass.sum(axis=1) @ (np.arange(height) + 0.5)) / mass.sum())
    left = round(middle - (mass.sum(axis=0) @ (np.arange(width) + 0.5)) / mass.sum())
    top, left = np.clip(top, 0, SIDE - height), np.clip(left, 0, SIDE - width)
    image = np.zeros((SIDE, SIDE, 1), np.uint8)
    image[top : top + height, left : left + width, 0] = small
    return image


def for_network(path, model):
    """Read a picture at the size that a network takes.

    Parameters
    ----------
    path : path-like
    model : keras.Model
        Whose input is (batch, side, side, 1 or 3).

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If the network takes no square pictures of 1 or 3 channels; one sentence that says what it
        takes.
    DataError
        As `load_picture`.
    """
    shape = tuple(model.input_shape[1:])
    fits = len(shape) == 3 and None not in shape and shape[0] == shape[1] and shape[2] in (1, 3)
    if not fits:
        wanted = "×".join("any" if n is None else str(n) for n in shape)
        raise ValueError(
            f"the network takes inputs of {wanted}, and a picture can be made n×n×1 or n×n×3: "
            "build it with a fixed input_shape such as (96, 96, 3)"
        )
    return load_picture(path, shape[0], shape[2])


def check_images(model, images):
    """Refuse images that do not fit a network's input, before Keras does it in twenty lines.

    Parameters
    ----------
    model : keras.Model
    images : array (n, height, width, channels)

    Raises
    ------
    ValueError
        One sentence with both shapes.
    """
    wanted, found = tuple(model.input_shape[1:]), tuple(np.shape(images)[1:])
    same = len(wanted) == len(found) and all(
        w in (None, f) for w, f in zip(wanted, found, strict=True)
    )
    if not same:
        shown = ["×".join("any" if n is None else str(n) for n in each) for each in (wanted, found)]
        batch = "" if len(np.shape(images)) == 1 + len(wanted) else " (is the batch axis missing?)"
        raise ValueError(f"the network takes images of {shown[0]}: got {shown[1] or '()'}{batch}")


# ---- reading -----------------------------------------------------------------------------------


def _open(path):
    """Return a picture in mode L or RGB, upright and on white, and the notes about it."""
    from PIL import Image, ImageOps

    path, notes = Path(path).expanduser(), []
    _check_file(path)
    Image.init()
    formats = [name for name in FORMATS if name in Image.OPEN]
    try:
        with reading(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about sizes, which are checked here, and odd metadata
            try:
                picture = Image.open(path, formats=formats)
            except Image.UnidentifiedImageError:
                raise DataError(f"it is no picture ({', '.join(FORMATS)})") from None
            except Image.DecompressionBombError:
                raise DataError(f"it has far more than {PIXEL_LIMIT:,} pixels") from None
            with picture:
                _bound(picture, notes)
                if getattr(picture, "n_frames", 1) > 1:
                    notes.append(f"It has {picture.n_frames} frames: the first one is taken.")
                picture.load()
                upright = ImageOps.exif_transpose(picture)
                if picture.getexif().get(0x0112, 1) in range(2, 9):
                    notes.append("It was turned upright, as the camera noted.")
                return _plain(upright, notes), notes
    except DataError as error:
        raise DataError(f"{path} is refused: {error}") from error


def _check_file(path):
    if not path.exists():
        raise DataError(f"there is no picture at {path}")
    if not path.is_file():
        raise DataError(f"{path} is a folder, not a picture")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty")
    if path.stat().st_size > BYTE_LIMIT:
        raise DataError(f"{path} has more than {BYTE_LIMIT:,} bytes: save it smaller first")


def _bound(picture, notes):
    """Refuse too many pixels before they are decoded; a JPEG is decoded at a fraction of them."""
    shown = times(picture.size)
    if picture.format == "JPEG" and math.prod(picture.size) > PIXEL_LIMIT:
        picture.draft(None, (512, 512))
        if math.prod(picture.size) <= PIXEL_LIMIT:
            notes.append(f"It has {shown} pixels and was read at a fraction of them.")
    if math.prod(picture.size) > PIXEL_LIMIT:
        raise DataError(f"it has {shown} pixels, more than {PIXEL_LIMIT:,}: save it smaller first")


def _plain(picture, notes):
    """Return any mode as L or RGB."""
    from PIL import Image

    if picture.mode.startswith("I") or picture.mode == "F":
        return _eight_bits(np.asarray(picture), picture.mode, notes)
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        if layer.getextrema()[3][0] < 255:
            notes.append("Its transparent parts were put on white.")
        white = Image.new("RGBA", layer.size, "white")
        flat = Image.alpha_composite(white, layer).convert("RGB")
        return flat.convert("L") if picture.mode in ("LA", "La", "L") else flat
    if picture.mode not in EXACT:
        notes.append(f"Its colours are {picture.mode}: changed into RGB.")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _eight_bits(values, mode, notes):
    """Return a grey picture of more than 8 bits a pixel as one of 8."""
    from PIL import Image

    values = np.nan_to_num(values.astype(float), posinf=0, neginf=0)
    low, high = (0, 65_535) if "16" in mode else (values.min(), values.max())
    if mode == "I" and low >= 0 and 255 < high <= 65_535:  # 16 bits, as older readers give them
        low, high = 0, 65_535
    scaled = np.rint(255 * (values - low) / max(high - low, 1e-9)).astype(np.uint8)
    notes.append(f"It has values from {low:,.6g} to {high:,.6g}: scaled to 0 to 255.")
    return Image.fromarray(scaled)


def _shown(picture):
    return times(picture.size)
