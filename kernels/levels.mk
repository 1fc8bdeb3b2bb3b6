# The compiler flags of every SIMD level: the only place they are written. The names are those of levels.h.
# LEVELS is the list for the architecture that $(CC) compiles for. What is asked of the compiler is asked of $(KERNEL_CC), which has the
# levelled units and is $(CC) unless `make compilers` says another.

# Contraction is off so that an FMA is there only because the source says so: gcc and clang then compute the same bits.
# -fno-math-errno and -fno-trapping-math change no value; without them sqrtf is a call and a select cannot be vectorised.
# Loops begin at a cache line: where gcc left them, a loop of six instructions across two lines took rmsnorm 1.2 to 1.3
# times as long on Zen 4.
# Under sanitizers, whose checks multiply the inlined code, -O1 compiles in half the time; they look for the same faults.
# So do gcc's checks of addresses as calls instead of inlined: layernorm at avx512 then compiles in a third of the time.
CHECKS       := $(if $(SANITIZE),-O1 $(shell set -- --param asan-instrumentation-with-call-threshold=0 -fira-region=one; \
                  echo | $(KERNEL_CC) -Werror "$$@" -fsyntax-only -xc - 2>/dev/null && echo "$$@"))
KERNEL_FLAGS := $(or $(CHECKS),-O2) -ffp-contract=off -fno-math-errno -fno-trapping-math -fPIC -fvisibility=hidden \
                -falign-loops=64
# What a level does with vectors is written in its source, so the vectoriser would only add instructions nobody asked for.
# Vectors that the source computes abreast are to run so: gcc keeps to the order of the source unless told to schedule
# before it hands out registers (dyt's forward on Zen 4: 0.92 of the time on AVX-512 and AVX2). clang does so anyway.
SCHEDULE     := $(shell echo | $(KERNEL_CC) -Werror -fschedule-insns -fsched-pressure -fsyntax-only -xc - 2>/dev/null && \
                  echo -fschedule-insns -fsched-pressure)
# clang spills less where four vectors are squashed abreast if told to order instructions by what may run at once, not
# by the source (derf's forward on AVX2: 0.8 of the time).
SCHEDULE     += $(if $(filter x86_64-%,$(TARGET)),$(shell echo | $(KERNEL_CC) -Werror -mllvm -pre-RA-sched=list-ilp -fsyntax-only -xc - \
                  2>/dev/null && echo -mllvm -pre-RA-sched=list-ilp))
BY_HAND      := -fno-tree-vectorize -fno-tree-slp-vectorize $(SCHEDULE)
# The lines of kernels/ops are scalar's, where all is looked at. With vectors, of pointers, what AddressSanitizer sees: the other checks of
# them took half the time to compile, and 60 of a program's 140 MB, to be hashed and set up whenever one began.
LESS_CHECKED := $(if $(SANITIZE),-fno-sanitize=null$(comma)alignment$(comma)object-size$(comma)pointer-overflow)
VECTORS      := $(BY_HAND) $(LESS_CHECKED)

AVX2         := -mavx2 -mfma -mf16c
AVX512       := $(AVX2) -mavx512f -mavx512bw -mavx512dq -mavx512vl

# clang copies structs by vectors unless told not to; gcc does not know the flag, nor need it.
NO_IMPLICIT  := $(shell echo | $(KERNEL_CC) -Werror -mno-implicit-float -fsyntax-only -xc - 2>/dev/null && echo -mno-implicit-float)

FLAGS_scalar      := $(BY_HAND) $(NO_IMPLICIT)
FLAGS_sse2        := $(VECTORS) -msse2
FLAGS_avx2        := $(VECTORS) $(AVX2)
FLAGS_avx512      := $(VECTORS) $(AVX512)
FLAGS_avx512bf16  := $(VECTORS) $(AVX512) -mavx512bf16
# -O3 is where gcc's vectoriser is allowed its full cost model; 512 bits must be asked for, gcc prefers 256.
# Sanitizers look at lines of source, and those of auto_* are scalar's.
FLAGS_auto_avx2   := $(if $(SANITIZE),-fno-sanitize=all,-O3) $(AVX2)
FLAGS_auto_avx512 := $(if $(SANITIZE),-fno-sanitize=all,-O3) $(AVX512) -mprefer-vector-width=512

ARM               := -march=armv8-a
SVE_LENGTHS       := 128 256 512 1024 2048
FLAGS_neon        := $(VECTORS) $(ARM)
FLAGS_neon_bf16   := $(VECTORS) -march=armv8.2-a+bf16
$(foreach n,$(SVE_LENGTHS),$(eval FLAGS_sve$(n) := $(VECTORS) $(ARM)+sve -msve-vector-bits=$(n)))
FLAGS_auto_neon   := $(if $(SANITIZE),-fno-sanitize=all,-O3) $(ARM)
FLAGS_auto_sve    := $(if $(SANITIZE),-fno-sanitize=all,-O3) $(ARM)+sve

ifneq ($(filter x86_64-%,$(TARGET)),)
LEVELS := scalar sse2 avx2 avx512 avx512bf16 auto_avx2 auto_avx512
else ifneq ($(filter aarch64-% arm64-%,$(TARGET)),)
LEVELS := scalar neon neon_bf16 $(SVE_LENGTHS:%=sve%) auto_neon auto_sve
else
LEVELS := scalar
endif
