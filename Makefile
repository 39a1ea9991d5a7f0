# `make demo` and `make test` each work alone on a fresh Debian 12 or 13 or Ubuntu 24.04, as root or with sudo.
# Paths are relative and quoted: the checkout may be in a folder of any name.
.NOTPARALLEL:
.DEFAULT_GOAL := help
export PYTHONNOUSERSITE = 1

PORT ?= 8042
DATA ?= build/engine
PYTEST_ARGS ?=
export PORT DATA
PYTHON = .venv/bin/python

.PHONY: help ready sample demo run engine screenshots test test-unit test-contract test-qgis test-desktop \
	lint lint-code package test-package bench clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-14s %s\n' "$$name" "$$text"; done

ready: ## install what is missing (Debian packages, .venv); the others do this first
	@tools/setup.sh

sample: ready ## fetch two Landsat scenes (73 MB once) into build/sample
	@$(PYTHON) tools/fetch_sample.py

# Exit code 3: the scenes are not to be had (no network). The demo then runs on synthetic ones and says so.
demo: ready ## the main job in QGIS, without a display; renders build/demo/map.png
	@$(PYTHON) tools/fetch_sample.py || test $$? -eq 3
	@QT_QPA_PLATFORM=offscreen $(PYTHON) tools/demo.py

run: ready ## the QGIS desktop, a throw-away profile, the plugin enabled
	@tools/run_desktop.sh

# Nothing else may write to stdout: the engine's first line is read by programs (with make -C, add
# --no-print-directory). exec, so that SIGTERM reaches the engine itself.
engine: ready ## the local engine alone: make engine PORT=8042 DATA=dir
	@exec $(PYTHON) -m up42_jobs.plugin.engine --port "$$PORT" --data "$$DATA" --stay

screenshots: ready ## the dock in its main states, into build/screenshots
	@tools/screenshots.sh

test: test-unit test-contract test-qgis test-desktop lint ## every tier but bench, then lint

test-unit: ready ## rules, parsing, retries: no QGIS
	@tools/test.sh unit $(PYTEST_ARGS)

test-contract: ready ## the engine over HTTP
	@tools/test.sh contract $(PYTEST_ARGS)

test-qgis: ready ## QGIS without a display
	@tools/test.sh qgis $(PYTEST_ARGS)

test-desktop: ready ## the real QGIS on a display of its own, with mouse and keyboard
	@tools/test.sh desktop $(PYTEST_ARGS)

bench: ready ## figures of speed and memory
	@tools/test.sh bench $(PYTEST_ARGS)

lint: lint-code test-package ## ruff, mypy, the arrows between rooms, the package

lint-code: ready
	@printf '\n==== ruff ====\n'; $(PYTHON) -m ruff check .
	@printf '\n==== mypy ====\n'; $(PYTHON) -m mypy
	@printf '\n==== import-linter ====\n'; $(PYTHON) -c "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_logo=True))"

package: ready ## build/up42_jobs-<version>.zip, ready for plugins.qgis.org
	@$(PYTHON) tools/package.py

test-package: package ## what plugins.qgis.org checks at upload, on the zip
	@printf '\n==== package ====\n'; $(PYTHON) tools/scan_package.py

clean: ## remove everything that make made
	rm -rf build .venv .qgis-settings .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
