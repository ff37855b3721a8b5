# Every job, from a clean machine on; `make help` lists them. The build itself is CMake's: see CMakePresets.json.

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
PYTHON ?= python3
BUILD := build/release

.DEFAULT_GOAL := build
.PHONY: help setup build test demo data bench interop sanitize format tidy install clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## install the packages that building needs (apt, as root or with sudo)
	@tools/setup

build: setup  ## the program, build/release/danlu, and its tests
	cmake --preset release
	cmake --build --preset release --parallel $(JOBS)

test: build  ## every test that needs no network
	OMP_WAIT_POLICY=passive ctest --preset release --parallel $(JOBS)

data:  ## bring the public data sets into $DANLU_DATA (default ~/.cache/danlu)
	@tools/fetch all

demo: build data  ## train on a medical table and on images, report, and serve both
	@tools/demo

bench: setup  ## our speed beside the peers' (WORKLOADS= THREADS= FOREIGN_LOAD=1), or beside a revision (BASE=)
	cmake --preset bench
	cmake --build --preset bench --parallel $(JOBS) --target bench_danlu danlu_program
	$(PYTHON) bench/run.py $(WORKLOADS) $(if $(THREADS),--threads $(THREADS)) $(if $(FOREIGN_LOAD),--foreign-load) $(if $(BASE),--base $(BASE))

interop: build  ## other people's programs on our files and our server (PyPI packages in a virtual environment)
	@tests/interop/run $(BUILD)/danlu

sanitize: setup  ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	cmake --preset dev
	cmake --build --preset dev --parallel $(JOBS)
	ctest --preset dev --parallel $(JOBS)

format:  ## clang-format over all sources (needs clang-format)
	git ls-files '*.h' '*.cpp' | xargs clang-format -i

tidy: build  ## clang-tidy over all sources (needs clang-tidy and libomp-dev)
	git ls-files 'danlu/*.cpp' ':!*_test.cpp' | xargs -P $(JOBS) -n 4 clang-tidy -p $(BUILD) --quiet

install: build  ## the program, headers and library under PREFIX (default /usr/local)
	cmake --install $(BUILD) --prefix $(PREFIX)

clean:  ## remove build/
	rm -rf build
