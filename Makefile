# A thin front to CMake: everything that builds is in CMakeLists.txt and CMakePresets.json.
PREFIX ?= /usr/local
PYTEST = .deps/venv/bin/python -m pytest
# V=1 shows every step of a build.
export PINTAIL_LIBDUCKDB PINTAIL_LIBRDKAFKA V
CMAKE_PATHS = $(if $(PINTAIL_LIBDUCKDB),-DPINTAIL_LIBDUCKDB=$(PINTAIL_LIBDUCKDB)) $(if $(PINTAIL_LIBRDKAFKA),-DPINTAIL_LIBRDKAFKA=$(PINTAIL_LIBRDKAFKA))

.PHONY: all build format lint lint-deps lint-configure debug asan tsan crash fuzz demo test test-deps tsan-deps bench-deps test-load test-long unit unit-asan unit-tsan e2e e2e-asan e2e-tsan soak bench bench-scale perf-guard install clean distclean

all: build

build:
	@deps/fetch build
	@cmake/build release build $(CMAKE_PATHS)

test-deps:
	@deps/fetch test

tsan: tsan-deps
tsan-deps:
	@deps/fetch tsan

bench-deps:
	@deps/fetch bench

debug asan tsan: test-deps
	@cmake/build $@ build-$@ $(CMAKE_PATHS)

# The test build with failpoints, for the crash tests of e2e.
crash: test-deps
	@cmake/build $@ build-$@ $(CMAKE_PATHS) -- pintail

# The main job from nothing; files land in metadata/ and data/. Half a minute, after a build that takes some the first time.
demo: build
	@demo/run.sh

# The form: tests/lint/run does it, deps/fetch brings the tools. The rules of tests/lint/tidy.py that are on, and the longest line of prose.
TIDY_RULES ?= banned-call white-space error-text librdkafka include-circle unit-circle room-circle cited-path cited-document file-length line-width
MARKDOWN_WIDTH ?= 120
lint-deps:
	@deps/fetch lint

format: lint-deps
	@tests/lint/run --fix

# clang-tidy has to know how each file is compiled: configured, not built.
lint-configure: lint-deps
	@cmake/build release build $(CMAKE_PATHS) --configure

lint: lint-configure
	@TIDY_RULES="$(TIDY_RULES)" MARKDOWN_WIDTH=$(MARKDOWN_WIDTH) tests/lint/run build

# Everything that CI runs, from nothing: the form, unit tests, the same under ASan+UBSan, a short fuzz run, end to end on real servers.
# The fuzz run is given a time, not a number of cores, so the sanitizers' tests go beside it.
test: lint unit
	@$(MAKE) --no-print-directory -j2 --output-sync=target unit-asan fuzz
	@$(MAKE) --no-print-directory e2e

CTEST_ARGS = --output-on-failure -j2
unit: test-deps build
	@ctest --test-dir build $(CTEST_ARGS)

unit-asan: asan
	@ASAN_OPTIONS=detect_leaks=1 LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp ctest --test-dir build-asan $(CTEST_ARGS)

unit-tsan: tsan
	@TSAN_OPTIONS="$(TSAN)" ctest --test-dir build-tsan $(CTEST_ARGS)

FUZZ_SECONDS ?= 60
fuzz: test-deps
	@cmake/build fuzz build-fuzz $(CMAKE_PATHS) -- fuzz_decode fuzz_schema fuzz_config
	@tests/fuzz/run.sh build-fuzz/tests/fuzz decode:$(FUZZ_SECONDS) schema:$$(($(FUZZ_SECONDS) / 4)) config:$$(($(FUZZ_SECONDS) / 4))

E2E_ARGS ?=
# Tests mostly wait, so more of them than there are cores run side by side; E2E_ARGS='-n 0' runs one after the other in one process.
E2E_WORKERS ?= 6
# $(call e2e_with,build of every pintail,build of those that die, freeze or fail at failpoints)
e2e_with = cd tests/e2e && PINTAIL=$(CURDIR)/$(1)/pintail PINTAIL_CRASH=$(CURDIR)/$(2)/pintail PINTAIL_ASAN=$(CURDIR)/build-asan/pintail $(CURDIR)/$(PYTEST)
E2E = $(call e2e_with,build,build-crash)
e2e: test-deps build crash asan
	@$(E2E) -n $(E2E_WORKERS) $(E2E_ARGS)

# The end-to-end suite with every pintail under a sanitizer, also those of the crash tests: a report makes it exit with 86, which no test expects. Slow: E2E_ARGS picks. Speed and memory are the sanitizer's then.
ASAN = detect_leaks=1:exitcode=86
TSAN = suppressions=$(CURDIR)/tests/tsan.supp exitcode=86
e2e-asan: test-deps build asan
	@export ASAN_OPTIONS=$(ASAN) UBSAN_OPTIONS=exitcode=86 LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0 PINTAIL_SANITIZED=1; \
	$(call e2e_with,build-asan,build-asan) --timeout 600 --ignore test_speed.py -n $(E2E_WORKERS) $(E2E_ARGS)

# The pipeline's threads; libduckdb is not built for it (tests/tsan.supp). Left out: a test that counts fences within a minute, for which its lives are too slow then.
TSAN_TESTS ?= test_ingest.py test_ingest_flush.py test_ingest_dead_letters.py test_ingest_group.py test_restart.py test_rebalance.py test_stage_ahead.py test_inlined.py test_fencing.py test_faults.py \
	--deselect test_fencing.py::test_two_processes_of_one_pipeline_that_kafka_does_not_keep_apart_never_both_land
e2e-tsan: test-deps build tsan
	@export TSAN_OPTIONS="$(TSAN)" PINTAIL_SANITIZED=1; \
	$(call e2e_with,build-tsan,build-tsan) --timeout 600 $(TSAN_TESTS) -n $(E2E_WORKERS) $(E2E_ARGS)

# The longer tier: more kills, more records, longer outages, and the catalogs that `make e2e` leaves out: both together are the whole matrix.
test-long: test-deps build crash asan
	@$(E2E) -m long -n $(E2E_WORKERS) $(E2E_ARGS)

# The suite several times beside a load of all cores; fails when a run does. E2E_ARGS picks tests.
TEST_LOAD_RUNS ?= 5
test-load: test-deps build crash asan
	@$(subst -m pytest,load.py,$(E2E)) $(TEST_LOAD_RUNS) -n $(E2E_WORKERS) $(E2E_ARGS)

# Half an hour at a high rate; SOAK_SECONDS and SOAK_RATE make it another. Prints the curves of memory and commit time.
SOAK_SECONDS ?= 1800
soak: test-deps build
	@export SOAK_SECONDS=$(SOAK_SECONDS) $(if $(SOAK_RATE),SOAK_RATE=$(SOAK_RATE)); $(E2E) test_soak.py -s

# Speed as ratios, part of e2e.
perf-guard: test-deps build
	@cd tests/e2e && PINTAIL=$(CURDIR)/build/pintail $(CURDIR)/$(PYTEST) test_speed.py

# The benchmark; BENCH_ARGS='--only rate,decode' picks parts. `cost` wants the crash preset, which can switch staging off.
bench: bench-deps build crash
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
