# GNU make 3.81 (macOS) or later. PYTHON=python3.12 make ...: another interpreter; else the newest of python3.14 ... python3.11.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
export PYTHON

.PHONY: help
help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(INSTALLED) ## from YAML to verified handshakes with the edge, on a sandbox, in a temporary copy
	@exec $(BIN)/python -m tools.demo

.PHONY: test
test: $(INSTALLED) ## every test but the nightly ones, with branch coverage (PYTEST_ARGS=...)
	$(BIN)/pytest -n auto --dist worksteal -m "not long" --cov --cov-report=term:skip-covered $(PYTEST_ARGS)

.PHONY: test-long
test-long: $(INSTALLED) ## the nightly tests
	$(BIN)/pytest -n auto --dist worksteal -m long $(PYTEST_ARGS)

.PHONY: lint lint-style lint-types lint-imports lint-workflows
lint: lint-style lint-types lint-imports lint-workflows ## style, types, import directions, workflows (make -j lint: side by side)

lint-style: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

lint-types: $(INSTALLED)
	$(BIN)/mypy

lint-imports: $(INSTALLED)
	$(BIN)/lint-imports

# Offline: the schemas come with check-jsonschema, and zizmor asks nobody about the actions that are used.
lint-workflows: $(INSTALLED)
	$(BIN)/zizmor --offline --pedantic --no-progress --quiet .github action
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action/action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.gitlab-ci templates/gitlab/certrecon.yml

.PHONY: pictures
pictures: $(INSTALLED) ## renew docs/pictures from a sandbox (needs Chromium)
	@exec $(BIN)/python -m tools.pictures

.PHONY: reference
reference: $(INSTALLED) ## write docs/reference anew, from the schemas and the help of the commands
	@exec $(BIN)/python -m tools.reference

.PHONY: bench
bench: $(INSTALLED) ## seed, validate and plan 1,000 certificates, a large comment, startup, all timed (BENCH_ARGS=--count=100)
	@exec $(BIN)/python -m bench $(BENCH_ARGS)

.PHONY: man
man: $(INSTALLED) ## renew share/: the man page and the completion files, from what --help says
	$(BIN)/python -m tools.manual

# Neither index nor links get into the locks: each machine installs from the index it is set up for (decision 0004).
UV ?= uv
LOCK := $(UV) pip compile pyproject.toml --extra sandbox --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet
.PHONY: lock
lock: ## renew requirements*.txt (needs uv; UPGRADE=--upgrade takes newer versions)
	$(LOCK) --group dev $(UPGRADE) --output-file requirements-dev.txt
	$(LOCK) --constraints requirements-dev.txt --output-file requirements.txt

.PHONY: clean
clean: ## remove what make and the tools made
	rm -rf $(VENV) build dist .coverage .coverage.* htmlcov .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find reconciler tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements-dev.txt pyproject.toml tools/venv.sh
	@sh tools/venv.sh $(VENV)
	@touch $@
