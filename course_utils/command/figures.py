"""The figures inside executed notebooks: smaller, with their height, and in files where wanted."""

import base64
import hashlib
import io
import re
from functools import lru_cache

PICTURE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")
TAG = re.compile(r"<img [^>]*>")
# More effort makes a picture 2 % smaller and takes three times as long.
EFFORT = {"lossless": True, "quality": 50, "method": 3}


@lru_cache(maxsize=1024)
def smaller(code):
    """Return a picture without loss as WebP, two thirds of the bytes, or as it was.

    Parameters
    ----------
    code : str
        A PNG file in base64.

    Returns
    -------
    data : bytes
    kind : str
        ``"webp"``, or ``"png"`` where that is smaller.
    width, height : int
        In pixels.
    """
    from PIL import Image

    png = base64.b64decode(code)
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    size = picture.size
    if picture.getchannel("A").getextrema()[0] == 255:
        picture = picture.convert("RGB")
    with io.BytesIO() as buffer:
        picture.save(buffer, "webp", **EFFORT)
        webp = buffer.getvalue()
    return (webp, "webp", *size) if len(webp) < len(png) else (png, "png", *size)


def placed(text, place, *, enlarged=1.0):
    """Return HTML with each picture of its ``<img>`` tags and frame players put elsewhere.

    Parameters
    ----------
    text : str
        HTML as the notebooks make it: a picture is a PNG in an address that holds it.
    place : callable
        ``place(data, kind) -> str``: the new address of a picture.
    enlarged : float
        Factor on the width that a picture asks for.

    Returns
    -------
    str
        Tags carry a height too, so that a page does not jump while its pictures arrive.
    """

    def sized(tag):
        found, width = PICTURE.search(tag[0]), re.search(r' width="(\d+)"', tag[0])
        if not found or not width:
            return tag[0]
        _, _, across, down = smaller(found[1])
        wide = round(int(width[1]) * enlarged)
        return tag[0].replace(width[0], f' width="{wide}" height="{round(wide * down / across)}"')

    def address(found):
        data, kind, _, _ = smaller(found[1])
        return place(data, kind)

    return PICTURE.sub(address, TAG.sub(sized, text))


def inline(data, kind):
    """Return the address that holds a picture itself."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


class Folder:
    """A folder of pictures, each under the name of its content: a `place` for `placed`.

    Parameters
    ----------
    path : Path
        Where the files go.
    address : str
        How a page calls this folder: ``"figures/"``.
    """

    def __init__(self, path, address):
        self.path, self.address = path, address
        path.mkdir(parents=True, exist_ok=True)

    def __call__(self, data, kind):
        """Write a picture to the folder, and return its address."""
        name = f"{hashlib.sha256(data).hexdigest()[:16]}.{kind}"
        (self.path / name).write_bytes(data)
        return self.address + name


def thumbnail(text, width=480):
    """Return the first picture of `text` at most `width` pixels wide, and its alt text.

    Returns
    -------
    (bytes, str, str) or None
        The file, its kind, and the alt text as it stands in the tag; None if there is no picture.
    """
    from PIL import Image

    for tag in TAG.findall(text):
        code, alt = PICTURE.search(tag), re.search(r'alt="([^"]*)"', tag)
        if code and alt:
            picture = Image.open(io.BytesIO(base64.b64decode(code[1]))).convert("RGB")
            picture.thumbnail((width, 4 * width), Image.Resampling.LANCZOS)
            with io.BytesIO() as buffer:
                picture.save(buffer, "webp", quality=85, method=4)
                return buffer.getvalue(), "webp", alt[1]
    return None
