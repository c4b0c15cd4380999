# Tocsin's commands. `make help` lists them.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help up kafka kafka-stop install-dev lint lint-docker format test test-slow soak bench bench-detect bench-kafka bench-notify peers schemas clean

# The PromQL oracle, where `make peers` built it; without it the differential tests say so and skip.
export PROMTOOL ?= $(wildcard $(CURDIR)/.peers/promtool)
# What benchmarks run beside, and the oracle of what promtool does not switch on.
export PROMETHEUS ?= $(wildcard $(CURDIR)/.peers/prometheus)
PROMETHEUS_VERSION := v0.315.0
# The oracle of routing, and its command line as a client of ours.
export ALERTMANAGER ?= $(wildcard $(CURDIR)/.peers/alertmanager)
export AMTOOL ?= $(wildcard $(CURDIR)/.peers/amtool)
ALERTMANAGER_VERSION := v0.34.2

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

up: $(VENV)/.embedded ## watch this machine: console on http://127.0.0.1:8080, data in ./tocsin-data
	exec $(BIN)/tocsin up --config examples/tocsin.yaml --data tocsin-data

kafka: $(VENV)/.dev ## start Apache Kafka on this machine (Java and Maven), data in ./tocsin-kafka
	@$(BIN)/python -m ops.deploy.kafka start

kafka-stop: $(VENV)/.dev ## end it; its data stays
	@$(BIN)/python -m ops.deploy.kafka stop

install-dev: $(VENV)/.dev ## everything that developing and testing need

lint: $(VENV)/.dev ## format, style, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lint-docker: .peers/dockerlint ## BuildKit's and Compose's own checks of our files (Go; a minute once)
	.peers/dockerlint dockerfile Dockerfile
	.peers/dockerlint compose docker-compose.yml > /dev/null

format: $(VENV)/.dev ## write the format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# What waits for processes, servers and timers does so beside others; what measures time, alone.
test: $(VENV)/.dev ## every test that takes minutes, not more
	$(BIN)/python -m pytest -m "not slow and not soak" -n 2 tests/unit
	$(BIN)/python -m pytest -m "not slow and not soak and not alone" -n 3 --dist loadscope \
		--ignore tests/unit
	$(BIN)/python -m pytest -m "alone and not slow and not soak" --ignore tests/unit

test-slow: $(VENV)/.dev ## random kills and what else takes long
	$(BIN)/python -m pytest -m slow --timeout 900

soak: $(VENV)/.dev ## hours: 300 kills, long storms, take-overs with 100,000 series, images
	$(BIN)/python -m pytest -m soak --timeout 14400

bench: $(VENV)/.dev ## measure, and print what docs/performance.md quotes
	$(BIN)/python -m benchmarks

bench-detect: $(VENV)/.dev ## the detector beside Prometheus (make peers); RULES=DIR adds public rules; half an hour
	$(BIN)/python -m benchmarks.detect $(if $(RULES),--rules=$(RULES))

bench-kafka: $(VENV)/.dev ## the same on a broker of its own (Java and Maven); about five minutes
	$(BIN)/python -m benchmarks.kafka

bench-notify: $(VENV)/.dev ## alerts and pages beside Alertmanager (make peers); about five minutes
	$(BIN)/python -m benchmarks.notify --json .peers/bench-notify.json

peers: .peers/promtool .peers/prometheus .peers/alertmanager .peers/amtool ## build what we compare with (Go; 5 to 10 minutes once)

.peers/promtool:
	mkdir -p .peers
	cd .peers && { test -f go.mod || go mod init peers; } \
		&& go get github.com/prometheus/prometheus/cmd/promtool@$(PROMETHEUS_VERSION) \
		&& go build -o promtool github.com/prometheus/prometheus/cmd/promtool

# Same module, same versions; without the web pages, which need Node to be built.
.peers/prometheus: .peers/promtool
	cd .peers && go get github.com/prometheus/prometheus/cmd/prometheus@$(PROMETHEUS_VERSION) \
		&& go build -o prometheus github.com/prometheus/prometheus/cmd/prometheus

# A copy of the module as released; its page is not in it, and is not needed but for the build.
.peers/alertmanager:
	rm -rf .peers/alertmanager-source && mkdir -p .peers/alertmanager-source
	cd .peers/alertmanager-source \
		&& go mod download -json github.com/prometheus/alertmanager@$(ALERTMANAGER_VERSION) > module.json \
		&& module=$$(sed -n 's/^\t"Dir": "\(.*\)",*$$/\1/p' module.json) \
		&& cp -r "$$module/." . && chmod -R u+w . \
		&& mkdir -p ui/app/dist && touch ui/app/dist/index.html \
		&& go build -trimpath -buildvcs=false -o .. ./cmd/alertmanager ./cmd/amtool
	rm -rf .peers/alertmanager-source

.peers/amtool: .peers/alertmanager
	@test -x $@ || { rm .peers/alertmanager; $(MAKE) .peers/alertmanager; }

.peers/dockerlint: $(wildcard tests/support/dockerlint/*)
	mkdir -p .peers
	cd tests/support/dockerlint && go build -trimpath -buildvcs=false -o ../../../$@ .

schemas: $(VENV)/.dev ## write docs/schemas, and released forms of new versions
	$(BIN)/python -m schemas.export

clean: ## remove the environment and caches; data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Tocsin needs Python 3.11 or newer, this is %s" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# To standard error, because a shell may carry out what `make -s kafka` says on standard output.
$(VENV)/.embedded: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Tocsin into $(VENV). ClickHouse's engine is about 0.5 GB: a minute or two." >&2
	$(PIP) -e '.[embedded]' >&2
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing Tocsin and its tests into $(VENV): about 1.4 GB, a minute or two." >&2
	$(PIP) -e '.[dev]' >&2
	@touch $@ $(VENV)/.embedded
