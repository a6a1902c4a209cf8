"""What every built page must be: whole without a network, light, and readable by everybody."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

HEAVIEST = 3_000_000  # bytes: the page and all that it loads
# What a browser loads by itself; a link that somebody clicks is not.
LOADS = {
    "img": ("src", "srcset"),
    "script": ("src",),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "input": ("src",),
}
LINKS = {"stylesheet", "icon", "preload", "modulepreload", "manifest", "apple-touch-icon"}
IN_STYLE = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")
FRAME = re.compile(r'"src": "([^"]+)"')  # of a frame player, which fetches them when it is played


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.loads, self.links, self.ids, self.levels = [], [], set(), []
        self.without_alt, self._inside = 0, None

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self._inside = tag
        self.ids.update(filter(None, (found.get("id"), found.get("name"))))
        for name in LOADS.get(tag, ()):
            if found.get(name):
                self.loads.append(found[name].split()[0])
        if tag == "link" and LINKS & set((found.get("rel") or "").split()):
            self.loads.append(found.get("href") or "")
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag == "img" and not (found.get("alt") or "").strip() and found.get("role") != "none":
            self.without_alt += 1
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))

    def handle_data(self, data):
        if self._inside == "style":
            self.loads += in_style(data)
        elif self._inside == "script":
            self.loads += FRAME.findall(data)

    def handle_endtag(self, tag):
        self._inside = None


def in_style(text):
    """Return the addresses that a style sheet loads."""
    return [first or second for first, second in IN_STYLE.findall(text)]


def complaints(path):
    """Return what is wrong with a built page, one sentence each.

    Parameters
    ----------
    path : Path
        An HTML file. What it loads is looked up beside it.

    Returns
    -------
    complaints : list of str
    weight : int
        Bytes of the page and of everything that it loads, each counted once.
    """
    page = _Page()
    text = path.read_text(encoding="utf-8")
    page.feed(text)
    found, weight, seen = [], len(text.encode()), {path.resolve()}
    waiting = [(address, path) for address in page.loads]
    while waiting:
        address, asker = waiting.pop()
        parts = urlsplit(address)
        if parts.scheme == "data" or not address:
            continue
        if parts.scheme or parts.netloc or address.startswith("//"):
            found.append(f"it loads {address} from elsewhere")
            continue
        file = (asker.parent / unquote(parts.path)).resolve()
        if not parts.path or file in seen:
            continue
        seen.add(file)
        if not file.is_file():
            found.append(f"it loads {address}, which is not there")
            continue
        weight += file.stat().st_size
        if file.suffix == ".css":
            waiting += [(each, file) for each in in_style(file.read_text(encoding="utf-8"))]
    if page.without_alt:
        found.append(f"{page.without_alt} pictures have no alt text")
    if page.levels.count(1) != 1:
        found.append(f"it has {page.levels.count(1)} headings of the first level")
    for before, after in zip(page.levels, page.levels[1:], strict=False):
        if after > before + 1:
            found.append(f"a heading of level {after} follows one of level {before}")
    found += _broken(page, path)
    if weight > HEAVIEST:
        found.append(f"it weighs {weight / 1e6:.2f} MB; the most is {HEAVIEST / 1e6:.0f} MB")
    return found, weight


def _broken(page, path):
    """Yield a sentence for each link to a file or a place in this page that is not there."""
    for link in dict.fromkeys(page.links):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        if not parts.path:
            if parts.fragment and not {parts.fragment, unquote(parts.fragment)} & page.ids:
                yield f"it links to #{parts.fragment}, which it does not hold"
        elif not (path.parent / unquote(parts.path)).exists():
            yield f"it links to {parts.path}, which is not there"


def weigh(folder):
    """Check every page of a folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    problems : list of str
        ``"03_full_cnn.html: it loads …"``.
    weights : dict from str to int
        Bytes of each page with what it loads, by its name in the folder.
    """
    problems, weights = [], {}
    for path in sorted(Path(folder).rglob("*.html")):
        name = path.relative_to(folder).as_posix()
        found, weights[name] = complaints(path)
        problems += [f"{name}: {complaint}" for complaint in found]
    return problems, weights
