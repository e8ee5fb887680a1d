# SPDX-License-Identifier: Apache-2.0
# Everything here is a short way to something that `swift` or `install` does.

.ONESHELL:
SHELL := /bin/sh
.SHELLFLAGS := -euc
.DEFAULT_GOAL := build

ifndef PREFIX
PREFIX := $(if $(filter 0,$(shell id -u)),/usr/local,$(HOME)/.local)
endif
SWIFT ?= swift
# The first release that has the attribute @c (SE-0495).
oldest_swift := 6.3
# What the benchmark compares with, and a second one; the columns of a missing one stay empty.
BWRAP ?= /usr/bin/bwrap
OLD_BWRAP ?=
BENCH_FLAGS ?=
# What Tests/run.py is given: a part of a test's name, for instance.
TEST_FLAGS ?=

# On a terminal the build shows how far it is; elsewhere it is silent until something is wrong.
build_tests = if [ -t 1 ]; then $(SWIFT) build --build-tests; else $(SWIFT) build -q --build-tests; fi

# The executable that is installed, measured and tested. `swift build` needs none of these flags; it
# uses another directory, because changed flags compile everything again.
tuned := .build/tuned
release := $(tuned)/release/nestbox

# Benchmarks/README.md says what each flag buys, under "The flags of make build".
tuned_flags := \
  $(addprefix -Xswiftc ,-static-executable -use-ld=lld -cross-module-optimization) \
  $(addprefix -Xlinker ,--symbol-ordering-file=$(CURDIR)/Sources/nestbox/order.txt) \
  $(addprefix -Xlinker ,--no-warn-symbol-ordering) \
  $(addprefix -Xlinker ,--icf=all --wrap=_swift_stdlib_getScalarName) \
  $(addprefix -Xlinker ,--script=$(CURDIR)/Sources/nestbox/layout.ld) \
  $(addprefix -Xcc ,-DNESTBOX_QUICK_START) \
  $(foreach flag,function-sections disable-type-layout \
    disable-concrete-type-metadata-mangled-name-accessors,-Xswiftc -Xfrontend -Xswiftc -$(flag))
build_tuned = NESTBOX_TUNED=1 $(SWIFT) build -c release --product nestbox --scratch-path $(tuned) $(tuned_flags)

# Strips the executable into a file. Written in large blocks it lies in larger pieces of the page
# cache, which saves a launch some 16 page faults (measured on ext4, Linux 6.18).
install_copy = strip -o $(tuned)/stripped $(release) && rm -f "$(1)" && \
  dd if=$(tuned)/stripped of="$(1)" bs=64k status=none && chmod 755 "$(1)"
sources := $(wildcard Sources Tests Package.swift)
bin := $(DESTDIR)$(PREFIX)/bin
share := $(DESTDIR)$(PREFIX)/share
apparmor := $(DESTDIR)/etc/apparmor.d/nestbox

# Each file in this repository, then its installed place. Missing files are left out.
pages := \
  docs/nestbox.1:$(share)/man/man1/nestbox.1 \
  docs/nestbox-profile.5:$(share)/man/man5/nestbox-profile.5 \
  docs/nestbox-policy.5:$(share)/man/man5/nestbox-policy.5 \
  completions/bash:$(share)/bash-completion/completions/nestbox \
  completions/zsh:$(share)/zsh/site-functions/_nestbox \
  completions/fish:$(share)/fish/vendor_completions.d/nestbox.fish

.PHONY: help
help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | while read -r target text; do
	  printf 'make %-14s %s\n' "$$target" "$$text"
	done
	printf '\nPREFIX=%s, DESTDIR=%s, BWRAP=%s, OLD_BWRAP=%s, BENCH_FLAGS=%s\n' \
	  "$(PREFIX)" "$(DESTDIR)" "$(BWRAP)" "$(OLD_BWRAP)" "$(BENCH_FLAGS)"

.PHONY: build
build: setup ## Build the static executable
	@$(build_tuned)

.PHONY: try
try: setup ## Build it and show what a small thief gets with it and without
	@echo 'make: building; this takes about 3 minutes on two cores'
	$(build_tuned)
	PATH="$(CURDIR)/$(dir $(release)):$$PATH" docs/demos/thief.sh

.PHONY: install
install: build install-pages install-apparmor ## Install it to PREFIX: ~/.local for a user, /usr/local for root
	@install -d "$(bin)"
	$(call install_copy,$(bin)/nestbox)
	if readelf -l "$(bin)/nestbox" | grep -q INTERP; then
	  echo 'make: the executable is not static' >&2
	  exit 1
	fi
	echo "$(bin)/nestbox"
	case ":$$PATH:" in
	  *":$(PREFIX)/bin:"*) ;;
	  *) [ -n "$(DESTDIR)" ] || echo 'make: to call it by its name, have $(PREFIX)/bin in PATH' ;;
	esac

.PHONY: install-pages
install-pages:
	@for pair in $(foreach page,$(pages),'$(page)'); do
	  page=$${pair%%:*} place=$${pair#*:}
	  install -D -m 644 "$$page" "$$place"
	  echo "$$place"
	done

# AppArmor before 4.0 could not read the profile, and restricts no user namespaces either.
.PHONY: install-apparmor
install-apparmor:
	@if [ "$$(id -u)" != 0 ]; then exit 0; fi
	if [ -z "$(DESTDIR)" ]; then
	  grep -qs Y /sys/module/apparmor/parameters/enabled && [ -e /etc/apparmor.d/abi/4.0 ] || exit 0
	fi
	install -d "$(dir $(apparmor))"
	sed 's|@bindir@|$(PREFIX)/bin|' docs/apparmor/nestbox >"$(apparmor)"
	chmod 644 "$(apparmor)"
	echo "$(apparmor)"
	[ -n "$(DESTDIR)" ] || apparmor_parser -r "$(apparmor)"

.PHONY: install-bwrap
install-bwrap: install ## Install it under the name bwrap as well
	@if [ -e "$(bin)/bwrap" ] && [ "$$(readlink "$(bin)/bwrap")" != nestbox ]; then
	  echo 'make: $(bin)/bwrap exists and is not ours; it was left alone' >&2
	  exit 1
	fi
	ln -sf nestbox "$(bin)/bwrap"
	echo "$(bin)/bwrap"

.PHONY: uninstall
uninstall: ## Remove what was installed
	@if [ "$$(readlink "$(bin)/bwrap")" = nestbox ]; then rm "$(bin)/bwrap"; fi
	rm -f "$(bin)/nestbox"
	if [ "$$(id -u)" = 0 ] && grep -qs '^profile nestbox $(PREFIX)/bin/' "$(apparmor)"; then
	  [ -n "$(DESTDIR)" ] || apparmor_parser -R "$(apparmor)" || true
	  rm "$(apparmor)"
	fi
	for pair in $(foreach page,$(pages),'$(page)'); do rm -f "$${pair#*:}"; done

# What is made for others to install.
dist := .build/dist
MAINTAINER ?= nestbox maintainers <maintainers@nestbox.example>
export MAINTAINER

# The tree that packages are made of.
.PHONY: stage
stage: build
	@rm -rf .build/stage
	mkdir -p $(dist) .build/stage/usr/bin
	strip -o .build/stage/usr/bin/nestbox $(release)
	$(MAKE) -s install-pages DESTDIR=$(CURDIR)/.build/stage PREFIX=/usr >/dev/null

.PHONY: wheel
wheel: also := python3
wheel: stage ## Build a wheel for Python in .build/dist, with the executable in it
	@python3 Python/build_wheel.py .build/stage/usr/bin/nestbox $(dist)

.PHONY: deb
deb: stage ## Build a package for Debian in .build/dist
	@Packaging/package.sh deb .build/stage $(dist)

.PHONY: dist
dist: stage ## Build an archive in .build/dist, and checksums of all that lies there
	@Packaging/package.sh archive .build/stage $(dist)
	cd $(dist)
	rm -f SHA256SUMS
	sha256sum -- * >SHA256SUMS
	echo "$(dist)/SHA256SUMS"

.PHONY: build-tests
build-tests: setup ## Build the tests
	@$(build_tests)

.PHONY: test
test: also := python3
test: build ## Run the tests, with the static executable: 5 minutes on two cores, and as long to build
	@$(build_tests)
	NESTBOX=$(CURDIR)/$(release) Tests/run.py $(TEST_FLAGS)

.PHONY: order
order: build ## Make Sources/nestbox/order.txt again, in which order the linker lays functions
	@$(build_tuned) -Xlinker -Map=$(CURDIR)/$(tuned)/map \
	  -Xlinker --no-demangle
	Benchmarks/order.sh $(release) $(tuned)/map >$(tuned)/order.txt
	cp $(tuned)/order.txt Sources/nestbox/order.txt
	# The linker's arguments have not changed, so that the build would not link again.
	rm -f $(release)
	$(build_tuned)

.PHONY: dependents
dependents: setup ## Build as others do: a fresh clone, and packages that depend on this one
	@SWIFT="$(SWIFT)" Tests/Dependents/run.sh

.PHONY: generate
generate: also := python3
generate: setup ## Make again what is made from other files: sources and pages
	@$(build_tests)
	UPDATE_GOLDENS=1 Tests/run.py 'OptionsTests|SeccompTests'

# Tests compare these files with what the scripts draw.
draw := PYTHONDONTWRITEBYTECODE=1 python3 docs/pictures

.PHONY: pictures
pictures: also := python3
pictures: build ## Draw the pictures of the documentation again
	@export PYTHONDONTWRITEBYTECODE=1
	cd docs/pictures
	python3 terminal.py $(CURDIR)/$(release) >terminal.svg
	python3 architecture.py processes >processes.svg
	python3 architecture.py modules $(CURDIR)/Package.swift >modules.svg
	python3 speed.py $(CURDIR)/Benchmarks/README.md >speed.svg

# Long tests, each with its own limit.
SOAK_LAUNCHES ?= 20000
SOAK_SECONDS ?= 600
FUZZ_SECONDS ?= 120
KERNELS ?=
export NESTBOX_SEED KERNELS

.PHONY: soak
soak: build ## Hinder every call of a launch, start thousands: SOAK_LAUNCHES, SOAK_SECONDS
	@export NESTBOX_PATIENCE=1800 NESTBOX=$(CURDIR)/$(release)
	NESTBOX_SOAK=1 $(SWIFT) test --filter 'PlantedTests|NeighbourTests'
	place=$$(mktemp -d)
	trap 'rm -rf "$$place"' EXIT
	# Every fault once.
	status=0
	NESTBOX_FAULT_SHARE=1 $(SWIFT) test --skip-build --filter FaultTests >"$$place/log" || status=$$?
	grep -E '^faults|PROBLEM|seen:|expected:|✘|Test run' "$$place/log"
	[ $$status = 0 ] || exit $$status
	chmod 755 "$$place"
	install -m 755 $(release) "$$place/nestbox"
	as_user=
	# Limits of a user do not stop root.
	if [ "$$(id -u)" = 0 ]; then
	  chown 61235:61235 "$$place"
	  # A python3 of root's own may lie where that user cannot go.
	  as_user='setpriv --reuid=61235 --regid=61235 --clear-groups env PATH=/usr/local/bin:/usr/bin:/bin'
	fi
	TMPDIR="$$place" $$as_user python3 Tests/Load/load.py "$$place/nestbox" 200 \
	  $(SOAK_LAUNCHES) $(SOAK_SECONDS)

.PHONY: fuzz
fuzz: setup ## Let libFuzzer make up options, profiles and policies, FUZZ_SECONDS for each
	@Tests/Fuzz/run.sh $(FUZZ_SECONDS)

.PHONY: kernels
kernels: build ## Boot other kernels of Debian's in qemu and run checks: KERNELS
	@NESTBOX=$(release) Tests/Kernels/run.sh
	NESTBOX=$(release) Tests/Kernels/systemd.sh

# AddressSanitizer needs a dynamic executable, and does not survive failures of its own calls, so this
# leaves out the faults.
.PHONY: memory
memory: setup ## Run the tests, and the executable in them, with AddressSanitizer
	@# What libraries of the tests leave to the end of the process is not of interest.
	export ASAN_OPTIONS=detect_leaks=0
	# Each test takes several times as long; without -O, learning takes minutes.
	export NESTBOX_PATIENCE=1800
	$(SWIFT) build --build-tests --sanitize=address -Xswiftc -DADDRESS_SANITIZER -Xswiftc -O \
	  --scratch-path .build/memory
	$(SWIFT) test --skip-build --sanitize=address -Xswiftc -DADDRESS_SANITIZER \
	  --scratch-path .build/memory \
	  --skip FaultTests

.PHONY: valgrind
valgrind: setup ## Run lines under valgrind, each as far as that knows the kernel's calls
	@$(SWIFT) build -c release --product nestbox
	Tests/Valgrind/run.sh .build/release/nestbox

.PHONY: coverage
coverage: setup ## Print how many lines of Sources the tests reach, in all processes of a launch
	@place=$$(mktemp -d)
	trap 'rm -rf "$$place"' EXIT
	$(SWIFT) build --build-tests --enable-code-coverage --scratch-path .build/coverage \
	  -Xswiftc -Xllvm -Xswiftc -runtime-counter-relocation \
	  -Xcc -DNESTBOX_PROFILE="\"$$place/%m%c.profraw\""
	# Processes of several users count in one file.
	.build/coverage/debug/nestbox --version
	chmod 1777 "$$place"
	chmod 666 "$$place"/*.profraw
	status=0
	$(SWIFT) test --skip-build --enable-code-coverage --scratch-path .build/coverage \
	  --skip FaultTests >"$$place/log" || status=$$?
	grep -E '✘' "$$place/log" || true
	tools=$$(dirname "$$(readlink -f "$$(command -v $(SWIFT))")")
	"$$tools/llvm-profdata" merge -o "$$place/profile" "$$place"/*.profraw \
	  "$$(find .build/coverage -name default.profdata | head -n 1)"
	"$$tools/llvm-cov" report "$$(readlink -f .build/coverage/debug/nestbox)" \
	  -object "$$(find .build/coverage -name nestboxPackageTests.xctest -type f | head -n 1)" \
	  -instr-profile="$$place/profile" --ignore-filename-regex='Tests/|\.build/'
	exit $$status

.PHONY: bench
bench: also := python3
bench: build ## Compare its speed with bubblewrap's and with a plain C program's
	@mkdir -p .build/bench
	gcc -O2 -Wall -Wextra -static -DNESTBOX_QUICK_START -o .build/bench/minimal \
	  Benchmarks/minimal.c Sources/nestbox/process.c
	gcc -O2 -Wall -Wextra -o .build/bench/bench Benchmarks/bench.c
	gcc -O2 -Wall -Wextra -o .build/bench/calls Benchmarks/calls.c
	$(call install_copy,.build/bench/nestbox)
	{
	  status=0
	  .build/bench/bench --nestbox .build/bench/nestbox --minimal .build/bench/minimal \
	    --bwrap "$(BWRAP)" $(if $(OLD_BWRAP),--old-bwrap "$(OLD_BWRAP)") $(BENCH_FLAGS) || status=$$?
	  echo $$status >.build/bench/status
	} | tee .build/bench/table.txt
	[ "$$(cat .build/bench/status)" = 0 ]
	$(draw)/speed.py .build/bench/table.txt >.build/bench/speed.svg ||
	  rm .build/bench/speed.svg # There is nothing to compare with.
	.build/bench/calls --nestbox .build/bench/nestbox
	Benchmarks/network.py .build/bench/nestbox
	[ ! -e .build/bench/speed.svg ] || echo 'make: the first table as a plot: .build/bench/speed.svg'

.PHONY: lint
lint: toolchain ## Check the style of the sources
	@$(SWIFT) format lint --strict -r $(sources)

.PHONY: format
format: toolchain ## Put the sources into that style
	@$(SWIFT) format -i -r $(sources)

.PHONY: clean
clean: ## Remove what was built
	@rm -rf .build

# Set-up

.PHONY: toolchain
toolchain:
	@if ! command -v $(SWIFT) >/dev/null; then
	  echo 'make: there is no swift here; Swift $(oldest_swift) or later is at https://swift.org/install' >&2
	  [ -z "$${SUDO_USER-}" ] ||
	    echo 'make: sudo may have hidden it: sudo env PATH="$$PATH" make …' >&2
	  exit 1
	fi
	version=$$($(SWIFT) --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p')
	oldest=$$(printf '%s\n' "$$version" $(oldest_swift) | sort -V | head -n 1)
	if [ "$$oldest" != $(oldest_swift) ]; then
	  echo "make: this is Swift $${version:-of an unknown version};" \
	    'nestbox needs $(oldest_swift) or later, from https://swift.org/install' >&2
	  exit 1
	fi

# Asks the compiler what is there rather than the package manager, which may not know.
.PHONY: setup
setup: toolchain
	@mkdir -p .build/setup
	probe() { # HEADER LIBRARY
	  printf '#include <%s>\nint main(void) { return 0; }\n' "$$1" >.build/setup/probe.c
	  "$$compiler" -static -o .build/setup/probe .build/setup/probe.c "$$2" 2>/dev/null
	}
	missing() {
	  # The one that Swift itself compiles and links with, or else any.
	  compiler=$$(dirname "$$(readlink -f "$$(command -v $(SWIFT))")")/clang
	  [ -x "$$compiler" ] || compiler=$$(command -v clang || command -v cc) || echo gcc
	  for program in git $(also); do command -v $$program >/dev/null || echo $$program; done
	  command -v strip >/dev/null || echo binutils
	  # Swift's own distribution has it next to the compiler.
	  [ -x "$${compiler%/*}/ld.lld" ] || command -v ld.lld >/dev/null || echo lld
	  probe stdio.h -lc || echo libc6-dev
	  probe stdio.h -lstdc++ || echo g++
	  probe sys/capability.h -lcap || echo libcap-dev
	  probe seccomp.h -lseccomp || echo libseccomp-dev
	  probe jansson.h -ljansson || echo libjansson-dev
	}
	packages=$$(missing | paste -sd ' ')
	[ -n "$$packages" ] || exit 0
	if ! command -v apt-get >/dev/null; then
	  echo "make: install what Debian calls: $$packages" >&2
	  exit 1
	elif [ "$$(id -u)" = 0 ]; then
	  as_root=
	elif command -v sudo >/dev/null; then
	  as_root=sudo
	else
	  echo "make: packages are missing; as root: apt-get install $$packages" >&2
	  exit 1
	fi
	echo "make: installing $$packages"
	$$as_root apt-get update -q
	$$as_root env DEBIAN_FRONTEND=noninteractive \
	  apt-get install -q -y --no-install-recommends $$packages
	packages=$$(missing | paste -sd ' ')
	if [ -n "$$packages" ]; then
	  echo "make: still not usable after their installation: $$packages" >&2
	  exit 1
	fi
