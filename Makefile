# imagegate: `make up` starts the whole stack, `make test` runs every test.  `make help` lists the rest.

SHELL = /bin/sh
BASE_IMAGE ?= debian:trixie-slim
SECRETS_DIR ?= ./secrets
ENV_FILE ?= $(wildcard .env)
# Authorities that build stages trust when they fetch over TLS: the host's own, or a file that is named.
CA_BUNDLE ?= $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem))
export BASE_IMAGE SECRETS_DIR ENV_FILE

COMPOSE = scripts/compose
TOOLCHAIN = imagegate-toolchain
in_toolchain = docker run --rm -u "$$(id -u):$$(id -g)" -v "$(CURDIR):/src" -w /src $(TOOLCHAIN)

.PHONY: help up down logs ps clean build prerequisites secrets toolchain shell \
        test test-c test-shell test-nginx test-sql test-e2e fuzz format

help:
	@echo 'make up       build what is missing, start the stack, wait until it is healthy'
	@echo 'make down     stop it; images, accounts and secrets stay'
	@echo 'make logs     follow the logs of all services'
	@echo 'make ps       what runs, and how it does'
	@echo 'make test     every test, on a stack of its own beside a running one'
	@echo 'make fuzz     run each fuzz target for SECONDS_EACH (60) seconds'
	@echo 'make shell    a shell in the toolchain image'
	@echo 'make format   format the C sources'
	@echo 'make clean    remove the stack with its volumes: ALL IMAGES AND ACCOUNTS ARE LOST'

up: build secrets
	@scripts/up
	@scripts/try

down:
	@$(COMPOSE) down --remove-orphans

logs:
	@$(COMPOSE) logs -f --tail 100

ps:
	@$(COMPOSE) ps

clean:
	@test "$(FORCE)" = yes || { printf 'All images and accounts will be lost. Type yes: '; read -r a; test "$$a" = yes; }
	@$(COMPOSE) down --volumes --remove-orphans
	@rm -rf build

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

toolchain: prerequisites
	@echo 'toolchain: the image of compilers, linters and test tools'
	@DOCKER_BUILDKIT=0 docker build -q --build-arg BASE_IMAGE=$(BASE_IMAGE) -t $(TOOLCHAIN) -f tests/Dockerfile tests >/dev/null

shell: toolchain
	docker run --rm -it -u "$$(id -u):$$(id -g)" -v "$(CURDIR):/src" -w /src $(TOOLCHAIN) bash

# In order of cost.  The end-to-end tests come last and close with pytest's own summary.
test: test-shell test-c test-nginx test-sql test-e2e

# gcc and clang without a warning; every unit and handler test under ASan and UBSan; the fuzz corpora.
test-c: toolchain
	$(in_toolchain) sh -ec ' \
	    make -s -j2 -f build.mk format; \
	    make -s -j2 -f build.mk OUT=build/gcc CC=gcc; \
	    make -s -j2 -f build.mk OUT=build/clang CC=clang; \
	    make -s -j2 -f build.mk OUT=build unit'

test-shell: toolchain
	$(in_toolchain) shellcheck .ci/run scripts/* pool/* tests/unit/run tests/fuzz/run $(SHELL_SCRIPTS)

fuzz: toolchain
	$(in_toolchain) make -s -j2 -f build.mk OUT=build SECONDS_EACH=$(or $(SECONDS_EACH),60) fuzz-run

format: toolchain
	$(in_toolchain) sh -c 'clang-format -i lib/*.[ch] fcgi-*/*.[ch] tests/unit/*.[ch] tests/fuzz/*.[ch]'
