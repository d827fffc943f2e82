# Encore. `make` lists the targets. The first target that needs it builds .venv; after that nothing touches the network.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
PAPERS := $(sort $(patsubst papers/%/evaluate.py,%,$(wildcard papers/*/evaluate.py)))
PRESET ?= demo
FOLLOW ?= all
SEEDS ?= 0
RUN := .venv/bin/python
OPTIONS = --preset $(PRESET) --follow $(FOLLOW) --seeds $(SEEDS) $(if $(DATA),--data "$(DATA)") \
          $(if $(NULL),--null) $(if $(ABLATIONS),--ablations) $(if $(EFFECTS),--effects)
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: help reproduce $(PAPERS:%=reproduce-%) report test test-fast test-slow check-data lint bench check-gpu clean venv

help:
	@echo "Encore: five papers on music representations, played again."
	@echo
	@echo "  make reproduce              every paper on the built-in demo corpora, then the report"
	@for paper in $(PAPERS); do echo "  make reproduce-$$paper"; done
	@echo "      DATA=DIR                a data set, or a folder with several (see data/README.md)"
	@echo "      PRESET=smoke|demo|full  sizes and steps (default demo)"
	@echo "      FOLLOW=code|paper|sound|all  which description to follow (default all)"
	@echo "      SEEDS=\"0 1 2\"           one run for each (default 0)"
	@echo "      NULL=1 ABLATIONS=1 EFFECTS=1  shuffled labels; ablations; the effect of each divergence"
	@echo "  make report                 runs/index.html from the runs there are"
	@echo "  make test                   set-up and all tests but the slowest"
	@echo "  make test-fast | test-slow  under three minutes | the slowest only"
	@echo "  make check-data DATA=DIR    the tests that need a published data set"
	@echo "  make lint | bench | check-gpu"
	@echo "  make clean                  remove .venv and caches; runs/ and data/ stay"

venv: .venv/complete

.venv/complete: requirements.txt constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not there: install Python 3.11, or name it: make PYTHON=python3.11"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Encore needs Python 3.11, $(PYTHON) is $$($(PYTHON) --version 2>&1): install 3.11, or name it: make PYTHON=python3.11"; exit 2; }
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@echo "installing the packages of requirements.txt into .venv, once (about 3 GB) …"
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: -r requirements.txt
	@touch .venv/complete

reproduce: .venv/complete
	@failed=""; for paper in $(PAPERS); do $(RUN) -m common.reproduce $$paper $(OPTIONS) || { code=$$?; [ $$code -lt 128 ] || exit $$code; failed="$$failed $$paper"; }; done; \
	  if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

$(PAPERS:%=reproduce-%): reproduce-%: .venv/complete
	@$(RUN) -m common.reproduce $* $(OPTIONS)

report: .venv/complete
	@$(RUN) -m common.report

test: .venv/complete
	@$(RUN) -m pytest -m "not very_slow and not needs_data"

test-fast: .venv/complete
	@$(RUN) -m pytest -m "not slow and not very_slow and not needs_data"

test-slow: .venv/complete
	@$(RUN) -m pytest -m very_slow

check-data: .venv/complete
	@test -n "$(DATA)" || { echo "say where the data is: make check-data DATA=/datasets/gtzan"; exit 2; }
	@ENCORE_DATA="$(DATA)" $(RUN) -m pytest -m needs_data -rs

lint: .venv/complete
	@$(RUN) -m ruff check .

bench: .venv/complete
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(RUN) -m benchmarks.$$(basename $$file .py) || exit 1; done

check-gpu: .venv/complete
	@$(RUN) -m common.check_gpu

clean:
	rm -rf .venv .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
