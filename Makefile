# What people and CI type. `make` alone says what there is.
#
# Needed: go, git, make. Builds and tests share flags, so that Kubernetes is compiled once. A C compiler, where there is one, adds the race detector to the tests.

MAKEFLAGS += --no-print-directory
export GOTOOLCHAIN := local

RACE := $(if $(shell command -v cc 2>/dev/null),-race)

.PHONY: help
help: ## Say what there is (the default)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/kiban, which is linked to nothing, as in the images
	CGO_ENABLED=0 go build -ldflags '-s -w' -o bin/kiban ./cmd/kiban

.PHONY: lab
lab: ## Build bin/kiban-lab: simulated machines and a real control plane (about 4 minutes the first time)
	go -C lab build -ldflags '-s -w' -o ../bin/kiban-lab ./cmd/kiban-lab

.PHONY: demo
demo: build lab ## Set a cluster up in the lab, and upgrade it while a prober watches its workload
	scripts/demo.sh

.PHONY: test
test: build lab ## Run every test: units of both modules, and end to end with the built binaries
	go test -vet=off $(RACE) ./...
	go -C lab test -vet=off $$(go -C lab list ./... | grep -v /e2e)
	KIBAN_BIN=$(CURDIR)/bin/kiban KIBAN_LAB_BIN=$(CURDIR)/bin/kiban-lab go -C lab test -vet=off -count=1 -timeout 40m -parallel 4 ./e2e

# The commit to compare with; empty is the merge base with origin/main.
BASE ?=

.PHONY: check
check: ## Before each commit: format, vet, linters where built, and tests of what changed since BASE and of what depends on it
	CGO_ENABLED=0 go run ./scripts/check $(if $(BASE),-base $(BASE))

# A number of tries, for go test now and then fails a fuzz target at the end of a time ("context deadline exceeded").
FUZZTIME ?= 50000x

.PHONY: fuzz
fuzz: ## Feed each reader of foreign input anything for FUZZTIME (50000x: tries; or 10s); what breaks one is kept in its testdata/fuzz
	@set -e; for f in $$(grep -rl --include='*_test.go' '^func Fuzz' lifecycle); do for x in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' $$f); do \
		echo "$$x in ./$$(dirname $$f)"; go test -vet=off -run '^$$' -fuzz "^$$x\$$" -fuzztime $(FUZZTIME) ./$$(dirname $$f); done; done

.PHONY: lint
lint: bin/golangci-lint ## Run the linters over both modules
	bin/golangci-lint run ./...
	cd lab && ../bin/golangci-lint run --config ../.golangci.yml ./...

# The linters are a module of their own, so that kiban depends on none of what they need.
bin/golangci-lint: tools/go.mod tools/go.sum
	go -C tools build -trimpath -ldflags '-s -w' -o ../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.PHONY: bench
bench: build lab ## Print the table of docs/performance.md: kiban against k0sctl, kustomize and the lower bounds
	go -C lab run ./bench -kiban ../bin/kiban -lab ../bin/kiban-lab

.PHONY: reliability
reliability: build lab ## Kill runs at their boundaries, run them again, and print what survived (docs/reliability.md)
	go -C lab run ./reliability -kiban ../bin/kiban -lab ../bin/kiban-lab -points 8

.PHONY: renovate-check
renovate-check: build ## Run the real Renovate over the example fleet: it finds every version, and proposes what it should (needs node and npm)
	go run ./scripts/renovate-check

.PHONY: rehearse
rehearse: build lab ## Run the pipelines of the example fleet for real: merge request, main branch and schedule, against the lab (needs node, npm and rsync)
	go run ./scripts/ci-rehearsal

.PHONY: mutate
mutate: ## Change each property of the tables of actions and gates, one by one, and say which changes no test notices (15 minutes)
	go run ./scripts/mutate-tables

.PHONY: release-check
release-check: ## Try what a release does as far as it publishes nothing: its configuration, one binary and its version (needs goreleaser)
	go test -vet=off ./scripts/release
	goreleaser check
	goreleaser build --snapshot --single-target --clean
	dist/kiban_*/kiban version

.PHONY: verify
verify: ## Check formatting, vet, import rules, and that generated files are up to date
	@test -z "$$(gofmt -l cmd lifecycle scripts lab)" || { echo 'gofmt these:'; gofmt -l cmd lifecycle scripts lab; exit 1; }
	go vet ./...
	go -C lab vet ./...
	go test -vet=off -run 'TestFilesAreCurrent|TestModulesAgree|TestKubernetesIsOneRelease' ./scripts/...
	go test -vet=off -run 'TestImports|TestWiring|TestNo' ./cmd/kiban

.PHONY: generate
generate: ## Write the generated files anew
	go run ./scripts/explain

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin
