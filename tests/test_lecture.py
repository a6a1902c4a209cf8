"""Slides: which cell is on which, and that every lecture is one file that needs nothing else."""

import nbformat
import pytest

from course_utils.command import Problem, lecture, slides
from course_utils.command.execute import Result
from course_utils.command.executed import Executed


def md(source):
    return nbformat.v4.new_markdown_cell(source)


def py(source, *tags):
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata = nbformat.from_dict({"tags": list(tags)} if tags else {})
    return cell


KINDS = {
    "heading 1": md("# Title\n\n- point"),
    "heading 3": md("### Exercise: one"),
    "prose": md("Look at it."),
    "list": md("Two:\n\n- one\n- two"),
    "setup": py("digits = 1", "setup"),
    "exercise": py("answer = ...", "exercise"),
    "check": py("exercises.one.check(answer)"),
    "question": py('bet = cu.predict("?", ["a", "b"])'),
    "picture": py('figure = draw()\ncu.show(figure, alt="x")\ncu.say("y")'),
    "verdict": py('bet.answer("a")\ncu.claim("c", True)'),
    "claim": py('cu.claim("c", True)\ncu.say("y")'),
    "sentence": py('for n in (1, 2):\n    cu.say(f"{n}")'),
    "result": py("table.round(3)"),
    "silent": py("model.fit(x, y)"),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_cell_is_what_it_does(name):
    assert lecture.kind(KINDS[name]) == name


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("x = 1", "silent"),
        ("print(x)", "result"),
        ("def f():\n    return 1", "silent"),
        ("def f():\n    cu.show(figure, alt)", "silent"),
        ("view", "result"),
        ("%matplotlib inline", "result"),
        ("", "silent"),
        ("cu.explore(draw, alt=tell)", "picture"),
    ],
)
def test_a_cell_of_code_shows_something_or_not(source, kind):
    assert lecture.kind(py(source)) == kind


def test_a_formula_on_its_own_line_is_worth_seeing():
    assert lecture.kind(md("So\n\n$$x = 1$$")) == "list"
    assert lecture.kind(md("So $x = 1$.")) == "prose"


LESSON = [
    (md("# Title"), "slide"),
    (KINDS["setup"], "skip"),
    (md("## Myth check: a?"), "slide"),
    (KINDS["question"], "-"),
    (KINDS["silent"], "skip"),
    (KINDS["picture"], "subslide"),
    (KINDS["sentence"], "fragment"),
    (KINDS["sentence"], "subslide"),
    (KINDS["verdict"], "subslide"),
    (KINDS["claim"], "-"),
    (KINDS["prose"], "notes"),
    (KINDS["question"], "subslide"),
    (KINDS["claim"], "subslide"),
    (md("### Exercise: b"), "subslide"),
    (KINDS["exercise"], "-"),
    (KINDS["check"], "skip"),
    (md("## What you saw"), "slide"),
    (KINDS["sentence"], "-"),
]


def test_the_rule_gives_each_cell_its_place():
    cells = [cell for cell, _ in LESSON]
    assert lecture.slide_types(cells) == [place for _, place in LESSON]


def tagged(lesson):
    cells = []
    for k, (cell, place) in enumerate(lesson):
        cell = nbformat.from_dict(cell)
        cell.id = f"cell-{k}"
        cell.metadata = nbformat.from_dict({**cell.metadata, "slideshow": {"slide_type": place}})
        cells.append(cell)
    return cells


def test_slides_are_stacked_under_their_headings():
    stacks = slides.stacked(tagged(LESSON))
    ids = [[[cell.id for cell, _ in slide] for slide in stack] for stack in stacks]
    assert ids == [
        [["cell-0"]],
        [
            ["cell-2", "cell-3"],
            ["cell-5", "cell-6"],
            ["cell-7"],
            ["cell-8", "cell-9", "cell-10"],
            ["cell-11"],
            ["cell-12"],
            ["cell-13", "cell-14"],
        ],
        [["cell-16", "cell-17"]],
    ]


def test_a_cell_without_a_place_is_named():
    cells = tagged(LESSON)
    del cells[3].metadata["slideshow"]
    with pytest.raises(Problem, match="cell-3 has no slide type: course tidy gives it one"):
        slides.stacked(cells)


@pytest.fixture
def page(tmp_path):
    """The lecture of a small notebook, as text."""
    cells = tagged(
        [
            (md("# 00 · Title"), "slide"),
            (
                md("## *One* $x^2$\n\nSee [the next](01_next.ipynb), [that](09_none.ipynb)."),
                "slide",
            ),
            (py("cu.show(figure, alt=alt)"), "subslide"),
            (md("For the speaker."), "notes"),
            (py("answer = ...", "exercise"), "-"),
            (py("hidden()"), "skip"),
            (py("1 + 1"), "subslide"),
        ]
    )
    html = '<p><img alt="A tall bar." src="data:image/gif;base64,R0lGODlhAQABAAAAACw="></p>'
    cells[2].outputs = [nbformat.v4.new_output("display_data", {"text/html": html})]
    cells[4].outputs = [nbformat.v4.new_output("stream", text="spoilt")]
    printed = [nbformat.v4.new_output("stream", text=f"{word}\n") for word in ("one", "two")]
    cells[6].outputs = printed
    notebook = nbformat.v4.new_notebook(cells=cells)
    result = Result("ok", seconds=12.0)
    course = [
        Executed(tmp_path / f"{name}.ipynb", notebook, result) for name in ("00_a", "01_next")
    ]
    assert slides.build(course, tmp_path / "made") == {"00_a": 4, "01_next": 4}
    return (tmp_path / "made" / "00_a.html").read_text(encoding="utf-8")


def test_a_lecture_is_one_file_with_its_formulas(page):
    body = page[page.index("<body>") : page.index("<script>")]
    assert 'src="http' not in page
    assert "<link" not in page
    assert "<math" in body
    assert 'alt="A tall bar."' in body
    assert "Reveal.initialize" in page


def test_a_lecture_shows_code_where_it_is_the_lesson(page):
    body = page[page.index("<body>") : page.index("<script>")]
    assert "answer" in body
    assert "spoilt" not in body
    assert "hidden" not in body
    assert "cu.show" not in body.replace("<span>", "").replace("</span>", "")
    assert "one\ntwo" in body


def test_slides_say_where_they_are_and_what_to_say(page):
    assert '<p class="where">One $x^2$</p>' in page
    assert '<aside class="notes">' in page
    assert 'href="01_next.html"' in page
    assert "09_none" not in page
    assert "that" in page
