# The commands of every day; CONTRIBUTING.md explains them. VENV names another virtual environment.
VENV ?= .venv
BIN := $(VENV)/bin
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: build test lint bench sanitize

# The package, installed editable: Python changes count at once, C++ changes after the next `make build`. Only what
# changed is compiled, since build/python stays and pip takes its build tools from the environment.
build: $(VENV)/installed
	pip install --quiet --no-build-isolation --no-deps --editable . --config-settings=build-dir=build/python \
	  --config-settings=cmake.define.PYVOCSEP_TEST_MODULE=ON --config-settings=cmake.define.PYVOCSEP_WERROR=ON

# Everything that building, testing and linting need. It installs the package once; `build` then replaces it.
$(VENV)/installed: pyproject.toml
	python3 -m venv $(VENV)
	pip install ".[dev,bench]" torch==2.13.0
	touch $@

test: build
	pytest

lint: $(VENV)/installed
	ruff check .
	ruff format --check .
	mypy
	find csrc -name '*.cpp' -o -name '*.h' | xargs clang-format --dry-run -Werror

bench: build
	pytest bench

# The C++ tests, the plugin's too, with the address and undefined-behaviour sanitizers.
sanitize: $(VENV)/installed
	cmake -S . -B build/sanitize -G Ninja -DPYVOCSEP_TESTS=ON -DPYVOCSEP_VST3=ON -DPYVOCSEP_SANITIZE=ON \
	  -DPYVOCSEP_WERROR=ON
	cmake --build build/sanitize
	ctest --test-dir build/sanitize --output-on-failure
