# Builds the C programs and their tests.  It runs inside a Debian 13 container: the images' build stage
# (Dockerfile) and the toolchain image (tests/Dockerfile) both have what it needs.
#
#   make -f build.mk            the programs, in $(OUT)/bin
#   make -f build.mk unit       the unit and handler tests, under AddressSanitizer and UBSan; TEST=test_buf: that one
#   make -f build.mk debug      programs and tests for gdb and valgrind, in $(OUT)/debug
#   make -f build.mk bench      the load generators and references of the bench
#   make -f build.mk format     is everything formatted as .clang-format says?

OUT ?= build/c
CC = gcc

WARN = -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes \
       -Wmissing-prototypes -Wcast-qual -Wformat=2 -Wvla -Wswitch-enum -Wnull-dereference -Werror
HARDEN = -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE \
         -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1
CPPFLAGS = -D_GNU_SOURCE -iquote lib -iquote fcgi-security -iquote fcgi-uploader -iquote fcgi-metrics -iquote tests/unit
# Sections of their own let the linker leave out what nothing reaches.
CFLAGS = -std=gnu11 -O2 -g $(WARN) $(HARDEN) -ffunction-sections -fdata-sections
LDFLAGS = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed -Wl,--gc-sections
LDLIBS = -lfcgi -ljansson -lcrypto

SECURITY = accounts validate revocations hash-password
UPLOADER = uploader signer gallery
METRICS = metrics
PROGRAMS = $(SECURITY) $(UPLOADER) $(METRICS)

# A folder's files without its mains become an archive, from which each program takes what it uses.
lib_objects = $(patsubst %.c,$(OUT)/%.o,$(wildcard lib/*.c))
security_objects = $(patsubst %.c,$(OUT)/%.o,$(filter-out $(SECURITY:%=fcgi-security/%.c),$(wildcard fcgi-security/*.c)))
uploader_objects = $(patsubst %.c,$(OUT)/%.o,$(filter-out $(UPLOADER:%=fcgi-uploader/%.c),$(wildcard fcgi-uploader/*.c)))
metrics_objects = $(patsubst %.c,$(OUT)/%.o,$(filter-out $(METRICS:%=fcgi-metrics/%.c),$(wildcard fcgi-metrics/*.c)))
ARCHIVES = $(OUT)/metrics.a $(OUT)/uploader.a $(OUT)/security.a $(OUT)/lib.a

support_objects = $(patsubst %.c,$(OUT)/%.o,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
unit_tests = $(or $(TEST),$(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c)))
fuzzers = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
sources = $(wildcard lib/*.[ch] fcgi-*/*.[ch] tests/unit/*.[ch] tests/fuzz/*.[ch] bench/*.c)

BENCH = empty load pbkdf2

.PHONY: all security uploader metrics bench debug unit unit-run fuzz-replay fuzz-run format
.SECONDARY:

all: security uploader metrics
security: $(SECURITY:%=$(OUT)/bin/%)
uploader: $(UPLOADER:%=$(OUT)/bin/%)
metrics: $(METRICS:%=$(OUT)/bin/%)

$(SECURITY:%=$(OUT)/bin/%): $(OUT)/bin/%: $(OUT)/fcgi-security/%.o $(OUT)/security.a $(OUT)/lib.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ljwt -lpq $(LDLIBS)

$(UPLOADER:%=$(OUT)/bin/%): $(OUT)/bin/%: $(OUT)/fcgi-uploader/%.o $(OUT)/uploader.a $(OUT)/lib.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcurl -lexpat -lmagic -lz $(LDLIBS)

$(METRICS:%=$(OUT)/bin/%): $(OUT)/bin/%: $(OUT)/fcgi-metrics/%.o $(OUT)/metrics.a $(OUT)/lib.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

bench: $(BENCH:%=$(OUT)/bench/bin/%)
$(OUT)/bench/bin/%: $(OUT)/bench/%.o $(OUT)/lib.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcurl $(LDLIBS)

$(OUT)/lib.a: $(lib_objects)
$(OUT)/security.a: $(security_objects)
$(OUT)/uploader.a: $(uploader_objects)
$(OUT)/metrics.a: $(metrics_objects)
%.a:
	@rm -f $@
	ar rcs $@ $^

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Every variable has its value, every line its place; no sanitizer, which valgrind does not bear.
debug:
	$(MAKE) -f build.mk OUT=$(OUT)/debug CFLAGS='-std=gnu11 -O0 -g3 $(WARN)' LDFLAGS= \
	    all $(unit_tests:%=$(OUT)/debug/tests/%)

# The tests run on a build of their own.
unit:
	$(MAKE) -f build.mk OUT=$(OUT)/asan CC=clang \
	    CFLAGS='-std=gnu11 $(WARN) $(SANITIZE)' LDFLAGS='$(SANITIZE)' unit-run $(if $(TEST),,fuzz-replay)
unit-run: $(unit_tests:%=$(OUT)/tests/%)
	tests/unit/run $^
$(OUT)/tests/test_%: $(OUT)/tests/unit/test_%.o $(support_objects) $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -ljwt -lpq -lcurl -lexpat -lmagic -lz $(LDLIBS)

# Each fuzz target sees its committed corpus once here, and runs on from there in fuzz-run.
fuzz-replay: $(fuzzers:%=$(OUT)/tests/%)
	tests/fuzz/run 0 $^
fuzz-run:
	$(MAKE) -f build.mk OUT=$(OUT)/fuzz CC=clang SECONDS_EACH=$(SECONDS_EACH) \
	    CFLAGS='-std=gnu11 $(WARN) $(SANITIZE) -fsanitize=fuzzer-no-link' LDFLAGS='$(SANITIZE)' fuzz-on
fuzz-on: $(fuzzers:%=$(OUT)/tests/%)
	tests/fuzz/run $(SECONDS_EACH) $^
$(OUT)/tests/fuzz_%: $(OUT)/tests/fuzz/fuzz_%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ -ljwt -lpq -lcurl -lexpat -lmagic -lz $(LDLIBS)

format:
	clang-format --dry-run --Werror $(sources)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
