"""The site: what it is built from, what it becomes, and what it refuses."""

import base64
import io
import json
import re
import shutil

import nbformat
import pytest
from PIL import Image

from course_utils.command import ROOT, Problem, book, documents, figures, main, pagecheck, site
from course_utils.command import pages as pages_module
from course_utils.command.execute import Result
from course_utils.command.executed import Executed, executed, linked, shown

# It is myst-parser that still asks Sphinx the old way.
pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated. Check CHANGES for Sphinx")


def png(width=60, height=30, colour="red", mode="RGB"):
    with io.BytesIO() as buffer:
        Image.new(mode, (width, height), colour).save(buffer, "png")
        return base64.b64encode(buffer.getvalue()).decode()


PICTURE = f'<img alt="A red box, 60 wide." width="120" src="data:image/png;base64,{png()}">'
PLAYER = (
    f'<figure class="course-player"><div>{PICTURE}</div><script>var later = '
    f'[{{"src": "data:image/png;base64,{png(colour="blue")}", "alt": "blue"}}];</script></figure>'
)


def notebook():
    """Make a small notebook as it is committed."""
    cells = [
        nbformat.v4.new_markdown_cell(
            "# 00 · Small\n\nIts aim, in\none sentence.\n\n**You need** nothing.", id="title"
        ),
        nbformat.v4.new_markdown_cell(
            "## Formulas\n\n$x^2$, and\n\n$$\\sum_i x_i$$", id="formulas"
        ),
        nbformat.v4.new_code_cell("cu.show(figure, alt=alt)", id="picture"),
        nbformat.v4.new_code_cell("cu.explore(draw, alt=tell)", id="player"),
        nbformat.v4.new_code_cell("def answer():\n    return ...", id="exercise-answer"),
        nbformat.v4.new_markdown_cell(
            "Next: [01](01_other.ipynb), [09](09_none.ipynb).", id="next"
        ),
    ]
    for cell in cells:
        kind = "slide" if cell.cell_type == "markdown" else "subslide"
        cell.metadata = nbformat.from_dict({"slideshow": {"slide_type": kind}})
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata = nbformat.from_dict({"language_info": {"name": "python"}})
    return made


def left_by_a_run(tmp_path):
    """Make a folder with two notebooks and what a run of them left."""
    sources, out = tmp_path / "notebooks", tmp_path / "build"
    sources.mkdir()
    (out / "executed").mkdir(parents=True)
    results = {}
    for name in ("00_small", "01_other"):
        made = notebook()
        nbformat.write(made, sources / f"{name}.ipynb")
        for cell, html in zip(made.cells[2:4], (PICTURE, PLAYER), strict=True):
            data = {"text/html": html, "text/plain": "x", "application/x-own+json": "{}"}
            cell.outputs = [nbformat.v4.new_output("display_data", data)]
        nbformat.write(made, out / "executed" / f"{name}.ipynb")
        results[name] = {"key": "k", "page": True, "result": {"status": "ok", "seconds": 12.3}}
    (out / "state.json").write_text(json.dumps({"notebooks": results, "files": {}}))
    return tmp_path


@pytest.fixture
def ran(tmp_path):
    """A folder with two notebooks and what a run of them left."""
    return left_by_a_run(tmp_path)


def course(ran):
    return executed(sorted((ran / "notebooks").glob("*.ipynb")), ran / "build")


# What was executed


def test_a_notebook_gets_the_outputs_of_its_run(ran):
    first, second = course(ran)
    assert (first.name, second.name) == ("00_small", "01_other")
    assert (first.title, first.opening) == ("00 · Small", "Its aim, in one sentence.")
    assert first.result.seconds == 12.3
    assert first.notebook.cells[2].outputs[0].data["text/html"] == PICTURE
    assert first.notebook.cells[2].metadata == {"slideshow": {"slide_type": "subslide"}}


def forget(ran):
    shutil.rmtree(ran / "build")


def fail(ran):
    path = ran / "build/state.json"
    path.write_text(path.read_text().replace('"ok"', '"failed"', 1))


def edit(ran):
    path = ran / "notebooks/00_small.ipynb"
    path.write_text(path.read_text().replace("return ...", "return 3"))


def lose(ran):
    (ran / "build/executed/00_small.ipynb").unlink()


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (forget, "00_small has not been executed yet; 01_other has not been executed yet"),
        (lose, "00_small has not been executed yet"),
        (fail, "00_small did not run to its end (failed)"),
        (edit, "00_small has been changed since it was executed"),
    ],
)
def test_what_did_not_run_is_one_sentence(ran, harm, sentence):
    harm(ran)
    with pytest.raises(Problem) as told:
        course(ran)
    assert str(told.value) == f"{sentence}: make run first"


@pytest.mark.parametrize("command", ["site", "slides"])
def test_the_commands_say_what_comes_first(command, tmp_path, capsys):
    assert main([command, "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "00_start_here has not been executed yet" in error
    assert error.endswith("make run first\n")
    assert list(tmp_path.iterdir()) == []


def test_links_lead_to_pages_that_there_are():
    text = "[a](00_a.ipynb) and [b](01_b.ipynb), [c](https://c.org/x.ipynb)"
    assert linked(text, ["00_a"], ".html") == "[a](00_a.html) and b, c"


def test_an_output_is_shown_once_and_what_is_printed_whole():
    outputs = [
        nbformat.v4.new_output("stream", text="one\n"),
        nbformat.v4.new_output("stream", text="two\n"),
        nbformat.v4.new_output("stream", name="stderr", text="three\n"),
        nbformat.v4.new_output("display_data", {"text/plain": "p", "text/markdown": "m"}),
    ]
    found = shown(outputs)
    assert [output.get("text") for output in found] == ["one\ntwo\n", "three\n", None]
    assert found[2].data == {"text/markdown": "m"}
    assert outputs[0].text == "one\n"


# Figures


def test_pictures_are_smaller_without_loss():
    noise = Image.effect_noise((64, 64), 90).convert("RGB")
    with io.BytesIO() as buffer:
        noise.save(buffer, "png")
        data = buffer.getvalue()
    smaller, kind, width, height = figures.smaller(base64.b64encode(data).decode())
    assert (kind, width, height) == ("webp", 64, 64)
    assert len(smaller) < len(data)
    assert Image.open(io.BytesIO(smaller)).convert("RGB").tobytes() == noise.tobytes()


def test_what_can_be_seen_through_stays_so():
    data, kind, _, _ = figures.smaller(png(colour=(9, 9, 9, 100), mode="RGBA"))
    assert Image.open(io.BytesIO(data)).convert("RGBA").getpixel((0, 0))[3] == 100


def test_pictures_go_to_files_under_their_content(tmp_path):
    folder = figures.Folder(tmp_path / "figures", "figures/")
    text = figures.placed(PLAYER, folder)
    files = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert len(files) == 2
    assert all(f"figures/{name}" in text for name in files)
    assert "data:image" not in text
    assert ' width="120" height="60"' in text
    assert figures.placed(PLAYER, folder) == text


def test_a_picture_can_ask_for_more_room():
    assert ' width="180" height="90"' in figures.placed(PICTURE, figures.inline, enlarged=1.5)


def test_a_thumbnail_keeps_the_alt_text():
    data, kind, alt = figures.thumbnail(f"<p>{PICTURE}</p>", width=30)
    assert (kind, alt) == ("webp", "A red box, 60 wide.")
    assert Image.open(io.BytesIO(data)).size == (30, 15)
    assert figures.thumbnail("<p>none</p>") is None


# Documents


def test_a_document_is_split_at_its_headings():
    text = "# T\n\nopen\n\n## A\n\n```sh\n## no heading\n```\n\n### sub\n\n## B\n\nb\n"
    title, opening, parts = documents.sections(text)
    assert (title, opening) == ("T", "open")
    assert parts == {"A": "```sh\n## no heading\n```\n\n### sub", "B": "b"}


@pytest.mark.parametrize(
    ("heading", "expected"),
    [("Without make", "without-make"), ("A, b & `c`", "a-b--c"), ("Über uns", "über-uns")],
)
def test_an_anchor_is_github_s(heading, expected):
    assert documents.anchor(heading) == expected


def test_links_between_documents_lead_to_their_pages(tmp_path):
    root, folder = tmp_path / "root", tmp_path / "pages"
    for path in (root / "docs", folder):
        path.mkdir(parents=True)
    (root / "LICENSE").write_text("free")
    pages = documents.Pages(root, folder)
    pages.add("README.md", "index.md", ["Start"])
    pages.add("README.md", "running.md", ["Without make"])
    pages.add("docs/teaching.md", "teaching.md")
    text = (
        "[a](docs/teaching.md#x) [b](#without-make) [c](LICENSE) [d](https://e.org)\n\n"
        "```\n[e](nowhere.md)\n```\n[f](README.md) [g](README.md#without-make)"
    )
    pages.write("index.md", text, "README.md")
    assert (folder / "index.md").read_text() == (
        "[a](teaching.md#x) [b](running.md#without-make) [c](files/LICENSE) [d](https://e.org)\n\n"
        "```\n[e](nowhere.md)\n```\n[f](index.md) [g](running.md#without-make)\n"
    )
    assert (folder / "files/LICENSE").read_text() == "free"
    pages.write("teaching.md", "[h](../README.md#start)", "docs/teaching.md")
    assert (folder / "teaching.md").read_text() == "[h](index.md#start)\n"
    with pytest.raises(Problem, match=r"README.md links to gone.md, which is not there"):
        pages.write("index.md", "[i](gone.md)", "README.md")


def test_the_front_page_finds_its_sections_in_the_readme():
    _, _, parts = documents.sections((ROOT / "README.md").read_text(encoding="utf-8"))
    assert set(book.FRONT) | {book.GALLERY} <= set(parts)


def test_the_gallery_names_cells_that_there_are():
    chosen = json.loads((ROOT / "docs/gallery.json").read_text(encoding="utf-8"))
    for name, cell_id in chosen.items():
        source = ROOT / "notebooks" / f"{name}.ipynb"
        assert cell_id in [cell.id for cell in nbformat.read(source, 4).cells], name


# Pages


@pytest.fixture
def pages(tmp_path):
    """A folder with one good page."""
    (tmp_path / "a.css").write_text('@import "b.css"; body { background: url(c.png) }')
    (tmp_path / "b.css").write_text("p { color: red }")
    (tmp_path / "c.png").write_bytes(b"0" * 1000)
    write(tmp_path, '<link rel="stylesheet" href="a.css"><h1 id="x">T</h1><h2>a</h2>')
    return tmp_path


def write(folder, body):
    (folder / "page.html").write_text(f"<!DOCTYPE html><html><body>{body}</body></html>")


def test_a_page_weighs_all_that_it_loads(pages):
    problems, weights = pagecheck.weigh(pages)
    assert problems == []
    files = ("page.html", "a.css", "b.css", "c.png")
    assert weights == {"page.html": sum((pages / name).stat().st_size for name in files)}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (
            '<h1>T</h1><img alt="x" src="https://a.org/b.png">',
            "loads https://a.org/b.png from else",
        ),
        ('<h1>T</h1><script src="//a.org/b.js"></script>', "loads //a.org/b.js from elsewhere"),
        ('<h1>T</h1><link rel="stylesheet" href="http://a.org/b">', "loads http://a.org/b from"),
        ("<style>p { background: url(http://a.org/b) }</style><h1>T</h1>", "loads http://a.org/b"),
        (
            '<h1>T</h1><script>[{"src": "gone.webp"}]</script>',
            "loads gone.webp, which is not there",
        ),
        ('<h1>T</h1><img src="c.png">', "1 pictures have no alt text"),
        ('<h1>T</h1><img alt=" " src="c.png">', "1 pictures have no alt text"),
        ("<h1>T</h1><h3>a</h3>", "a heading of level 3 follows one of level 1"),
        ("<h2>a</h2>", "it has 0 headings of the first level"),
        ('<h1>T</h1><a href="gone.html">x</a>', "links to gone.html, which is not there"),
        ('<h1>T</h1><a href="#gone">x</a>', "links to #gone, which it does not hold"),
        (f"<h1>T</h1>{'x' * 3_000_000}", "it weighs 3.00 MB; the most is 3 MB"),
    ],
)
def test_what_is_wrong_with_a_page_is_said(pages, body, complaint):
    write(pages, body)
    problems, _ = pagecheck.weigh(pages)
    assert len(problems) == 1
    assert problems[0].startswith("page.html: ")
    assert complaint in problems[0]


def test_links_to_elsewhere_are_no_loads(pages):
    write(pages, '<h1>T</h1><a href="https://a.org">x</a><a href="a.css">y</a>')
    assert pagecheck.weigh(pages)[0] == []


# The whole


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The site of two small notebooks."""
    folder = left_by_a_run(tmp_path_factory.mktemp("site"))
    target = folder / "made"
    weights = site.build(course(folder), target)
    return target, weights


def test_the_site_has_a_page_for_everything(built):
    target, weights = built
    names = {path.name for path in target.glob("*.html")}
    assert {"index.html", "running.html", "data.html", "contributing.html", "search.html"} <= names
    assert {"00_small.html", "01_other.html"} <= names
    assert {f"{path.stem}.html" for path in (ROOT / "docs").glob("*.md")} <= names
    assert max(weights.values()) < pagecheck.HEAVIEST
    assert (target / "slides/00_small.html").is_file()
    assert (target / "notebooks/00_small.ipynb").is_file()


def test_a_page_says_what_the_run_took_and_draws_its_formulas(built):
    text = (built[0] / "00_small.html").read_text(encoding="utf-8")
    assert "ran in 12 s, kernel start included" in text
    assert text.count("<math ") == 2
    assert 'href="notebooks/00_small.ipynb"' in text
    assert 'href="01_other.html"' in text
    assert "09_none" not in text
    assert 'alt="A red box, 60 wide."' in text


def test_the_front_page_has_a_card_for_each_notebook(built):
    text = (built[0] / "index.html").read_text(encoding="utf-8")
    gallery = text[text.index("course-gallery") :]
    for name in ("00_small", "01_other"):
        assert f'<a href="{name}.html"><img src="figures/' in gallery
    assert "ran in 12 s" in gallery


def test_a_warning_stops_the_site_and_leaves_the_old_one(ran):
    target = ran / "made"
    target.mkdir()
    (target / ".course").touch()
    (target / "old.html").write_text("old")
    broken = course(ran)
    broken[0].notebook.cells[5].source = "[nowhere](nowhere.md)"
    with pytest.raises(Problem, match=r"00_small.ipynb:\d+: WARNING: .*nowhere"):
        site.build(broken, target)
    assert sorted(path.name for path in target.iterdir()) == [".course", "old.html"]


def test_a_folder_that_is_not_the_site_is_not_replaced(ran):
    target = ran / "made"
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    with pytest.raises(Problem, match="made holds something else"):
        site.replace(ran / "notebooks", target)
    assert (target / "mine.txt").read_text() == "mine"


def test_a_cell_of_the_gallery_that_is_gone_is_named(ran):
    each = Executed(ran / "00_small.ipynb", notebook(), Result("ok"))
    with pytest.raises(Problem, match="gallery.json names gone, which is no cell of 00_small"):
        book._figure(each, "gone")
    with pytest.raises(Problem, match="00_small shows no figure"):
        book._figure(each, None)


# Colours


def luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    low, high = sorted(map(luminance, (first, second)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_what_the_guidelines_compute():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("sheet", ["pages.css", "slides.css"])
def test_text_and_lines_of_the_pages_can_be_seen(sheet, theme):
    text = (ROOT / "course_utils/command" / sheet).read_text(encoding="utf-8")
    palette = re.findall(r"--(\w+): (#\w+);", text)
    colours = dict(palette[theme * 5 : theme * 5 + 5])
    assert set(colours) == {"text", "page", "soft", "line", "link"}
    full = {name: re.sub(r"^#(.)(.)(.)$", r"#\1\1\2\2\3\3", c) for name, c in colours.items()}
    for ground in ("page", "soft"):
        for written in ("text", "link"):
            assert contrast(full[written], full[ground]) >= 4.5
    assert contrast(full["line"], full["page"]) >= 3


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_code_of_the_pages_can_be_read(theme):
    soft = ("#f3f5f7", "#1e2328")[theme]
    light, dark = pages_module.style().split("@media (prefers-color-scheme: dark)")[:2]
    # Not white space, which nobody reads, nor the numbers of lines, which no page has.
    tokens = re.sub(r"^.*(linenos|highlight \.w ).*$", "", (light, dark)[theme], flags=re.M)
    colours = re.findall(r"[{ ]color: (#[0-9A-Fa-f]{6})", tokens)
    assert len(colours) > 20
    assert min(contrast(colour, soft) for colour in colours) >= 4.5
