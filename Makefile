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
          $(if $(NULL),--null) $(if $(ABLATIONS),--ablations) $(if $(EFFECTS),--effects) --jobs $(or $(JOBS),0) $(if $(DASK),--dask $(DASK)) $(FLAGS)
ESTIMATE_OPTIONS = --preset $(PRESET) --follow $(FOLLOW) --seeds $(SEEDS) $(if $(DATA),--data "$(DATA)")
NULL_OPTIONS = $(if $(filter command,$(origin PRESET)),--preset $(PRESET)) $(if $(filter command,$(origin FOLLOW)),--follow $(FOLLOW)) \
               $(if $(TWINS),--twins $(TWINS)) $(if $(JOBS),--jobs $(JOBS)) $(if $(COUNT),--count)
# Tests run in several processes of one thread each, a file in one of them.
PARALLEL = -n $(or $(WORKERS),auto --maxprocesses 4) --dist loadfile --no-loadscope-reorder
export TF_CPP_MIN_LOG_LEVEL ?= 3

REPRODUCE := reproduce $(PAPERS:%=reproduce-%)
TARGETS := help venv $(REPRODUCE) estimate null report test test-fast test-slow check-data mutants lint bench check-gpu clean
.PHONY: $(TARGETS)

# What is typed is checked before anything runs: the targets, then the variables, each of which some targets take.
GOALS := $(or $(MAKECMDGOALS),help)
GIVEN := $(foreach one,$(.VARIABLES),$(if $(filter command,$(origin $(one))),$(one)))
TAKEN := $(if $(filter $(REPRODUCE),$(GOALS)),DATA PRESET FOLLOW SEEDS NULL ABLATIONS EFFECTS JOBS DASK FLAGS) \
         $(if $(filter estimate,$(GOALS)),PAPER DATA PRESET FOLLOW SEEDS) $(if $(filter check-data,$(GOALS)),DATA) $(if $(filter mutants,$(GOALS)),PAPER N SEED) $(if $(filter null,$(GOALS)),PAPER PRESET FOLLOW TWINS JOBS COUNT) \
         $(if $(filter test test-fast,$(GOALS)),WORKERS) $(if $(filter bench,$(GOALS)),ONLY) PYTHON OFFLINE
AGAIN = $(subst ','\'',$(foreach one,$(sort $(GIVEN)),$(one)="$($(one))"))
upper = $(shell tr a-z A-Z <<< '$(1)')
like = $(if $(filter $(1)%,$(2))$(filter $(2)%,$(1)),$(1))
meant = $(strip $(foreach one,$(TAKEN),$(call like,$(one),$(call upper,$(1)))))
unknown-target = $(error $(1): no such target; choose one of $(if $(filter reproduce%,$(1)),$(REPRODUCE),$(TARGETS)))
unknown-variable = $(error $(1)=$($(1)): $(GOALS) takes $(or $(call meant,$(1)),no $(1); it takes $(strip $(TAKEN)))$(if \
  $(filter FLAGS,$(TAKEN)),. Settings of a paper: FLAGS="--epochs 5"))
$(foreach one,$(filter-out $(TARGETS),$(GOALS)),$(call unknown-target,$(one)))
$(foreach one,$(filter-out $(TAKEN),$(GIVEN)),$(call unknown-variable,$(one)))

# A failed recipe makes `make` return 2. Ctrl-C and SIGTERM are handed on instead: it then ends by that signal (130, 143).
HAND_ON = case $$code in 130) kill -INT $$PPID; sleep 0.5;; 143) kill -TERM $$PPID; sleep 0.5;; esac; exit $$code

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
	@echo "      JOBS=2                  trainings and evaluations at once, one thread each (default: what the machine permits)"
	@echo "      DASK=tcp://host:8786    do them on a Dask cluster"
	@echo "      FLAGS=\"--epochs 5\"      any setting of the paper: python -m common.reproduce PAPER --help"
	@echo "  make estimate               hours, memory and disk of such a call, without training"
	@echo "      PAPER=musae DATA=DIR PRESET=full FOLLOW=sound SEEDS=\"0 1 2\""
	@echo "  make null                   every paper on 20 twins with shuffled labels: how often is something seen?"
	@echo "      PAPER=musae TWINS=20 JOBS=2 PRESET=smoke FOLLOW=sound  COUNT=1 only judges what was run"
	@echo "  make report                 runs/index.html from the runs there are"
	@echo "  make test                   set-up and all tests but the slowest"
	@echo "  make test-fast | test-slow  under three minutes | the slowest only"
	@echo "      WORKERS=2               test, test-fast: so many processes (default: one a core, at most 4)"
	@echo "  make check-data DATA=DIR    the tests that need a published data set"
	@echo "  make mutants PAPER=musae    which small faults the tests notice (N=60 SEED=0)"
	@echo "  make bench                  speed of each part against a named peer (benchmarks/README.md), ten minutes"
	@echo "      ONLY=\"inversion steps\"  these alone: inversion reading midi_parsing steps jobs scale"
	@echo "  make lint | check-gpu"
	@echo "  make clean                  remove .venv and caches; runs/ and data/ stay"
	@echo "      OFFLINE=1               with any target: work with the packages that are installed"

# .venv/complete holds the hash of what was asked for; another set is built beside it and takes its place when it is whole.
venv:
	@wanted=$$(cat requirements.txt constraints.txt | sha256sum | cut -c1-64); \
	[ "$$(cat .venv/complete 2>/dev/null)" != $$wanted ] || exit 0; \
	[ -z "$(OFFLINE)" ] || { [ -x $(RUN) ] && exit 0; echo "OFFLINE=1: there is no .venv yet"; exit 2; }; \
	command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not there: install Python 3.11, or name it: make PYTHON=python3.11"; exit 2; }; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Encore needs Python 3.11, $(PYTHON) is $$($(PYTHON) --version 2>&1): install 3.11, or name it: make PYTHON=python3.11"; exit 2; }; \
	echo "installing the packages of requirements.txt into .venv, once (about 3 GB) …"; \
	rm -rf .venv.new && $(PYTHON) -m venv .venv.new && \
	.venv.new/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: -r requirements.txt || \
	{ code=$$?; rm -rf .venv.new; [ $$code -lt 128 ] || exit $$code; \
	  [ ! -x $(RUN) ] || echo "the packages could not be installed; .venv is as it was, to work with it: make $(GOALS) OFFLINE=1"; exit 2; }; \
	grep -lIrF .venv.new .venv.new/bin .venv.new/pyvenv.cfg | xargs -r sed -i "s|[.]venv[.]new|.venv|g"; \
	echo $$wanted > .venv.new/complete && rm -rf .venv.old && \
	if [ -e .venv ]; then mv .venv .venv.old; fi && mv .venv.new .venv && rm -rf .venv.old && \
	{ $(RUN) -c "from common.compiled import compile_librosa; compile_librosa()" || echo "librosa's functions could not be compiled ahead: they are when they are first called"; }

reproduce: venv
	@failed=""; for paper in $(PAPERS); do \
	  $(RUN) -m common.reproduce $$paper $(OPTIONS) || \
	  { code=$$?; [ $$code = 1 ] || { $(HAND_ON); }; failed="$$failed $$paper"; }; \
	done; [ -z "$$failed" ] || { for paper in $$failed; do \
	  echo "failed: $$paper, its lines «error:» above say why. Next: make reproduce-$$paper "'$(AGAIN)'; done; exit 1; }

$(PAPERS:%=reproduce-%): reproduce-%: venv
	@$(RUN) -m common.reproduce $* $(OPTIONS) || { code=$$?; $(HAND_ON); }

estimate: venv
	@$(RUN) -m common.estimate $(PAPER) $(ESTIMATE_OPTIONS) || { code=$$?; $(HAND_ON); }

null: venv
	@$(RUN) -m common.demo.twins $(PAPER) $(NULL_OPTIONS) || { code=$$?; $(HAND_ON); }

report: venv
	@$(RUN) -m common.report || { code=$$?; $(HAND_ON); }

test: venv
	@$(RUN) -m pytest $(PARALLEL) -m "not very_slow and not needs_data" || { code=$$?; $(HAND_ON); }

test-fast: venv
	@$(RUN) -m pytest $(PARALLEL) -m "not slow and not very_slow and not needs_data" || { code=$$?; $(HAND_ON); }

test-slow: venv
	@$(RUN) -m pytest -m very_slow || { code=$$?; $(HAND_ON); }

check-data: venv
	@test -n "$(DATA)" || { echo "say where the data is: make check-data DATA=/datasets/gtzan"; exit 2; }
	@test -r "$(DATA)" || { echo "$(DATA): no such folder, or no permission to read it"; exit 2; }
	@ENCORE_DATA="$(DATA)" $(RUN) -m pytest -m needs_data -rs || { code=$$?; $(HAND_ON); }

mutants: venv
	@$(RUN) -m tests.mutate --paper $(or $(PAPER),softmax_ae) --n $(or $(N),60) --seed $(or $(SEED),0) || { code=$$?; $(HAND_ON); }

lint: venv
	@$(RUN) -m ruff check . && $(RUN) -m mypy

bench: venv
	@$(RUN) -m benchmarks $(if $(ONLY),--only $(ONLY)) || { code=$$?; $(HAND_ON); }

check-gpu: venv
	@$(RUN) -m common.check_gpu || { code=$$?; $(HAND_ON); }

clean:
	rm -rf .venv .venv.new .venv.old .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
