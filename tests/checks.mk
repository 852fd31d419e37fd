# What proves the suite: tests, fuzzing, lint, the tutorial's truth. Included by the Makefile.

# What Python compiles is kept under build/, not beside its source.
export PYTHONPYCACHEPREFIX := $(abspath build/pycache)
unexport PYTHONDONTWRITEBYTECODE

TRIED   = BUILD=$B CC="$(CC)" SAN="$(SAN)" $(PYTHON)
TIMES  ?= 20
CORES   = $(call once,CORES,getconf _NPROCESSORS_ONLN)

test: all ## run the tests (ONE=word, LAB=2: a part; SAN=thread, SAN=address,undefined: under sanitizers)
	@$(TRIED) -m tests.run --one='$(ONE)' --lab='$(LAB)'

shake: all ## show that tests do not fail by luck: ONE=word, TIMES=20 runs beside two burning processes
	@sh .ci/shake $(TIMES) env $(TRIED) -m tests.run --one='$(ONE)' --lab='$(LAB)'

test-faults: all ## try everything that can go wrong, and print the list with results
	@$(TRIED) -m tests.faults.run

test-crowds: labs ## crowds of full size before lab 4: how long a good client waits (WORD=silent: one)
	@$(TRIED) -m tests.faults.crowds $(WORD)

test-models: all ## the labs' contract, tried on each of the further models
	@$(TRIED) -m pytest -q tests/models

test-broken: labs ## show that each check catches the mistake it is there for (GALLERY=faults: the fault suite)
	$(PYTHON) -m tests.gallery.check --gallery=$(GALLERY) $(WORD)

docs: ## build the tutorial as a site in build/docs (needs mkdocs, mkdocs-material)
	@$(PYTHON) docs/site/make_site.py

docs-browser: docs ## look at that site in a browser (needs chromium, its driver, selenium)
	$(PYTHON) -m pytest -q docs/test_site.py

docs-test: labs ## check that the tutorial tells the truth: code, commands, links, charts
	$(PYTHON) -m pytest -q docs/test_check.py tests/course/checks
	$(PYTHON) docs/check.py

docs-charts: ## take the charts of the last bench over into the tutorial
	$(PYTHON) docs/check.py --charts --text

# A fuzz target is a file with properties that must hold for any bytes; what it
# found once is tried first. FUZZ_S is how long each of them runs.
FUZZ_S   ?= 60
FUZZERS  := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*.c))
FUZZ_CC  := CC=clang SAN=address,undefined B=build/fuzz \
    CFLAGS='-g -O1 -fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined'

build/fuzz/%: tests/fuzz/%.c $B/helpers.a
	@mkdir -p build/fuzz/corpus/$*
	@echo "  fuzz  $<"
	@# What guides the fuzzer is the server, not how the target judges it.
	@$(CC) $(ALL_CPPFLAGS) -iquote tests/fuzz $(ALL_CFLAGS) -fsanitize=fuzzer -fno-sanitize-coverage=trace-cmp \
	    -o $@ $< $B/helpers.a

fuzzers: $(FUZZERS)

FUZZ_ONE = target=$${0\#\#*/}; \
    find tests/fuzz/found/$$target -type f -exec cp {} build/fuzz/corpus/$$target \; 2>/dev/null; \
    $$0 -max_total_time=$(FUZZ_S) -max_len=20000 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix=build/fuzz/ build/fuzz/corpus/$$target >$$0.log 2>&1 \
        || { cat $$0.log; exit 1; }; \
    echo "fuzz: $$target:" $$(sed -n "s/.*number_of_executed_units: //p" $$0.log) executions

fuzz: ## feed the parsers any bytes, FUZZ_S=60 seconds each (needs clang)
	@$(MAKE) --no-print-directory -j$(CORES) $(FUZZ_CC) fuzzers
	@printf '%s\n' $(FUZZERS) | xargs -P$(CORES) -n1 sh -c '$(FUZZ_ONE)'

# gcc's analyzer gives up early, and says nothing, unless it may look for longer.
ANALYZE   := -fanalyzer --param analyzer-bb-explosion-factor=40 --param analyzer-max-enodes-per-program-point=32
LINT      := -std=c17 -D_DEFAULT_SOURCE -iquote common -iquote common/services -iquote .
C_SOURCES := $(MAINS) $(HELPERS) $(LOAD) $(wildcard bench/models/*.c bench/models/loop/*.c)
C_FILES   := $(C_SOURCES) $(wildcard $(addsuffix *.h,$(sort $(dir $(C_SOURCES)))))
C_TESTS   := $(wildcard tests/fuzz/*.[ch] tests/units/*.[ch] tests/faults/*.[ch])

# What finds the bugs of one file.
LINT_FILE  = object=$$(mktemp $B/lint.XXXXXX) && \
    gcc $(LINT) $(WARN) -Werror $(ANALYZE) -c -o $$object $$0 && \
    clang-tidy --quiet $$0 -- $(LINT) $(WARN); \
    status=$$?; rm -f $$object; exit $$status

lint: ## check formatting and look for bugs without running anything
	clang-format --dry-run --Werror $(C_FILES) $(C_TESTS)
	@mkdir -p $B
	cppcheck --quiet -j$(CORES) --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,performance,portability \
	    --suppress=missingIncludeSystem -D_DEFAULT_SOURCE -Icommon -Icommon/services -I. $(C_SOURCES)
	@echo "gcc -fanalyzer and clang-tidy on each source"
	@printf '%s\n' $(C_SOURCES) | xargs -P$(CORES) -n1 sh -c '$(LINT_FILE)'
	shellcheck .ci/deps .ci/run .ci/probe .ci/python .ci/shake .ci/compilers

.PHONY: test shake test-faults test-crowds test-models test-broken docs docs-test docs-browser docs-charts fuzz fuzzers lint
