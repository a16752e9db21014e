# xtree: build, installation and tests, on PGXS (PostgreSQL 15 to 19).
#
# On a bare Debian machine (these install what is missing, as root or through sudo):
#   make deps [DEPS=build|test|peers|fuzz|sanitize]
#                                       nothing but that
#   make demo [KEEP=1]                  the world's cities in a private server, and an index's life there
#   make test [SUITES="unit tap ..."]   every test suite
#   make matrix [SUITES="unit ..."] [RELEASES="bookworm trixie sid"]
#                                       the suites, and the peers, with the PostgreSQL of each Debian release, in chroots (root only); one table
#                                       (RELEASES=experimental: with the newest that Debian tries out)
#   make oracle [SECONDS=60] [SEED=1] [PRELOAD=yes]
#                                       random statements: index answers against sequential scans; PRELOAD: also read through mappings
#   make peers [SUITES="core cube ..."] the regression tests of PostgreSQL, btree_gist, cube and PostGIS, with xtree instead of GiST
#   make fuzz [SECONDS=60]              the page format and the tree under libFuzzer, ASan and UBSan, for so long each
#   make sanitize                       the unit tests under ASan and UBSan
#   make sanitize-server [TOOL=asan|memcheck] [SUITES="regress tap ..."]
#                                       the server with xtree under ASan and UBSan, or under valgrind
#   make coverage                       branches of the core and the page format that the unit tests leave out
#   make bench [SCALE=1] [ONLY=vectors]  benchmarks beside the other access methods, or parts of them (test/bench/README.md)
#   make soak [MINUTES=30]              a mixed load with kills and a standby; fails if anything is lost, wrong, or grows (test/soak)
#   make package-test [RELEASE=bookworm]
#                                       the Debian package: built, installed, asked and removed in a bare chroot (as root, with debootstrap)
#   make dist                           the archive for PGXN, from what is committed
# With PostgreSQL's server headers installed:
#   make, make install, make installcheck (against the running server that PGHOST, PGPORT ... name)
# Variables: PG_CONFIG (of another server than the newest of Debian's: for demo, test, oracle, bench and these), WERROR=1 (warnings are errors),
# STOP_POINTS=1 (named pauses and failures, for tests only).

PG_CONFIG ?= pg_config

MODULE_big = xtree
EXTENSION = xtree xtree_cube xtree_seg xtree_isn xtree_btree_gist xtree_postgis xtree_vector
# Of each the script of the version that its control file names, and those that update earlier ones.
DATA = $(foreach name,$(EXTENSION),sql/$(name)--$(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(name).control).sql) $(wildcard sql/*--*--*.sql)
HEADERS_xtree = src/xtree.h
SCRIPTS = client/xtree-report

# The core and the page format know nothing of PostgreSQL, and are compiled without its headers in reach.
FREE_DIRS = core core/bulk core/cluster core/estimate core/filter core/join core/scan core/write page report forecast
BOUND_DIRS = pg storage shmem history registry worker types index build deferred am join planner check functions testing
FREE_SOURCES = $(wildcard $(FREE_DIRS:%=src/%/*.cpp))
BOUND_SOURCES = $(wildcard $(BOUND_DIRS:%=src/%/*.cpp))
# A library with stop points shares the objects of all sources that have none.
STOPPABLE := $(if $(STOP_POINTS),$(shell grep -rlE 'STOP_POINT|RuleBroken' --include='*.cpp' src))
objects_of = $(patsubst src/%.cpp,build/obj/%.o,$(filter-out $(STOPPABLE),$(1))) $(patsubst src/%.cpp,build/stop-points/%.o,$(filter $(STOPPABLE),$(1)))
FREE_OBJS = $(call objects_of,$(FREE_SOURCES))
BOUND_OBJS = $(call objects_of,$(BOUND_SOURCES))
OBJS = $(FREE_OBJS) $(BOUND_OBJS)

# test/regress, in order: setup creates the extension, the others need it.
REGRESS = setup agree \
	index plans vacuum cluster held_entries \
	point box circle polygon range multirange range_subtypes network hosts vector clusters generations \
	scalar scalar2 string long_prefixes exact \
	distance distance_limit distance_limit_scalar knn_ties overflow exclusion tree_join tree_join_outer lookup_join nearest_join \
	$(call with,cube,cube many_dimensions knn_ties_cube distance_limit_cube tree_join_cube) $(call with,seg,seg) $(call with,isn,isn) $(call with,postgis,$(POSTGIS_TESTS)) \
	$(call with,vector,pgvector) \
	parallel_build parallel_scan moving_from_gist estimates estimate deferred deferred_untracked explain_unbuilt stats picture settings \
	$(call since_17,plans_since_17) $(call since_18,explain)
POSTGIS_TESTS = postgis knn_ties_postgis distance_limit_postgis empty_values large_geometries geography_windows geometry_3d tree_join_postgis
# Companions are tested where their extension is installed: $(call with,EXTENSION,TESTS).
with = $(if $(wildcard $(datadir)/extension/$(1).control),$(2))
# What PostgreSQL offers from 17, or 18 on is not tested before.
since_17 = $(if $(filter 15 16,$(MAJORVERSION)),,$(1))
since_18 = $(if $(filter 15 16 17,$(MAJORVERSION)),,$(1))
REGRESS_SKIPPED = $(filter-out $(REGRESS),cube many_dimensions knn_ties_cube distance_limit_cube seg isn $(POSTGIS_TESTS) pgvector)
ISOLATION = split_scan held_entries tree_join tree_join_outer lookup_join nearest_join first_row supernode_scan distance_limit recycling index_only serializable exclusion exclusion_deferred
# What needs stop points, or a setting that a server has not by default.
ISOLATION += $(if $(STOP_POINTS),stopped_split stopped_insert stopped_inspect concurrent_build two_phase deferred_build)
REGRESS_OPTS = --inputdir=test/regress
ISOLATION_OPTS = --inputdir=test/isolation --load-extension=xtree

SHLIB_LINK = -lstdc++ -Wl,-Bsymbolic -Wl,--version-script=src/exports.map
# src/testing/failing_allocation.cpp
FAILING = palloc palloc0 palloc_extended repalloc repalloc_huge MemoryContextAlloc MemoryContextAllocZero MemoryContextAllocZeroAligned \
	MemoryContextAllocExtended MemoryContextAllocHuge AllocSetContextCreateInternal dsa_allocate_extended dshash_find_or_insert \
	dshash_find_or_insert_extended \
	malloc calloc realloc mmap _Znwm _ZnwmRKSt9nothrow_t _ZnwmSt11align_val_t
SHLIB_LINK += $(if $(STOP_POINTS),$(FAILING:%=-Wl,--wrap=%))
# src/testing/guarded_allocation.cpp
GUARDED = palloc palloc0 repalloc repalloc_huge MemoryContextAlloc MemoryContextAllocHuge MemoryContextAllocZero MemoryContextAllocZeroAligned
SHLIB_LINK += $(if $(findstring -fsanitize=address,$(CXXFLAGS)),$(if $(STOP_POINTS),,$(GUARDED:%=-Wl,--wrap=%)))
EXTRA_CLEAN = build

.DEFAULT_GOAL := all
.PHONY: deps demo test matrix oracle peers fuzz sanitize sanitize-server coverage bench soak package-test dist

DEPS ?= build
deps: deps-$(DEPS)
deps-%:
	@scripts/install-packages.sh $*

demo: deps-build
	@scripts/with-server $(if $(KEEP),--keep) --set shared_preload_libraries=xtree --set xtree.naptime=1s -- demo/demo.sh
	@$(if $(KEEP),,echo; echo 'The server is gone again. To keep one and ask it more: make demo KEEP=1')

test: deps-test
	@test/run $(SUITES)

matrix:
	@scripts/matrix $(SUITES)

SECONDS ?= 60
SEED ?= 1
oracle: deps-test
	@scripts/with-server $(if $(PRELOAD),--set shared_preload_libraries=xtree --set xtree.naptime=1s) -- \
		sh -c 'exec perl test/oracle/oracle.pl --host "$$PGHOST" --seconds $(SECONDS) --seed $(SEED)'

peers: deps-peers
	@test/peers/run $(SUITES)

fuzz: deps-fuzz
	@$(MAKE) -s -C test/fuzz run SECONDS=$(SECONDS)

sanitize: deps-test
	@$(MAKE) -s -C test/unit check SANITIZE=address,undefined

TOOL ?= asan
sanitize-server: SUITES ?= regress preload
sanitize-server: deps-sanitize
	@XTREE_SANITIZER=$(TOOL) test/run $(SUITES)

coverage: deps-test
	@$(MAKE) -s -C test/unit coverage

SCALE ?= 1
bench: deps-test
	@scripts/with-server --set @test/bench/bench.conf -- \
		sh -c 'exec perl -I test/bench/lib test/bench/bench.pl --host "$$PGHOST" --scale $(SCALE) $(if $(ONLY),--only $(ONLY))'

MINUTES ?= 30
soak: deps-test
	@test/soak/run $(MINUTES)

RELEASE ?= bookworm
package-test:
	@test/package/run $(RELEASE)

# META.json says the version.
DIST_VERSION = $(shell sed -n '0,/"version"/s/.*"version": "\(.*\)".*/\1/p' META.json)
dist:
	@mkdir -p build
	@git archive --format=zip --prefix=xtree-$(DIST_VERSION)/ --output=build/xtree-$(DIST_VERSION).zip HEAD
	@echo build/xtree-$(DIST_VERSION).zip

PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
ifeq ($(PGXS),)

all install installcheck:
	@echo "PostgreSQL's server headers are missing; install them with: make deps" >&2; exit 1

clean:
	rm -rf build

else

# The bitcode rule for C++ cannot be given a language standard, and inlining SQL functions gains nothing here.
override with_llvm = no

include $(PGXS)

# The server's own flags are those of the compiler that it was built with: clang does not know all of gcc's.
CLANG_FLAGS := $(if $(findstring clang,$(shell $(CXX) --version)),-Wno-unknown-warning-option -Wno-ignored-optimization-argument)
STANDARD_FLAGS = $(CLANG_FLAGS) -std=c++20 -Wall -Wextra $(if $(WERROR),-Werror) -fno-math-errno -ffp-contract=off \
	-fvisibility-inlines-hidden -Isrc
# As system headers, because PostgreSQL's own do not compile without warnings as C++20.
SERVER_FLAGS = $(patsubst -I%,-isystem%,$(filter-out -I. -I$(srcdir),$(CPPFLAGS)))

$(FREE_OBJS): ALL_CXXFLAGS = $(CXXFLAGS) $(filter-out -I%,$(CPPFLAGS)) $(STANDARD_FLAGS)
$(BOUND_OBJS): ALL_CXXFLAGS = $(CXXFLAGS) $(SERVER_FLAGS) $(STANDARD_FLAGS)

# Only the kernels of one instruction set are compiled for it; which of them runs is decided at run time. A weak symbol
# in such an object (an inline function of some header) could be the copy that the linker keeps for everybody.
ifeq ($(host_cpu),x86_64)
build/obj/core/filter/kernels_avx2.o build/obj/core/cluster/vector_kernels_avx2.o: ISA_FLAGS = -mavx2
build/obj/core/cluster/vector_kernels_avx512.o: ISA_FLAGS = -mavx512f -mavx512bw -mavx512vl -mavx512vnni
endif
no_weak_symbols = ! nm -C $@ | grep ' [VWu] ' || { echo "$@: weak symbols, see above" >&2; rm -f $@; exit 1; }

build/obj/%.o: src/%.cpp build/obj/flags
	@mkdir -p $(@D)
	$(CXX) $(ALL_CXXFLAGS) $(ISA_FLAGS) -MMD -MP -c -o $@ $<
	$(if $(ISA_FLAGS),@$(no_weak_symbols))

build/stop-points/%.o: src/%.cpp build/obj/flags
	@mkdir -p $(@D)
	$(CXX) $(ALL_CXXFLAGS) -DXTREE_STOP_POINTS -MMD -MP -c -o $@ $<

# Changed flags rebuild everything; a source file that came or went, or other stop points, link anew.
build/obj/flags: content = $(CXX) $(CXXFLAGS) $(CPPFLAGS) $(STANDARD_FLAGS)
build/objects: content = $(OBJS)
build/obj/flags build/objects: force
	@mkdir -p $(@D)
	@echo '$(content)' | cmp -s - $@ || echo '$(content)' >$@
.PHONY: force

$(shlib): src/exports.map build/objects

# PGXS forgets that scripts lie in a directory here.
.PHONY: uninstall-scripts
uninstall: uninstall-scripts
uninstall-scripts:
	rm -f $(addprefix '$(DESTDIR)$(bindir)'/,$(notdir $(SCRIPTS)))

# For scripts that need a list from this file: make -s print VARIABLE=REGRESS
.PHONY: print
print:
	@echo $($(VARIABLE))

-include $(OBJS:.o=.d)

endif
