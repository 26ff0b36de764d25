# Everything is installed into .venv from the lock files; see docs/install.md.
BIN = .venv/bin
# Two more than there are cores: with one more, two cores had nothing to do a third of the time.
PYTEST_ARGS = -n $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2) --maxprocesses 5
# Where it is set, each process of a run would compile every module anew.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help install demo run test test-fast test-deep check soak test-identity test-kills test-properties test-helpdesks bench lint format diagram screenshots audit release-check sbom lock

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

install: ## Make .venv, with what the portal needs to run
	@scripts/install.sh requirements.txt

demo: install ## Start the portal beside a simulated Tactical server, with data to look at
	@$(BIN)/portal demo

run: install ## Start the portal
	@$(BIN)/portal run

test: install-dev compile-tests ## Run every test, on SQLite and PostgreSQL, with Redis and a browser
	$(BIN)/pytest $(PYTEST_ARGS)

# In a new clone each process of a run would compile every test for itself.
COLLECT = $(BIN)/pytest -qq --collect-only
.PHONY: compile-tests
compile-tests: install-dev
	@[ -d tests/__pycache__ ] || { $(COLLECT) tests/[a-r]* & $(COLLECT) tests/[s-z]*; wait; } >/dev/null

test-fast: install-dev ## Run the tests that need no server, browser or process
	$(BIN)/pytest -q -n 2 --dist worksteal -m "not servers and not soak" --hypothesis-profile fast

check: lint test-fast ## Lint and run the fast tests: before each commit

test-deep: install-dev ## Run on both databases what `make test` runs on one of them
	DEEP=1 $(BIN)/pytest $(PYTEST_ARGS) -m mainly

SOAKS = 1
BUSY = 0

soak: install-dev ## Let alerts in by the thousand while what handles them is killed (SOAKS=20 BUSY=1)
	SOAKS=$(SOAKS) BUSY=$(BUSY) $(BIN)/pytest -m soak tests/soak

STEPS = 2000

test-identity: install-dev ## Try any course of events on both databases (STEPS=2000)
	IDENTITY_STEPS=$(STEPS) $(BIN)/pytest -n 2 -rP tests/stateful

test-kills: install-dev ## Kill what runs do at every commit, on both databases
	DEEP=1 KILL_EACH=1 $(BIN)/pytest -n 2 tests/runs/test_kills.py

test-properties: install-dev ## Try a thousand examples of each property that needs no server
	$(BIN)/pytest -n 2 -m "not servers and not soak" --hypothesis-profile deep

HELPDESKS = rt,redmine

test-helpdesks: install-dev ## Start Request Tracker and Redmine on loopback, and try tickets on them (three minutes)
	HELPDESKS=$(HELPDESKS) $(BIN)/pytest -n 0 -rP tests/helpdesks/test_contract.py

bench: install-dev ## Measure everything beside its floor (forty minutes)
	$(BIN)/python -m benchmarks

lint: install-dev ## Check style, types, import rules and templates
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint portal/templates

.PHONY: install-dev
install-dev:
	@scripts/install.sh requirements-dev.txt

format: install-dev ## Put the code into its form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

diagram: install-dev ## Draw docs/architecture.svg from the import rules and docstrings
	$(BIN)/python scripts/diagram.py

FOLDER =

screenshots: install-dev ## Take docs/pictures anew, or pictures of every page (FOLDER=/tmp/pages), from a demo (needs Chromium)
	$(BIN)/python -m scripts.screenshots $(if $(FOLDER),--all $(FOLDER))

audit: install-dev ## Look for known vulnerabilities of what is installed (Error 3: it cannot be known)
	@$(BIN)/python -m scripts.audit

release-check: install-dev ## Say whether the lock may be released: known vulnerabilities, and its age
	@$(BIN)/python -m scripts.release

sbom: install-dev ## Write sbom.cdx.json: what the portal is made of, with hashes (CycloneDX)
	@$(BIN)/python -m scripts.sbom

lock: ## Resolve the dependencies anew into the lock files (needs uv)
	@scripts/lock.sh
