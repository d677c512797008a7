# Two commands: `make run` and `make test`. Both install what is missing, build, and say what they do.
.DEFAULT_GOAL := help
BIN := .build/release/rehearsal
SWIFT := Package.swift Sources Tests Examples/soup/Package.swift Examples/soup/Tests

.PHONY: help setup build run test test-live sanitize unit example scenarios canaries readers models judge bench lake-bench live-bench lint format golden clean

help: ## what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## installs what is missing (Debian or Ubuntu packages)
	@bash ci/setup.sh

build: setup ## builds the program, optimised
	swift build -c release --static-swift-stdlib --product rehearsal

run: build ## runs every scenario on the embedded defaults and checks its golden
	$(BIN) list
	$(BIN) run viral-burst --out out/viral-burst
	$(BIN) check

test: unit example scenarios canaries readers models lint ## runs all tests

unit: setup ## unit, conformance, pipeline, harness, scenario and tidy tests, debug build
	@bash ci/unit.sh

example: setup ## the example package of docs/swift.md, built on its own
	swift test --package-path Examples/soup --scratch-path .build/example

scenarios: build ## whole scenarios in the release build: goldens, determinism, invariance, replay
	bash ci/scenarios.sh $(BIN)

canaries: setup ## deliberate defects in the pipeline, release build: something must catch each
	swift build -c release --static-swift-stdlib --product canaries
	.build/release/canaries
	.build/release/canaries --replay Tests/Canaries/Shrunk

test-live: build ## conformance and every golden (or SCENARIOS=…) on real servers, which it starts and stops
	bash ci/live.sh $(BIN) --conformance $(if $(MINUTES),--minutes $(MINUTES)) $(SCENARIOS)

sanitize: setup ## the C boundary under AddressSanitizer and LeakSanitizer, on real servers
	@bash ci/sanitize.sh

readers: build ## PyIceberg and DuckDB read the lake's tables, and write them
	bash ci/lake-readers.sh $(BIN)

models: build ## models trained beside scikit-learn, on tables that PyIceberg wrote
	bash ci/model-parity.sh $(BIN)

judge: build ## Apache Iceberg for Java, in Spark, reads and writes the lake's tables
	bash ci/lake-judge.sh $(BIN)

bench: build ## measures the full path
	$(BIN) bench

lake-bench: build ## measures the lake beside PyIceberg
	bash ci/lake-bench.sh $(BIN)

live-bench: build ## measures consumer and scorer on real servers beside the lab's way
	bash ci/live-bench.sh $(BIN)

lint: ## the formatter's rules, as errors
	swift format lint --strict --recursive --parallel $(SWIFT)

format: ## formats in place
	swift format --in-place --recursive --parallel $(SWIFT)

golden: build ## shows what differs from the goldens; accept with `$(BIN) accept NAME`
	$(BIN) check

clean: ## removes build products and outputs
	rm -rf .build out
