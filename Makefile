# What people and CI type. `make` alone says what there is.
#
# Needed: go, git, make. Builds and tests share their flags, and both modules their versions, so that each package is compiled once. `make race` alone
# needs a C compiler, and compiles everything again.

MAKEFLAGS += --no-print-directory
export GOTOOLCHAIN := local
CGO_ENABLED ?= 0
export CGO_ENABLED

# $(call compile,NAMES) builds binaries, and tells how far that is where it takes long. Before that can be told, Go compiles a little of its own.
define compile
@test -d "$$(go env GOCACHE)/00" || echo 'Go has compiled nothing on this machine yet; what there is to do is said in a moment.'
@go run ./scripts/build $(1)
endef

.PHONY: help
help: ## Say what there is (the default)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/kiban, which is linked to nothing, as in the images
	$(call compile,kiban)

.PHONY: lab
lab: ## Build bin/kiban-lab: simulated machines and a real control plane (some minutes the first time)
	$(call compile,kiban-lab)

.PHONY: binaries
binaries:
	$(call compile,kiban kiban-lab)

.PHONY: demo
demo: binaries ## Set a cluster up in the lab, rehearse its upgrade, do it under load, and prove its backup
	scripts/demo.sh

.PHONY: recording
recording: binaries ## Record an upgrade in the lab as docs/upgrade.svg, which README.md shows (needs termtosvg, which Debian has)
	scripts/record.sh docs/upgrade.svg

# How long the tests of one package may take. go test's 10 minutes are few where much else runs beside it.
UNITS := 30m

# $(call tests,FOLDER,PACKAGES,FLAGS) runs tests. One that fails runs once more, for machines are shared and labs have clocks; more than three that fail
# do not. What passed only then is under "Failed" at the end: it is unsteady, and to be mended.
tests = cd $(1) && $(CURDIR)/bin/gotestsum --format pkgname-and-test-fails --rerun-fails=1 --rerun-fails-max-failures=3 --packages="$(2)" -- -vet=off $(3)

bin/gotestsum: tools/test/go.mod tools/test/go.sum
	go -C tools/test build -ldflags '-s -w' -o ../../bin/gotestsum gotest.tools/gotestsum

# RACE=-race has the units of kiban run under the race detector, which needs a C compiler. What can't run there, for it traces kiban's system calls,
# runs once without.
RACE ?=

.PHONY: test
test: binaries bin/gotestsum ## Run every test: units of both modules, and end to end with the built binaries
	$(if $(RACE),CGO_ENABLED=1; export CGO_ENABLED; )$(call tests,.,./...,$(RACE) -timeout $(UNITS))
	$(if $(RACE),$(call tests,.,./cmd/kiban,-run TestA2_ -timeout $(UNITS)))
	$(call tests,tools/site,./...)
	$(call tests,lab,$$(go list ./... | grep -v /e2e | tr '\n' ' '),-timeout $(UNITS))
	KIBAN_BIN=$(CURDIR)/bin/kiban KIBAN_LAB_BIN=$(CURDIR)/bin/kiban-lab; export KIBAN_BIN KIBAN_LAB_BIN; $(call tests,lab,./e2e,-count=1 -timeout 55m -parallel 4)

.PHONY: race
race: export CGO_ENABLED := 1
race: bin/gotestsum ## Run the units of kiban under the race detector; needs a C compiler, and compiles everything again for it
	$(call tests,.,./...,-race -timeout $(UNITS))

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
		echo "$$x in ./$$(dirname $$f)"; go test -vet=off -run '^$$' -fuzz "^$$x\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x ./$$(dirname $$f); done; done

.PHONY: lint
lint: bin/golangci-lint ## Run the linters over both modules
	bin/golangci-lint run ./...
	cd lab && ../bin/golangci-lint run --config ../.golangci.yml ./...

# The linters are a module of their own, so that kiban depends on none of what they need.
bin/golangci-lint: tools/go.mod tools/go.sum
	go -C tools build -ldflags '-s -w' -o ../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.PHONY: bench
bench: binaries ## Print the table of docs/performance.md: kiban against k0sctl, kustomize and the lower bounds
	go -C lab run ./bench -kiban ../bin/kiban -lab ../bin/kiban-lab

# How many points of each row are tried; 0: every one, which takes many hours.
POINTS ?= 4

.PHONY: drains
drains: binaries ## Print the table of docs/drains.md: drains of workloads of 31 shapes, by kiban and by kubectl's library
	KIBAN_BIN=$(CURDIR)/bin/kiban KIBAN_LAB_BIN=$(CURDIR)/bin/kiban-lab go -C lab test -vet=off -count=1 -v -run '^TestDrainTable$$' ./e2e

.PHONY: oracle
oracle: build ## Print the figures of docs/readiness.md: removed APIs as kiban finds them and as API servers of each version judge them
	KIBAN_BIN=$(CURDIR)/bin/kiban go -C lab test -vet=off -count=1 -v -run '^TestRemovedAPIsAsServersJudge$$' ./controlplane | grep -E 'manifests,|and kiban|FAIL|^ok'

.PHONY: foretold
foretold: binaries ## Rehearse plans at sites of the lab, then carry them out, and print whether they went as foretold (docs/rehearse.md)
	go -C lab run ./foretold -kiban $(CURDIR)/bin/kiban -lab $(CURDIR)/bin/kiban-lab

# How often the control plane goes from one release to the other.
SWITCHES ?= 100

.PHONY: way-back
way-back: lab bin/older ## Take a control plane to the next minor release and back SWITCHES times, with real programs of both, and print what was lost
	go -C lab run ./wayback -older $(CURDIR)/bin/older -lab $(CURDIR)/bin/kiban-lab -switches $(SWITCHES)

# Kubernetes of the minor before the lab's, a module of its own: it is compiled for this alone.
bin/older: lab/older/go.mod lab/older/go.sum lab/older/main.go
	go -C lab/older build -ldflags '-s -w' -o ../../bin/older .

# How many sites the fleet has, and how many of them have Kubernetes' own programs (some 400 MB each; docs/fleet.md).
SITES ?= 40
FULL ?= 0

.PHONY: fleet-trial
fleet-trial: binaries ## Roll a version that fails on like machines out to a fleet of the lab, in three ways, and with engines that are killed (docs/fleet.md)
	go -C lab run ./fleettrial -kiban $(CURDIR)/bin/kiban -lab $(CURDIR)/bin/kiban-lab -sites $(SITES) -full $(FULL)

.PHONY: reliability
reliability: binaries ## Kill runs at their boundaries and commands, run them again, and print what survived (docs/reliability.md)
	go -C lab run ./reliability -kiban ../bin/kiban -lab ../bin/kiban-lab -points $(POINTS)

# How many worlds are played, and how many histories of the lock are checked; or the one seed that is told in full.
SEEDS ?= 500
HISTORIES ?= 1000
SEED ?=

.PHONY: simulate
simulate: ## Play SEEDS whole lives of sites in a bubble of their own time, on all cores, and HISTORIES of the lock; SEED=x tells one
	GOGC=400 go test -vet=off -count=1 -timeout 0 -run '$(if $(SEED),TestSeeds$$,TestSeeds$$|TestLockHistories)' ./scripts/simulate \
		$(if $(SEED),-seed $(SEED) -v,-seeds $(SEEDS) -histories $(HISTORIES))

.PHONY: renovate-check
renovate-check: build ## Run the real Renovate over the example fleet: it finds every version, and proposes what it should (needs node and npm)
	go run ./scripts/renovate-check

.PHONY: pipelines
pipelines: binaries ## Run the pipelines of the example fleet for real: merge request, main branch and schedule, against the lab (needs node, npm and rsync)
	go run ./scripts/pipelines

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
verify: ## Check formatting, import rules, and that generated files are up to date; make lint vets
	@test -z "$$(gofmt -l cmd lifecycle scripts lab tools)" || { echo 'gofmt these:'; gofmt -l cmd lifecycle scripts lab tools; exit 1; }
	go -C tools/site vet ./...
	go test -vet=off -run 'TestFilesAreCurrent|TestModulesAgree|TestKubernetesIsOneRelease' ./scripts/...
	go test -vet=off ./scripts/architecture

.PHONY: generate
generate: ## Write the generated files anew
	go run ./scripts/explain
	go run ./scripts/apis
	UPDATE_CLI=1 go test -vet=off -count=1 -run 'TestCLIPage|TestSchemaFile' ./cmd/kiban

.PHONY: man
man: ## Write manual pages of every verb into bin/man
	MAN_DIR=$(CURDIR)/bin/man go test -vet=off -count=1 -run TestManPages ./cmd/kiban

# Where files that are no pages are shown, such as https://gitlab.example.com/platform/kiban/-/blob/main; empty: they are no links.
SOURCE ?=

# The generator is a module of its own, so that kiban depends on none of what it needs.
.PHONY: site
site: ## Make the pages a site with search in bin/site, which needs no server: open bin/site/index.html
	go -C tools/site run . -root ../.. -out ../../bin/site -source "$(SOURCE)"

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin
