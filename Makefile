# Yuanshang: every command of the project. `make run` and `make test` need nothing installed by hand.
SHELL := /bin/bash
PY ?= python3
BIN := .venv/bin
WEB := web_client
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# Debian packages: one stamp a set, so that a set is asked for once. Without root or apt only a hint is printed.
RUN_PACKAGES := python3-venv
FONT_PACKAGES := fonts-noto-cjk
TEST_PACKAGES := chromium coturn $(FONT_PACKAGES) espeak-ng pocketsphinx-testdata iproute2 nftables ffmpeg nginx libnginx-mod-rtmp postgresql-15 redis-server strace python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
INTEROP_PACKAGES := firefox-esr libreoffice-writer-nogui poppler-utils python3-gi gir1.2-gst-plugins-bad-1.0 gstreamer1.0-plugins-bad gstreamer1.0-plugins-good gstreamer1.0-plugins-base gstreamer1.0-plugins-ugly gstreamer1.0-nice
NET_PACKAGES := janus gcc libc6-dev
BENCH_PACKAGES := janus golang-go golang-github-pion-webrtc.v3-dev gcc libc6-dev libsrtp2-dev libssl-dev

.PHONY: setup run test browser check lint types fix unit bench interop net net-links soak screenshots program-pictures build bundle install-test clean
.DEFAULT_GOAL := setup

setup: .venv/.stamp $(WEB)/dist/.stamp

.venv/.stamp: pyproject.toml constraints.txt
	@$(PY) -m venv --clear .venv 2>/dev/null || { bash .ci/packages $(RUN_PACKAGES) && $(PY) -m venv --clear .venv; }
	@# What builds us, and what builds a dependency that comes as source (srt): pip brings none without isolation.
	$(PIP) hatchling editables setuptools wheel
	$(PIP) --no-build-isolation -e '.[dev]'
	@touch $@

$(WEB)/node_modules/.stamp: $(WEB)/package.json $(WEB)/package-lock.json
	cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

WEB_SOURCES := $(shell find $(WEB) -type f \( -path '*/src/*' -o -path '*/public/*' -o -maxdepth 1 \) -not -path '*/node_modules/*' 2>/dev/null | grep -v ' ')
$(WEB)/dist/.stamp: $(WEB)/node_modules/.stamp $(WEB_SOURCES)
	cd $(WEB) && npm run --silent build
	@touch $@

run: setup
	@bash .ci/packages $(FONT_PACKAGES) || true
	$(BIN)/yuanshang serve --demo $(ARGS)

test: setup check
	@bash .ci/packages $(TEST_PACKAGES)
	@$(BIN)/python -m tests.support.speech_model >/dev/null
	cd $(WEB) && npm run --silent test
	$(BIN)/pytest -n 2 -m "not browser and not interop and not soak and not net and not installation" $(ARGS)
	$(BIN)/pytest -m "browser and core and not interop and not soak and not net and not installation" $(ARGS)

browser: setup
	@bash .ci/packages $(TEST_PACKAGES)
	@$(BIN)/python -m tests.support.speech_model >/dev/null
	$(BIN)/pytest -m "browser and not interop and not soak and not net and not installation" $(ARGS)

unit: setup
	$(BIN)/pytest -n 2 tests/unit $(ARGS)

check: setup lint types

lint: .venv/.stamp $(WEB)/node_modules/.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	cd $(WEB) && npm run --silent lint

types: .venv/.stamp $(WEB)/node_modules/.stamp
	$(BIN)/mypy
	cd $(WEB) && npm run --silent types

fix: .venv/.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

tests/interop/node_modules/.stamp: tests/interop/package.json tests/interop/package-lock.json
	cd tests/interop && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

interop: setup tests/interop/node_modules/.stamp
	@bash .ci/packages $(TEST_PACKAGES) $(INTEROP_PACKAGES)
	$(BIN)/pytest -m interop $(ARGS)

bench: setup
	@bash .ci/packages $(TEST_PACKAGES) $(BENCH_PACKAGES)
	$(BIN)/python -m benchmarks $(ARGS)
	$(BIN)/python -m benchmarks.comments_text
	$(BIN)/python -m benchmarks.transcript

net: setup
	@bash .ci/packages $(TEST_PACKAGES)
	$(BIN)/pytest -m net $(ARGS)
	$(MAKE) --no-print-directory net-links ARGS=

net-links: setup
	@bash .ci/packages $(TEST_PACKAGES) $(NET_PACKAGES)
	$(BIN)/python -m benchmarks.net_links $(ARGS)

MINUTES ?= 90
soak: setup
	@bash .ci/packages $(TEST_PACKAGES)
	YUANSHANG_SOAK_MINUTES=$(MINUTES) $(BIN)/pytest -m soak --timeout 0 $(ARGS)

screenshots: setup
	@bash .ci/packages $(TEST_PACKAGES)
	$(BIN)/python -m tests.browser.screenshots build/screenshots

program-pictures: .venv/.stamp
	@bash .ci/packages $(FONT_PACKAGES)
	$(BIN)/python -m tests.support.program_pictures build/program

build: setup
	$(BIN)/python -m hatchling build -t wheel -d build/wheel

# What installs without a network: deploy/bundle.sh --help is in its head; docs/install.md.
bundle: setup
	@bash .ci/packages python3-venv
	deploy/bundle.sh $(ARGS)

INSTALL_PACKAGES := python3-venv debootstrap util-linux shellcheck
install-test: setup
	@bash .ci/packages $(INSTALL_PACKAGES) $(TEST_PACKAGES)
	shellcheck deploy/*.sh
	deploy/bundle.sh --out build/install-test
	$(BIN)/pytest -m installation --timeout 1800 $(ARGS)

clean:
	rm -rf .venv build $(WEB)/node_modules $(WEB)/dist
