"""The frame: what the project's files promise about each other."""

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from packaging.specifiers import SpecifierSet

import course_utils
from course_utils.command import tidy

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WORKFLOW = ROOT / ".github/workflows/ci.yml"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
HEAVY = {"tensorflow", "keras", "matplotlib", "pandas", "scipy", "sklearn"}


def test_environment_leaves_the_dependencies_to_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, listed = environment["dependencies"]
    assert environment["name"] == PROJECT["name"]
    assert pip == "pip"
    assert listed == {"pip": ["-e ."]}
    assert python.removeprefix("python=") + ".0" in SpecifierSet(PROJECT["requires-python"])


@pytest.mark.parametrize("module", ["course_utils", "course_utils.data"])
def test_importing_the_package_loads_nothing_heavy(module):
    code = f"import sys, {module}\nprint(*{HEAVY!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def imported(path):
    """Return the names of the package's modules that a file imports, inside functions too."""
    package = ("course_utils", *path.relative_to(ROOT / "course_utils").parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            start = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{start}.{alias.name}" for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("course_utils.")}
    return found


def module_graph():
    """Return, for each module (a folder counts as one), the modules that it imports."""
    graph = {}
    for path in (ROOT / "course_utils").rglob("*.py"):
        name = path.relative_to(ROOT / "course_utils").with_suffix("").parts[0]
        if name != "__init__":
            graph.setdefault(name, set()).update(imported(path) - {name})
    return {name: found & graph.keys() for name, found in graph.items()}


GRAPH = module_graph()
ORDER = [*course_utils._MODULES, "command"]


def below(name, seen=()):
    """Return all modules that one imports, directly or not."""
    found = set()
    for other in GRAPH[name]:
        assert other not in seen, f"modules import each other: {' -> '.join([*seen, name, other])}"
        found |= {other} | below(other, (*seen, name))
    return found


@pytest.mark.parametrize("name", sorted(GRAPH))
def test_a_module_imports_only_modules_above_it(name):
    found = below(name)
    assert "command" not in found
    if name in ORDER:
        later = [other for other in ORDER[ORDER.index(name) :] if other in found]
        assert not later, f"{name} comes before {', '.join(later)} in course_utils._MODULES"


def test_the_graph_sees_imports_of_every_form():
    assert "metrics" in GRAPH["claims"]
    assert "data" in GRAPH["session"]
    assert {"bundles", "downloads"} <= GRAPH["command"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_is_tidy(path):
    text = path.read_text(encoding="utf-8")
    after, changes = tidy.tidied(text)
    assert after == text, f"course tidy would change {changes}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_readme_lists_every_notebook(path):
    assert re.search(
        rf"^\| {path.stem[:2]} \| \[[^]]+\]\(notebooks/{path.name}\) \|", README, flags=re.M
    )


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_of_the_documents_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)\)", text):
        if not target.startswith(("http://", "https://")):
            assert (ROOT / target).exists(), target


def test_the_workflow_calls_only_the_readmes_commands():
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    commands = [
        step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step
    ]
    assert commands
    for command in commands:
        assert command in README, f"not a command of the README: {command}"


def test_the_workflow_covers_the_promised_pythons():
    jobs = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
    pythons = jobs["course"]["strategy"]["matrix"]["python"]
    supported = SpecifierSet(PROJECT["requires-python"])
    assert pythons == [f"3.{minor}" for minor in range(8, 30) if f"3.{minor}.0" in supported]


def test_the_makefile_has_the_readmes_targets():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.M))
    named = set(re.findall(r"^make ([a-z]+)", README, flags=re.M)) | {"install", "data", "tidy"}
    assert named <= targets


def test_notebooks_come_first_then_files_with_slow_tests_and_the_rest_stays_in_order():
    spec = importlib.util.spec_from_file_location("tests_conftest", ROOT / "tests/conftest.py")
    conftest = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conftest)
    items = [
        SimpleNamespace(path=Path(path), name=name, get_closest_marker={name: name}.get)
        for path, name in [
            ("a.py", "quick"),
            ("b.py", "other"),
            ("b.py", "slow"),
            ("c.py", "last"),
            ("d.ipynb", "cell"),
        ]
    ]
    conftest.pytest_collection_modifyitems(items)
    assert [item.name for item in items] == ["cell", "other", "slow", "quick", "last"]
