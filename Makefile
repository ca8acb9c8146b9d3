# Two commands for people: `make demo` and `make test`. Both build .venv on first use.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: demo test truth test-lowest same-lowest test-wheel lint install clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(0 if sys.version_info >= (3, 11) else 'Sudeck needs Python 3.11 or newer: set PYTHON=python3.12, for example.')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

demo: install
	$(BIN)/sudeck demo sudeck-demo

test: lint
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

# Six studies of every world of truth as tables, a minute of processor time: no claim may be false too often.
truth: install
	$(BIN)/sudeck truth --quick

# The oldest libraries that pyproject.toml promises; TESTS names a part of the suite.
test-lowest: $(VENV)-lowest/.installed
	$(VENV)-lowest/bin/python -m pytest --numprocesses auto --dist loadfile $(TESTS)

$(VENV)-lowest/.installed: pyproject.toml constraints-lowest.txt
	$(PYTHON) -m venv $(VENV)-lowest
	$(VENV)-lowest/bin/python -m pip install --quiet --constraint constraints-lowest.txt --editable ".[dev]"
	@touch $@

# One small study measured by the newest and by the oldest libraries: every number is the same to 1e-9.
same-lowest: install $(VENV)-lowest/.installed
	rm -rf results/same && mkdir -p results/same
	$(BIN)/sudeck demo results/same/newest --patients 24
	mkdir results/same/oldest && cp -r results/same/newest/study results/same/oldest/
	rm -r results/same/oldest/study/derivatives
	$(VENV)-lowest/bin/sudeck run results/same/oldest/study --despite-problems
	$(BIN)/sudeck predict results/same/newest/study
	$(VENV)-lowest/bin/sudeck predict results/same/oldest/study
	$(VENV)-lowest/bin/sudeck explain results/same/oldest/study
	$(VENV)-lowest/bin/sudeck ketamine results/same/oldest/study
	$(BIN)/python tools/compare_results.py results/same/newest/study/derivatives results/same/oldest/study/derivatives

# The wheel, installed outside the repository, runs the demo.
test-wheel: install
	rm -rf results/wheel && mkdir -p results/wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir results/wheel .
	$(PYTHON) -m venv results/wheel/venv
	results/wheel/venv/bin/python -m pip install --quiet results/wheel/*.whl
	cd results/wheel && PYTHONPATH= venv/bin/sudeck demo demo --patients 3 && test -s demo/report.html

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) $(VENV)-lowest sudeck-demo results
