"""The built site and slides, opened from disk in a real browser with the network cut.

`make site` and `make slides` come first; COURSE_BUILD names another folder than build/.
"""

import os
from pathlib import Path

import pytest
from conftest import cannot

BUILD = Path(os.environ.get("COURSE_BUILD") or Path(__file__).parents[2] / "build")
SITE, DECKS = BUILD / "site", BUILD / "slides"
PAGES = sorted(SITE.glob("*.html"))
NOTEBOOKS = [page for page in PAGES if page.name[:2].isdigit()]
LECTURES = sorted(DECKS.glob("*.html"))
PHONE = {"width": 390, "height": 844}
GRAVE = ("serious", "critical")
SLIDES = """() => Reveal.getSlides().map(slide => {
  const {h, v} = Reveal.getIndices(slide);
  Reveal.slide(h, v || 0);
  slide.querySelectorAll(".fragment").forEach(f => f.classList.add("visible"));
  const frame = document.querySelector(".reveal").getBoundingClientRect();
  const box = slide.querySelector(".fit"), place = box.getBoundingClientRect();
  const scrolls = box.scrollHeight > box.clientHeight + 1;
  return {
    name: `${h}/${v || 0}`,
    inside: place.right <= frame.right + 1 && place.bottom <= frame.bottom + 1,
    wide: box.scrollWidth > box.clientWidth + 1,
    stuck: scrolls && box.tabIndex < 0,
    scrolls: scrolls,
    empty: !box.innerText.trim() && !box.querySelector("img"),
  };
})"""

# axe-core takes 1.5 ms for the contrast of each coloured word of code, of which a page has
# thousands: of those that only their text tells apart, the first stays coloured, the others become
# text.
FEWER_WORDS = """() => {
  const kind = part => part ? part.tagName + "." + part.className + "." + part.getAttribute("style")
    + "<" + kind(part.parentElement) : "";
  const seen = new Set();
  for (const word of [...document.querySelectorAll("pre span:not(:has(*))")]) {
    const its = kind(word);
    if (seen.has(its)) word.replaceWith(word.textContent);
    seen.add(its);
  }
  document.querySelectorAll("pre").forEach(block => block.normalize());
}"""


def named(paths):
    """Parametrize over `paths`; with none, the one test says what to do first."""
    return {"argvalues": paths or [None], "ids": [path.stem for path in paths] or ["none"]}


def there(path):
    if path is None:
        cannot("nothing was built yet: make run, make site, make slides")
    return path.as_uri()


def findings(page, rules=None):
    """Return what axe-core finds that is serious or critical, one line each."""
    from axe_playwright_python.sync_playwright import Axe

    # It would fetch the style sheets a second time, which no page from disk may.
    options = {"resultTypes": ["violations"], "preload": False}
    if rules:
        options["runOnly"] = rules
    page.evaluate(FEWER_WORDS)
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in found
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("path", **named(PAGES))
def test_a_page_is_whole_offline_and_accessible(path, open_page):
    page, heard = open_page(there(path), offline=True)
    assert findings(page) == []
    pictures = "Array.from(document.images).map(i => (i.loading = 'eager', i.decode()))"
    page.evaluate(f"Promise.all({pictures})")
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != "rgb(255, 255, 255)"
    assert findings(page, ["color-contrast"]) == []
    assert [address for address in heard.requests if not address.startswith("file:")] == []
    assert heard.messages == []


@pytest.mark.parametrize("path", **named(PAGES))
def test_a_page_fits_a_phone(path, open_page):
    page, _ = open_page(there(path), **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert findings(page, ["scrollable-region-focusable", "target-size"]) == []


@pytest.mark.parametrize("path", **named(NOTEBOOKS))
def test_every_player_plays(path, open_page):
    page, heard = open_page(there(path), offline=True)
    for player in page.locator(".course-player").all():
        picture, caption = player.locator("img"), player.locator("figcaption")
        first = picture.get_attribute("src"), picture.get_attribute("alt"), caption.inner_text()
        player.get_by_role("button", name="next").click()
        second = picture.get_attribute("src"), picture.get_attribute("alt"), caption.inner_text()
        assert second != first
        picture.evaluate("image => image.decode()")
        slider = player.get_by_role("slider")
        slider.focus()
        slider.press("End")
        assert slider.input_value() == slider.get_attribute("max")
        picture.evaluate("image => image.decode()")
        player.get_by_role("button", name="play").click()
        page.wait_for_function(
            "([image, address]) => image.getAttribute('src') !== address",
            arg=[picture.element_handle(), picture.get_attribute("src")],
        )
        player.get_by_role("button", name="pause").click()
    assert heard.messages == []


def test_next_leads_through_every_notebook(open_page):
    there(NOTEBOOKS[0] if NOTEBOOKS else None)
    page, _ = open_page((SITE / "index.html").as_uri(), offline=True)
    seen = []
    for _ in NOTEBOOKS:
        page.locator("a.next-page").click()
        page.wait_for_load_state()
        seen.append(page.url.rsplit("/", 1)[1])
    assert seen == [path.name for path in NOTEBOOKS]
    page.locator("a.prev-page").click()
    page.wait_for_load_state()
    assert page.url.endswith(NOTEBOOKS[-2].name)


def test_the_search_works_from_disk(open_page):
    there(NOTEBOOKS[0] if NOTEBOOKS else None)
    page, heard = open_page((SITE / "index.html").as_uri(), offline=True)
    box = page.locator(".sidebar-search")
    box.fill("dilation")
    box.press("Enter")
    result = page.locator("#search-results li a").first
    result.wait_for()
    assert result.get_attribute("href").startswith("01_convolution_and_padding.html")
    assert findings(page) == []
    result.click()
    page.wait_for_load_state()
    assert page.get_by_role("heading", level=1).inner_text().startswith("01")
    assert heard.messages == []


def test_dark_mode_is_a_button_and_is_remembered(open_page):
    there(NOTEBOOKS[0] if NOTEBOOKS else None)
    page, _ = open_page((SITE / "index.html").as_uri())
    for _ in range(3):  # auto, light, dark
        page.locator(".theme-toggle:visible").click()
        if page.evaluate("document.body.dataset.theme") == "dark":
            break
    assert page.evaluate("document.body.dataset.theme") == "dark"
    page.locator("a.next-page").click()
    page.wait_for_load_state()
    assert page.evaluate("document.body.dataset.theme") == "dark"
    assert findings(page, ["color-contrast"]) == []


def test_a_notebook_can_be_downloaded_and_its_slides_opened(open_page):
    page, _ = open_page(there(NOTEBOOKS[0] if NOTEBOOKS else None))
    link = page.get_by_role("link", name="download the notebook")
    copy = SITE / link.get_attribute("href")
    source = Path(__file__).parents[2] / "notebooks" / copy.name
    assert copy.read_bytes() == source.read_bytes()
    page.get_by_role("link", name="slides", exact=True).click()
    page.wait_for_selector("body[data-ready]")


@pytest.mark.parametrize("path", **named(LECTURES))
def test_a_lecture_is_whole_offline_and_no_slide_overflows(path, open_page):
    page, heard = open_page(there(path), offline=True)
    page.wait_for_selector("body[data-ready]")
    slides = page.evaluate(SLIDES)
    for complaint in ("wide", "stuck", "empty"):
        assert [slide["name"] for slide in slides if slide[complaint]] == [], complaint
    assert [slide["name"] for slide in slides if not slide["inside"]] == []
    # A few are long for a reason (the source of a function, a table); most must be seen at once.
    assert sum(slide["scrolls"] for slide in slides) <= len(slides) / 10
    page.evaluate("Reveal.slide(0)")
    page.keyboard.press("Space")
    assert page.evaluate("Reveal.getIndices().h") == 1
    assert heard.messages == []
    assert [address for address in heard.requests if not address.startswith("file:")] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", **named(LECTURES))
def test_every_slide_is_accessible(path, theme, open_page):
    # For print all slides are there at once, so that one look is enough.
    page, _ = open_page(f"{there(path)}?view=print", theme=theme)
    page.wait_for_selector("body[data-ready]")
    assert findings(page, None if theme == "light" else ["color-contrast"]) == []
