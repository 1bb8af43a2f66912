# make run: start the bot.  make test: all tests.  make lint: ruff, mypy, import contracts.
# Everything is installed into .venv, and again only when pyproject.toml has changed.

PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := run
.PHONY: run test lint clean

run: .venv/base.stamp
	@$(BIN)/python run.py

# Tests start many programs: those read what was compiled once, also where the machine says that nothing be kept.
test: .venv/dev.stamp
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses logical --maxprocesses 8 --dist loadscope

lint: .venv/dev.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# Only the dependencies are installed: the folders' names are too general for site-packages, so the bot runs from here.
.venv/base.stamp: pyproject.toml | .venv/bin/pip
	@echo "Installing what the bot needs (once; this takes a minute) ..."
	@$(BIN)/python deploy/requirements.py slack telegram sms llm > .venv/base.txt
	@$(BIN)/pip install -qq --disable-pip-version-check --requirement .venv/base.txt
	@touch $@

.venv/dev.stamp: pyproject.toml | .venv/base.stamp
	@echo "Installing what the tests need (once) ..."
	@$(BIN)/python deploy/requirements.py dev grammar images knowledge languages moods pronunciation > .venv/dev.txt
	@$(BIN)/pip install -qq --disable-pip-version-check --requirement .venv/dev.txt
	@touch $@

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Frontdesk needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo missing)."; \
		echo "Name another one like this: make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "Python could not make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
