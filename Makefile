# Two commands do all their set-up themselves on a fresh Debian machine (as root, from package registries alone):
#   make demo   bare lab machines become a highly available cluster (SINGLE=1: one machine)
#   make test   unit, simulation, integration and the core of the end-to-end tests

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
NAME ?= lab
N ?= 3
SEED ?= 1
RUNS ?= 200
# Unit and simulation tests are for processors alone; everything on lab machines runs one after another.
JOBS ?= $(shell nproc)
EDITS ?= 200
MINUTES ?= 30
export PYTHONPATH := $(CURDIR)/hack/lab:$(CURDIR)/hack:$(CURDIR)/hack/image
# Worlds are drawn from seeds; the order of sets must not make another story of the same seed.
export PYTHONHASHSEED := 0
unexport PYTHONDONTWRITEBYTECODE # Python starts thousands of times
LAB := $(BIN)/python -m sealab
# With --quiet nothing is an error to --strict: what it says is left out here instead.
SITE := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict 2>&1 | sed '/^INFO /d'

help: ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

$(STAMP): requirements-dev.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "python3 (3.11 or newer) is missing: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) hack/check_python.py
	@echo "making the virtual environment $(VENV) (about a minute)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(STAMP) ## make the virtual environment

# --- checks ----------------------------------------------------------------------------------------------------------
check: $(STAMP) ## format, lint, types, import contracts, generated files, a sample of unit tests and simulated stories (under 3 minutes)
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit -q -r operator/sealcluster -c pyproject.toml
	$(BIN)/python hack/gen_crds.py --check
	$(BIN)/python hack/gen_reasons.py --check
	$(BIN)/python hack/gen_chart.py --check
	$(BIN)/python hack/gen_api.py --check
	$(BIN)/python hack/gen_argocd.py --check
	$(BIN)/python hack/gen_screens.py --check
	$(SITE)
	$(BIN)/pytest -q -n $(JOBS) --dist worksteal --run sample tests/unit tests/sim

fuzz: $(STAMP) ## other examples for every property on every run: make fuzz FUZZ=2000
	FUZZ=$(or $(FUZZ),2000) $(BIN)/pytest -q --timeout=0 tests/unit/properties

audit: $(STAMP) ## known vulnerabilities of pinned dependencies; gates nothing, its data change from outside: make audit AUDIT=--help
	$(BIN)/python hack/audit.py $(AUDIT)

test: check test-rest test-integration test-e2e-core ## everything that gates: check, the rest of unit tests and stories, integration, the core of e2e

test-rest: $(STAMP) ## unit tests and simulated stories that check leaves out
	$(BIN)/pytest -q -n $(JOBS) --dist worksteal --run rest tests/unit tests/sim

test-integration: $(STAMP)
	$(BIN)/pytest -q tests/integration

test-e2e-core: $(STAMP)
	$(BIN)/pytest -q -m core tests/e2e

e2e: $(STAMP) ## every end-to-end scenario on lab machines (long)
	$(BIN)/pytest -q tests/e2e

chaos: $(STAMP) ## random faults on real machines while clusters come, change and go: make chaos MINUTES=30 SEED=1
	CHAOS_MINUTES=$(MINUTES) CHAOS_SEED=$(SEED) $(BIN)/pytest -q -s tests/chaos

bench-scale: $(STAMP) ## one operator with 1,000 clusters, and with one cluster of 2,000 machines (models)
	$(BIN)/python hack/bench/bench_scale.py

bench: $(STAMP) ## the product against a shell script on fresh machines, in one run
	$(BIN)/python hack/bench/bench.py

sim: $(STAMP) ## simulated runs with faults: make sim SEED=1 RUNS=2000
	$(BIN)/python -m sealcluster.testing.run --seed $(SEED) --runs $(RUNS) --jobs $(JOBS)

sim-edits: $(STAMP) ## random edits, machine faults and operator faults: make sim-edits EDITS=200
	SEALCLUSTER_EDITS=$(EDITS) $(BIN)/pytest -q --timeout 36000 tests/sim/test_machine_of_edits.py

format: $(STAMP) ## format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMP) ## generate the pages that come from code, the pack for Argo CD, and the site below build/site
	$(BIN)/python hack/gen_reasons.py
	$(BIN)/python hack/gen_api.py
	$(BIN)/python hack/gen_argocd.py
	$(BIN)/python hack/gen_screens.py
	$(SITE)

crd: $(STAMP) ## generate crds/ and docs/api.md from the models, and what the chart takes from it
	$(BIN)/python hack/gen_crds.py
	$(BIN)/python hack/gen_api.py
	$(BIN)/python hack/gen_chart.py

# --- what people install ---------------------------------------------------------------------------------------------
image: $(STAMP) ## build the operator's image into build/, without a container engine
	$(BIN)/python -m sealimage build

image-lock: $(STAMP) ## pin the wheels that go into the image, from requirements-dev.txt
	$(BIN)/python -m sealimage lock

# --- the lab ---------------------------------------------------------------------------------------------------------
lab-up: $(STAMP) ## boot N bare machines: make lab-up N=5 NAME=lab
	$(LAB) up --name $(NAME) -n $(N)

lab-down: $(STAMP) ## remove every trace of the lab NAME
	$(LAB) down --name $(NAME)

plane-up: $(STAMP) ## start a management plane NAME on loopback
	$(LAB) plane-up --name $(NAME)

plane-down: $(STAMP) ## stop it
	$(LAB) plane-down --name $(NAME)

demo: $(STAMP) ## machines, management plane, operator, and a cluster of 3 masters and 2 workers (SINGLE=1: one machine)
	@$(BIN)/python hack/demo/demo.py up $(if $(SINGLE),--single)

demo-down: $(STAMP) ## remove the demo
	@$(BIN)/python hack/demo/demo.py down

screens: $(STAMP) ## run the demo and record what commands print, for the pictures of the pages
	@$(BIN)/python hack/demo/record.py
	$(BIN)/python hack/gen_screens.py

.PHONY: help bench-scale sim-edits image image-lock setup check audit fuzz test test-integration test-e2e-core e2e sim chaos bench format docs screens crd lab-up lab-down plane-up plane-down demo demo-down
