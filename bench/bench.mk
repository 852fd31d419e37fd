# The bench: measure and draw. Included by the Makefile.

# A model is a .c directly in bench/models; what they share is in a folder of it. The loop uses epoll, of Linux.
ELSEWHERE := $(if $(filter Linux,$(shell uname)),,%/coroutines.c %/loop.c)
MODELS  := $(patsubst %.c,$B/%,$(filter-out $(ELSEWHERE),$(wildcard bench/models/*.c)))
SHARED  := $(patsubst %.c,$B/obj/%.o,$(filter-out $(ELSEWHERE),$(wildcard bench/models/loop/*.c)))
OBJECTS += $(SHARED) $(MODELS:$B/%=$B/obj/%.o)
all: $(MODELS)
	@$(if $(filter %/load,$(BENCH)),,echo "left out: $B/bench/load, and so make bench: it needs Linux (epoll); all else runs here")
$(MODELS): $B/%: $B/obj/%.o $(SHARED) $B/helpers.a
	@mkdir -p $(@D)
	@echo "  link  $@"
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

# What each model comes from: events is written out of a service, not of a lab.
FROM_accept     := lab3-*/server.c
FROM_coroutines := lab2-*/server.c
FROM_events     := common/services/echo.c
FROM_fork       := lab2-*/server.c
FROM_policies   := lab3-*/server.c
FROM_prefork    := lab1-*/server.c
FROM_reuseport  := lab3-*/server.c
lesson-fork: ## show what changed from a lab to a model (lesson-prefork, lesson-coroutines ...)
LESSONS := $(patsubst $B/bench/models/%,lesson-%,$(MODELS))
$(LESSONS): lesson-%: ; @diff -u $(FROM_$*) bench/models/$*.c; true

# Ctrl-C while Python starts would be a traceback; the command takes signals from its first line.
CALM = trap '' INT; exec $(PYTHON)

bench: can-bench all ## measure and draw (QUICK=1: for a lecture; EXPERIMENT=dmv: just one; LABEL=name; STRICT=1)
	@$(CALM) bench/run.py --build=$B $(if $(QUICK),--quick) $(if $(STRICT),--strict) \
	    $(LABEL:%=--label=%) $(ALSO:%=--also %) $(EXPERIMENT:%=--experiment=%)

can-bench:
	@$(if $(filter %/load,$(BENCH)),,echo "make bench needs Linux, for its generator; here run make test and make demo" >&2; exit 1)

demo: labs ## show the DMV live in the terminal (LAB=1: just that lab; CUSTOMERS=10 WORK=200)
	@$(CALM) bench/demo.py --build=$B $(LAB:%=--lab=%) $(CUSTOMERS:%=--customers=%) $(WORK:%=--work=%)

doctor: ## what this machine has for the suite, and what each absence costs
	@$(PYTHON) -m bench.measure.doctor --cc='$(CC)'

compare: ## what changed between two results: A=results/... B=results/...
	@$(PYTHON) -m bench.tell.compare $A $B
accuracy: ## how well predictions held in stored results (RESULTS="results/... ...")
	@$(PYTHON) -m bench.checks accuracy $(if $(RESULTS),--results $(RESULTS))
knee: all ## the rate at which p99 leaves its LIMIT=100ms, for LAB=3
	@$(CALM) bench/run.py --build=$B $(if $(QUICK),--quick) --experiment=knee \
	    $(LAB:%=--lab=%) $(LIMIT:%=--limit=%)

check-stop: all ## the ^Z test: stop a server, see that ours tells the truth and a naive clock does not
	@$(PYTHON) -m bench.checks stop --build=$B
check-pair: all ## tell a slower server from an equal one, and an equal one not from itself
	@$(PYTHON) -m bench.checks pair --build=$B
check-gates: all ## show that each gate fails for a real cause, and only then
	@$(PYTHON) -m bench.checks gates --build=$B

crosscheck: all ## ask other generators the same of servers with planted faults: who told the truth? (QUICK=1: shorter)
	@$(PYTHON) -m bench.checks crosscheck --build=$B $(if $(QUICK),--quick)

.PHONY: $(LESSONS) bench can-bench demo doctor compare accuracy knee check-stop check-pair check-gates crosscheck
