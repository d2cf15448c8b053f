# `make demo` and `make check` each take a fresh Debian 12 machine from nothing to
# done. Repeated, they do only what has changed.

BUILD ?= build
# Debian's own interpreter: its numpy and pytest are packages.
PYTHON ?= /usr/bin/python3
JOBS ?= $(shell nproc)

.PHONY: all setup configure build demo check docs format clean

all: build

setup:
	@utils/install-packages.sh

configure: setup
	@test -f $(BUILD)/build.ninja || \
	  cmake --preset release -B $(BUILD)

build: configure
	@cmake --build $(BUILD) -j $(JOBS)

demo: build
	@$(PYTHON) examples/demo.py --tools $(BUILD)/bin --output $(BUILD)/demo

check: build
	@$(PYTHON) utils/run_checks.py --build $(BUILD) --jobs $(JOBS)

docs: configure
	@cmake --build $(BUILD) --target mlir-doc

format:
	@git ls-files '*.cpp' '*.h' '*.c' | xargs clang-format -i

clean:
	@rm -rf $(BUILD)
