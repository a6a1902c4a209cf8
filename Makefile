# Thin on purpose: each target is one or two of the README's own commands, run by the Python of .venv.
# Paths are relative, and nothing is run through a script's first line, so that the course works from
# a folder with spaces or umlauts in its name.

ifeq ($(OS),Windows_NT)
  PYTHON ?= python
  IN_VENV := .venv/Scripts/python.exe
  NICE :=
else
  PYTHON ?= python3
  IN_VENV := .venv/bin/python
  NICE := nice -n 19
endif
COURSE := $(IN_VENV) -m course_utils.command
# What else `course run` or `course data` should be told: make run OPTIONS="03 --profile full"
OPTIONS ?=

# Exercises that nobody has solved are no failure of the course.
unexport COURSE_STRICT

.PHONY: help install lab run site slides check test browser bench data tidy mutate fuzz

help:
	@echo "make run      execute the whole course, and write pages to build/"
	@echo "make site     the course as a book in HTML, from what make run has executed"
	@echo "make slides   each notebook as slides, from what make run has executed"
	@echo "make test     lint, unit tests, exercise tests, and every notebook"
	@echo "make check    the same without the notebooks"
	@echo "make browser  open every notebook in JupyterLab, and every page of the site, in a browser"
	@echo "make lab      open the course in JupyterLab"
	@echo "make bench    run every benchmark, and write benchmarks/RESULTS.md"
	@echo "make data     fetch the real images once (make run then uses them)"
	@echo "make tidy     clear the outputs of the notebooks"
	@echo "make mutate   break the package in many places: do the tests notice? (5 to 15 minutes)"
	@echo "make fuzz     import thousands of broken data files (some minutes)"
	@echo "make install  only make .venv; the others do it when it is missing"

install: .venv/installed

# This file is made last, so that an install which was interrupted is begun again.
.venv/installed: pyproject.toml
	@$(PYTHON) course_utils/command/install.py

lab: .venv/installed
	$(IN_VENV) -m jupyter lab --ServerApp.root_dir=. \
	  --LabApp.app_settings_dir=course_utils/command/lab notebooks/00_start_here.ipynb

run: .venv/installed
	$(COURSE) run $(OPTIONS)

site: .venv/installed
	$(COURSE) site $(OPTIONS)

slides: .venv/installed
	$(COURSE) slides $(OPTIONS)

# Two processes at once, and what they train is too small for two threads each.
check test browser: export TF_NUM_INTRAOP_THREADS ?= 1
check test browser: export OMP_NUM_THREADS ?= 1

check test: export COURSE_PROFILE := fast
# In the notebooks, a figure that not everybody can read is an error: pale, or its alternative text
# says too little.
test: export COURSE_FIGURES := strict
test: NOTEBOOKS := --nbval-lax --nbval-current-env --nbval-cell-timeout 300 notebooks
check test: .venv/installed
	$(IN_VENV) -m ruff check .
	$(IN_VENV) -m ruff format --check .
	$(IN_VENV) -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests $(NOTEBOOKS)

browser: .venv/browser
	$(IN_VENV) -m pytest -n 2 --dist loadfile tests/browser $(OPTIONS)

# Made last too, so that pip is asked once.
.venv/browser: .venv/installed
	$(IN_VENV) -m pip install --disable-pip-version-check --quiet -e ".[browser]"
	@$(IN_VENV) -c "open('.venv/browser', 'w').close()"

bench: .venv/installed
	$(IN_VENV) benchmarks/bench.py $(OPTIONS)

data: .venv/installed
	$(COURSE) data fetch $(OPTIONS)

tidy: .venv/installed
	$(COURSE) tidy $(OPTIONS)

# Nice: both take minutes of every core, and nobody waits for them.
mutate: .venv/installed
	$(NICE) $(IN_VENV) tests/mutate.py --write $(OPTIONS)

fuzz: .venv/installed
	$(NICE) $(IN_VENV) tests/fuzzing.py --write $(OPTIONS)
