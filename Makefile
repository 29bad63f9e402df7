# The two commands that a fresh machine needs: `make run` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check -q

.DEFAULT_GOAL := help
.PHONY: help run install test check format peers golden fuzz-api bench bench-admin bench-bulk clean

help: ## What there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.runtime ## Start the daemon on config/offhook.yaml, with its state under var/
	@exec $(BIN)/offhook --config config/offhook.yaml serve

install: $(VENV)/.development ## Everything that working on Offhook needs, in .venv

test: install peers check ## Lint, types, layers and the whole suite
	$(BIN)/python -m pytest -q -n auto --dist worksteal

check: install ## Lint, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

format: install ## Rewrite the code in the project's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

peers: $(VENV)/.development ## Install the third-party programs that tests use, from Debian, where that is possible
	@missing="$$($(BIN)/python -m tests.support.peers --packages)"; \
	if [ -z "$$missing" ]; then exit 0; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing $$missing"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else echo "not installed, so the tests that use them are skipped: $$missing"; fi

golden: install ## Write the rendered files anew that tests compare with; look at the diff
	$(BIN)/python -m tests.templates.update

fuzz-api: install ## Ask the API all that its description allows, and what it does not; takes minutes
	$(BIN)/python -m tests.fuzz.api --examples 200

bench: install ## Compare with the peers; bench/README.md says how to read it
	$(BIN)/python bench/sip_parse.py
	$(BIN)/python bench/keys.py

bench-admin: install ## Time the lists of 50,000 devices; two minutes
	$(BIN)/python -m bench.admin

bench-bulk: install ## Import 10,000 rows while phones register; two minutes
	$(BIN)/python -m bench.bulk

clean: ## Remove what make made, but not var/
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Offhook needs Python 3.11 or newer; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "python3 -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.runtime: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing Offhook into $(VENV) (once)"
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.development: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing Offhook and its development tools into $(VENV) (once)"
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.runtime
