# normbench. `make help` prints the targets. Personal settings go into local.mk, which git ignores.
-include local.mk

# What comes from the command line or the environment is taken as it stands, without make's own $(...) in it: names of folders travel. A
# recipe hands it to the shell as one word, by quote. What becomes part of names of files here, or several words, has to be plain.
define newline


endef
quote     = '$(subst ','\'',$(1))'
typed     = $(filter command environment,$(firstword $(origin $(1))))
SETTINGS := ARCH CPUS BASE AB TUNE COMPILERS CORES RUN ID NEW PRESET TOKENS BUDGET LAUNCHES TASK HOSTS MPI PYTHON DESTDIR PREFIX ONEDNN REQUIRE ONLY CC KERNEL_CC OBJ SANITIZE
$(foreach v,$(SETTINGS),$(if $(call typed,$(v)),$(eval override $(v) := $$(value $(v)))))
$(foreach v,$(SETTINGS),$(if $(findstring $(newline),$($(v))),$(error $(v) has to be one line)))
SPECIAL  := ' " ` \ ; & | < > ( ) { } [ ] * ? ! \# $$
$(foreach v,ONEDNN REQUIRE ONLY CC KERNEL_CC OBJ SANITIZE,$(foreach c,$(SPECIAL),$(if $(findstring $(c),$($(v))),$(error $(v)=$($(v)) holds a $(c), \
	which the shell would take for more than a name; give a plain one))))
$(foreach v,ONEDNN ONLY OBJ SANITIZE,$(if $(word 2,$($(v))),$(error $(v)=$($(v)) has to be one word)))

CC       ?= cc
ifeq ($(origin CC),default)
CC       := gcc
endif
# Compiles the kernels alone, the levelled units: what `make compilers` holds against one another (scripts/compilers.sh).
KERNEL_CC ?= $(CC)
VERSION  := 0.1.0
# The number behind libnorm.so, which norm.h raises when programs and plug-ins have to be built again.
ABI      := $(shell sed -n 's/^.define NORM_ABI //p' kernels/norm.h)
PREFIX   ?= /usr/local
SANITIZE ?=
WERROR   ?= 0
RUN      ?=
V        ?=
TARGET   := $(shell $(CC) -dumpmachine 2>/dev/null)
# Another oneDNN than the system's: that of setup.sh --onednn, or one of ours; ONEDNN= without a word is the system's.
ONEDNN   ?= $(if $(filter x86_64-%,$(TARGET)),$(wildcard build/onednn))
ONEDNN_LIB := $(firstword $(wildcard $(addprefix $(ONEDNN)/,lib/libdnnl.so lib64/libdnnl.so lib/*/libdnnl.so)))
ifneq ($(ONEDNN),)
ifeq ($(and $(wildcard $(ONEDNN)/include/dnnl.h),$(ONEDNN_LIB)),)
$(error ONEDNN=$(ONEDNN) holds no include/dnnl.h with a lib/libdnnl.so: name the prefix that a oneDNN was installed with, \
	have one put into build/onednn by sh scripts/setup.sh --onednn, or leave ONEDNN empty for the system's)
endif
endif
# A tarball that was unpacked inside another project's tree is not of that project's commit.
GIT      := $(shell test "$$(git rev-parse --show-prefix 2>&1)" = '' && git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)

# What belongs to the compiler, which may compile for another architecture.
tool      = $(or $(shell $(CC) -print-prog-name=$(1) 2>/dev/null),$(1))

# One folder per compiler and sanitizer, so that switching never mixes objects.
OBJ      ?= build/$(notdir $(firstword $(CC)))$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))
comma    := ,
Q        := $(if $(V),,@)

include kernels/levels.mk

WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion $(if $(filter 1,$(WERROR)),-Werror)
SAN      := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
COMMON   := -std=c17 -D_GNU_SOURCE $(WARN) $(SAN) -MMD -MP
# CFLAGS stand first, so that what the results need wins. The levelled units have none of them: their flags are a level's meaning.
PLAIN    := $(CFLAGS) $(if $(SANITIZE),,-g) -fopenmp -Ikernels -Imodels -Ibench $(if $(ONEDNN),-I$(ONEDNN)/include)
LINK     := $(CFLAGS) $(SAN) $(LDFLAGS)
# A sanitized program at a fixed address: every process of it would else begin by setting the addresses in what sanitizers know.
FIXED    := $(if $(SANITIZE),$(if $(findstring darwin,$(TARGET)),,-no-pie))

# The levelled units: every file of kernels/ops, and those listed here. Everything else is compiled plainly.
UNITS    := $(basename $(wildcard kernels/ops/*.c))
LEVELLED := $(foreach l,$(LEVELS),$(UNITS:%=$(OBJ)/%.$(l).o))
KERNELS  := $(LEVELLED) $(patsubst %.c,$(OBJ)/%.o,$(wildcard kernels/*.c))
ROW_UNITS := models/math/pointwise_rows models/math/sequence_rows models/math/scan_rows bench/machine/peak_loop
ROWS     := $(foreach l,$(LEVELS),$(ROW_UNITS:%=$(OBJ)/%.$(l).o))
# SLEEF's vectors are those of these levels, so that it is not needed on other architectures; MKL's and SVML's are of x86 alone.
PEER_UNITS   := $(addprefix bench/peers/,dyt_sleef eager_sleef framework_sleef framework_mkl dyt_svml)
SLEEF_UNITS  := $(filter-out $(if $(filter neon,$(LEVELS)),bench/peers/framework_mkl bench/peers/dyt_svml),$(PEER_UNITS))
SLEEF_LEVELS := $(filter sse2 avx2 avx512 neon,$(LEVELS))
SLEEF    := $(foreach l,$(SLEEF_LEVELS),$(SLEEF_UNITS:%=$(OBJ)/%.$(l).o))
PLAINLY  = $(patsubst %.c,$(OBJ)/%.o,$(filter-out $(addsuffix .c,$(ROW_UNITS) $(PEER_UNITS)) bench/commands/main.c bench/report/curves.c bench/sharded/ranks.c,$(wildcard $(1))))
# Where the program looks for the SVML of setup.sh --svml, beside itself: it is build/normbench and $(OBJ)/normbench.
SVML     := $(if $(and $(filter x86_64-%,$(TARGET)),$(findstring linux,$(TARGET))),-Wl$(comma)-rpath$(comma)'$$ORIGIN/svml/lib:$$ORIGIN/../svml/lib')
MODELS   := $(ROWS) $(call PLAINLY,models/*.c models/*/*.c)
LIBS     := -fopenmp $(if $(ONEDNN),-L$(dir $(ONEDNN_LIB)) -Wl$(comma)-rpath$(comma)$(abspath $(dir $(ONEDNN_LIB)))) -ldnnl -lhwloc -ljansson -lz $(if $(SLEEF),-lsleef) -lm
# Kernels that count their operations, for operations.c: every unit, and once more what has a formula by lookup (simd_math.h).
COUNTED  := $(UNITS:kernels/ops/%=$(OBJ)/bench/counted/%.plain.o) $(patsubst kernels/ops/%.c,$(OBJ)/bench/counted/%.lookup32.o,$(shell grep -lE "v_(tanh|erf)_u2|\"(eager|framework).h\"" $(UNITS:%=%.c)))
# Tables that the program holds as they are (bench/report/published.h).
PUBLISHED := $(patsubst %,$(OBJ)/published/%.o,claims goals questions efficiency)
# The style sheet and the script of its page (bench/report/html.h), likewise.
EMBEDDED := $(patsubst %,$(OBJ)/embedded/report_%.o,css js)
BENCH    := $(PUBLISHED) $(EMBEDDED) $(COUNTED) $(SLEEF) $(call PLAINLY,bench/*/*.c)
SUPPORT  := $(patsubst %.c,$(OBJ)/%.o,$(filter-out tests/math_rows.c tests/exhaustive.c $(wildcard tests/test_*.c),$(wildcard tests/*.c)))
TESTS    := $(patsubst tests/%.c,$(OBJ)/%,$(wildcard tests/test_*.c))
SCRIPTS  := $(wildcard tests/test_*.sh)
# The tests that take longest, which begin first, so that none of them is left to run alone at the end.
LONGEST  := $(addprefix $(OBJ)/test_,kernels sweeps layers) tests/test_kernels_ends.sh $(OBJ)/test_squash $(patsubst %,tests/test_%.sh,portable paper kernels_cli make_peers)
PROGRAM  := $(OBJ)/normbench
CURVES   := $(OBJ)/curves
EXHAUST  := $(OBJ)/exhaustive
MATH     := $(foreach l,$(LEVELS),$(OBJ)/tests/math_rows.$(l).o)
OBJECTS  := $(KERNELS) $(MODELS) $(BENCH) $(SUPPORT) $(MATH) $(addprefix $(OBJ)/,bench/commands/main.o bench/report/curves.o tests/exhaustive.o) \
            $(patsubst tests/%.c,$(OBJ)/tests/%.o,$(wildcard tests/test_*.c))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all ranks lib objects tested check check-exhaustive check-cross bench layers paper paper-quick compilers mca sharded parity limits map law validate-aa validate-power validate-disturbed validate-pulls validate-layers peers ab verify plots report screenshot publish claim reproduce artifact asm columns lint install clean help deps FORCE

# The ranks of `normbench sharded`, where somebody asks for them: by any MPI's compiler, and by SimGrid's, which has no other part of this
# tree than its message sizes and its order. For the CPU at hand: each loop is a sweep over rows, and dyt is the library's.
MPI       ?=
RANK_CODE := bench/sharded/ranks.c bench/sharded/shards.c bench/base/stats.c bench/base/parse.c
RANK_FLAGS = -O3 -march=native -fopenmp-simd -std=c17 -D_GNU_SOURCE $(WARN) -Ikernels -Ibench $(CPPFLAGS)
RANKS     := $(OBJ)/sharded_ranks $(if $(shell command -v smpicc),$(OBJ)/sharded_hosts)
ranks: $(RANKS)
	$(Q)for program in $(RANKS); do cmp -s "$$program" "build/$${program##*/}" || cp "$$program" build; done
$(OBJ)/sharded_ranks: $(RANK_CODE) bench/sharded/shards.h Makefile $(OBJ)/libnorm.a
	$(Q)command -v mpicc >/dev/null || { echo "MPI=1 needs mpicc: sh scripts/setup.sh --mpi" >&2; exit 2; }
	$(Q)mpicc $(RANK_FLAGS) -o $@ $(RANK_CODE) $(OBJ)/libnorm.a -fopenmp -lm
$(OBJ)/sharded_hosts: $(RANK_CODE) bench/sharded/shards.h Makefile
	$(Q)smpicc $(RANK_FLAGS) -DSHARDED_SIMULATED -o $@ $(RANK_CODE) -lm

all: deps build/normbench $(if $(filter 1,$(MPI)),ranks) ## build the program, build/normbench

# The program's contractual place; the object folder is the compiler's own. A new file takes the old one's name, for the old one may be
# running, and then cannot be written to.
build/normbench: $(PROGRAM) FORCE
	$(Q)cmp -s $< $@ || { mkdir -p build && cp $< $@.new && mv -f $@.new $@; }

lib: $(OBJ)/libnorm.a $(OBJ)/libnorm.so $(OBJ)/norm.pc ## build libnorm.a, libnorm.so and norm.pc: every kernel, callable by name

objects: $(OBJECTS) ## compile everything and link nothing; with CPPFLAGS=-fsyntax-only, look for mistakes alone

# A test alone needs no program of another; a script may call these two. What is emulated, for its architecture is another (check_cross.sh),
# is not this checkout's program.
CHECKED  := $(if $(wildcard tests/test_$(or $(ONLY),no).c),$(OBJ)/test_$(ONLY),$(if $(ONLY),$(OBJ)/test_csv $(OBJ)/test_schema,$(TESTS)))
tested: deps $(if $(NORMBENCH_EMULATOR),$(PROGRAM),build/normbench) lib $(OBJ)/libnorm_peers.so $(CURVES) $(EXHAUST) $(CHECKED)

# Compiling for the tests takes all processors, unless -j says how many.
check: ## run every test; REQUIRE="avx2 ..." turns a skipped level into a failure, ONLY=name runs one
	$(Q)$(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-Otarget -j$(shell getconf _NPROCESSORS_ONLN)) tested
	$(Q)CC="$(CC)" OBJ="$(OBJ)" NORMBENCH=$(call quote,$(CURDIR)/$(PROGRAM)) CURVES=$(call quote,$(CURDIR)/$(CURVES)) SANITIZE="$(SANITIZE)" REQUIRE="$(REQUIRE)" LIBS="$(LIBS)" LINKED="$(BENCH) $(MODELS) $(OBJ)/bench/commands/main.o" \
		UNITS="$(UNITS)" ROW_UNITS="$(ROW_UNITS)" SLEEF_UNITS="$(SLEEF_UNITS)" SLEEF_LEVELS="$(SLEEF_LEVELS)" \
		sh scripts/check.sh $(if $(ONLY),$(or $(patsubst tests/%.c,$(OBJ)/%,$(wildcard tests/test_$(ONLY).c)),$(wildcard tests/test_$(ONLY).sh),$(error no test is called $(ONLY): see tests/test_*)),$(LONGEST) $(filter-out $(LONGEST),$(TESTS) $(SCRIPTS)))

check-exhaustive: deps $(EXHAUST) ## prove the accuracy of tanh, erf and exp over every float, at every level (minutes; REQUIRE as above)
	$(Q)REQUIRE="$(REQUIRE)" $(EXHAUST)

check-cross: ## the tests on emulated CPUs: ARCH=aarch64 in a cross build, x86_64 as older ones (CPUS="sve256 ...", ONLY=name)
	$(Q)CC="$(CC)" ONLY="$(ONLY)" sh scripts/check_cross.sh $(call quote,$(ARCH)) $(foreach c,$(CPUS),$(call quote,$(c)))

bench: all ## verify, time and plot the kernels of this machine (about 5 minutes; PRESET=quick: one; TUNE=1: by schedules tuned here first)
	$(Q)TUNE=$(call quote,$(TUNE)) sh scripts/bench.sh build/normbench kernels --preset $(call quote,$(or $(PRESET),default))

layers: all ## time and plot norms inside whole layers of every model (18 minutes; PRESET=quick: one; TUNE=1: by what was tuned)
	$(Q)TUNE=$(call quote,$(TUNE)) sh scripts/bench.sh build/normbench layers --preset $(call quote,$(or $(PRESET),default))

# A layer of LLaMA 7B is 5 TFLOP of training at 4096 tokens, and the table has 20 such arms, each in several launches: at the few
# hundred GFLOP/s of two cores an hour holds 512 tokens.
paper: all $(CURVES) ## the paper's efficiency table, figures and claims on this machine (TOKENS=512 BUDGET=50m; RUN=DIR goes on)
	$(Q)TOKENS=$(call quote,$(or $(TOKENS),512)) BUDGET=$(call quote,$(or $(BUDGET),50m)) sh scripts/paper.sh build/normbench $(CURVES) $(call quote,$(RUN))

paper-quick: all $(CURVES) ## the same with fewer tokens, in ten minutes (TOKENS=64 BUDGET=8m)
	$(Q)TOKENS=$(call quote,$(or $(TOKENS),64)) BUDGET=$(call quote,$(or $(BUDGET),8m)) sh scripts/paper.sh build/normbench $(CURVES) $(call quote,$(RUN))

claim: all ## run what one published claim needs, and judge it: make claim ID=NAME, of build/normbench list claims (BUDGET=40s TOKENS=512; RUN=DIR goes on)
	$(Q)test -n $(call quote,$(ID)) || { echo "make claim needs ID=NAME, one of those that build/normbench list claims prints" >&2; exit 2; }
	$(Q)TOKENS=$(call quote,$(TOKENS)) BUDGET=$(call quote,$(BUDGET)) sh scripts/reproduce.sh build/normbench $(call quote,$(ID)) $(call quote,$(RUN))

reproduce: all ## have a run again here, and say which of its patterns agree: make reproduce RUN=results/MACHINE/RUN (BUDGET=5m; NEW=DIR goes on)
	$(Q)test -d $(call quote,$(RUN)) || { echo "make reproduce needs RUN=results/MACHINE/RUN, the folder of a run" >&2; exit 2; }
	$(Q)BUDGET=$(call quote,$(BUDGET)) sh scripts/reproduce.sh build/normbench $(call quote,$(RUN)) $(call quote,$(NEW))

compilers: all ## how much longer kernels take when another compiler has made them (COMPILERS="gcc clang" BUDGET=6m; AB="--op dyt ...": which rows)
	$(Q)CC="$(CC)" OBJ="$(OBJ)" RUN=$(call quote,$(RUN)) BUDGET=$(call quote,$(or $(BUDGET),6m)) MAKE="$(MAKE)" sh scripts/compilers.sh build/normbench $(call quote,$(or $(COMPILERS),gcc clang)) $(foreach o,$(AB),$(call quote,$(o)))

mca: all ## what cores that are not at hand would take for each kernel, predicted by llvm-mca (CORES=neoverse-v2; RUN=DIR: beside what that run measured; OUT=build/mca)
	$(Q)$(call quote,$(or $(PYTHON),python3)) scripts/mca.py --objects "$(OBJ)" --out $(call quote,$(or $(OUT),build/mca)) $(if $(CORES),--cores $(call quote,$(CORES))) $(if $(RUN),--measured $(call quote,$(RUN)))

sharded: ## norms whose tensor lies on several ranks: timed by MPI here, and simulated for up to 1024 hosts, then drawn: ten minutes (OUT=build/sharded; HOSTS=4,64)
	$(Q)$(MAKE) --no-print-directory MPI=1 all
	$(Q)sh scripts/sharded.sh build/normbench $(call quote,$(or $(OUT),build/sharded)) $(call quote,$(HOSTS))

parity: all ## train small models with each norm, at every rate and first alpha, and draw what they reach: half an hour, with PyTorch (TASK=digits,text QUICK=1 OUT=build/parity: goes on; PYTHON=python3)
	$(Q)QUICK=$(call quote,$(QUICK)) TASK=$(call quote,$(TASK)) PYTHON=$(call quote,$(PYTHON)) sh scripts/parity.sh build/normbench $(call quote,$(or $(OUT),build/parity))

limits: all ## what the kernels reach of the goals in results/published/goals.csv, each measured three times (BUDGET=7m; RUN=DIR goes on)
	$(Q)BUDGET=$(call quote,$(or $(BUDGET),7m)) sh scripts/limits.sh build/normbench $(call quote,$(RUN))

map: all ## measure layers of every kind of model, in 40 minutes, and draw what norms take of them (BUDGET=40m TUNE=1; then as law)
	$(Q)status=0; TUNE=$(call quote,$(TUNE)) sh scripts/bench.sh build/normbench layers --preset map --budget $(call quote,$(or $(BUDGET),40m)) || status=$$?; \
		case $$status in 0 | 6) $(MAKE) --no-print-directory law || exit ;; esac; exit $$status

# The folders are found when it is drawn: one of them may be a run that was made just now.
law: all ## what norms take of a layer, by operations of products per normed element: table, figure and page of all results (RUNS="DIR..." OUT=build/map)
	$(Q)out=$(call quote,$(or $(OUT),build/map)); mkdir -p "$$out" && \
		set -- $(foreach r,$(RUNS),$(call quote,$(r))) && \
		if [ $$# -eq 0 ]; then for table in results/*/*/layers.csv; do set -- "$$@" "$${table%/*}"; done; fi && \
		build/normbench predict --csv "$$out/law.csv" "$$@" && NORMBENCH=build/normbench sh scripts/plots.sh "$$out" && \
		echo "Figure: $$out/plots/law.svg" && build/normbench report --out "$$out/report.html" "$$@"

validate-aa validate-power validate-disturbed validate-pulls validate-layers: validate-%: all lib
	$(Q)BUDGET=$(call quote,$(or $(BUDGET),20m)) GATE=$(call quote,$(or $(GATE),90s)) sh scripts/validate.sh build/normbench $* $(OBJ) $(call quote,$(RUN))
validate-aa: ## how often the gate calls equal sides different (BUDGET=20m GATE=90s; RUN=DIR goes on)
validate-power: ## how often it finds a row that was made slower (likewise)
validate-disturbed: ## what it says when something else is at work (likewise)
validate-pulls: ## whether it stops pull requests that make a kernel 5 % slower, and no others (likewise)
validate-layers: ## how closely it knows a norm's slowdown in layers, and its false alarms there (likewise)

peers: all $(OBJ)/libnorm_peers.so ## PyTorch's norms beside ours, if a Python has it (PYTHON=python3 LAUNCHES=6 FAULTS=1 LAYERS=0; RUN=DIR: at the shapes of that run)
	$(Q)LIBNORM="$(OBJ)/libnorm_peers.so" PYTHON=$(call quote,$(or $(PYTHON),python3)) LAUNCHES=$(call quote,$(or $(LAUNCHES),6)) FAULTS=$(call quote,$(or $(FAULTS),1)) LAYERS=$(call quote,$(or $(LAYERS),0)) \
		sh scripts/peers.sh build/normbench $(call quote,$(RUN))

ab: all lib ## the gate: are the kernels of this tree slower than those of another commit? (BASE=origin/main; AB="--op dyt ...": more options)
	$(Q)sh scripts/bench.sh build/normbench ab $(call quote,git:$(or $(BASE),origin/main)) $(OBJ)/libnorm.a $(foreach o,$(AB),$(call quote,$(o)))

verify: all ## print the largest error of every implementation
	$(Q)build/normbench verify

plots: all ## draw a run's plots again: make plots RUN=results/MACHINE/RUN
	$(Q)test -n $(call quote,$(RUN)) || { echo "make plots needs RUN=results/MACHINE/RUN" >&2; exit 2; }
	$(Q)NORMBENCH=build/normbench sh scripts/plots.sh $(call quote,$(RUN))

report: all ## a run as one page for people, report.html in its folder: make report RUN=results/MACHINE/RUN
	$(Q)test -n $(call quote,$(RUN)) || { echo "make report needs RUN=results/MACHINE/RUN" >&2; exit 2; }
	$(Q)build/normbench report $(call quote,$(RUN))

screenshot: all ## the top of a run's page as a picture, docs/report.webp: make screenshot RUN=results/MACHINE/RUN
	$(Q)test -n $(call quote,$(RUN)) || { echo "make screenshot needs RUN=results/MACHINE/RUN" >&2; exit 2; }
	$(Q)sh scripts/screenshot.sh build/normbench $(call quote,$(RUN)) docs/report.webp

publish: all ## make a run's folder ready for git, its samples compressed: make publish RUN=results/MACHINE/RUN
	$(Q)test -n $(call quote,$(RUN)) || { echo "make publish needs RUN=results/MACHINE/RUN" >&2; exit 2; }
	$(Q)NORMBENCH=build/normbench sh scripts/publish.sh $(call quote,$(RUN))

asm: $(LEVELLED:.o=.s) $(ROWS:.o=.s) ## leave a listing of every kernel and level in build/<compiler>/kernels/ops/*.s
	@echo "listings: $(OBJ)/kernels/ops/<unit>.<level>.s"

columns: all ## write results/datapackage.json and the tables of results/README.md anew, from the program's columns
	$(Q)build/normbench list columns --format json > results/datapackage.json.part
	$(Q){ sed '/^## kernels\.csv$$/,$$d' results/README.md; build/normbench list columns --format markdown; } > results/README.md.part
	$(Q)mv results/datapackage.json.part results/datapackage.json; mv results/README.md.part results/README.md

# Folders that git tracks, so that what was measured here since changes nothing.
artifact: all ## write the claims of ARTIFACT.md anew, with what the committed runs say of them
	$(Q)NORMBENCH=build/normbench sh scripts/artifact.sh > ARTIFACT.md.part
	$(Q)mv ARTIFACT.md.part ARTIFACT.md

lint: ## clang-format, shellcheck and cppcheck
	$(Q)sh scripts/lint.sh

DEST = $(call quote,$(DESTDIR)$(PREFIX))
install: all lib ## install program, library and header under PREFIX (/usr/local)
	install -d $(DEST)/bin $(DEST)/lib/pkgconfig $(DEST)/include/normbench
	install -m 755 build/normbench $(DEST)/bin/
	install -m 644 kernels/norm.h kernels/norm_plugin.h kernels/list.h kernels/levels.h $(DEST)/include/normbench/
	install -m 644 $(OBJ)/libnorm.a $(DEST)/lib/
	install -m 644 $(OBJ)/norm.pc $(DEST)/lib/pkgconfig/
	install -m 755 $(OBJ)/libnorm.so.$(ABI) $(DEST)/lib/
	ln -sf libnorm.so.$(ABI) $(DEST)/lib/libnorm.so

clean: ## remove everything built
	rm -rf build

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | awk -F '\t' '{printf "  %-18s %s\n", $$1, $$2}'

# A missing dependency stops here, with the command that mends it, before a compiler can complain.
deps:
	$(Q)CC="$(CC)" CPPFLAGS="$(strip $(CPPFLAGS) $(if $(ONEDNN),-I$(ONEDNN)/include))" sh scripts/setup.sh --check

# Objects depend on the flags they were built with: $(1) file, $(2) text.
$(OBJ)/flags: FORCE
	$(Q)mkdir -p $(OBJ); flags='$(CC) $(KERNEL_CC) $(COMMON) $(PLAIN) $(CPPFLAGS) $(LINK) $(KERNEL_FLAGS) $(foreach l,$(LEVELS),$(l): $(FLAGS_$(l)))'; \
		echo "$$flags" | cmp -s - $@ || echo "$$flags" > $@

define LEVEL_RULES
$(OBJ)/%.$(1).o: %.c Makefile kernels/levels.mk $(OBJ)/flags | deps
	$(Q)mkdir -p $$(@D)
	$(Q)$(KERNEL_CC) $(COMMON) $(KERNEL_FLAGS) $(FLAGS_$(1)) -Ikernels -DNORM_COMPILE_$(1) -DNORM_LEVEL_NAME=$(1) -DNORM_LEVEL_ID=NORM_LEVEL_$(2) $(CPPFLAGS) $$(ITS_OWN) -c -o $$@ $$<
$(OBJ)/%.$(1).s: %.c Makefile kernels/levels.mk $(OBJ)/flags | deps
	$(Q)mkdir -p $$(@D)
	$(Q)$(KERNEL_CC) $(COMMON) $(KERNEL_FLAGS) $(FLAGS_$(1)) -Ikernels -DNORM_COMPILE_$(1) -DNORM_LEVEL_NAME=$(1) -DNORM_LEVEL_ID=NORM_LEVEL_$(2) $(CPPFLAGS) -S -fverbose-asm -o $$@ $$<
endef
upper = $(shell echo $(1) | tr a-z A-Z)
$(foreach l,$(LEVELS),$(eval $(call LEVEL_RULES,$(l),$(call upper,$(l)))))

$(OBJ)/kernels/%.o: kernels/%.c Makefile $(OBJ)/flags | deps
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(PLAIN) -O2 -ffp-contract=off -fPIC -fvisibility=hidden $(CPPFLAGS) -c -o $@ $<

# -O1, for they run once a row of a table.
define COUNTED_RULE
$(OBJ)/bench/counted/%.$(1).o: kernels/ops/%.c Makefile kernels/levels.mk $(OBJ)/flags | deps
	$(Q)mkdir -p $$(@D)
	$(Q)$(CC) $(COMMON) $(KERNEL_FLAGS) $(LESS_CHECKED) -O1 -Ikernels -DNORM_LEVEL_ID=NORM_LEVEL_SCALAR -DNORM_LEVEL_NAME=counted_$(1) -DCOUNTED_$(1) \
		-include bench/measure/counting_simd.h $(CPPFLAGS) -c -o $$@ $$<
endef
$(foreach k,plain lookup32,$(eval $(call COUNTED_RULE,$(k))))

# Sums that are to stay in registers, which under sanitizers they do not: every run would measure its peaks for a second.
$(LEVELS:%=$(OBJ)/bench/machine/peak_loop.%.o): private ITS_OWN := $(if $(SANITIZE),-fno-sanitize=all -O2)

# What a run records about its build; the commit is passed to one object only, so that a commit rebuilds one file. Private, because
# these two objects may be the first to ask for $(OBJ)/flags, which would inherit their definitions and have everything compiled again.
$(OBJ)/bench/machine/machine.o: private PLAIN += -DNORMBENCH_GIT='"$(GIT)"' -DNORMBENCH_CC='"$(CC)"' \
	-DNORMBENCH_FLAGS='"$(KERNEL_FLAGS)$(foreach l,$(LEVELS),; $(l): $(FLAGS_$(l)))"'
$(OBJ)/bench/machine/machine.o: $(OBJ)/commit
$(OBJ)/bench/commands/main.o: private PLAIN += -DNORMBENCH_VERSION='"$(VERSION)"'
# What a file of schedules is of: the sources and flags that the kernels are made from.
$(OBJ)/kernels/schedules_loaded.o: private PLAIN += -include $(OBJ)/sources.h
$(OBJ)/kernels/schedules_loaded.o: $(OBJ)/sources.h
$(OBJ)/sources.h: $(sort $(wildcard kernels/*.[ch] kernels/*/*.[ch])) $(OBJ)/flags
	$(Q)cat $^ | cksum | sed 's/ .*/"/; s/^/#define NORM_SOURCES "/' > $@.part; cmp -s $@.part $@ && rm $@.part || mv $@.part $@
$(OBJ)/commit: FORCE
	$(Q)mkdir -p $(OBJ); echo '$(GIT)' | cmp -s - $@ || echo '$(GIT)' > $@

# What measures and what tests: nothing in them is timed, and -O2 would take half as long again to compile.
$(OBJ)/%.o: %.c Makefile $(OBJ)/flags | deps
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(PLAIN) $(if $(filter $(OBJ)/models/% $(OBJ)/bench/peers/% $(OBJ)/bench/machine/peak%,$@),-O2,-O1) -Itests $(CPPFLAGS) -c -o $@ $<

$(OBJ)/published/%.c: results/published/%.csv Makefile
	$(Q)mkdir -p $(@D)
	$(Q){ echo '#include "report/published.h"'; echo 'const unsigned char published_$*[] = {'; od -An -v -tx1 $< | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'; echo '0};'; } > $@
$(OBJ)/embedded/report_%.c: scripts/report/report.% Makefile
	$(Q)mkdir -p $(@D)
	$(Q){ echo '#include "report/html.h"'; echo 'const unsigned char report_$*[] = {'; od -An -v -tx1 $< | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'; echo '0};'; } > $@
$(OBJ)/embedded/%.o: $(OBJ)/embedded/%.c
	$(Q)$(CC) $(COMMON) $(PLAIN) $(CPPFLAGS) -c -o $@ $<
$(OBJ)/published/%.o: $(OBJ)/published/%.c
	$(Q)$(CC) $(COMMON) $(PLAIN) $(CPPFLAGS) -c -o $@ $<

$(PROGRAM): $(OBJ)/bench/commands/main.o $(BENCH) $(MODELS) $(KERNELS)
	$(Q)$(CC) $(LINK) $(FIXED) $(SVML) -o $@ $^ $(LIBS)
$(CURVES): $(addprefix $(OBJ)/bench/,report/curves.o report/curves_table.o base/columns.o base/csv.o base/files.o base/interval.o base/packed.o base/parse.o base/plain.o base/refuse.o base/stats.o measure/inputs.o) $(KERNELS)
	$(Q)$(CC) $(LINK) $(FIXED) -o $@ $^ -fopenmp -lz -lm
$(OBJ)/libnorm.a: $(KERNELS)
	$(Q)rm -f $@ && $(call tool,ar) rcs $@ $^
# Never unloaded: the threads of a team outlive a call, in the code of OpenMP's runtime, which would be unloaded with it.
SHARED   := $(if $(findstring darwin,$(TARGET)),-Wl$(comma)-install_name$(comma)@rpath/libnorm.so.$(ABI),-Wl$(comma)-soname$(comma)libnorm.so.$(ABI) -Wl$(comma)-z$(comma)nodelete)
$(OBJ)/libnorm.so.$(ABI): $(KERNELS)
	$(Q)$(CC) $(LINK) -shared $(SHARED) -o $@ $^ -fopenmp -lm
$(OBJ)/libnorm.so: $(OBJ)/libnorm.so.$(ABI)
	$(Q)ln -sf $(<F) $@
# libnorm and the program's dyt with SLEEF's tanh, for the process of another library.
# What links and builds the sides of `normbench ab`: this compiler, whose OpenMP they share with the program.
$(OBJ)/bench/measure/ab_link.o $(OBJ)/bench/measure/ab_source.o: private PLAIN += -DLINKER='"$(CC)"'
$(OBJ)/bench/peers/sleef.o $(OBJ)/bench/peers/mkl_tanh.o: private PLAIN += -fPIC
$(OBJ)/libnorm_peers.so: $(KERNELS) $(filter-out $(OBJ)/bench/peers/dyt_svml.%,$(SLEEF)) $(OBJ)/bench/peers/sleef.o $(OBJ)/bench/peers/mkl_tanh.o
	$(Q)$(CC) $(LINK) -shared -o $@ $^ -fopenmp $(if $(SLEEF),-lsleef) -lm
$(OBJ)/norm.pc: FORCE
	$(Q)mkdir -p $(@D); printf 'prefix=%s\nName: norm\nDescription: LayerNorm, RMSNorm and DyT kernels\nVersion: $(VERSION)\nCflags: -I$${prefix}/include/normbench\nLibs: -L$${prefix}/lib -lnorm -fopenmp -lm\n' $(call quote,$(PREFIX)) > $@.part; \
		cmp -s $@.part $@ && rm $@.part || mv $@.part $@
$(EXHAUST): $(addprefix $(OBJ)/tests/,exhaustive.o accuracy.o require.o) $(MATH) $(KERNELS)
	$(Q)$(CC) $(LINK) $(FIXED) -o $@ $^ -fopenmp -lmpfr -lgmp -lm
$(OBJ)/test_math $(OBJ)/test_accuracy: $(MATH)
$(OBJ)/test_%: $(OBJ)/tests/test_%.o $(SUPPORT) $(BENCH) $(MODELS) $(KERNELS)
	$(Q)$(CC) $(LINK) $(FIXED) $(SVML) -o $@ $^ $(LIBS) -lcmocka -lmpfr -lgmp

-include $(wildcard $(OBJ)/*/*.d $(OBJ)/*/*/*.d)
