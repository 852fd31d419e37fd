# Build, test and measure the labs. `make help` lists what can be made.

CC     ?= cc
CFLAGS ?= -O2 -g
WARN   := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wvla

# Hardening as the OpenSSF guide for C has it, as far as this compiler knows the
# flags. Left out, for lab 2 has a stack per client: -fstack-clash-protection and
# -ftrivial-auto-var-init, which touch every page of it (12 KiB a client). There is
# no alloca, no variable-length array and no recursion that they would guard.
HARDEN := -Wformat=2 -Wimplicit-fallthrough -Wtrampolines -Wbidi-chars=any \
    -Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types \
    -Werror=int-conversion -fstack-protector-strong -fcf-protection=full -fPIE \
    -U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=3 -U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=2
HARDEN_LINK := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed

# SAN=thread or SAN=address,undefined: a sanitizer build, in a folder of its own
SAN    ?=
comma  := ,
B      := build$(if $(SAN),/$(subst $(comma),-,$(SAN)))

# Found when first used, and only then: these take processes.
once    = $(eval $1 := $$(shell $2))$($1)
PYTHON  = $(call once,PYTHON,sh .ci/python $B/python)
PROBED  = $(call once,PROBED,sh .ci/probe $B/probed compile $(CC) $(CFLAGS) -- $(HARDEN))
PROBED_LINK = $(call once,PROBED_LINK,sh .ci/probe $B/probed-link link $(CC) $(CFLAGS) -- $(HARDEN_LINK))

# A new lab needs no new rule: labs are folders, programs are files with a main.
LABS     := $(sort $(patsubst %/,%,$(wildcard lab*/)))
LABS_SHORT := $(foreach lab,$(LABS),$(firstword $(subst -, ,$(lab))))
MAINS    := $(wildcard $(LABS:%=%/server.c) $(LABS:%=%/client.c) $(LABS:%=%/stress.c))
PROGRAMS := $(MAINS:%.c=$B/%)
HELPERS  := $(filter-out $(MAINS),$(wildcard common/*.c common/services/*.c common/services/*/*.c $(LABS:%=%/*.c)))
LOAD     := $(wildcard bench/load/*.c)
BENCH    := $B/bench/null $(if $(filter Linux,$(shell uname)),$B/bench/load) # load uses Linux's own calls
OBJECTS   = $(patsubst %.c,$B/obj/%.o,$(MAINS) $(HELPERS) $(LOAD))

ALL_CPPFLAGS = -D_DEFAULT_SOURCE -D_FILE_OFFSET_BITS=64 -iquote common -iquote common/services -iquote . -MMD -MP $(CPPFLAGS)
ALL_CFLAGS   = -std=c17 -pthread $(WARN) $(CFLAGS) $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer,$(PROBED))
ALL_LDFLAGS  = $(if $(SAN),,$(PROBED_LINK)) $(if $(filter -flto,$(CFLAGS)),-flto=auto) $(LDFLAGS)

all: $(PROGRAMS) $(BENCH) ## build everything (the default)
labs: $(PROGRAMS) ## build the servers and the two clients, not the load generator

# Other settings than last time build everything anew.
SETTINGS := $(subst ','\'',$(strip $(CC) : $(CFLAGS) : $(CPPFLAGS) : $(LDFLAGS) : $(LDLIBS)))
ifneq ($(SETTINGS),$(shell cat $B/settings 2>/dev/null))
$B/settings: FORCE
endif
$B/settings:
	@mkdir -p $(@D) && printf '%s\n' '$(SETTINGS)' >$@
$B/obj/%.o: %.c Makefile $B/settings
	@mkdir -p $(@D)
	@echo "  cc    $<"
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$B/obj/%.html.o: %.html Makefile $B/settings # page.html becomes the string page_html
	@mkdir -p $(@D)
	@{ echo 'const char $(*F)_html[] = {'; od -An -v -tx1 $< | sed "s/ \(..\)/'\\\\x\1',/g"; echo '0};'; } \
	    | $(CC) $(ALL_CFLAGS) -x c -c -o $@ -
# "q" appends: two files of one name in two folders are both there.
$B/helpers.a: $(HELPERS:%.c=$B/obj/%.o) $(patsubst %,$B/obj/%.o,$(wildcard common/services/*/*.html)) $(wildcard given/*/*.o)
	@rm -f $@ && $(AR) qc $@ $^

# A lab's own files come before those of others with the same name.
own = $(filter $B/obj/$1/%,$(HELPERS:%.c=$B/obj/%.o))
.SECONDEXPANSION:
$(PROGRAMS): $B/%: $B/obj/%.o $$(call own,$$(*D)) $B/helpers.a
	@mkdir -p $(@D)
	@echo "  link  $@"
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)
$(BENCH): $B/helpers.a
	@mkdir -p $(@D)
	@echo "  link  $@"
	@$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $< $(LDLIBS)
$B/bench/null: $B/obj/bench/load/null.o
$B/bench/load: LDLIBS += -lm
$B/bench/load: $(patsubst %.c,$B/obj/%.o,$(filter-out %/null.c,$(LOAD)))
$(LABS_SHORT): $$(filter $$B/$$@-%,$$(PROGRAMS)) ## build one lab
	@echo "built: $^"

deps: ## install what is missing, and say what that is (WITH=docs: also for make docs)
	@sh .ci/deps $(WITH)

# The diff is the lesson. Lab 3 is compared with lab 1, for a pool is lab 1 many times.
lesson-2: ## show what changed from lab to lab (lesson-2, lesson-3, lesson-4)
	@diff -u lab1-*/server.c lab2-*/server.c; true
lesson-3: ; @diff -u lab1-*/server.c lab3-*/server.c; true
lesson-4: ; @diff -u lab3-*/server.c lab4-*/server.c; true

clean: ## remove what was built, keep results
	rm -rf build

help: ## list what can be made
	@sed -n 's/^\([^:=]*\):[^=]*## /\1\t/p' $(filter %Makefile %.mk,$(MAKEFILE_LIST)) | sed 's/^$$(LABS_SHORT)/lab1 .../' | expand -t 14

include $(wildcard common/*.mk) bench/bench.mk tests/checks.mk tests/course/course.mk
-include $(OBJECTS:.o=.d)
.PHONY: all labs $(LABS_SHORT) deps lesson-2 lesson-3 lesson-4 clean help FORCE
.SECONDARY:
