# Two commands set everything up on a machine that has Python 3.11 or newer, pip and make:
#     make run     installs neurosim into .venv, runs a first network and leaves its picture
#     make test    adds the test tools and checks everything

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# -qq keeps pip to its errors; --no-input so that nothing waits for an answer.
PIP    := -m pip -qq --no-input --disable-pip-version-check
# Two workers suit two cores; more would mostly compile the same kernels side by side.
WORKERS ?= 2
PYTEST := HYPOTHESIS_PROFILE=ci $(BIN)/python -m pytest -q

.DEFAULT_GOAL := help
.PHONY: help run test lint slow bench gallery images peers clean

help:
	@echo "make run     install into $(VENV), run a first network, leave a picture"
	@echo "make test    lint, types, tests, and the lanes with bounds checks and without compilation"
	@echo "make lint    ruff and mypy only"
	@echo "make slow    the tests that take minutes"
	@echo "make bench   the benchmarks"
	@echo "make gallery the pictures of all models and learning rules, and docs/gallery.md"
	@echo "make images  the pictures and the movie of README.md and docs/pictures.md"
	@echo "make peers   an environment of its own for each simulator we compare with"
	@echo "make clean   remove environments, caches and what runs left"

# ---- what people type -------------------------------------------------------------------------

run: $(VENV)/core.stamp
	@$(BIN)/neurosim run scenarios/first_light.yaml -o first_light.nsim --overwrite
	@$(BIN)/neurosim plot first_light.nsim -o first_light.png
	@echo
	@echo "The picture is $(CURDIR)/first_light.png"
	@echo "Next: $(BIN)/neurosim run scenarios/brunel.yaml, or read docs/scenarios.md and change something."

test: lint
	@echo "Testing ..."
	@$(PYTEST) -n $(WORKERS)
	@echo "Testing a part again with bounds checks in every kernel ..."
	@NUMBA_BOUNDSCHECK=1 $(PYTEST) -m "lane and not slow"
	@echo "Testing the same part again with no kernel compiled ..."
	@NUMBA_DISABLE_JIT=1 $(PYTEST) -m "lane and not slow" $(UNCOMPILED)

# Plain numpy scalars warn where a kernel's unsigned integers wrap around, which random number generators mean to do,
# and where a model is driven out of all bounds, which random tests do.
UNCOMPILED := -W "ignore:overflow encountered:RuntimeWarning" -W "ignore:invalid value encountered:RuntimeWarning"

lint: $(VENV)/test.stamp
	@echo "Linting and checking types ..."
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary

slow: $(VENV)/test.stamp
	@$(PYTEST) -m slow

bench: $(VENV)/core.stamp
	@$(BIN)/neurosim bench

gallery: $(VENV)/core.stamp
	@$(BIN)/python -m neurosim.viz.gallery docs

# The pictures of README.md and docs/pictures.md, each as a user makes it.
PICTURE := $(BIN)/neurosim plot
images: $(VENV)/core.stamp
	@mkdir -p build docs/images/pictures
	@for name in demo engram stdp_competition travelling_wave; do \
	    $(BIN)/neurosim run $$name -o build/$$name.nsim --overwrite >/dev/null || exit 1; done
	@$(BIN)/neurosim watch build/demo.nsim --movie docs/images/demo.gif --size 480x270 --speed 14
	@$(PICTURE) build/demo.nsim --kind network --at "58 s" -o docs/images/network.jpg
	@$(PICTURE) build/travelling_wave.nsim --kind network --at "53 ms" -o docs/images/pictures/wave.jpg
	@for kind in degrees connectivity; do \
	    $(PICTURE) build/engram.nsim --kind $$kind -o docs/images/pictures/$$kind.png || exit 1; done
	@$(PICTURE) build/demo.nsim -o docs/images/pictures/summary.jpg
	@$(PICTURE) build/demo.nsim --kind structure -o docs/images/pictures/structure.png
	@$(PICTURE) build/stdp_competition.nsim --kind weights -o docs/images/pictures/weights.png

# ---- environments: each stamp says that its environment is as pyproject.toml and constraints.txt want it --------

# What tests need beyond Python: a browser for the live view, and an OpenGL in software for the desktop's window. They
# are installed where that is possible without asking, else the line is printed that does it.
DEBIAN := chromium libegl1 libegl-mesa0 libgl1-mesa-dri

$(VENV)/debian.stamp: Makefile | $(BIN)/python
	@missing=; for package in $(DEBIAN); do \
	    dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; done; \
	if command -v chromium chromium-browser google-chrome >/dev/null; then missing=$$(echo $$missing | sed 's/chromium//'); fi; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing $$missing ..."; apt-get -qq update && \
	    DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends $$missing >/dev/null || \
	    echo "That failed; tests that need $$missing will fail, too."; \
	else echo "Some tests need $$missing. On Debian or Ubuntu: sudo apt-get install $$missing"; fi
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "neurosim needs Python 3.11 or newer; this is $$($(PYTHON) --version). Say which: make PYTHON=python3.11 ..."; exit 1; }
	@echo "Making the environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/core.stamp: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing neurosim and what it needs into $(VENV) (about 300 MB, once) ..."
	@$(BIN)/python $(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/test.stamp: pyproject.toml constraints.txt $(VENV)/debian.stamp | $(BIN)/python
	@echo "Installing neurosim with its test tools into $(VENV) (once) ..."
	@$(BIN)/python $(PIP) install -c constraints.txt -e '.[test]'
	@touch $@ $(VENV)/core.stamp

peers: $(VENV)/core.stamp
	@$(BIN)/python -m neurosim.benchmarks.peers

clean:
	rm -rf $(VENV) .venv-peers build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -f first_light.nsim first_light.png
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
