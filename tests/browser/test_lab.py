"""Each notebook in JupyterLab, in a real browser, from opening it to its exercises.

Every notebook is opened and run once, and then looked at by the tests below in their order; so one
notebook alone is `python -m pytest tests/browser/test_lab.py -k 03_full_cnn`. Meanwhile those after
it run. Screens are written to build/screens, and the README's pictures are made of such.
"""

import contextlib
import itertools
import re
from types import SimpleNamespace

import nbformat
import pytest
from lab import (
    ANSWER,
    NOTEBOOKS,
    ROOT,
    SECOND,
    WIDGET,
    Lab,
    Notebook,
    becomes,
    calls,
    code,
    exercises,
    predictions,
)

SCREENS = ROOT / "build" / "screens"
WIDTH, HEIGHT = 1280, 900
# The cells whose screens are the README's own, in .github/images, and the height that each needs.
README = {"stepping-convolution": 850, "one-pixel-explore": 850, "log-figure": 1070}

# What JupyterLab says by itself, in any notebook. All else in the console is held to be ours.
NOT_OURS = [
    # It ran a cell that is off screen, on a machine that had no time to draw it.
    r"^warning: Item with index \d+ did not appear within \d+ ms ",
]

# What a cell's output shows. `broken`: pictures that the browser could not read, or gave no room.
DRAWN = """cell => {
  const shown = part => part.getBoundingClientRect().height > 0;
  const pictures = [...cell.querySelectorAll(".jp-OutputArea img")];
  const good = pictures.filter(p => p.complete && p.naturalWidth > 0 && p.alt && shown(p));
  const views = [...cell.querySelectorAll(".jp-OutputArea-output > .jupyter-widgets")];
  return {views: views.filter(shown).length, pictures: good.length,
          broken: pictures.length - good.length};
}"""

# What a view says of an error that is no choice of the reader's.
BROKEN = "Could not be drawn"

# The picture itself, or the sentence in its place: not its alternative text.
SEEN = "box => box.querySelector('img')?.src ?? box.innerText"

# What the outputs of a cell say, one by one.
SAID = """(cell => [...cell.querySelectorAll(".jp-OutputArea-output")]
  .map(output => output.innerText.trim()))"""

# axe-core's rules that ask more than a notebook's output can give, and why.
NOT_ASKED = {
    # The sliders of ipywidgets have a text before them that is not tied to them.
    "aria-input-field-name": {"enabled": False},
    # An output is a part of a page: where its headings start is not its business.
    "region": {"enabled": False},
    "heading-order": {"enabled": False},
    "page-has-heading-one": {"enabled": False},
    # The copies that it looks at stand beside the hidden originals, under the same ids.
    "duplicate-id-aria": {"enabled": False},
}
# The colours of code inside prose are those of JupyterLab's theme: its dark comments have 4.3:1.
HIGHLIGHTED = "pre code span"
OURS = ".jp-OutputArea-output"


@pytest.fixture(scope="module")
def lab(tmp_path_factory, browser):
    """One JupyterLab for all, in a folder whose name is not plain."""
    lab = Lab(tmp_path_factory.mktemp("lab") / "Kurs für alle")
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def context(browser):
    """One for all pages, as a reader's browser is: JupyterLab's own files are fetched once."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    yield context
    context.close()


@contextlib.contextmanager
def opened(context, address):
    """Open an address of JupyterLab; afterwards end its kernel, and close it without saving."""
    page = context.new_page()
    try:
        page.set_default_timeout(ANSWER * SECOND)
        heard = listen(page)
        page.goto(address)
        notebook = Notebook(page)
        yield SimpleNamespace(notebook=notebook, page=page, heard=heard)
        notebook.shut_down()
    finally:
        page.close()


def listen(page):
    """Return a list that fills with the page's warnings, errors, and uncaught exceptions."""
    heard = []

    def console(message):
        if message.type in ("warning", "error"):
            heard.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    page.on("console", console)
    page.on("pageerror", lambda error: heard.append(f"exception: {error}"))
    return heard


@pytest.fixture(scope="module")
def running(request, lab, context):
    """A function that returns a notebook that runs; with it run those that are looked at next."""
    parameters = [getattr(item, "callspec", None) for item in request.session.items]
    order = list(
        dict.fromkeys(each.params["ran"] for each in parameters if each and "ran" in each.params)
    )
    begun = {}
    with contextlib.ExitStack() as all_pages:

        def start(path):
            if path not in begun:
                pages = all_pages.enter_context(contextlib.ExitStack())
                opening = opened(context, lab.address(f"notebooks/{path.name}"))
                begun[path] = pages.enter_context(opening)
                begun[path].path, begun[path].close = path, pages.close
                begun[path].notebook.start()

        def running(path, after):
            for each in order[order.index(path) :][: 1 + after]:
                start(each)
            return begun[path]

        yield running


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def ran(request, running):
    """A notebook in which all cells have been run, and what its page said in the console."""
    ran = running(request.param, after=1)
    ran.notebook.finish()
    # Two that run at a time, besides the one that is looked at, which mostly waits for the browser.
    running(request.param, after=2)
    ran.page.bring_to_front()  # a tab that is not in front is drawn once a second
    cells = [cell for cell in ran.notebook.cells() if cell["type"] == "code"]
    # Without them nothing below can be as it should, and each test would wait until it gives up.
    never = [cell["id"] for cell in cells if cell["count"] is None]
    if never:
        errors = [text for cell in cells for text in map(trouble, cell["outputs"]) if text]
        ran.close()
        pytest.fail(f"{len(never)} cells were not run, the first is {never[0]}: {errors}")
    yield ran
    ran.close()


def trouble(output):
    """Return what is wrong in an output, an error or something on stderr, or None."""
    if output["output_type"] == "error":
        return f"{output['ename']}: {output['evalue']}"
    return output["text"] if output.get("name") == "stderr" else None


def ids(path):
    return [cell.id for cell in nbformat.read(path, 4).cells]


def test_make_lab_opens_the_first_notebook(lab, context):
    with opened(context, lab.opened) as first:
        title = first.page.locator(".jp-NotebookPanel h1").first
        title.wait_for()
        source = nbformat.read(NOTEBOOKS[0], 4).cells[0].source
        assert f"# {title.inner_text()}" == source.splitlines()[0]
        assert [cell["id"] for cell in first.notebook.cells()] == ids(NOTEBOOKS[0])
        assert in_the_way(first.page) == []


def in_the_way(page):
    """Return what JupyterLab asks or tells the reader over the notebook: news, dialogs."""
    return page.locator(".jp-Dialog, .Toastify__toast").all_inner_texts()


def test_it_runs_to_its_end_without_an_error(ran):
    cells = ran.notebook.cells()
    assert [cell["id"] for cell in cells] == ids(ran.path)
    red = [(cell["id"], trouble(output)) for cell in cells for output in cell["outputs"]]
    assert [each for each in red if each[1]] == []
    assert in_the_way(ran.page) == []


def test_every_figure_and_every_view_is_drawn(ran):
    views, questions = calls(ran.path, "cu.explore"), calls(ran.path, "cu.predict")
    assert questions
    wrong = {}
    for cell in ran.notebook.cells():
        name = cell["id"]
        bundles = [output.get("data", {}) for output in cell["outputs"]]
        alive = sum(WIDGET in bundle for bundle in bundles)
        figures = sum("<img" in "".join(b.get("text/html", "")) for b in bundles if WIDGET not in b)
        if alive != views.count(name) + questions.count(name):
            wrong[name] = f"{alive} widgets among its outputs"
        elif alive or figures:
            asked = {"views": alive, "pictures": figures + views.count(name), "broken": 0}
            shown = ran.notebook.cell(name).element_handle()
            same = f"([cell, asked]) => JSON.stringify(({DRAWN})(cell)) === JSON.stringify(asked)"
            if not becomes(ran.page, same, shown, asked):
                wrong[name] = f"should show {asked}, shows {shown.evaluate(DRAWN)}"
    assert wrong == {}


def test_a_screen_is_kept_for_people_to_look_at(ran):
    SCREENS.mkdir(parents=True, exist_ok=True)
    first = (calls(ran.path, "cu.explore") + calls(ran.path, "cu.show"))[0]
    for name, height in {ran.path.stem: HEIGHT, **README}.items():
        if name == ran.path.stem or name in ids(ran.path):
            ran.page.set_viewport_size({"width": WIDTH, "height": height})
            ran.notebook.cell(first if name == ran.path.stem else name)
            notebook = ran.page.locator(".jp-NotebookPanel-notebook")
            notebook.screenshot(path=SCREENS / f"{name}.png")
    ran.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})


def test_each_control_changes_its_picture(ran):
    for name in calls(ran.path, "cu.explore"):
        cell = ran.notebook.cell(name)
        picture = cell.locator(".widget-html-content")
        # A field for words is left out: what is in it counts only if a menu says so.
        controls = cell.locator(".widget-hbox > .widget-inline-hbox:has(select, .noUi-handle)")
        assert controls.count(), name
        for control in controls.all():
            before = picture.evaluate(SEEN)
            undo = move(control)
            changed = f"([picture, before]) => ({SEEN})(picture) !== before"
            moved = becomes(ran.page, changed, picture.element_handle(), before)
            assert moved, (name, control.inner_text())
            assert BROKEN not in picture.inner_text(), (name, picture.inner_text())
            # Where it has been moved to, the others may be of no avail: a row that a map has not.
            undo()
            same = changed.replace("!==", "===")
            back = becomes(ran.page, same, picture.element_handle(), before)
            assert back, (name, control.inner_text())


def move(control):
    """Choose another value of a menu or of a slider; return what chooses the first one again."""
    menu = control.locator("select")
    if menu.count():
        here, there = menu.evaluate("menu => [menu.selectedIndex, menu.options.length]")
        # The farthest: the next one may be there to show that it makes no difference.
        menu.select_option(index=there - 1 if here < there - 1 else 0)
        return lambda: menu.select_option(index=here)
    handle = control.locator(".noUi-handle")
    at_end = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
    there, back = ("ArrowLeft", "ArrowRight") if at_end else ("ArrowRight", "ArrowLeft")
    handle.press(there)
    return lambda: handle.press(back)


def test_headings_leave_no_level_out(ran):
    headings = ran.page.locator(".jp-Notebook").locator("h1, h2, h3, h4, h5, h6")
    levels = [int(tag[1]) for tag in headings.evaluate_all("all => all.map(e => e.tagName)")]
    assert levels[0] == 1
    steps = [after - before for before, after in itertools.pairwise(levels)]
    assert max(steps, default=0) <= 1


def test_the_buttons_of_each_prediction_answer(ran):
    # The verdict cells of the notebook cannot be run again out of their order, so one cell at the
    # end asks for verdicts in their place.
    last = code(ran.path)[-1][0]
    asked = predictions(ran.path)
    assert len(asked) == len(calls(ran.path, "cu.predict"))
    ran.notebook.tell("_asked = []")
    answers, verdicts = [], []
    for name, variable in asked:
        ran.notebook.rerun(name)
        ran.notebook.tell(f"_asked.append({variable})")  # the next may have the same name
        buttons = ran.notebook.cell(name).locator(".widget-toggle-button")
        buttons.last.wait_for()
        first, *_, other = [text.strip() for text in buttons.all_inner_texts()]
        buttons.last.click()
        answers.append(f"_asked[{len(answers)}].answer({first!r}, 'Because.')")
        verdicts.append(f"You said {other}; it came out: {first}. Because.")
    ran.notebook.write(last, "\n".join(answers))
    ran.notebook.rerun(last)
    shown = ran.notebook.cell(last)
    same = f"([cell, verdicts]) => JSON.stringify({SAID}(cell)) === JSON.stringify(verdicts)"
    right = becomes(ran.page, same, shown.element_handle(), verdicts)
    assert right, (verdicts, shown.evaluate(SAID))


def test_each_exercise_answers(ran):
    for stub, check, exercise in exercises(ran.path):
        output = ran.notebook.cell(check).locator(OURS)
        assert output.inner_text().strip().startswith("○ Not attempted yet."), check
        ran.notebook.write(stub, exercise.solution_code)
        ran.notebook.rerun(stub, check)
        output = ran.notebook.cell(check).locator(OURS)
        right = "([output]) => output.innerText.includes('✔ Correct.')"
        assert becomes(ran.page, right, output.element_handle()), output.inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_outputs(ran, theme):
    from axe_playwright_python.sync_playwright import Axe

    ran.notebook.dark(theme == "dark")
    options = {"rules": NOT_ASKED, "resultTypes": ["violations"]}
    if theme == "dark":  # which changes nothing but colours
        options = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
    with ran.notebook.outputs_alone() as sheet:
        context = {"include": [sheet], "exclude": [HIGHLIGHTED]}
        found = Axe().run(ran.page, context=context, options=options).response
    ran.notebook.dark(False)
    serious = [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
    assert serious == []


def test_the_console_says_nothing_of_ours(ran):
    ours = [text for text in ran.heard if not any(re.search(own, text) for own in NOT_OURS)]
    assert ours == []
