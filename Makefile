SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

TOOLS := $(CURDIR)/.bin
export PATH := $(TOOLS):$(PATH)
export CGO_ENABLED ?= 0

# The pages of gRPC's traces, which nothing shows, would bring templates, and with them the linker keeps every method.
GO_BUILD := go build -tags grpcnotrace -trimpath -ldflags '-s -w'
# What does not compile for 32 bits is mended in a copy, as for a release.
MENDED := bin/mended/go.mod
ifeq ($(or $(GOARCH),$(shell go env GOARCH)),arm)
MODFILE := -modfile=$(MENDED)
endif
# Programs that are run here, whatever machine others are built for.
GO_RUN := env -u GOOS -u GOARCH -u GOARM go run
PLUGINS := $(notdir $(wildcard plugins/source-* plugins/target-*))

# Each tool is built in a module of its own: a shared one makes them change each
# other's versions.
BUF := github.com/bufbuild/buf/cmd/buf@v1.75.0
PROTOC_GEN_GO := google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
PROTOC_GEN_GO_GRPC := google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
NFPM := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2

.PHONY: help
help: ## Show what can be made.
	@awk -F ':.*## ' '/^[a-z\/-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: plugins ## Build bin/hookarr and every plugin.
	$(GO_BUILD) $(MODFILE) -o bin/hookarr ./cmd/hookarr

$(MENDED): go.mod go.sum internal/dist/build.go internal/dist/mend.go
	$(GO_RUN) ./internal/dist -mend $(@D) armv7

.PHONY: plugins
# A server that runs sees the file replaced at once, by another that is whole.
plugins: $(if $(MODFILE),$(MENDED)) ## Build bin/plugins/: one file, and a link to it for each plugin.
	@mkdir -p bin/plugins
	$(GO_BUILD) $(MODFILE) -o bin/hookarr-plugins ./plugins
	@chmod go-w bin bin/plugins bin/hookarr-plugins # the host refuses what others can write
	mv -f bin/hookarr-plugins bin/plugins/
	for p in $(PLUGINS); do ln -sfn hookarr-plugins bin/plugins/hookarr-$$p; done
	@for l in bin/plugins/hookarr-*; do \
	  if [[ $$(readlink "$$l") == hookarr-plugins && ! -d plugins/$${l#bin/plugins/hookarr-} ]]; then rm "$$l"; fi; \
	done # no link stays to a plugin that is no more

CA_CERTIFICATES ?= /etc/ssl/certs/ca-certificates.crt

# What is in the image. In a new volume whatever user the container is given may write, as in /tmp.
.PHONY: image/files
image/files: notices
	rm -rf bin/image
	install -d -m 0755 bin/image bin/image/etc{,/ssl,/ssl/certs} bin/image/usr{,/bin,/lib,/lib/hookarr,/share,/share/doc,/share/doc/hookarr}
	install -d -m 1777 bin/image/tmp bin/image/config
	install -m 0755 bin/hookarr bin/image/usr/bin/
	cp -a bin/plugins bin/image/usr/lib/hookarr/
	install -m 0644 $(CA_CERTIFICATES) bin/image/etc/ssl/certs/ca-certificates.crt
	install -m 0644 LICENSE bin/THIRD-PARTY-NOTICES.txt bin/image/usr/share/doc/hookarr/

# With GOARCH=arm64, or GOARCH=arm GOARM=7, it is for another machine, and bin/ is too.
IMAGE ?= hookarr
IMAGE_BUILDER ?= $(firstword $(foreach b,buildah podman docker,$(if $(shell command -v $(b)),$(b))))
# Docker's own format has the health check, and OCI's has not.
IMAGE_FLAGS ?= $(if $(filter docker,$(IMAGE_BUILDER)),,--format docker --timestamp $(shell git log -1 --format=%ct 2> /dev/null || date +%s))

.PHONY: image
image: image/files ## Build the container image with buildah, podman or docker, as IMAGE (hookarr).
	@[[ -n "$(IMAGE_BUILDER)" ]] || { echo "make image needs one of buildah, podman and docker: apt-get install buildah" >&2; exit 1; }
	$(IMAGE_BUILDER) build $(IMAGE_FLAGS) --tag $(IMAGE) \
	  --platform "linux/$$(go env GOARCH)$$([[ $$(go env GOARCH) != arm ]] || echo "/v$$(go env GOARM | cut -d, -f1)")" \
	  --build-arg "VERSION=$$(go version -m bin/hookarr | awk '$$1 == "mod" { print $$3 }')" \
	  --build-arg "REVISION=$$(git rev-parse HEAD 2> /dev/null || echo unknown)" .

.PHONY: demo
demo: build ## Send signed webhooks through a real server and check what arrives.
	go run ./examples/demo -bin bin

.PHONY: run
run: build ## Start the server on examples/hookarr.yaml and stay.
	bin/hookarr serve --config examples/hookarr.yaml

.PHONY: test
# The longest tests wait more than they work: four at once. Targets lint and verify vet everything.
test: ## Run every test, Postgres included.
	go test -vet=off -parallel 4 -timeout 25m ./internal/e2e ./...
	cd sdk && go test -vet=off ./...
	cd examples/plugin-target-file && go test -vet=off ./...

.PHONY: plugins/check
# What a schema does not say of a configuration is in a file.
plugins/check: build examples/plugins ## Hold every plugin and example to what Hookarr relies on.
	bin/hookarr plugins check --loaded --config core/plugincheck/testdata/config bin/plugins/* bin/examples/*

.PHONY: examples/plugins
examples/plugins: ## Build the examples of plugins: bin/examples/.
	@mkdir -p bin/examples
	cd examples/plugin-target-file && $(GO_BUILD) -o $(CURDIR)/bin/examples/hookarr-target-file .
	@chmod go-w bin/examples bin/examples/*

.PHONY: test/race
test/race: ## Run every test with the race detector (needs a C compiler).
	CGO_ENABLED=1 go test -race -timeout 20m ./...
	cd sdk && CGO_ENABLED=1 go test -race ./...

.PHONY: test/race-heart
# These wait more than they work, too. The tests of query plans fill large tables from one goroutine: slow under the
# detector, and nothing for it to find.
test/race-heart: ## Run the tests of what works concurrently with the race detector.
	CGO_ENABLED=1 go test -vet=off -race -parallel 4 -skip TestStatementsReadWhatTheyReturn -timeout 15m ./core/admin/live ./core/app ./core/deliver ./core/pluginhost ./core/store/...
	cd sdk && CGO_ENABLED=1 go test -vet=off -race ./...

.PHONY: test/catalogue
test/catalogue: ## Compare catalogues with what applications have after 10,000 events.
	CATALOGUE_EVENTS=10000 go test ./plugins/target-catalogue -run TestCatalogueEquals -timeout 30m -v

.PHONY: test/alerts
test/alerts: ## Check the alerts of examples/prometheus (needs promtool).
	promtool check rules examples/prometheus/alerts.yaml
	cd examples/prometheus && promtool test rules alerts_test.yaml

.PHONY: fuzz
fuzz: ## Fuzz every parser of foreign bytes, FUZZTIME each (20s).
	for module in . sdk; do (cd $$module && go list -f '{{.Dir}}' ./... | while read -r dir; do \
	  for f in $$(grep -ho 'func Fuzz[A-Za-z0-9]*' "$$dir"/*_test.go 2>/dev/null | cut -c6-); do \
	    echo "$$dir $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(or $(FUZZTIME),20s) "$$dir"; \
	  done; \
	done); done

# BENCH are more flags, such as -before DIR, which measures another build beside bin.
.PHONY: bench
bench: build ## Measure throughput, latency, CPU and memory on both databases.
	go run ./internal/bench full -bin bin $(BENCH)

.PHONY: bench/idle
bench/idle: build ## Count what an idle server and an event write to disk.
	go run ./internal/bench idle -bin bin $(BENCH)

.PHONY: bench/soak
bench/soak: build ## Send for 20 minutes at half of the full rate.
	go run ./internal/bench soak -bin bin $(BENCH)

.PHONY: bench/purge
bench/purge: build ## Measure latency while 200,000 old events are deleted.
	go run ./internal/bench purge -bin bin $(BENCH)

.PHONY: bench/traces
bench/traces: build ## Measure what traces cost, from none to every event.
	go run ./internal/bench traces -bin bin $(BENCH)

.PHONY: bench/desk
bench/desk: build ## Measure what open pages cost, and lists of 500,000 events.
	go run ./internal/bench desk -bin bin $(BENCH)

.PHONY: bench/neighbours
bench/neighbours: build ## Measure latency beside a target that is in trouble.
	go run ./internal/bench neighbours -bin bin $(BENCH)

.PHONY: bench/plugins
bench/plugins: build ## Measure size, start, memory and calls of every plugin, and of some together.
	go run ./internal/bench plugins -bin bin $(BENCH)

.PHONY: bench/plugin-neighbours
bench/plugin-neighbours: ## Measure latency beside plugins that leak, spin, flood, fork and lie.
	TEST_NEIGHBOURS=45s go test ./internal/e2e -run 'TestPluginNeighbours$$' -v -count=1

.PHONY: bench/move
bench/move: ## Move 200,000 events from SQLite to Postgres and back, each way killed once.
	TEST_MOVE_EVENTS=200000 go test ./internal/e2e -run 'TestMove$$' -count 1 -timeout 60m -v

.PHONY: bench/snapshot
bench/snapshot: ## Measure snapshots of 50,000 titles on both databases.
	go test ./core/snapshot -run TestLargeLibrary -count 1 -timeout 30m -parallel 1 -v -titles 50000

.PHONY: lint
lint: $(TOOLS)/golangci-lint ## Run the linters.
	golangci-lint run ./...
	cd sdk && golangci-lint run ./...
	golangci-lint fmt --diff core/pluginnew/testdata/golden # what hookarr plugins new writes

.PHONY: fmt
fmt: $(TOOLS)/golangci-lint ## Format the code.
	golangci-lint fmt ./...

.PHONY: docs
docs: build ## Write the reference pages of the plugins into docs/plugins/.
	rm -f docs/plugins/*.md
	bin/hookarr plugins docs --out docs/plugins ./bin/plugins

.PHONY: looks
looks: ## Show every message of targets in every look: bin/looks.html.
	@mkdir -p bin
	go run ./plugins/internal/looks > bin/looks.html

# Each is TARGET:FILE:HEIGHT, the height in pixels.
PICTURES := discord:looks:785 slack:targets/slack:785 telegram:targets/telegram:845 ntfy:targets/ntfy:865 \
	email:targets/email:860 apprise:targets/apprise:530

.PHONY: looks/pictures
looks/pictures: ## Make the pictures of the documentation (needs chromium).
	@mkdir -p bin
	for p in $(PICTURES); do IFS=: read -r target file height <<< "$$p"; \
	  go run ./plugins/internal/looks -bare -targets "$$target" -cases story_movie > bin/picture.html; \
	  chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync --no-first-run \
	    --hide-scrollbars --user-data-dir="$$(mktemp -d)" --window-size="1300,$$height" --screenshot="docs/$$file.png" "file://$(CURDIR)/bin/picture.html"; \
	done

.PHONY: looks/dashboard
looks/dashboard: build ## Draw the dashboard of the documentation (needs prometheus and chromium).
	go run ./internal/grafana/picture -bin bin > bin/dashboard.html
	chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync --no-first-run \
	  --hide-scrollbars --user-data-dir="$$(mktemp -d)" --window-size=1560,2680 --screenshot=docs/grafana.png "file://$(CURDIR)/bin/dashboard.html"

.PHONY: pictures
pictures: ## Make the pictures of the operators' pages (needs chromium).
	TEST_BROWSER=required go test ./internal/e2e -run '^TestPages$$' -count 1 -pictures

.PHONY: generate
generate: $(TOOLS)/buf $(TOOLS)/protoc-gen-go $(TOOLS)/protoc-gen-go-grpc ## Generate code from the wire contract.
	cd sdk/internal/proto && buf generate
	cp sdk/internal/proto/hookarr/plugin/v1/plugin.proto examples/plugin-target-node/proto/

# What a release has published, the next one may not change.
.PHONY: publish/contract
publish/contract: verify ## Take the wire contract as published: part of a release.
	cd sdk/internal/proto && buf build -o published.binpb

# v1.binpb is the contract as first published and published.binpb as last; nothing that they
# promise may change.
.PHONY: verify
verify: generate ## Check generated files, the wire contract and the modules.
	cd sdk/internal/proto && buf lint && buf breaking --against v1.binpb && buf breaking --against published.binpb
	git diff --exit-code -- sdk/internal examples/plugin-target-node/proto
	go mod tidy -diff
	go vet -tags failpoint ./...
	go vet -tags man ./cmd/hookarr
	$(MAKE) verify/arches
	cd sdk && go mod tidy -diff && go vet ./...
	cd examples/plugin-target-file && go mod tidy -diff && go vet ./...
	cd internal/compat/v1 && go mod tidy -diff && go vet ./...

# Nothing is optimised or linked.
COMPILE := go list -gcflags='all=-N -l' -export -deps
.PHONY: verify/arches
verify/arches: $(MENDED) ## Compile the programs for the other machines that a release is for.
	GOOS=linux GOARCH=arm64 $(COMPILE) ./cmd/hookarr ./plugins > /dev/null
	GOOS=linux GOARCH=arm GOARM=7 $(COMPILE) -modfile=$(MENDED) ./cmd/hookarr ./plugins > /dev/null

# DIST_ARCHES are some of amd64, arm64 and armv7, and all when there is none. With
# DIST_FLAGS=-dirty changes that are not committed are allowed for: the version says so.
.PHONY: dist
dist: $(TOOLS)/nfpm ## Make the archives and packages of a release: dist/.
	go run ./internal/dist -build "$(GO_BUILD)" -plugins "$(PLUGINS)" $(DIST_FLAGS) $(DIST_ARCHES)

.PHONY: notices
notices: build ## Write the licences of what is in the programs: bin/THIRD-PARTY-NOTICES.txt.
	$(GO_RUN) ./internal/dist -notices bin

.PHONY: test/packaging
test/packaging: build $(TOOLS)/nfpm ## Test what is shipped (needs root and Debian's packages, see .ci/run).
	TEST_PACKAGING=required go test -timeout 20m ./internal/packaging/...

.PHONY: clean
clean: ## Remove what was built.
	rm -rf bin .bin dist

$(TOOLS)/buf:
	GOBIN=$(TOOLS) go install $(BUF)
$(TOOLS)/protoc-gen-go:
	GOBIN=$(TOOLS) go install $(PROTOC_GEN_GO)
$(TOOLS)/protoc-gen-go-grpc:
	GOBIN=$(TOOLS) go install $(PROTOC_GEN_GO_GRPC)
$(TOOLS)/golangci-lint:
	GOBIN=$(TOOLS) go install $(GOLANGCI_LINT)
$(TOOLS)/nfpm:
	GOBIN=$(TOOLS) go install $(NFPM)
