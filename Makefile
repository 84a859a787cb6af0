# SPDX-License-Identifier: Apache-2.0
#
#   make                builds build/snowrelayd
#   make check          runs the unit tests and the system tests (as root)
#   make fuzz           builds the fuzz targets into build/fuzz; tests/fuzz/run
#                       runs them
#   make bench          measures the relay and replication against others at the
#                       same job, and what peers, ports and relays that share a
#                       segment cost, and writes docs/benchmarks.md (as root);
#                       BENCH_OPTIONS=--quick to see that all works
#   make soak           has two relays carry broadcasts for ten minutes while
#                       switches, links, files and clocks fail (as root)
#   make deb            builds the Debian package into build/deb
#   make lint           checks style and looks for mistakes
#   make clean          removes what was built, but for libopenvswitch
#
#   SANITIZE=1          builds into build/sanitize with the address and
#                       undefined behaviour sanitizers; goes with all targets
#   OVS_BUILDDIR=DIR    uses the Open vSwitch build tree DIR

VERSION = 0.1.0

# Installs what is missing; where everything is there, another command may be
# named instead.
INSTALL_DEPS = scripts/install-deps.sh

BUILD = build
CFLAGS = -O2 -g
ifdef SANITIZE
BUILD = build/sanitize
CFLAGS = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS = -fsanitize=address,undefined
endif

.DELETE_ON_ERROR:
.PHONY: all check check-unit check-system fuzz bench soak deb lint clean
all: $(BUILD)/snowrelayd

# How to compile and link with libopenvswitch; see the script.  Made anew when
# OVS_BUILDDIR or the installed switch is another than last time.
ifneq ($(filter-out clean deb lint,$(or $(MAKECMDGOALS),all)),)
include build/openvswitch.mk
endif
build/openvswitch.mk: build/openvswitch.source scripts/build-openvswitch.sh
	@OVS_BUILDDIR='$(OVS_BUILDDIR)' scripts/build-openvswitch.sh $@
build/openvswitch.source: FORCE
	@$(INSTALL_DEPS) $(if $(filter bench,$(MAKECMDGOALS)),--bench,$(if $(filter check% soak,$(MAKECMDGOALS)),,--build))
	@mkdir -p $(@D)
	@{ echo '$(OVS_BUILDDIR)'; dpkg-query -W openvswitch-switch; } > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
FORCE:

WARNINGS = -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes \
	   -Wpointer-arith -Wshadow -Wformat=2 -Wno-format-nonliteral
ALL_CPPFLAGS = -D_GNU_SOURCE -DSNOWRELAY_VERSION='"$(VERSION)"' \
	       -iquote controller $(OVS_CPPFLAGS) $(CPPFLAGS)
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(CFLAGS)

# What libopenvswitch takes privileges for goes through privsep-wrap.c.
WRAPS = make_unix_socket fatal_signal_unlink_file_now open
LIBS = $(foreach f,$(WRAPS),-Wl,--wrap=$f -Wl,--undefined=__wrap_$f) \
       $(OVS_LIBS) -ljansson -lpcap -lmicrohttpd -lcares -lsodium -lcap -lseccomp -lpthread

# V=1 shows the commands.
COMPILE = $(if $(V),,@echo "  CC $<";) $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The daemon is its main file and a library of everything else, so that the
# tests link just what they use.
sources = $(filter-out controller/snowrelayd.c,$(wildcard controller/*.c))
objects = $(sources:controller/%.c=$(BUILD)/%.o) $(BUILD)/flows.o $(BUILD)/log-modules.o $(BUILD)/page.o
library = $(BUILD)/libsnowrelay.a

$(BUILD)/snowrelayd: $(BUILD)/snowrelayd.o $(library) build/openvswitch.mk
	$(if $(V),,@echo "  LD $@";) $(CC) $(LDFLAGS) -o $@ $< $(library) $(LIBS)

$(library): $(objects)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/%.o: controller/%.c build/openvswitch.mk Makefile
	@mkdir -p $(@D)
	$(COMPILE)

# The files of flows/, as C strings.
templates = $(wildcard $(addprefix flows/*.,flow meter group bucket actions match))

$(BUILD)/flows.c: $(templates) Makefile
	@mkdir -p $(@D)
	@{ echo '#include <config.h>'; \
	   echo '#include "template.h"'; \
	   echo 'const struct template templates[] = {'; \
	   for file in $(templates); do \
	       echo "{ \"$${file##*/}\","; \
	       sed 's/[\\"]/\\&/g; s/^/"/; s/$$/\\n"/' $$file; \
	       echo '},'; \
	   done; \
	   echo '{ 0, 0 } };'; \
	 } > $@

# The names of the modules that log, as C strings.
$(BUILD)/log-modules.c: $(wildcard controller/*.c) Makefile
	@mkdir -p $(@D)
	@{ echo '#include <config.h>'; \
	   echo '#include "log-level.h"'; \
	   echo 'const char *const log_modules[] = {'; \
	   sed -n 's/^VLOG_DEFINE_THIS_MODULE(\(.*\));$$/"\1",/p' $(filter %.c,$^); \
	   echo '0 };'; \
	 } > $@

$(BUILD)/flows.o $(BUILD)/log-modules.o $(BUILD)/page.o: $(BUILD)/%.o: $(BUILD)/%.c build/openvswitch.mk
	$(COMPILE)

# The page, as a C string.
$(BUILD)/page.c: scripts/embed-page.sh $(wildcard controller/page/*)
	@mkdir -p $(@D)
	@scripts/embed-page.sh controller/page > $@

# Tests.
unit_tests = $(patsubst tests/unit/test-%.c,$(BUILD)/test-%,$(wildcard tests/unit/test-*.c))

$(BUILD)/test-%: tests/unit/test-%.c $(library) $(wildcard tests/unit/*.h)
	$(if $(V),,@echo "  CC $<";) $(CC) $(ALL_CPPFLAGS) -iquote tests/unit $(ALL_CFLAGS) $(LDFLAGS) -MMD -MP \
	    -o $@ $< $(library) $(LIBS) -lcmocka

check: check-unit check-system

check-unit: $(unit_tests)
	@for test in $(unit_tests); do \
	     echo "$$test"; ./$$test || exit 1; \
	 done

# What the relay does over datagrams it does over tunnels.
both_transports = relay filters peers mesh discovery switch daemon hubs segment segment-failover segment-storm inspect

check-system: $(BUILD)/snowrelayd $(BUILD)/same-frames $(BUILD)/bench-probe $(BUILD)/bench-peers \
	      $(BUILD)/step-clock.so
	BUILD=$(CURDIR)/$(BUILD) SNOWRELAYD=$(CURDIR)/$(BUILD)/snowrelayd \
	    bats --print-output-on-failure tests/system
	BUILD=$(CURDIR)/$(BUILD) SNOWRELAYD=$(CURDIR)/$(BUILD)/snowrelayd LAB_TRANSPORT=vxlan \
	    bats --print-output-on-failure --filter-tags '!datagrams' \
	        $(both_transports:%=tests/system/%.bats)

$(BUILD)/same-frames: tests/system/same-frames.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC $<";) $(CC) -std=gnu11 $(WARNINGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -lpcap

$(BUILD)/bench-probe: scripts/bench-probe.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC $<";) $(CC) -std=gnu11 $(WARNINGS) $(CFLAGS) $(LDFLAGS) -o $@ $<

$(BUILD)/bench-peers $(BUILD)/bench-switch: $(BUILD)/%: scripts/%.c $(library)
	$(if $(V),,@echo "  CC $<";) $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS) -MMD -MP \
	    -o $@ $< $(library) $(LIBS)

# Loaded into a program, it has the program's wall clock step.
$(BUILD)/step-clock.so: scripts/step-clock.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC $<";) $(CC) -std=gnu11 $(WARNINGS) -O2 -fPIC -shared -o $@ $<

bench: $(BUILD)/snowrelayd $(BUILD)/bench-probe $(BUILD)/bench-peers $(BUILD)/bench-switch
	SNOWRELAYD=$(CURDIR)/$(BUILD)/snowrelayd scripts/bench $(BENCH_OPTIONS)

soak: $(BUILD)/snowrelayd $(BUILD)/bench-probe $(BUILD)/step-clock.so
	BUILD=$(CURDIR)/$(BUILD) SNOWRELAYD=$(CURDIR)/$(BUILD)/snowrelayd scripts/soak

# Fuzzing.  The daemon's modules once more, by clang and with its coverage;
# libopenvswitch stays as it is.
FUZZ_CC = clang-14
FUZZ_CFLAGS = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_COMPILE = $(if $(V),,@echo "  FUZZ_CC $<";) $(FUZZ_CC) $(ALL_CPPFLAGS) -std=gnu11 -Wall -Werror $(FUZZ_CFLAGS)
fuzz_targets = $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz-*.c))
fuzz_objects = $(sources:controller/%.c=build/fuzz/%.o) build/fuzz/flows.o build/fuzz/log-modules.o build/fuzz/page.o

fuzz: $(fuzz_targets)

build/fuzz/.installed: FORCE
	@$(INSTALL_DEPS) --fuzz
	@mkdir -p $(@D) && touch -a $@

build/fuzz/%.o: controller/%.c build/openvswitch.mk Makefile | build/fuzz/.installed
	$(FUZZ_COMPILE) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

build/fuzz/flows.o build/fuzz/log-modules.o build/fuzz/page.o: build/fuzz/%.o: $(BUILD)/%.c build/openvswitch.mk | build/fuzz/.installed
	$(FUZZ_COMPILE) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

build/fuzz/libsnowrelay.a: $(fuzz_objects)
	@rm -f $@
	@$(AR) rcs $@ $^

build/fuzz/fuzz-%: tests/fuzz/fuzz-%.c build/fuzz/libsnowrelay.a tests/fuzz/fuzz.h
	$(FUZZ_COMPILE) -iquote tests/fuzz -fsanitize=fuzzer $(FUZZ_LDFLAGS) -MMD -MP \
	    -o $@ $< build/fuzz/libsnowrelay.a $(LIBS)

# The connection to the switch.
build/fuzz/fuzz-punt: FUZZ_LDFLAGS = $(addprefix -Xlinker --wrap=stream_, \
	open_with_default_port connect recv send run run_wait close)

# Name servers.
build/fuzz/fuzz-names: FUZZ_LDFLAGS = $(addprefix -Xlinker --wrap=, \
	ares_init_options time_msec socket connect)

deb:
	@$(INSTALL_DEPS) --package
	@scripts/build-deb.sh

# Lint.
shell_scripts = ovs-setup.sh .ci/run tests/run tests/fuzz/run $(wildcard scripts/*.sh scripts/bench scripts/bench-relay scripts/bench-replicate \
		scripts/bench-mesh scripts/bench-segment scripts/bench-growth scripts/soak scripts/screenshot scripts/replay scripts/container/*.sh \
		tests/system/*.bats tests/system/*.bash tests/system/*.sh scripts/completion/*) \
		$(addprefix debian/snowrelay.,postinst prerm postrm)
c_files = $(wildcard controller/*.[ch] tests/*/*.[ch] scripts/*.c)

# cppcheck takes the variables that Open vSwitch's *_FOR_EACH macros set for
# uninitialized; the compiler knows better, and is asked to tell.  readdir() and
# the user database are asked before there are threads.
lint:
	@$(INSTALL_DEPS) --lint
	clang-format --dry-run -Werror $(c_files)
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --library=posix \
	    --enable=warning,performance,portability \
	    --suppress=missingIncludeSystem --suppress=missingInclude --suppress=uninitvar --suppress=ctuuninitvar \
	    --suppress=readdirCalled --suppress=getpwnamCalled --suppress=getgrnamCalled \
	    -D_GNU_SOURCE -I controller controller scripts tests
	shellcheck -x $(shell_scripts)
	scripts/check-links.py
	mandoc -T lint -W warning docs/man/*

clean:
	rm -rf build

-include $(wildcard $(BUILD)/*.d build/fuzz/*.d)
