# Everything a clone needs. Every target sets up .venv first; nothing that is already installed is relied on.

PYTHON ?= python3
JOBS ?= 2

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
# Progress bars where someone looks, one line where nobody does.
PIP := $(BIN)/python -m pip install --disable-pip-version-check $(shell test -t 2 || echo --quiet)
PYTEST := $(BIN)/python -m pytest
OLDEST := 3.11

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## list the targets
	@echo "make TARGET, with PYTHON=$(PYTHON) (any Python $(OLDEST) or newer):"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-7s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMP) ## make .venv and install netspec into it, with the tools to develop it

$(STAMP): pyproject.toml constraints.txt hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "netspec needs Python $(OLDEST) or newer; '$(PYTHON)' is: $$($(PYTHON) --version 2>&1 || true)" >&2; \
	  echo "name another one: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 3; }
	@echo "setting up $(VENV) (about a minute, most of it for torch)"
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) --constraint constraints.txt --editable '.[dev]'
	@touch $@

.PHONY: demo
demo: setup ## build AlexNet with its proof and infer; train a small net on drawn pictures and infer
	$(BIN)/netspec build specs/alexnet.yaml
	$(BIN)/python docs/draw_demo_picture.py build/demo.png
	$(BIN)/netspec infer --onnx build/alexnet/alexnet.onnx build/demo.png
	$(BIN)/netspec train
	$(BIN)/python docs/draw_shape.py star 1 build/star.png
	$(BIN)/netspec infer --onnx $$(ls -td runs/shapes*/model.onnx | head -1) build/star.png

.PHONY: test
test: setup ## all tests
	$(PYTEST) -n $(JOBS)

.PHONY: quick
quick: setup ## most tests, in under 90 seconds
	NETSPEC_HYPOTHESIS=quick $(PYTEST) -n $(JOBS) -m "not slow and not soak"

.PHONY: soak
soak: setup ## the long tests: the same promises at large scale, minutes to hours
	NETSPEC_HYPOTHESIS=soak $(PYTEST) -n $(JOBS) -m soak -o faulthandler_timeout=0

.PHONY: lint
lint: setup ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: setup ## mypy, strict, tests included
	$(BIN)/mypy

.PHONY: check
check: ## exactly what CI runs
	.ci/run

.PHONY: docs
docs: setup ## write the language reference, the schema and the drawing anew
	$(BIN)/netspec schema --format markdown > docs/language.md
	$(BIN)/netspec schema --format ledgers > docs/ledgers.md
	$(BIN)/netspec schema > specs/netspec.schema.json
	$(BIN)/netspec graph specs/alexnet.yaml -o docs/alexnet.svg --force

.PHONY: wheel
wheel: setup ## build dist/, install the wheel in a clean environment and build AlexNet from it
	$(BIN)/python .ci/check_wheel.py dist

.PHONY: bench
bench: setup ## speed side by side with peers, as ratios
	$(BIN)/python -m benchmarks

.PHONY: clean
clean: ## remove .venv and everything that was built; runs/ stays
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
