# Each target sets up what it needs; the first run on a machine installs into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install browser demo test test-slow test-faults test-attacks bench bench-compare bench-gpu lint format docs tables serve
.PHONY: constraints clean

install: $(STAMP)

$(STAMP): setup.cfg setup.py pyproject.toml constraints.txt tools/install.sh
	PYTHON="$(PYTHON)" VENV="$(VENV)" bash tools/install.sh
	touch $(STAMP)

bench-gpu: install
	$(BIN)/python -m benchmarks.gpu

demo: install
	$(BIN)/sidecar demo

serve: install
	$(BIN)/sidecar serve

browser:
	bash tools/install_browser.sh

# Two processes, each with a node of its own; the tests of a file share what it set up.
test: install browser
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-slow: install
	$(BIN)/python -m pytest -m slow --timeout 1800

# Needs root for the tests that cut a network.
test-faults: install
	$(BIN)/python -m pytest -m faults --timeout 3000 tests/faults

test-attacks: install
	$(BIN)/python -m pytest -m attacks --timeout 1800 tests/attacks

bench: install
	$(BIN)/python -m benchmarks

# Against other ways to search by meaning; installs them into .cache/comparison the first time.
bench-compare: install
	$(BIN)/python -m benchmarks.comparison

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The site of the documents, in site/: pages open from there without a web server.
docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The tables of the README and the pages of docs/reference/, made from the code.
tables: install
	$(BIN)/python tools/readme_tables.py
	$(BIN)/python tools/reference_pages.py

constraints:
	uv pip compile setup.py --all-extras --universal --python-version 3.10 --upgrade \
		--no-header --no-annotate --quiet --output-file constraints.txt

clean:
	rm -rf $(VENV) build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .cache
