# A thin front to CMake: everything that builds is in CMakeLists.txt and CMakePresets.json.
PREFIX ?= /usr/local
PYTEST = .deps/venv/bin/python -m pytest
export PINTAIL_LIBDUCKDB PINTAIL_LIBRDKAFKA
CMAKE_PATHS = $(if $(PINTAIL_LIBDUCKDB),-DPINTAIL_LIBDUCKDB=$(PINTAIL_LIBDUCKDB)) $(if $(PINTAIL_LIBRDKAFKA),-DPINTAIL_LIBRDKAFKA=$(PINTAIL_LIBRDKAFKA))

.PHONY: all build debug asan tsan crash fuzz demo test test-deps test-long unit unit-asan e2e bench bench-scale install clean distclean perf-guard

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

# The test build with failpoints, for the crash tests of e2e.
crash: test-deps
	@cmake --preset $@ $(CMAKE_PATHS) >/dev/null
	@cmake --build build-$@ --target pintail

# The main job from nothing, in under a minute; files land in metadata/ and data/.
demo: build
	@demo/run.sh

# Everything that CI runs, from nothing: unit tests, the same under ASan+UBSan, a short fuzz run, end to end on real servers.
test: unit unit-asan fuzz e2e

unit: test-deps build
	@ctest --test-dir build --output-on-failure

unit-asan: asan
	@ASAN_OPTIONS=detect_leaks=1 LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp ctest --test-dir build-asan --output-on-failure

FUZZ_SECONDS ?= 60
fuzz: test-deps
	@cmake --preset fuzz $(CMAKE_PATHS) >/dev/null
	@cmake --build build-fuzz --target fuzz_decode
	@tests/fuzz/run.sh build-fuzz/tests/fuzz/fuzz_decode $(FUZZ_SECONDS)

E2E_ARGS ?=
E2E = cd tests/e2e && PINTAIL=$(CURDIR)/build/pintail PINTAIL_CRASH=$(CURDIR)/build-crash/pintail $(CURDIR)/$(PYTEST)
e2e: test-deps build crash
	@$(E2E) $(E2E_ARGS)

# The longer tier: more kills, more records.
test-long: test-deps build crash
	@$(E2E) -m long $(E2E_ARGS)

# Speed as ratios, part of e2e.
perf-guard: test-deps build
	@cd tests/e2e && PINTAIL=$(CURDIR)/build/pintail $(CURDIR)/$(PYTEST) test_speed.py

# The benchmark; BENCH_ARGS='--only rate,decode' picks parts. `cost` wants the crash preset, which can switch staging off.
bench: test-deps build crash
	@PINTAIL=$(CURDIR)/build/pintail .deps/venv/bin/python tests/bench/bench.py $(BENCH_ARGS)

# Several writers on one PostgreSQL catalog.
bench-scale: test-deps build
	@PINTAIL=$(CURDIR)/build/pintail .deps/venv/bin/python tests/bench/scale.py $(BENCH_ARGS)

install: build
	@cmake --install build --prefix "$(PREFIX)" >/dev/null
	@echo "installed: $(PREFIX)/bin/pintail"

clean:
	rm -rf build build-debug build-asan build-tsan build-crash build-fuzz

distclean: clean
	rm -rf .deps data metadata
