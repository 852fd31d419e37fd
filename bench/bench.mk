# The bench: measure and draw. Included by the Makefile.

bench: all ## measure and draw (QUICK=1: for a lecture; EXPERIMENT=dmv: just one; LABEL=name; STRICT=1)
	@$(PYTHON) bench/run.py --build=$B $(if $(QUICK),--quick) $(if $(STRICT),--strict) \
	    $(LABEL:%=--label=%) $(EXPERIMENT:%=--experiment=%)

demo: labs ## show the DMV live in the terminal (LAB=1: just that lab)
	@$(PYTHON) bench/demo.py --build=$B $(LAB:%=--lab=%)

check-stop: all ## the ^Z test: stop a server, see that ours tells the truth and a naive clock does not
	@$(PYTHON) -m bench.checks stop --build=$B
check-pair: all ## tell a slower server from an equal one, and an equal one not from itself
	@$(PYTHON) -m bench.checks pair --build=$B
check-gates: all ## show that each gate fails for a real cause, and only then
	@$(PYTHON) -m bench.checks gates --build=$B

crosscheck: all ## ask wrk, hey and ab the same, and say who told the truth (QUICK=1: shorter)
	@$(PYTHON) -m bench.checks crosscheck --build=$B $(if $(QUICK),--quick)

.PHONY: bench demo check-stop check-pair check-gates crosscheck
