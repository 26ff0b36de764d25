# Everything is installed into .venv from the lock files; see docs/install.md.
BIN = .venv/bin
PYTEST_ARGS = -n auto --maxprocesses 4

.PHONY: install demo run test soak bench lint format lock

install:
	@scripts/install.sh requirements.txt

demo: install
	@$(BIN)/portal demo

run: install
	@$(BIN)/portal run

test: install-dev
	$(BIN)/pytest $(PYTEST_ARGS)

soak: install-dev
	$(BIN)/pytest -m soak tests/soak

bench: install-dev
	$(BIN)/python -m benchmarks

lint: install-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint portal/templates

.PHONY: install-dev
install-dev:
	@scripts/install.sh requirements-dev.txt

format: install-dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Needs uv.
lock:
	@scripts/lock.sh
