"""A real browser for the tests of this folder, which `make browser` runs and `make test` does not.

Chromium is the machine's own: the variable CHROMIUM, or what is found under one of its names.
Without one the tests are skipped, except where CI is set: there, what was to be tested was not.
"""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
)
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
PATIENCE = 60_000  # milliseconds: two cores, and other tests beside
SWITCHES = [
    "--no-sandbox",  # a container's root user cannot use it
    "--disable-gpu",
    "--disable-dev-shm-usage",  # a container's /dev/shm is too small for a large page
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def pytest_collection_modifyitems(items):
    """Mark every test of this folder, so that -m "not browser" leaves it out."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")


def chromium():
    """Return the path of a Chromium, or None."""
    named = os.environ.get("CHROMIUM")
    found = [named] if named else [*map(shutil.which, NAMES), *PLACES]
    return next((path for path in found if path and Path(path).is_file()), None)


def cannot(why):
    """Skip the test with one sentence; in CI, fail it."""
    if os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip(why)
    pytest.fail(why)


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium (playwright's `Browser`), one for the whole session."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        cannot('playwright is not installed: python -m pip install -e ".[browser]"')
    path = chromium()
    if path is None:
        cannot("there is no Chromium or Chrome on this machine: install one, or name it: CHROMIUM=")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=SWITCHES)
        yield started
        started.close()


@dataclass
class Heard:
    """What a page asked for and said while it was open.

    Attributes
    ----------
    requests : list of str
        Every address that it asked for, data URLs left out.
    messages : list of str
        Warnings and errors in the console, and exceptions that nothing caught.
    """

    requests: list = field(default_factory=list)
    messages: list = field(default_factory=list)


@pytest.fixture
def open_page(browser):
    """A function ``open_page(address, *, width, height, theme, offline) -> (Page, Heard)``.

    Every page gets a context of its own, so that nothing is remembered from one to the next.
    """
    contexts = []

    def open_page(address, *, width=1280, height=720, theme="light", offline=False):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, offline=offline
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page, heard = context.new_page(), Heard()

        def request(made):
            if not made.url.startswith(("data:", "blob:")):
                heard.requests.append(made.url)

        def console(message):
            if message.type in ("warning", "error"):
                heard.messages.append(f"{message.type}: {message.text}")

        page.on("request", request)
        page.on("console", console)
        page.on("pageerror", lambda error: heard.messages.append(f"exception: {error}"))
        page.goto(address)
        return page, heard

    yield open_page
    for context in contexts:
        context.close()
