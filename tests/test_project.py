"""The frame: what the project's files promise about each other."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from course_utils import cli

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "course_utils"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
SUPPORTED = SpecifierSet(PROJECT["requires-python"])
README = "".join(
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/running.md")
)
COMMANDS = [
    line.partition("#")[0].strip()
    for block in re.findall(r"^```(?:sh|bat)\n(.*?)^```", README, flags=re.S | re.M)
    for line in block.splitlines()
]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
# A file imports only what stands before it. `session` sets the style of plots.
ORDER = (
    "timing plotting session metrics quiz widgets data importing models layers numpy_ops "
    "arithmetic inspection stopping training experiments views exercises cli"
).split()


def imported(path):
    """Return the names of the package's modules that a file imports, inside functions too."""
    package = ("course_utils", *path.relative_to(PACKAGE).parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in getattr(node, "names", ()) if hasattr(alias, "name")]
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            names = [".".join([*base, *filter(None, [node.module]), name]) for name in names]
        found |= {name.split(".")[1] for name in names if name.startswith("course_utils.")}
    return {
        name for name in found if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").exists()
    }


MODULES = list(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_modules_above_it(path):
    name = path.relative_to(PACKAGE).with_suffix("").parts[0]
    above = [] if name == "__init__" else [*ORDER[: ORDER.index(name)], name]
    assert imported(path) <= set(above)


def test_imports_of_every_form_are_seen():
    assert imported(PACKAGE / "cli.py") == {"importing", "data"}
    assert imported(PACKAGE / "session.py") == {"plotting"}  # inside of a function
    assert imported(PACKAGE / "views" / "pretrained.py") == {"importing", "plotting", "widgets"}


@pytest.mark.parametrize("module", ["course_utils", "course_utils.importing"])
def test_importing_loads_nothing_heavy(module):
    heavy = {"tensorflow", "keras", "matplotlib", "pandas", "scipy", "sklearn"}
    heavy |= {"numpy"} if module == "course_utils" else set()
    code = f"import sys, {module}\nprint(*{heavy!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_files_that_are_no_python_are_part_of_the_package():
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]
    for path in PACKAGE.rglob("*.*"):
        if path.suffix not in (".py", ".pyc"):
            package = ".".join(path.relative_to(ROOT).parts[:-1])
            assert any(fnmatch(path.name, each) for each in patterns.get(package, ())), path


def test_environment_leaves_the_dependencies_to_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, listed = environment["dependencies"]
    assert environment["name"] == PROJECT["name"]
    assert (pip, listed) == ("pip", {"pip": ["-e ."]})
    assert python.removeprefix("python=") + ".0" in SUPPORTED


@pytest.mark.parametrize("command", sorted({c for c in COMMANDS if "course " in f"{c} "}))
def test_the_readmes_course_commands_are_understood(command, capsys):
    words = re.sub(r"^.*course_utils\.cli|^.*?\bcourse(?= |$)", "", command)
    if not command.startswith("conda"):
        with pytest.raises(SystemExit) as end:
            cli.main([*shlex.split(words), "--help"])
        assert end.value.code == 0


def test_the_readmes_other_commands_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.M))
    named = {c.split()[1] for c in COMMANDS if c.startswith("make")}
    assert named | {"help", "install", "data", "bench", "tidy", "check-notebooks"} == targets
    modules = set(re.findall(r" -m ([\w.]+)", "\n".join([*COMMANDS, makefile])))
    assert {"course_utils.cli", "pytest", "jupyter"} <= modules
    assert [name for name in modules if find_spec(name) is None] == []
    assert "https://" not in "".join(COMMANDS)


def test_the_workflow_calls_only_the_readmes_commands_on_the_promised_pythons():
    jobs = WORKFLOW["jobs"].values()
    called = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert called
    assert [command for command in called if command not in README and command != "make data"] == []
    pythons = WORKFLOW["jobs"]["course"]["strategy"]["matrix"]["python"]
    assert pythons == [f"3.{minor}" for minor in range(8, 30) if f"3.{minor}.0" in SUPPORTED]


@pytest.mark.parametrize(
    "name",
    ["README.md", "CONTRIBUTING.md", "docs/running.md", "docs/teaching.md", "docs/cluster.md"],
)
def test_links_of_the_documents_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)\)", text):
        assert target.startswith("https://") or (ROOT / name).parent.joinpath(target).exists(), (
            target
        )


def test_every_file_names_the_same_version():
    version = re.escape(PROJECT["version"])
    for name, line in {
        "README.md": rf", version {version}, ",
        "CHANGELOG.md": rf"\A# Changelog\n\n## {version}, ",
        "CITATION.cff": rf"(?m)^version: {version}$",
    }.items():
        assert re.search(line, (ROOT / name).read_text(encoding="utf-8")), name


def test_the_readme_lists_every_notebook():
    listed = re.findall(
        r"^\| (\d\d) \| \[[^]]+\]\(notebooks/(\1_\w+\.ipynb)\) \|", README, flags=re.M
    )
    assert [name for _, name in listed] == [path.name for path in cli.select([])]
