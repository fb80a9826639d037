# The commands of every day; CONTRIBUTING.md explains them. VENV names another virtual environment.
VENV ?= .venv
BIN := $(VENV)/bin
export PATH := $(abspath $(BIN)):$(PATH)

# Build tools come from the environment and the build folder stays, so that only what changed is compiled.
install := $(BIN)/pip install --no-build-isolation --config-settings=build-dir=build/python \
  --config-settings=cmake.define.PYVOCSEP_TEST_MODULE=ON --config-settings=cmake.define.PYVOCSEP_WERROR=ON

.PHONY: build test lint bench sanitize

# The package, editable: Python changes count at once, C++ changes after the next `make build`.
build: $(VENV)/installed
	$(install) --quiet --no-deps --editable .

# The environment, with everything that building, testing and linting need.
$(VENV)/installed: pyproject.toml
	python3 -m venv $(VENV)
	$(BIN)/pip install scikit-build-core pybind11 setuptools-scm cmake ninja
	$(install) --editable ".[dev,bench]" torch==2.13.0
	touch $@

test: build
	$(BIN)/pytest

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	find csrc -name '*.cpp' -o -name '*.h' | xargs $(BIN)/clang-format --dry-run -Werror

bench: build
	$(BIN)/pytest bench

# The C++ tests, those of the plugins too, with the address and undefined-behaviour sanitizers.
sanitize: $(VENV)/installed
	cmake -S . -B build/sanitize -G Ninja -DPYVOCSEP_TESTS=ON -DPYVOCSEP_VST3=ON -DPYVOCSEP_LV2=ON \
	  -DPYVOCSEP_SANITIZE=ON -DPYVOCSEP_WERROR=ON
	cmake --build build/sanitize
	ctest --test-dir build/sanitize --output-on-failure
