# A thin front to CMake: everything that builds is in CMakeLists.txt and CMakePresets.json.
PREFIX ?= /usr/local
PYTEST = .deps/venv/bin/python -m pytest
export PINTAIL_LIBDUCKDB PINTAIL_LIBRDKAFKA
CMAKE_PATHS = $(if $(PINTAIL_LIBDUCKDB),-DPINTAIL_LIBDUCKDB=$(PINTAIL_LIBDUCKDB)) $(if $(PINTAIL_LIBRDKAFKA),-DPINTAIL_LIBRDKAFKA=$(PINTAIL_LIBRDKAFKA))

.PHONY: all build debug asan tsan fuzz demo test test-deps unit e2e bench install clean distclean

all: build

build:
	@deps/fetch build
	@cmake --preset release $(CMAKE_PATHS) >/dev/null
	@cmake --build build

test-deps:
	@deps/fetch test

debug asan tsan: test-deps
	@cmake --preset $@ $(CMAKE_PATHS) >/dev/null
	@cmake --build build-$@

install: build
	@cmake --install build --prefix "$(PREFIX)" >/dev/null
	@echo "installed: $(PREFIX)/bin/pintail"

clean:
	rm -rf build build-debug build-asan build-tsan build-fuzz

distclean: clean
	rm -rf .deps data metadata
