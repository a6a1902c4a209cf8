"""Whether a figure can be read by everybody: the contrast of its text and lines, and its alt text.

Contrast is the ratio of WCAG 2.1 (success criteria 1.4.3 and 1.4.11), between 1 and 21. It is
measured on the figure as it is drawn. A figure of this course has an opaque background, and brings
it along: so what holds on a white page holds on a dark one.
"""

import re
from difflib import SequenceMatcher

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba

TEXT, LINE = 4.5, 3.0  # WCAG 2.1, level AA
SHORTEST_ALT = 40  # characters: a short sentence
REPEATED = 0.8  # of SequenceMatcher, over words
NUMBER = re.compile(
    r"\d|\b(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|hundred)\b",
    re.IGNORECASE,
)


def luminance(colour):
    """Return the relative luminance of colours, 0 for black and 1 for white (WCAG 2.1).

    Parameters
    ----------
    colour : array (..., 3)
        Red, green and blue in 0–1.

    Returns
    -------
    array (...)
    """
    colour = np.asarray(colour, dtype=float)
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


def contrast(one, other):
    """Return the contrast ratio of two colours (WCAG 2.1): 1 for equal ones, 21 at most."""
    one, other = luminance(one) + 0.05, luminance(other) + 0.05
    return np.maximum(one, other) / np.minimum(one, other)


def ink_on(colour):
    """Return ``"black"`` or ``"white"``, whichever is easier to read on a colour: at least 4.58.

    Parameters
    ----------
    colour : array (3,)
        Red, green and blue in 0–1.
    """
    return "black" if contrast(colour, (0, 0, 0)) >= contrast(colour, (1, 1, 1)) else "white"


def alt_faults(alt, titles, shown=()):
    """Say what is wrong with a figure's alternative text.

    Parameters
    ----------
    alt : str
    titles : sequence of str
        The titles of the figure and its axes.
    shown : sequence of str
        All text of the figure: where it holds numbers, `alt` must too.

    Returns
    -------
    list of str
        A sentence for each fault.
    """
    found = []
    if len(alt) < SHORTEST_ALT:
        found.append(f"the alt text is shorter than {SHORTEST_ALT} characters: {alt!r}")
    said = _words(alt)
    for title in {*titles, " ".join(titles)}:
        words = _words(title)
        alike = SequenceMatcher(None, words, said, autojunk=False).ratio()
        if words and (alike > REPEATED or set(said) <= set(words)):
            found.append(f"the alt text repeats the title {title!r}: {alt!r}")
    if any(re.search(r"\d", text) for text in shown) and not NUMBER.search(alt):
        found.append(f"the figure shows numbers, the alt text none: {alt!r}")
    return found


def words_faults(figure, alt):
    """Say what is wrong with the alternative text of a figure, in sentences."""
    titles = [title.get_text() for title in _titles(figure) if title.get_text()]
    return alt_faults(alt, titles, [text.get_text() for text in _texts(figure)])


def contrast_faults(figure):
    """Say what in a figure is too pale to be read.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    list of str
        A sentence for each text and line. Lines with a ``zorder`` below 2 (guides behind the
        data) are not held to anything, and text or lines with an outline (path effects) bring
        their own contrast.
    """
    texts, found = _texts(figure), []
    lines = [line for axes in figure.axes for line in axes.lines if line.get_visible()]
    if to_rgba(figure.get_facecolor())[3] < 1:
        found.append("the figure's background is not opaque")
    # Error bars have the colour of their line, and are a part of it.
    parts = [part for axes in figure.axes for part in axes.collections if part.get_visible()]
    bars = [part for part in parts if isinstance(part, LineCollection)]
    behind = _drawn_without(figure, [*texts, *lines, *bars])
    for text in texts:
        ratio = None if text.get_path_effects() else _of_text(text, behind)
        if ratio is not None and ratio < TEXT:
            found.append(f"text {text.get_text()!r}: contrast {ratio:.1f}, at least {TEXT} is due")
    for label, ratio in _of_lines(figure, lines, behind):
        if ratio < LINE:
            found.append(f"line {label!r}: contrast {ratio:.1f}, at least {LINE} is due")
    return found


def _words(text):
    return re.findall(r"\w+", text.lower())


def _titles(figure):
    names = ("title", "_left_title", "_right_title")
    own = [figure._suptitle] if figure._suptitle else []
    return own + [getattr(axes, name) for axes in figure.axes for name in names]


def _texts(figure):
    """Return the figure's text as it is drawn: no tick labels of axes that are switched off."""
    found = [*_titles(figure), *figure.texts]
    legends = list(figure.legends)
    for axes in figure.axes:
        found += axes.texts
        legends += [axes.get_legend()] if axes.get_legend() else []
        if axes.axison:
            for axis in (axes.xaxis, axes.yaxis):
                found += [axis.label, *axis.get_ticklabels()]
    for legend in legends:
        found += [legend.get_title(), *legend.get_texts()]
    found = {id(text): text for text in found}.values()
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def _drawn_without(figure, artists):
    """Return the picture (height, width, 3) in 0–1 that is behind some artists."""
    before, alphas = figure.canvas, [artist.get_alpha() for artist in artists]
    try:
        # Invisible and not absent: the layout stays what it is.
        for artist in artists:
            artist.set_alpha(0)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3] / 255
    finally:
        for artist, alpha in zip(artists, alphas, strict=True):
            artist.set_alpha(alpha)
        figure.set_canvas(before)


def _of_text(text, behind):
    """Return the contrast of a text with what is behind it, or None if it is outside."""
    height, width, _ = behind.shape
    box = text.get_window_extent()
    rows = slice(max(0, int(height - box.y1)), max(0, int(np.ceil(height - box.y0))))
    columns = slice(max(0, int(box.x0)), max(0, int(np.ceil(box.x1))))
    pixels = behind[rows, columns].reshape(-1, 3)
    if not len(pixels):
        return None
    # A thin line that crosses a word does not make it illegible, so a tenth may be worse.
    return np.quantile(contrast(_ink(text.get_color(), text.get_alpha(), pixels), pixels), 0.1)


def _of_lines(figure, lines, behind):
    """Return (label, contrast) of lines; of those that lie on each other the better one counts."""
    height, width, _ = behind.shape
    best = {}
    for line in lines:
        points = line.get_transform().transform(line.get_xydata())
        points = points[np.isfinite(points).all(axis=1)]
        if line.get_zorder() < 2 or not len(points) or line.get_path_effects():
            continue
        if line.get_linestyle() not in ("None", "", " ") and len(points) > 1:
            steps = np.linspace(0, len(points) - 1, 60)
            points = np.stack([np.interp(steps, range(len(points)), p) for p in points.T], axis=1)
            colours = [line.get_color()]
        else:  # a mark is seen by its face or by its edge
            colours = [line.get_markeredgecolor(), line.get_markerfacecolor()]
        columns, rows = points[:, 0].astype(int), (height - points[:, 1]).astype(int)
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        pixels = behind[rows[inside], columns[inside]]
        if len(pixels):
            inks = [_ink(colour, line.get_alpha(), pixels) for colour in colours]
            ratio = max(np.median(contrast(ink, pixels)) for ink in inks)
            place = (id(line.axes), line.get_xydata().tobytes())
            if place not in best or ratio > best[place][1]:
                best[place] = (line.get_label(), ratio)
    return list(best.values())


def _ink(colour, alpha, pixels):
    """Return a colour as it looks over pixels (n, 3)."""
    *ink, own = to_rgba(colour, alpha)
    return own * np.array(ink) + (1 - own) * pixels
