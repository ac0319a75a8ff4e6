# Checks of the sources, of the containers and of the settings.  Runs in the toolchain image.
#
#   make -f checks.mk           all of them
#   make -f checks.mk tidy      one of them; the names are those of .PHONY
#
# What takes long leaves a stamp for each file under $(OUT), and is not done again for what has not changed.

OUT ?= build/checks
# The programs as `make test-c` builds them anyway.
PROGRAMS_OUT ?= build/gcc
CPPFLAGS = -std=gnu11 -D_GNU_SOURCE -iquote lib -iquote fcgi-security -iquote fcgi-uploader -iquote fcgi-metrics -iquote tests/unit

sources = $(wildcard lib/*.c fcgi-*/*.c)
headers = $(wildcard lib/*.h fcgi-*/*.h tests/unit/*.h)

# The tests whose run through lib/ and the pure modules is measured; the others wait for sockets and clocks.
covered = ab64 address arena authorization base64url buf cache_results certificate chunked config crc32c credentials crypto endpoints exposition flatjson image \
    keys log media_type metrics multipart name password program request response sigv4 table tally token trace worker faults_lib faults_security faults_uploader faults_worker

.PHONY: all banned style headers cppcheck tidy programs symbols settings containers monitoring coverage

all: banned style headers settings containers monitoring symbols cppcheck tidy coverage

# Functions that have no place here, each with its reason.
banned:
	tests/checks/banned lib/*.[ch] fcgi-*/*.[ch]

# Lengths of functions, and where third-party headers are.
style:
	tests/checks/style

# Each header has all that it needs, and may be included twice.
headers: $(headers:%.h=$(OUT)/%.header)
$(OUT)/%.header: %.h $(headers)
	@mkdir -p $(@D)
	@printf '#include "$<"\n#include "$<"\ntypedef int nothing;\n' | gcc $(CPPFLAGS) -I. -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c -
	@touch $@

# The type of a callback or handler decides what is const in it, and variables stand at the top of their block.
cppcheck: $(OUT)/cppcheck
$(OUT)/cppcheck: $(sources) $(headers)
	@mkdir -p $(@D)
	cppcheck --quiet --std=c11 --language=c --check-level=exhaustive --inline-suppr --error-exitcode=1 -j2 \
	    --enable=warning,style,performance,portability --inconclusive \
	    --suppress=constParameterCallback --suppress=constParameterPointer --suppress=variableScope --suppress=missingIncludeSystem \
	    -D_GNU_SOURCE -D__linux__ -D__x86_64__ -Ilib -Ifcgi-security -Ifcgi-uploader -Ifcgi-metrics lib fcgi-security fcgi-uploader fcgi-metrics
	@touch $@

# .clang-tidy holds the list of its checks.
tidy: $(sources:%.c=$(OUT)/%.tidy)
$(OUT)/%.tidy: %.c .clang-tidy
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(CPPFLAGS) >$@.said 2>&1 || { cat $@.said; exit 1; }
	@gcc $(CPPFLAGS) -MM -MP -MT $@ -MF $(@:.tidy=.d) $<
	@mv $@.said $@
-include $(sources:%.c=$(OUT)/%.d)

programs:
	$(MAKE) -s -f build.mk OUT=$(PROGRAMS_OUT) CC=gcc

# Every object exports its own file's prefix only, and only what a program uses.
symbols: programs
	tests/checks/symbols $(PROGRAMS_OUT)

# Compose, .env.example, the tables of the programs, the gateway's defaults and the documentation agree.
settings: programs
	tests/checks/settings $(PROGRAMS_OUT)

# The rules for Dockerfiles and for the services of the compose file.
containers:
	tests/checks/containers

# Prometheus' configuration, and each rule and alert on numbers that are made up.
monitoring:
	tests/checks/monitoring

# How much of the pure modules the unit tests run through: never less than the floors.
coverage:
	@mkdir -p $(OUT)/coverage
	@find $(OUT)/coverage -name '*.gcda' -exec rm -f {} +
	@$(MAKE) -s -f build.mk OUT=$(OUT)/coverage CC=gcc CFLAGS='-std=gnu11 -g --coverage' LDFLAGS=--coverage \
	    unit_tests='$(covered:%=test_%)' unit-run >$(OUT)/coverage/said || { cat $(OUT)/coverage/said; exit 1; }
	tests/checks/coverage $(OUT)/coverage
