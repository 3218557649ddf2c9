# Set-up, checks and the demo. Everything lives in .venv (and .uv, the installer); nothing outside this folder changes.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := $(CURDIR)/.venv
UV := $(CURDIR)/.uv/bin/uv
READY := .venv/.ready
# Which of the preset's weights come with the tool: docs/weights.md
OWN_WEIGHTS := artifacts/correspondence/weights

# Snakemake, DVC and the commands they start find each other through PATH.
export PATH := $(VENV)/bin:$(PATH)
# Idle OpenMP threads sleep: with several libraries and processes on few cores, spinning ones take the cores away.
export OMP_WAIT_POLICY := PASSIVE

.PHONY: help setup demo weights test lint lock sync clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## create .venv from the hashed lock (done by itself where needed)

demo: $(READY) ## run the whole experiment on generated videos, print the results table
	@grep -qx 'preset: demo' params.yaml || { echo "error: params.yaml holds another experiment than the demo; \
	'.venv/bin/maskvos compose preset=demo' writes the demo's" >&2; exit 2; }
	snakemake --cores all
	@maskvos table artifacts
	@echo "report: $(CURDIR)/artifacts/report/report.html"

weights: $(READY) ## train the weights that come with the tool anew, on generated videos (params.yaml becomes theirs)
	@git diff --quiet HEAD -- params.yaml || grep -qx 'preset: generated' params.yaml || { echo "error: params.yaml holds \
	an experiment of yours; commit or remove it, then 'git checkout params.yaml'" >&2; exit 2; }
	maskvos compose preset=generated
	snakemake --cores all $(OWN_WEIGHTS)
	rm -f generated_r18.safetensors
	maskvos weights export $(OWN_WEIGHTS) --output generated_r18.safetensors --half --params params.yaml \
		--licence "CC0 1.0" --data "generated videos only"
	@echo "to make them the tool's own: mv generated_r18.safetensors maskvos/weights/"

test: lint ## lint and run all tests
	python -m pytest -n 2

lint: $(READY) ## ruff, mypy, snakemake --lint
	ruff check .
	ruff format --check .
	mypy
	snakemake --lint

lock: $(UV) ## resolve the requirements anew into envs/requirements.lock
	$(UV) pip compile --quiet pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header -o envs/requirements.lock
	$(UV) pip compile --quiet envs/uv.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header -o envs/uv.lock
	@digest=$$(sha256sum envs/requirements.lock | cut -d ' ' -f 1); \
	sed -i "s/^# requirements.lock: .*/# requirements.lock: $$digest/" envs/environment.post-deploy.sh

sync: $(READY) ## after a run by Snakemake or DVC, let the other know that it is done
	python -m maskvos.cli sync

clean: ## remove what runs made; downloads (data/) and .venv stay
	rm -rf artifacts checkpoints logs .snakemake .pytest_cache .mypy_cache .ruff_cache

$(UV): envs/uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or newer is needed, \
	and '$(PYTHON)' is absent or older. Name one: make PYTHON=python3.11" >&2; exit 2; }
	@$(PYTHON) -m venv --clear .uv || { echo "error: '$(PYTHON) -m venv' failed; on Debian and Ubuntu install \
	the package python3-venv" >&2; rm -rf .uv; exit 2; }
	@echo "set-up: the installer, uv"
	@.uv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r envs/uv.lock
	@touch $@

$(READY): envs/requirements.lock pyproject.toml $(UV)
	@test -x .venv/bin/python || $(UV) venv --quiet --python $(PYTHON) .venv
	@echo "set-up: the locked packages into .venv (several GB the first time)"
	@$(UV) pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes envs/requirements.lock
	@$(UV) pip install --quiet --python .venv/bin/python --offline --no-deps --no-build-isolation --editable .
	@touch $@
