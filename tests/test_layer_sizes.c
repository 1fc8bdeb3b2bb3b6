// SPDX-License-Identifier: MIT
// What a layer takes: bytes, known beforehand, tiles and chunks that keep them few, and of configs and slots those that
// there are.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "graph/compile.h"
#include "layer_checks.h"
#include "products.h"
#include "tiny.h"

// 64 MiB of logits are 4 chunks of a head this wide; gradients are what one chunk would give.
static void logits_come_in_chunks(void **state) {
    (void)state;
    model_shape m = tiny_at(0);
    m.vocab = 1 << 17;
    const norm_slot slot = checks_slot(&m, m.native, NORM_FUSED, NORM_F32);
    layer_config config = tiny_config(&m, PART_ENDS, PHASE_PREFILL, &slot, 1);
    config.tokens = 129; // 258 rows of half a mebibyte
    layer *const l = checks_make(&config);
    size_t heads = 0;
    for (size_t i = 0; i < layer_steps(l); i++)
        heads += strncmp(layer_step_at(l, i)->name, "head", 4) == 0;
    assert_int_equal(heads, 3);
    checks_run(l);
    assert_int_equal(checks_tensor(l, "output.logits")->value.rows, 86);
    layer_free(l);
    config.phase = PHASE_TRAIN;
    layer *const train = checks_make(&config);
    checks_run(train);
    // Untrained, every class is nearly as likely as any other.
    assert_true(fabs(layer_loss(train) - log((double)m.vocab)) < 0.2);
    layer_free(train);
}

static void refuse(const layer_config *config, const char *because) {
    char error[LAYER_ERROR_SIZE] = "";
    layer *const l = layer_make(config, error);
    assert_null(l);
    assert_int_equal(layer_bytes(config), 0);
    if (strstr(error, because) == NULL)
        fail_msg("no \"%s\" in: %s", because, error);
}

static void nonsense_is_refused_with_a_reason(void **state) {
    (void)state;
    const model_shape *const llama = model_find("llama_7b"), *const vit = model_find("vit_b16");
    const model_shape tiny = tiny_at(0);
    norm_slot slot = checks_slot(&tiny, NORM_RMSNORM, NORM_FUSED, NORM_F32);
    const layer_config good = tiny_config(&tiny, PART_LAYER, PHASE_PREFILL, &slot, 1);
    assert_true(layer_bytes(&good) > 0);
#define REFUSE(field, value, because)                                                                                  \
    do {                                                                                                               \
        layer_config bad = good;                                                                                       \
        bad.field = value;                                                                                             \
        refuse(&bad, because);                                                                                         \
    } while (0)
    REFUSE(shape, NULL, "model");
    REFUSE(arm_count, 0, "arm");
    REFUSE(threads, 0, "threads");
    REFUSE(batch, 0, "batch");
    REFUSE(batch, SIZE_MAX / 2, "tokens");
    REFUSE(tokens, 0, "4096");
    REFUSE(tokens, SIZE_MAX, "tokens");
    REFUSE(depth, 0, "depth");
    REFUSE(depth, 100000, "layers");
    REFUSE(phase, PHASE_DECODE, "tokens to 1");
    layer_config decode = tiny_config(vit, PART_LAYER, PHASE_DECODE, &slot, 1);
    refuse(&decode, "llama_7b");
    layer_config stage = tiny_config(model_find("convnext_b"), PART_LAYER, PHASE_PREFILL, &slot, 1);
    stage.stage = 4;
    refuse(&stage, "stages 0 to 3");
    slot.variant = "fast";
    refuse(&good, "fast");
    slot = checks_slot(&tiny, NORM_RMSNORM, NORM_ADD_FUSED, NORM_F32);
    slot.repeats = 2;
    refuse(&good, "add_fused");
    assert_non_null(llama);
}

// Bytes of full-size layers, without making them: the weights of one, activations and little else.
static void sizes_are_known_beforehand(void **state) {
    (void)state;
    const model_shape *const m = model_find("llama_7b");
    const norm_slot slot = checks_slot(m, NORM_RMSNORM, NORM_FUSED, NORM_F32);
    layer_config config = tiny_config(m, PART_LAYER, PHASE_PREFILL, &slot, 1);
    config.depth = 1;
    config.batch = 1;
    config.tokens = 512;
    config.packed_only = true;
    const double weights = 4.0 * (double)model_layer_weights(m, 0);
    const double lean = (double)layer_bytes(&config);
    assert_true(lean > weights && lean < weights + 300e6);
    config.packed_only = false;
    const double both = (double)layer_bytes(&config);
    assert_true(both > 2.0 * weights && both < 2.0 * weights + 300e6);
    config.packed_only = true;
    config.depth = 32;
    const double deep = (double)layer_bytes(&config);
    assert_true(deep > 32.0 * weights && deep < 32.0 * weights + 310e6); // activations do not grow with depth
    config.phase = PHASE_TRAIN;
    config.depth = 1;
    // Weights and their gradients; activations of 512 tokens: about 20 of the width and 8 of the FFN.
    assert_true((double)layer_bytes(&config) > 2.0 * weights);
    assert_true((double)layer_bytes(&config) < 2.0 * weights + 512.0 * 4.0 * (24.0 * 4096.0 + 10.0 * 11008.0) + 100e6);
}

// I, operations of products for each normed element, against arithmetic by hand. data: of products whose input has no
// gradient.
static void expect_work_of(layer_config config, double flops, double data, double normed) {
    layer_work work;
    char error[LAYER_ERROR_SIZE];
    assert_true(layer_count(&config, &work, error));
    assert_true(fabs(work.flops / flops - 1) < 1e-9);
    assert_true(fabs(work.normed / normed - 1) < 1e-9);
    config.phase = PHASE_TRAIN; // backward: two products for each of forward; what is normed is what goes forward
    assert_true(layer_count(&config, &work, error));
    assert_true(fabs(work.flops / (3 * flops - data) - 1) < 1e-9);
    assert_true(fabs(work.normed / normed - 1) < 1e-9);
}
static void expect_work(layer_config config, double flops, double normed) { expect_work_of(config, flops, 0, normed); }

static void work_is_counted(void **state) {
    (void)state;
    const model_shape *m = model_find("vit_b16");
    norm_slot slot = checks_slot(m, NORM_LAYERNORM, NORM_FUSED, NORM_F32);
    layer_config config = tiny_config(m, PART_LAYER, PHASE_PREFILL, &slot, 1);
    config.depth = 1;
    config.batch = 3;
    config.tokens = 197;
    const double rows = 3 * 197;
    expect_work(config, rows * (2.0 * 12 * 768 * 768 + 4.0 * 197 * 768), rows * 2 * 768);
    config.depth = 2;
    expect_work(config, 2 * rows * (2.0 * 12 * 768 * 768 + 4.0 * 197 * 768), 2 * rows * 2 * 768);

    // Grouped queries, norms on q and k, and a mask: a token sees itself and those before it.
    m = model_find("qwen3_8b");
    slot = checks_slot(m, NORM_RMSNORM, NORM_FUSED, NORM_F32);
    config = tiny_config(m, PART_LAYER, PHASE_PREFILL, &slot, 1);
    config.depth = 1;
    config.batch = 1;
    config.tokens = 512;
    const double weights = 2.0 * 4096 * 32 * 128 + 2.0 * 4096 * 8 * 128 + 3.0 * 4096 * 12288;
    expect_work(config, 512 * (2 * weights + 4.0 * 32 * 128 * 513 / 2), 512 * (2.0 * 4096 + 32 * 128 + 8 * 128));

    m = model_find("convnext_b");
    slot = checks_slot(m, NORM_LAYERNORM, NORM_FUSED, NORM_F32);
    config = tiny_config(m, PART_LAYER, PHASE_PREFILL, &slot, 1);
    config.depth = 1;
    config.batch = 1;
    config.stage = 0;
    expect_work(config, 56.0 * 56 * (2.0 * 8 * 128 * 128 + 2.0 * 49 * 128), 56.0 * 56 * 128);

    // Of Swin a position sees the 49 of its window, of MobileViT a fourth of the image.
    m = model_find("swin_t");
    config = tiny_config(m, PART_LAYER, PHASE_PREFILL, &slot, 1);
    config.depth = 2; // one of them with the image moved round
    config.batch = 1;
    config.stage = 1;
    expect_work(config, 2 * 28.0 * 28 * (2.0 * 12 * 192 * 192 + 4.0 * 49 * 192), 2 * 28.0 * 28 * 2 * 192);
    m = model_find("mobilevit_s");
    config.shape = m;
    config.depth = 1;
    config.stage = 2;
    expect_work(config, 8.0 * 8 * (2.0 * 8 * 240 * 240 + 4.0 * 16 * 240), 8.0 * 8 * 2 * 240);

    // A convolution of 31 taps, five norms; a sum over triangles and an attention of each kind, eight norms.
    config.shape = model_find("conformer_s");
    config.tokens = 250;
    expect_work(config, 250 * (2.0 * 23 * 144 * 144 + 4.0 * 250 * 144 + 2.0 * 31 * 144), 250 * 5.0 * 144);
    config.shape = model_find("pairformer");
    config.tokens = 64;
    expect_work(config,
                64 * 64 * (2.0 * (34 * 128 * 128 + (4 + 4 + 16) * 128) + 2 * 2.0 * 64 * 128 + 2 * 4.0 * 64 * 128),
                64 * 64 * 8.0 * 128);
}

static void work_along_sequences_is_counted(void **state) {
    (void)state;
    const norm_slot slot = checks_slot(model_find("hyena_dna"), NORM_LAYERNORM, NORM_FUSED, NORM_F32);
    layer_config config = tiny_config(model_find("hyena_dna"), PART_LAYER, PHASE_PREFILL, &slot, 1);
    config.depth = 1;

    // Beside the products of tokens those that make the filter, once for the batch, and a convolution of three taps;
    // the one as long as the sequence does not count.
    config.tokens = 1024;
    config.batch = 2;
    expect_work_of(config,
                   2 * 1024 * (24.0 * 256 * 256 + 2.0 * 3 * 3 * 256) + 1024 * 2.0 * (5 * 64 + 2 * 64 * 64 + 64 * 256),
                   1024 * 2.0 * 5 * 64, 2 * 1024 * 2.0 * 256);

    // Of both strands and directions, products and convolutions; scans do not count.
    config.shape = model_find("caduceus");
    config.batch = 1;
    const double way = 2.0 * (3 * 256 * 512 + (16 + 32) * 512 + 16 * 512) + 2.0 * 4 * 512;
    expect_work(config, 2 * 1024 * 2 * way, 2 * 1024 * 256.0);
}

// Of every model, a layer in inference at the tokens that are its default takes its weights and at most 300 MB.
static void inference_is_lean(void **state) {
    (void)state;
    const model_shape *m;
    for (size_t i = 0; (m = model_at(i)) != NULL; i++)
        for (norm_dtype dtype = NORM_F32; dtype < MODEL_DTYPES; dtype++) {
            const norm_slot slot = checks_slot(m, m->native, NORM_FUSED, dtype);
            layer_config config = tiny_config(m, PART_LAYER, PHASE_PREFILL, &slot, 1);
            config.dtype = dtype;
            config.depth = 1;
            config.batch = m->kind == MODEL_VIT || model_stages(m) > 0 ? 8 : 1;
            // Of pairs 128 tokens: at 256, what SwiGLU alone reads is 268 MB.
            config.tokens = m->kind == MODEL_VIT ? 197 : m->kind == MODEL_PAIRFORMER ? 128 : 512;
            config.stage = 0;
            config.packed_only = true;
            const double weights = (double)norm_dtype_bytes(dtype) * (double)model_layer_weights(m, 0);
            assert_true((double)layer_bytes(&config) < weights + 300e6);
        }
}

// In inference an activation takes the place of what it reads, and of what lies between the products of many rows there
// is a tile.
static void activations_take_little_memory(void **state) {
    (void)state;
    const model_shape *const m = model_find("convnext_b");
    const norm_slot slot = checks_slot(m, NORM_LAYERNORM, NORM_FUSED, NORM_F32);
    layer_config config = tiny_config(m, PART_LAYER, PHASE_PREFILL, &slot, 1);
    config.depth = 1;
    config.batch = 8;
    config.packed_only = true;
    for (config.stage = 0; config.stage < MODEL_STAGES; config.stage++) {
        const double width = (double)m->stages[config.stage].width, side = (double)m->stages[config.stage].side;
        const double narrow = 4.0 * (double)config.batch * side * side * width, wide = 4.0 * narrow;
        const double weights = 4.0 * (double)model_layer_weights(m, config.stage), tile = 4 << 20;
        const double between = config.stage < 2 ? tile : wide;
        assert_true((double)layer_bytes(&config) < weights + 5.0 * narrow + between + 0.1e6);
    }
}

// Tiles of rows compute what all rows at once do, and are shown as one step each.
static void feed_forward_goes_by_tiles(void **state) {
    (void)state;
    model_shape m = *model_find("convnext_b");
    m.stages[0].side = 83; // 6889 rows, which six tiles do not divide
    m.stages[0].width = 192;
    const norm_slot slot = checks_slot(&m, NORM_LAYERNORM, NORM_FUSED, NORM_F32);
    layer_config config = tiny_config(&m, PART_LAYER, PHASE_PREFILL, &slot, 1);
    config.depth = 1;
    config.batch = 1;
    config.stage = 0;
    layer *const tiled = checks_make(&config);
    config.phase = PHASE_TRAIN;
    layer *const whole = checks_make(&config);
    assert_int_equal(layer_steps(tiled), 7);
    assert_int_equal(layer_readings(tiled), 7 + 5 * 3);
    double ns[7] = {-1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0};
    assert_true(layer_run(tiled, ns));
    checks_run(whole);
    checks_same("output", checks_tensor(tiled, "output.stream")->value, checks_tensor(whole, "output.stream")->value,
                1e-6);
    for (size_t i = 0; i < 7; i++) {
        assert_true(ns[i] > 0.0);
        assert_string_equal(layer_step_at(tiled, i)->name, layer_step_at(whole, i)->name);
    }
    // The last tile begins early, so that a few rows are computed twice.
    assert_true(layer_step_at(tiled, 2)->flops >= layer_step_at(whole, 2)->flops);
    assert_true(layer_step_at(tiled, 2)->flops < 1.01 * layer_step_at(whole, 2)->flops);
    layer_free(tiled);
    layer_free(whole);
}

// Pages that were freed go back to the kernel, so that what is allocated next is new ones.
static bool give_pages_back(void) {
#ifdef __GLIBC__
    (void)malloc_trim(0);
    return true;
#else
    return false;
#endif
}

// Of the norms in an arm's slots, the pages that the kernel gave them and how many there are.
static double norm_pages(layer *l, size_t arm, size_t *sites) {
    double sum = 0.0;
    layer_select(l, arm);
    double *const pages = malloc((layer_steps(l) + 1) * sizeof *pages);
    assert_non_null(pages);
    checks_run(l);
    if (!give_pages_back())
        skip();
    assert_true(layer_run_pages(l, pages));
    *sites = 0;
    for (size_t i = 0; i < layer_steps(l); i++) {
        assert_true(pages[i] >= 0.0);
        if (layer_step_at(l, i)->kind == STEP_NORM) {
            sum += pages[i];
            ++*sites;
        }
    }
    free(pages);
    return sum;
}

// The results of form framework are new pages, at every site; where results stay there are hardly any.
static void new_results_are_pages_of_their_steps(void **state) {
    (void)state;
    const model_shape m = *model_find("vit_s16");
    const norm_slot arms[] = {checks_slot(&m, NORM_DYT, NORM_FRAMEWORK, NORM_F32),
                              checks_slot(&m, NORM_DYT, NORM_FUSED, NORM_F32)};
    layer_config config = tiny_config(&m, PART_LAYER, PHASE_PREFILL, arms, 2);
    config.depth = 1;
    config.tokens = 197; // 150 pages each and more
    layer *const l = checks_make(&config);
    size_t sites;
    const double framework = norm_pages(l, 0, &sites);
    assert_true(sites == 2 && framework >= (double)sites);
    assert_true(norm_pages(l, 1, &sites) < framework / 2);
    layer_free(l);
}

static bool disjoint(const storage *a, const storage *b) {
    return a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset;
}

// Memory is shared by storages of one size whose lives do not meet, and by no others.
static void storages_share_by_size(void **state) {
    (void)state;
    storage s[] = {{.bytes = 4096, .first = 0, .last = 1},      {.bytes = 4096, .first = 2, .last = 3},
                   {.bytes = 4096, .first = 3, .last = 4},      {.bytes = 1024, .first = 4, .last = 5},
                   {.bytes = 8192, .first = 2, .last = 2},      {.bytes = 1024, .first = 0, .last = 2},
                   {.bytes = 4096, .first = ALWAYS, .last = -1}};
    enum { COUNT = sizeof s / sizeof *s };
    const size_t total = arena_place(s, COUNT);
    for (size_t i = 0; i < COUNT - 1; i++) {
        assert_true(s[i].offset + s[i].bytes <= total);
        for (size_t k = 0; k < i; k++)
            assert_true(disjoint(&s[i], &s[k]) ||
                        (s[i].bytes == s[k].bytes && (s[i].first > s[k].last || s[k].first > s[i].last)));
    }
    assert_int_equal(s[0].offset, s[1].offset);
    assert_int_equal(s[3].offset, s[5].offset);
}

static void slots_have_what_the_model_has(void **state) {
    (void)state;
    norm_slot s;
    assert_true(layer_slot(model_find("llama_7b"), NORM_DYT, "u2", NORM_FUSED, "best", NORM_F32, &s));
    assert_string_equal(s.variant, "u2_nobeta");
    assert_true(layer_slot(model_find("vit_b16"), NORM_DYT, "u2_nobeta", NORM_FUSED, "best", NORM_F32, &s));
    assert_string_equal(s.variant, "u2");
    assert_true(layer_slot(model_find("dit_b4"), NORM_LAYERNORM, NULL, NORM_FUSED, "best", NORM_F32, &s));
    assert_string_equal(s.variant, "onepass_noaffine");
    assert_true(layer_slot(model_find("vit_b16"), NORM_RMSNORM, NULL, NORM_EAGER, "scalar", NORM_BF16, &s));
    assert_string_equal(s.variant, "std");
    assert_true(layer_slot(model_find("llama_7b"), NORM_LAYERNORM, NULL, NORM_FUSED, "best", NORM_F32, &s));
    assert_false(layer_slot(model_find("vit_b16"), NORM_DYT, "u9", NORM_FUSED, "best", NORM_F32, &s));
    assert_false(layer_slot(model_find("vit_b16"), NORM_DYT, "u2", NORM_FUSED, "mmx", NORM_F32, &s));
}

static int set_team(void **state) {
    (void)state;
    omp_set_num_threads(2); // the products run on the caller's team
    return 0;
}
int main(void) {
    skip_without_products();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_come_in_chunks),
        cmocka_unit_test(nonsense_is_refused_with_a_reason),
        cmocka_unit_test(sizes_are_known_beforehand),
        cmocka_unit_test(work_is_counted),
        cmocka_unit_test(work_along_sequences_is_counted),
        cmocka_unit_test(inference_is_lean),
        cmocka_unit_test(activations_take_little_memory),
        cmocka_unit_test(feed_forward_goes_by_tiles),
        cmocka_unit_test(storages_share_by_size),
        cmocka_unit_test(slots_have_what_the_model_has),
        cmocka_unit_test(new_results_are_pages_of_their_steps),
    };
    return cmocka_run_group_tests(tests, set_team, NULL);
}
