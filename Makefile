# imagegate: `make up` starts the whole stack, `make test` runs every test.  `make help` lists the rest.

SHELL = /bin/sh
ENV_FILE ?= $(wildcard .env)
# A setting that make needs too: from the environment, else from the settings file, else the default.
setting = $(or $($(1)),$(shell ENV_FILE='$(ENV_FILE)' scripts/setting $(1) $(2)))
BASE_IMAGE := $(call setting,BASE_IMAGE,debian:trixie-slim)
SECRETS_DIR := $(call setting,SECRETS_DIR,./secrets)
TLS_CERTIFICATE_FILE := $(call setting,TLS_CERTIFICATE_FILE,./secrets/tls_certificate)
TLS_KEY_FILE := $(call setting,TLS_KEY_FILE,./secrets/tls_key)
IMAGEGATE_VERSION := $(call setting,IMAGEGATE_VERSION,0.1.0)
# Authorities that build stages trust when they fetch over TLS: the host's own, or a file that is named.
CA_BUNDLE ?= $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem))
export BASE_IMAGE SECRETS_DIR ENV_FILE IMAGEGATE_VERSION

COMPOSE = scripts/compose
TOOLCHAIN = imagegate-toolchain:$(IMAGEGATE_VERSION)
in_toolchain = docker run --rm -u "$$(id -u):$$(id -g)" -v "$(CURDIR):/src" -w /src $(TOOLCHAIN)

.PHONY: help up down logs ps clean build prerequisites secrets toolchain shell rotate-key rotate-store-keys rotate-db-passwords certificate \
        user-add user-password user-disable user-enable user-revoke user-delete user-list \
        backup restore image-rm unit debug test test-tree test-docs test-c test-checks test-shell test-nginx test-sql test-e2e soak fuzz bench format

help:
	@echo 'make up       build what is missing, start the stack, wait until it is healthy;'
	@echo '              PROFILE=monitoring adds Prometheus (docs/monitoring.md)'
	@echo 'make down     stop it; images, accounts and secrets stay'
	@echo 'make logs     follow the logs of all services'
	@echo 'make ps       what runs, and how it does'
	@echo 'make user-add LOGIN=name      make an account; also user-password, user-disable, user-enable,'
	@echo '                              user-revoke, user-delete, and user-list (LOGIN= a part of a login)'
	@echo 'make rotate-key               sign tokens with a new key; nobody is logged out'
	@echo 'make rotate-store-keys        give the pools other keys of the store; make rotate-db-passwords likewise'
	@echo 'make certificate CERTIFICATE=… KEY=…  give the gateway another certificate (docs/tls.md)'
	@echo 'make backup   copy all accounts and images to ./backups/<time>, or TO=folder; make restore FROM=folder brings'
	@echo '              them into an empty stack (docs/backup.md)'
	@echo 'make image-rm NAME=…  take down the image of this name, whoever owns it'
	@echo 'make test     every test, on a stack of its own beside a running one'
	@echo 'make unit     the unit tests; TEST=test_buf runs those of one unit, seconds after an edit'
	@echo 'make soak     random faults under use for SECONDS (600) seconds; SOAK_SEED= repeats a run'
	@echo 'make fuzz     run each fuzz target for SECONDS_EACH (60) seconds'
	@echo 'make bench    measure against references; CASE=name (or names) for a part'
	@echo 'make shell    a shell in the toolchain image'
	@echo 'make debug    build for gdb and valgrind, into build/debug'
	@echo 'make format   format the C sources'
	@echo 'make clean    remove the stack with its volumes: ALL IMAGES AND ACCOUNTS ARE LOST'

up: secrets build
	@scripts/up
	@scripts/try

# What handles a stack that runs knows everything that may be in it.
down logs ps clean: export PROFILE = monitoring

down:
	@scripts/down

logs:
	@$(COMPOSE) logs -f --tail 100

ps:
	@$(COMPOSE) ps

clean:
	@test "$(FORCE)" = yes || { printf 'All images and accounts will be lost. Type yes: '; read -r a; test "$$a" = yes; }
	@$(COMPOSE) down --volumes --remove-orphans
	@rm -rf build

# Safe to repeat: succeeds when neither the store nor the gateway's cache has the image.
image-rm: export NAME := $(value NAME)
image-rm:
	@scripts/inside uploader-gallery image-rm "$$NAME"

prerequisites:
	@docker version >/dev/null 2>&1 || { echo 'make: the Docker engine does not answer: is Docker installed and running, and may you use it?' >&2; exit 1; }
	@$(COMPOSE) version >/dev/null
	@scripts/base-image $(BASE_IMAGE)
	@mkdir -p build
	@if [ -n "$(CA_BUNDLE)" ]; then cmp -s "$(CA_BUNDLE)" build/ca-bundle.crt || cp "$(CA_BUNDLE)" build/ca-bundle.crt; else : >>build/ca-bundle.crt; fi

build: prerequisites
	@echo 'build: images (the first time takes several minutes; MinIO is built from source)'
	@$(COMPOSE) build

secrets:
	@scripts/secrets "$(SECRETS_DIR)"

# The password is typed, or comes as a line of standard input.
user-add user-password user-disable user-enable user-revoke user-delete user-list:
	@scripts/user "$(@:user-%=%)" "$${LOGIN-}"

rotate-key rotate-store-keys rotate-db-passwords:
	@scripts/$@ "$(SECRETS_DIR)"

backup: export TO := $(value TO)
backup:
	@scripts/backup "$$TO"

restore: export FROM := $(value FROM)
restore:
	@scripts/restore "$$FROM"

certificate: export CERTIFICATE := $(value CERTIFICATE)
certificate: export KEY := $(value KEY)
certificate:
	@scripts/certificate "$$CERTIFICATE" "$$KEY" "$(TLS_CERTIFICATE_FILE)" "$(TLS_KEY_FILE)"

toolchain: prerequisites
	@echo 'toolchain: the image of compilers, linters and test tools'
	@said=$$(DOCKER_BUILDKIT=0 docker build --build-arg BASE_IMAGE=$(BASE_IMAGE) -t $(TOOLCHAIN) -f tests/Dockerfile tests 2>&1) || { echo "$$said"; exit 1; }

shell: toolchain
	docker run --rm -it -u "$$(id -u):$$(id -g)" -v "$(CURDIR):/src" -w /src $(TOOLCHAIN) bash

unit: toolchain
	$(in_toolchain) make -s -j2 -f build.mk OUT=build TEST=$(TEST) unit

debug: toolchain
	$(in_toolchain) make -s -j2 -f build.mk OUT=build debug

# The images first and side by side: while one waits for packages another compiles.
test:
	@$(MAKE) -j2 toolchain build
	@$(MAKE) test-tree test-e2e

# All that needs no stack, in order of cost.
test-tree: test-docs test-shell test-c test-checks test-nginx test-sql

SHELL_SCRIPTS = .ci/run scripts/* pool/* nginx/entrypoint nginx/test sql/db-entrypoint sql/migrate \
    sql/settings.sh createbuckets/createbuckets createbuckets/images storage/storage-entrypoint monitoring/prometheus-entrypoint \
    tests/stacks tests/unit/run tests/fuzz/run tests/checks/banned
test-shell: toolchain
	$(in_toolchain) shellcheck -x $(SHELL_SCRIPTS)

# Every file, command, service, setting, route and test that the documents name exists.
test-docs: toolchain
	$(in_toolchain) tests/checks/docs

# gcc and clang without a warning; every unit and handler test under ASan and UBSan; the fuzz corpora.
test-c: toolchain
	$(in_toolchain) sh -ec ' \
	    make -s -j2 -f build.mk format; \
	    make -s -j2 -f build.mk OUT=build/gcc CC=gcc; \
	    make -s -j2 -f build.mk OUT=build/clang CC=clang; \
	    make -s -j2 -f build.mk OUT=build unit'

# What scripts and linters can see in the sources, the settings and the containers: checks.mk lists it.
test-checks: toolchain
	$(in_toolchain) make -s -j2 -f checks.mk

# The rendered templates, by nginx itself.
test-nginx: toolchain
	docker run --rm --network none -v "$(CURDIR):/src:ro" -w /src $(TOOLCHAIN) sh -c 'nginx/test && nginx/test-trace'

# pytest beside the host's Docker: it starts, stops and inspects containers.  The tree stands at the
# same path inside, so that compose resolves its files there as it does here.
in_docker = docker run --rm --init --network host -v /var/run/docker.sock:/var/run/docker.sock \
    -v "$(CURDIR):$(CURDIR):ro" -w "$(CURDIR)" -e PYTHONDONTWRITEBYTECODE=1 -e TOOLCHAIN=$(TOOLCHAIN) -e IMAGEGATE_VERSION \
    -e SOAK_SECONDS -e SOAK_SEED
pytest = pytest -q -p no:cacheprovider

# TESTS=tests/e2e/test_reads.py runs one file of a suite.

# The schema, the roles and the migrations, on a server of its own.
test-sql: toolchain build
	$(in_docker) $(TOOLCHAIN) $(pytest) $(or $(TESTS),tests/sql)

# Whole stacks, with projects, ports and secrets of their own (tests/stacks), beside one that runs.  Each takes the next file of tests.
# What a cut run left is removed first; what fails leaves its stack behind to be looked at.
STACKS ?= 1
test-e2e: toolchain build
	@PROFILE=monitoring $(COMPOSE) build prometheus
	@tests/stacks up $(STACKS)
	$(in_docker) --name "$$(sed -n 's/^COMPOSE_PROJECT_NAME=//p' build/stacks/0.env)-pytest" \
	    -v "$(CURDIR)/build/stacks:$(CURDIR)/build/stacks" $(TOOLCHAIN) \
	    $(pytest) -n $(STACKS) --dist loadfile $(or $(TESTS),tests/e2e tests/faults)
	@tests/stacks down $(STACKS)

# People use a stack while one fault after the other is done to it, for SECONDS; SOAK_SEED=… repeats the order of a run.
soak: export SOAK_SECONDS = $(or $(SECONDS),600)
soak: export SOAK_SEED := $(or $(SOAK_SEED),$(shell date +%s))
soak:
	@echo 'soak: $(SOAK_SECONDS) seconds, SOAK_SEED=$(SOAK_SEED)'
	@$(MAKE) test-e2e STACKS=1 TESTS=tests/faults/test_row_36_soak.py

fuzz: toolchain
	$(in_toolchain) make -s -j2 -f build.mk OUT=build SECONDS_EACH=$(or $(SECONDS_EACH),60) fuzz-run

# A stack of its own (bench/stack.env) of the production images, which are built first, with the
# references beside it.  Kept when a case fails, to be looked at.
bench: export ENV_FILE = bench/stack.env
bench: export SECRETS_DIR = ./build/bench-secrets
bench: toolchain
	@$(MAKE) ENV_FILE=$(wildcard .env) build
	@said=$$(DOCKER_BUILDKIT=0 docker build --build-arg TOOLCHAIN=$(TOOLCHAIN) -t imagegate-bench -f bench/Dockerfile bench 2>&1) || { echo "$$said"; exit 1; }
	@$(in_toolchain) make -s -j2 -f build.mk OUT=build bench
	@$(COMPOSE) down --volumes --remove-orphans >/dev/null 2>&1 || :
	@$(COMPOSE) build gateway older-security >/dev/null
	@scripts/secrets $(SECRETS_DIR) >/dev/null
	@scripts/up
	docker run --rm --network host --pid host -u "$$(id -u):$$(id -g)" --group-add "$$(stat -c %g /var/run/docker.sock)" \
	    -v /var/run/docker.sock:/var/run/docker.sock -v "$(CURDIR):$(CURDIR)" -w "$(CURDIR)" -e PYTHONDONTWRITEBYTECODE=1 \
	    -e PROJECT=imagegate-bench -e BASE_URL= -e S3_URL= \
	    -e SECRETS_DIR="$(CURDIR)/build/bench-secrets" -e TOOLCHAIN=$(TOOLCHAIN) -e COMMIT="$$(git describe --always)$$(git diff --quiet HEAD -- . ':!bench/results' || echo -dirty)" -e ROUNDS \
	    imagegate-bench python3 bench/bench.py $(CASE)
	@$(COMPOSE) down --volumes --remove-orphans >/dev/null 2>&1

format: toolchain
	$(in_toolchain) sh -c 'clang-format -i lib/*.[ch] fcgi-*/*.[ch] tests/unit/*.[ch] tests/fuzz/*.[ch] bench/*.c'
