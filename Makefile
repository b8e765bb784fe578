# make          what a change should pass before it is sent: fmt lint test
# make help     the rest
.DEFAULT_GOAL := all
CADDYFILES := Caddyfile.example $(wildcard examples/*.Caddyfile examples/*/Caddyfile)

# The race detector needs a C compiler; without one the same tests run without it.
RACE := $(shell command -v $${CC:-cc} >/dev/null 2>&1 && echo -race)

# The tags of a release (xcaddy.sh): without them Caddy compiles databases that it never
# links.
TAGS := -tags nobadger,nomysql,nopgx

.PHONY: all build run test test-fast fuzz bench bench-quick gobench fmt lint caddyfiles node clean help

all: fmt lint test ## format, lint, test

build: ## build ./caddy
	./xcaddy.sh

run: ## build and run Caddyfile.example
	./xcaddy.sh run

test: node ## run every test; says what was left out for lack of what
	@test -n "$(RACE)" || echo "make test: no C compiler, so the tests run without the race detector"
	@command -v redis-server >/dev/null || echo "make test: no redis-server, so the Redis tests are left out"
	@command -v lighttpd >/dev/null || echo "make test: no lighttpd, so its CGI test is left out"
	@command -v nginx >/dev/null || echo "make test: no nginx, so attest_verify is not tried behind it"
	@command -v chromium >/dev/null || echo "make test: no chromium, so the operator's page is not tried in a browser"
	@test -d testdata/node/node_modules || echo "make test: no Node.js packages, so the tests with jose are left out"
	go test $(RACE) $(TAGS) ./...
	cd e2e/cache && go test -mod=mod ./... # its go.mod follows the product's

test-fast: ## what is quick: no race detector, no Redis, no processes, no browser
	go test $(TAGS) -short $$(go list ./... | grep -v -e /store/redis -e /e2e$$)

node: testdata/node/node_modules/.package-lock.json testdata/browser/node_modules/.package-lock.json ## install what the tests with Node.js want

# npm writes the hidden lock last, so that it is there only when everything is.
testdata/%/node_modules/.package-lock.json: testdata/%/package-lock.json
	@if command -v npm >/dev/null 2>&1; then cd testdata/$* && npm ci --silent --no-audit --no-fund && touch node_modules/.package-lock.json || echo "make test: npm could not install the packages of testdata/$*"; fi

FUZZTIME ?= 30s
fuzz: ## run every fuzz test for FUZZTIME (default 30s)
	@for p in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$p | grep ^Fuzz); do \
			echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
		done; \
	done

bench: ## what the gateway costs beside plain Caddy, in some minutes; needs redis-server (BENCH: its flags)
	go run $(TAGS) ./bench $(BENCH)

bench-quick: ## the same in about one
	go run $(TAGS) ./bench -quick $(BENCH)

gobench: ## run every Go benchmark
	go test $(TAGS) -run '^$$' -bench . -benchmem ./...

fmt: ## format Go files and shipped Caddyfiles
	gofmt -w $$(git ls-files '*.go')
	@if [ -x ./caddy ]; then for f in $(CADDYFILES); do ./caddy fmt --overwrite $$f; done; fi

# Without deprecations (some are of the library that jose wraps) and without
# results that a benchmark throws away.
lint: ## vet and staticcheck, which also finds what is unused
	go vet ./...
	go tool -modfile=tools/go.mod staticcheck -checks 'U1000,SA*,-SA1019,-SA4017' ./...

caddyfiles: build ## fmt, adapt and validate every shipped Caddyfile
	.ci/caddyfiles

clean: ## remove what was built
	rm -rf ./caddy testdata/node/node_modules testdata/browser/node_modules

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST)
