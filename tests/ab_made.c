// SPDX-License-Identifier: MIT
// ab_made.c: see ab_made.h.
#include "ab_made.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

const ab_threshold ab_made_threshold = {1, 0.5};

static const norm_impl *impl_of(const char *op, const char *variant) {
    const norm_impl *const impl = norm_find(op, variant, "fused", "scalar", "f32");
    assert_non_null(impl);
    return impl;
}

void ab_made_make(ab_made *m, uint64_t seed) {
    *m = (ab_made){.plan.schedule.kind = &ab_plan_kind};
    stats_rng_seed(&m->rng, seed, 0);
    for (size_t i = 0; i < ROWS + SENTINELS; i++)
        for (ab_side side = 0; side < AB_SIDES; side++) {
            const norm_impl *const impl = i >= ROWS      ? impl_of("identity", "std")
                                          : i < ROWS / 3 ? impl_of("dyt", "u2")
                                                         : impl_of("rmsnorm", "std");
            const ab_item item = {{impl, NORM_FORWARD, i + 1, 64, 1, PLACEMENT_CORES, CACHE_WARM, 0},
                                  {i >= ROWS ? AB_SENTINEL : AB_ROW, side, 0}};
            assert_true(schedule_add(&m->plan.schedule, &item));
        }
    assert_true(schedule_arrange(&m->plan.schedule));
    for (size_t i = 0; i < m->plan.schedule.count; i++) {
        m->plan.schedule.items[i].calls = 1;
        m->plan.schedule.items[i].rounds = ROUNDS;
        m->plan.schedule.items[i].launches = AB_LAUNCHES;
    }
    for (size_t i = 0; i < ROWS + SENTINELS; i++)
        m->noise[i] = 0.003;
}

void ab_made_forget(ab_made *m) {
    schedule_free(&m->plan.schedule);
    observations_free(&m->all);
}

void ab_made_launch(ab_made *m, size_t end) {
    const schedule *const s = &m->plan.schedule;
    for (; m->launches < end; m->launches++)
        for (size_t i = 0; i < s->count; i += AB_SIDES) {
            const size_t row = ab_items(&m->plan)[i].cell.rows - 1;
            const double off = m->shift[row] + m->noise[row] * stats_rng_normal(&m->rng);
            for (size_t k = 0; k < AB_SIDES * 2 * ROUNDS; k++) {
                const size_t side = k % AB_SIDES;
                observation o = {.item = i + side, .launch = m->launches, .index = k / AB_SIDES, .calls = 1};
                o.sample.value[SAMPLE_TIME] = o.sample.value[SAMPLE_SLOT] = 1000 * exp(side == AB_CANDIDATE ? off : 0);
                o.sample.value[SAMPLE_PREEMPTED] = stats_rng_uniform(&m->rng) < m->preempted[row];
                if (schedule_times_in(&s->items[i], m->launches))
                    assert_true(observations_add(&m->all, &o));
            }
        }
}

size_t ab_made_run_whole(ab_made *m) {
    size_t done = AB_LAUNCHES;
    for (;;) {
        ab_made_launch(m, done);
        const size_t more = ab_go_on(&ab_kernels, &m->plan.schedule, &m->all, ab_made_threshold, done);
        if (more == done)
            return done;
        assert_true(more > done);
        done = more;
    }
}

void ab_made_judge(const ab_made *m, ab_judgement *j) {
    assert_true(ab_judge(j, &ab_kernels, &m->plan.schedule, &m->all, ab_made_threshold));
    assert_int_equal(j->row_count, ROWS + SENTINELS);
}

const ab_row *ab_made_row_at(const ab_judgement *j, size_t row) {
    for (size_t i = 0; i < j->row_count; i++)
        if (((const ab_item *)j->rows[i].item)->cell.rows == row + 1)
            return &j->rows[i];
    fail();
    return NULL;
}

void ab_made_slower(ab_made *m, ab_judgement *j) {
    ab_made_make(m, 1);
    m->shift[5] = 0.03;
    (void)ab_made_run_whole(m);
    ab_made_judge(m, j);
}
