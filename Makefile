# Thin on purpose: each target is one or two commands of the README, run by the Python of .venv.
# Paths are relative and quoted where they are not ours, so that the course works in any folder.

ifeq ($(OS),Windows_NT)
  PYTHON ?= python
  IN_VENV := .venv/Scripts/python.exe
else
  PYTHON ?= python3
  IN_VENV := .venv/bin/python
endif
COURSE := $(IN_VENV) -m course_utils.cli
# What else a command should be told: make run OPTIONS="03 --profile full"
OPTIONS ?=

.PHONY: help install lab run test check-notebooks data bench tidy

help:
	@echo "make run      execute the course, and build its book: build/book/index.html"
	@echo "make lab      open the course in JupyterLab"
	@echo "make test     lint, unit tests, and every notebook"
	@echo "make check-notebooks   hold the notebooks of the repository to its rules"
	@echo "make data     fetch the real images once (make run then uses them)"
	@echo "make bench    run every benchmark, and write benchmarks/RESULTS.md"
	@echo "make tidy     clear the outputs of the notebooks, fold what is no lesson"
	@echo "make install  only make .venv; the others do it when it is missing"

install: .venv/installed

# .venv/unfinished stands as long as an install is not through: the next one then begins anew.
.venv/installed: pyproject.toml
	@$(PYTHON) -c "import os, shutil, sys; v = sys.version_info; \
	(3, 11) <= v[:2] <= (3, 13) or sys.exit('This is Python %d.%d; the course needs 3.11, 3.12 or 3.13: make PYTHON=python3.12 run' % v[:2]); \
	os.path.exists('.venv/unfinished') and shutil.rmtree('.venv'); \
	os.path.isdir('.venv') or os.mkdir('.venv'); \
	open('.venv/unfinished', 'w').close(); \
	print('Installing the course into .venv: some minutes, 2.5 GB.')"
	@$(PYTHON) -m venv .venv
	@$(IN_VENV) -m pip install --disable-pip-version-check --quiet -e ".[dev]"
	@$(IN_VENV) -c "import os; os.utime('.venv/unfinished'); os.replace('.venv/unfinished', '.venv/installed')"

# The settings keep JupyterLab from asking for news, and from looking for updates.
lab: .venv/installed
	$(IN_VENV) -m jupyter lab --ServerApp.root_dir=. --LabApp.app_settings_dir=docs/lab \
	  notebooks/00_start_here.ipynb

run: .venv/installed
	$(COURSE) run $(OPTIONS)

# Two processes at once, and what they train is too small for two threads each.
test: export TF_NUM_INTRAOP_THREADS ?= 1
test: export OMP_NUM_THREADS ?= 1
test: export COURSE_PROFILE := fast
# In the notebooks a claim that a run contradicts is an error (tests/conftest.py takes it back).
test: export COURSE_STRICT := 1
test: .venv/installed
	$(IN_VENV) -m ruff check --extend-exclude notebooks .
	$(IN_VENV) -m ruff format --check --exclude notebooks .
	$(IN_VENV) -m pytest -n 2 --dist worksteal --ignore tests/test_notebooks.py tests
	$(IN_VENV) -m pytest -n 2 --dist loadfile --nbval-lax --nbval-current-env \
	  --nbval-cell-timeout 300 --ignore-glob "*_mine.ipynb" notebooks

# Apart from the tests: a student's own edits and saved runs break none of those.
check-notebooks: .venv/installed
	$(IN_VENV) -m ruff check notebooks
	$(IN_VENV) -m ruff format --check notebooks
	$(IN_VENV) -m pytest tests/test_notebooks.py

data: .venv/installed
	$(COURSE) data fetch $(OPTIONS)

bench: .venv/installed
	$(IN_VENV) benchmarks/bench.py $(OPTIONS)

tidy: .venv/installed
	$(COURSE) tidy $(OPTIONS)
