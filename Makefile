# Build, test and measure the labs. `make help` lists what can be made.

CC     ?= cc
CFLAGS ?= -O2 -g
PYTHON ?= $(firstword $(foreach p,python3 /usr/bin/python3,$(shell $p -c 'import pytest; print("$p")' 2>/dev/null)) python3)
WARN   := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wvla

# Hardening as the OpenSSF guide for C has it, as far as this compiler knows the
# flags. Left out, for lab 2 has a stack per client: -fstack-clash-protection and
# -ftrivial-auto-var-init, which touch every page of it (12 KiB a client). There is
# no alloca, no variable-length array and no recursion that they would guard.
HARDEN := -Wformat=2 -Wimplicit-fallthrough -Wtrampolines -Wbidi-chars=any \
    -Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types \
    -Werror=int-conversion -fstack-protector-strong -fcf-protection=full -fPIE
HARDEN_LINK := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed
FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
accepted = $(foreach flag,$1,$(shell echo 'int main(void){return 0;}' | \
    $(CC) -Werror $(flag) -x c - -o /dev/null 2>/dev/null && echo '$(flag)'))

# SAN=thread or SAN=address,undefined: a sanitizer build, in a folder of its own
SAN    ?=
comma  := ,
B      := build$(if $(SAN),/$(subst $(comma),-,$(SAN)))

# A new lab needs no new rule: labs are folders, programs are files with a main.
LABS     := $(wildcard lab*)
LABS_SHORT := $(foreach lab,$(LABS),$(firstword $(subst -, ,$(lab))))
PROGRAMS := $(patsubst %.c,$B/%,$(wildcard $(LABS:%=%/server.c) $(LABS:%=%/client.c) $(LABS:%=%/stress.c)))
BENCH    := $B/bench/null $(if $(filter Linux,$(shell uname)),$B/bench/load) # load uses Linux's own calls
SHARED    := $(filter-out $(PROGRAMS),$(patsubst %.c,$B/%,$(wildcard common/*.c common/services/*.c $(LABS:%=%/*.c))))

ALL_CPPFLAGS := -D_DEFAULT_SOURCE -Icommon $(LABS:%=-I%) -MMD -MP $(CPPFLAGS)
ALL_CFLAGS   := -std=c17 -pthread $(WARN) $(CFLAGS) \
    $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer,$(FORTIFY) $(call accepted,$(HARDEN)))
ALL_LDFLAGS  := $(if $(SAN),,$(call accepted,$(HARDEN_LINK))) $(LDFLAGS)

all: $(PROGRAMS) $(BENCH) ## build everything (the default)
labs: $(PROGRAMS) ## build the servers and the two clients, not the load generator

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  cc    $<"
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$B/shared.a: $(SHARED:%=%.o)
	@rm -f $@
	@$(AR) rc $@ $^

$(PROGRAMS) $(BENCH): %: %.o $B/shared.a
	@echo "  link  $@"
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)

.SECONDEXPANSION:
$(LABS_SHORT): $$(filter $$B/$$@-%,$$(PROGRAMS)) ## build one lab
	@echo "built: $^"

$B/bench/load: $(patsubst %.c,$B/%.o,$(wildcard bench/load_*.c))

deps: ## install what is missing, and say what that is
	@sh .ci/deps

TRIED   = BUILD=$B CC="$(CC)" SAN="$(SAN)" $(PYTHON)
PYTEST  = $(TRIED) -m pytest -q
BESIDE := $(foreach part,http files browser bench_zoo,tests/test_$(part).py)

test: all ## run the tests (SAN=thread or SAN=address,undefined: under sanitizers)
	@# Two halves side by side: tests mostly wait.
	@$(PYTEST) $(BESIDE) >$B/beside.log 2>&1 & beside=$$!; \
	$(PYTEST) tests --ignore=tests/faults $(BESIDE:%=--ignore=%); status=$$?; \
	echo "and of http, files, the browser and the zoo:"; \
	wait $$beside || status=1; cat $B/beside.log; exit $$status

test-faults: all ## try everything that can go wrong, and print the list with results
	@$(TRIED) tests/faults/run.py

test-broken: labs ## show that each check catches the mistake it is there for (GALLERY=faults: the fault suite)
	$(PYTHON) $(if $(GALLERY),tests/$(GALLERY)/broken_$(GALLERY).py,tests/check_broken.py)

bench: all ## measure and draw (QUICK=1: for a lecture; EXPERIMENT=dmv: just one)
	@$(PYTHON) bench/run.py --build=$B $(if $(QUICK),--quick) $(EXPERIMENT:%=--experiment=%)

check-stop: all ## the ^Z test: stop a server, see that ours tells the truth and a naive clock does not
	@$(PYTHON) bench/check_stop.py --build=$B
check-pair: all ## tell a slower server from an equal one, and an equal one not from itself
	@$(PYTHON) bench/check_pair.py --build=$B
check-gates: all ## show that each gate fails for a real cause, and only then
	@$(PYTHON) bench/check_gates.py --build=$B

crosscheck: all ## ask wrk, hey and ab the same, and say who told the truth (QUICK=1: shorter)
	@$(PYTHON) bench/crosscheck.py --build=$B $(if $(QUICK),--quick)

demo: labs ## show the DMV live in the terminal (LAB=1: just that lab)
	@$(PYTHON) bench/demo.py --build=$B $(LAB:%=--lab=%)

docs: ## build the tutorial as a site in build/docs (needs mkdocs, mkdocs-material)
	@$(PYTHON) docs/site/make_site.py

docs-test: labs ## check that the tutorial tells the truth: code, commands, links, charts
	$(PYTHON) -m pytest -q docs/test_check.py
	$(PYTHON) docs/check.py

docs-charts: ## take the charts of the last bench over into the tutorial
	$(PYTHON) docs/check.py --charts --text

# A fuzz target is a file with properties that must hold for any bytes; what it
# found once is tried first. FUZZ_S is how long each of them runs.
FUZZ_S   ?= 60
FUZZERS  := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*.c))
FUZZ_CC  := CC=clang SAN=address,undefined B=build/fuzz \
    CFLAGS='-g -O1 -fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined'

build/fuzz/%: tests/fuzz/%.c $B/shared.a
	@mkdir -p build/fuzz/corpus/$*
	@echo "  fuzz  $<"
	@# What guides the fuzzer is the server, not how the target judges it.
	@$(CC) $(ALL_CPPFLAGS) -Itests/fuzz $(ALL_CFLAGS) -fsanitize=fuzzer -fno-sanitize-coverage=trace-cmp \
	    -o $@ $< $B/shared.a

fuzzers: $(FUZZERS)

fuzz: ## feed the parsers any bytes, FUZZ_S=60 seconds each (needs clang)
	@$(MAKE) --no-print-directory $(FUZZ_CC) fuzzers
	@for target in $(FUZZERS:build/fuzz/%=%); do \
	    find tests/fuzz/found/$$target -type f -exec cp {} build/fuzz/corpus/$$target \; 2>/dev/null; \
	    build/fuzz/$$target -max_total_time=$(FUZZ_S) -max_len=20000 -verbosity=0 -print_final_stats=1 \
	        -artifact_prefix=build/fuzz/ build/fuzz/corpus/$$target >build/fuzz/$$target.log 2>&1 \
	        || { cat build/fuzz/$$target.log; exit 1; }; \
	    echo "fuzz: $$target:" $$(sed -n 's/.*number_of_executed_units: //p' build/fuzz/$$target.log) executions; \
	done

# The diff is the lesson. Lab 3 is compared with lab 1, for a pool is lab 1 many times.
lesson-2: ## show what changed from lab to lab (lesson-2, lesson-3, lesson-4)
	@diff -u lab1-*/server.c lab2-*/server.c; true
lesson-3: ; @diff -u lab1-*/server.c lab3-*/server.c; true
lesson-4: ; @diff -u lab3-*/server.c lab4-*/server.c; true

# gcc's analyzer gives up early, and says nothing, unless it may look for longer.
ANALYZE   := -fanalyzer --param analyzer-bb-explosion-factor=40 --param analyzer-max-enodes-per-program-point=32
LINT      := -std=c17 -D_DEFAULT_SOURCE -Icommon $(LABS:%=-I%)

lint: ## check formatting and look for bugs without running anything
	clang-format --dry-run --Werror $(C_FILES) $(C_TESTS)
	for file in $(filter %.c,$(C_FILES)); do \
	    gcc $(LINT) $(WARN) -Werror $(ANALYZE) -c -o /dev/null $$file || exit; \
	    clang $(LINT) $(WARN) -Werror -fsyntax-only $$file || exit; \
	done
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,performance,portability \
	    --suppress=missingIncludeSystem -D_DEFAULT_SOURCE -Icommon $(LABS:%=-I%) $(filter %.c,$(C_FILES))
	for file in $(filter %.c,$(C_FILES)); do \
	    clang-tidy --quiet $$file -- $(LINT) || exit; \
	done
	shellcheck .ci/deps .ci/run

clean: ## remove what was built, keep results
	rm -rf build

help: ## list what can be made
	@sed -n 's/^\([^:=]*\):[^=]*## /\1\t/p' Makefile | sed 's/^$$(LABS_SHORT)/lab1 .../' | expand -t 14

C_FILES := $(wildcard common/*.[ch] common/services/*.[ch] $(LABS:%=%/*.[ch]) bench/*.[ch])
C_TESTS := $(wildcard tests/fuzz/*.[ch] tests/units/*.[ch] tests/faults/*.[ch])
-include $(shell find build -name '*.d' 2>/dev/null)
.PHONY: all labs $(LABS_SHORT) deps test test-faults test-broken bench crosscheck check-stop check-pair check-gates demo docs docs-test docs-charts fuzz fuzzers lesson-2 lesson-3 lesson-4 lint clean help
.SECONDARY:
