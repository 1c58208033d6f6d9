# Everything a developer types. `make` alone prints this list.
SHELL      := /bin/bash -o pipefail
.DEFAULT_GOAL := help

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
SERVERS     := pg15 pg18 kafka mysql97 mariadb10 mariadb118 readers registry
WITH        := testdata/servers/with $(SERVERS) --
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
PKG         ?= ./...
RUN         ?= .
FUZZTIME    ?= 20s

.PHONY: help build check test demo bench bench-stages fuzz golden crash examples servers servers-stop lint suites release

help: ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

build: ## bin/tailwater, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/tailwater ./cmd/tailwater

check: ## the fast inner loop: format, vet, and every test that needs no server
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'gofmt these'; exit 1; }
	go vet ./...
	go test -short ./... | grep -v 'no test files'

lint: ## staticcheck over everything (staticcheck.conf says why each choice)
	go run $(STATICCHECK) ./...

test: lint ## what every landing needs: all suites on real servers, race detector on, a skip is a failure
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'gofmt these'; exit 1; }
	go mod verify >/dev/null && go vet ./... && go vet -tags fault ./...
	$(WITH) go test -race -timeout 45m -json -run '$(RUN)' $(PKG) | go run ./pkg/testenv/suites
	go test ./testdata/bench/... # ./... leaves testdata out
	$(MAKE) golden crash examples
	$(MAKE) demo CHECK=1

suites: ## write testdata/suites.txt, the list of suites that must run
	$(WITH) go test -race -timeout 45m -json ./... | go run ./pkg/testenv/suites -update

golden: ## write every golden file again and fail if one changed
	go test -run Golden $$(grep -rl --include='*_test.go' 'func Test.*Golden' . | xargs -n1 dirname | sort -u) -update >/dev/null
	git diff --exit-code -- '*/testdata/*' docs/types

fuzz: ## every fuzz target for FUZZTIME (20s), those of the sinks against the servers
	$(WITH) testdata/fuzz.sh $(FUZZTIME)

crash: ## kill -9 at every named point on real servers, 3 times each
	$(WITH) testdata/crash/run.sh

examples: ## the files of docs/examples as they stand, in a network namespace of their own
	testdata/examples/run.sh

demo: ## PostgreSQL, MySQL and MariaDB through Kafka and direct, under load, killed three times, compared; CHECK=1: no terminal
	CHECK=$(CHECK) $(WITH) testdata/demo/run.sh

bench: ## our figures, the incumbent's and each path's limit; ROW="pg_kafka ..." some rows, ROW=growth, DURABLE=1 fsync, QUICK=1 on the terminal only
	TAILWATER_KAFKA_HEAP=2g TAILWATER_DURABLE='$(DURABLE)' ROW='$(ROW)' QUICK='$(QUICK)' testdata/servers/with pg15 kafka mysql97 -- testdata/bench/run.sh

bench-stages: ## Go's benchmarks of each stage beside the last committed run; KEEP=1 writes docs/benchmarks/stages.txt
	KEEP='$(KEEP)' testdata/bench/stages.sh

servers: ## install and start the servers and leave them running; prints their addresses
	testdata/servers/install && testdata/servers/start && testdata/servers/env

servers-stop: ## stop them, by pid
	testdata/servers/stop

release: test ## what a release needs besides: no server missing, long fuzzing, long chaos, the full bench
	@! grep -H 'NOT RUN' $${TAILWATER_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/tailwater}/not-run
	$(MAKE) fuzz FUZZTIME=10m
	ROUNDS=30 $(MAKE) crash
	$(MAKE) bench
