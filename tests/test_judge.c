// SPDX-License-Identifier: MIT
// The judge on tables made by hand: which digits are said, which rows are meant, how a change is made, what is refused
// and with which words; and the questions that the program holds.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/interval.h"
#include "report/efficiency.h"
#include "report/verdicts.h"
#include "temporary.h"

static void put(const char *name, const char *header, const char *rows) { temporary_put(name, "%s\n%s", header, rows); }

#define KERNELS                                                                                                        \
    "run_id,op,variant,pass,form,level,dtype,rows,cols,threads,placement,cache,time_ns_min,time_ns_median,"            \
    "time_ns_lo95,time_ns_hi95,bytes_per_element,ratio_to_rmsnorm,ratio_lo95,ratio_hi95,status,reason,"                \
    "cycles_per_element,ratio_to_layernorm,ratio_to_layernorm_lo95,ratio_to_layernorm_hi95"
// A row: op, variant, form, level, rows x 64, threads, times, the ratio with its interval, status and reason; that to
// layernorm.
#define KERNEL(op, variant, form, level, rows, threads, times, ratio, status)                                          \
    KERNEL_TO(op, variant, form, level, rows, threads, times, ratio, status, ",,")
#define KERNEL_TO(op, variant, form, level, rows, threads, times, ratio, status, to_layernorm)                         \
    "r," op "," variant ",forward," form "," level ",f32," rows ",64," threads ",cores,warm," times ",8," ratio        \
    "," status ",1.5," to_layernorm "\n"
#define LAYERS                                                                                                         \
    "run_id,op,variant,pass,form,level,dtype,rows,cols,threads,placement,cache,model,phase,batch,tokens,context,"      \
    "time_ns_median,time_ns_lo95,time_ns_hi95,norm_time_ns_median,norm_time_ns_lo95,norm_time_ns_hi95,norm_share,"     \
    "norm_share_lo95,norm_share_hi95,delta_to_native_pct,delta_to_native_lo95,delta_to_native_hi95,rest_equivalent,"   \
    "status,reason,part,depth,stage,scaled,norm_delta_pct,norm_delta_lo95,norm_delta_hi95"
// A row: op and variant, the layer's times, its norms' times and share, the change, whether the rest is the same, and
// the change by the norms.
#define LAYER(op, times, norms, delta, rest, in_place)                                                                 \
    "r," op ",both,fused,avx2,f32,512,4096,2,cores,warm,llama_7b,prefill,1,512,0," times "," norms "," delta "," rest  \
    ",ok,,layer,1,0,1," in_place "\n"
#define ASKED "id,question,unit,table,quantity,subject,baseline,where,part,layers,tokens,holds_lo,holds_hi"

// Asks one question, a row of ASKED, of the folder's tables.
static finding ask(const char *row, run_tables *run, questions *q) {
    char message[TABLES_MESSAGE] = "";
    put("asked.csv", ASKED, row);
    if (!run_tables_read(run, temporary_folder(), message) ||
        !questions_read(q, temporary_path("asked.csv"), "", message))
        fail_msg("%s: %s", row, message);
    findings all = {0};
    assert_true(judge(&q->items[0], run, 1, &all));
    const finding f = all.items[0];
    findings_free(&all);
    return f;
}
static void forget(run_tables *run, questions *q) {
    questions_free(q);
    run_tables_free(run);
}

// ---- Intervals

static void digits_are_those_that_the_interval_supports(void **state) {
    static const struct {
        double v, lo, hi, bound;
        const char *want;
    } cases[] = {
        {-52.3333, -53.277, -51.391, NAN, "-52.3 % [-53.3, -51.4]"},
        {-52.3333, -53.277, -51.391, -53.28, "-52.333 % [-53.277, -51.391]"}, // -53.3 would lie beyond the bound
        {1.0414, 0.6, 1.46, NAN, "1.0 % [0.6, 1.5]"},
        {0.97, 0.95, 0.9996, 1, "0.9700 % [0.9500, 0.9996]"},
        {-0.0001, -0.3, 0.3, NAN, "0.0 % [-0.3, 0.3]"}, // no minus before a zero
        {162.4, 150, 182, NAN, "162 % [150, 182]"},
        {0.01194, 0.01191, 0.01199, NAN, "0.0119 % [0.0119, 0.0120]"}, // four decimals at most
        {3.4, NAN, NAN, NAN, "3.40 % [no interval]"},
    };
    char text[INTERVAL_TEXT];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const stats_interval at = interval_of(cases[i].v, cases[i].lo, cases[i].hi);
        const judge_bounds within = {NAN, cases[i].bound, NAN};
        assert_string_equal(interval_text(text, &at, "%", judge_decimals(&at, &within)), cases[i].want);
    }
}

static void arithmetic_takes_the_worst_ends(void **state) {
    (void)state;
    const stats_interval a = interval_of(6, 5, 7), b = interval_of(2, 1, 4), low = interval_of(-6, -7, -5);
    const stats_interval ratio = interval_quotient(a, b, 100, 1), change = interval_quotient(low, b, 1, 0);
    const stats_interval less = interval_sum(a, -1, b), none = interval_quotient(a, interval_of(0, 0, 0), 1, 0);
    assert_true(ratio.median == 200 && ratio.lo == 25 && ratio.hi == 600);
    assert_true(change.median == -3 && change.lo == -7 && change.hi == -1.25);
    assert_true(less.median == 4 && less.lo == 1 && less.hi == 6);
    assert_true(isnan(none.median));
    const stats_interval open = interval_quotient(a, interval_of(2, NAN, NAN), 1, 0);
    assert_true(open.median == 3 && !interval_known(&open));
}

// ---- Rows of kernels.csv

static void kernels_are_judged(void **state) {
    static const char rows[] =
        KERNEL_TO("dyt", "lp", "fused", "avx2", "64", "1", "90,100,98,102", ",,", "ok,",
                  "0.7,0.69,0.71") KERNEL("rmsnorm", "std", "fused", "avx2", "64", "1", "90,100,98,102", "1,1,1", "ok,")
            KERNEL("rmsnorm", "std_nt", "fused", "avx2", "64", "1", "190,200,198,202", "1,1,1", "ok,") KERNEL(
                "layernorm", "onepass", "fused", "avx2", "64", "1", "150,160,150,170", "1.6,1.5,1.7", "unstable,noisy")
                KERNEL("dyt", "u2", "fused", "scalar", "64", "1", "900,999,990,1010", "9.9,9.8,9.99", "ok,")
                    KERNEL("dyt", "u2", "fused", "avx2", "64", "1", "110,120,118,122", "1.2,1.19,1.21", "ok,")
                        KERNEL("dyt", "u2_nt", "fused", "avx2", "64", "1", "180,190,188,192", "0.95,0.9,1", "ok,")
                            KERNEL("dyt", "libm", "fused", "avx2", "64", "1", ",,,", ",,", "skipped,too slow")
                                KERNEL("dyt", "u2", "fused", "auto_avx2", "128", "2", "210,220,210,230", ",,", "ok,")
                                    KERNEL("rmsnorm", "std", "fused", "avx2", "128", "2", "190,200,190,210", "1,1,1",
                                           "ok,");
    static const struct {
        const char *subject, *baseline, *where, *bounds;
        verdict want;
        double value;
        const char *method, *why;
    } cases[] = {
        // The strongest level, from paired samples.
        {"op=dyt variant=u2", "op=rmsnorm", "rows=64", ",1", VERDICT_DOES_NOT_HOLD, 1.2, "paired", ""},
        {"op=dyt variant=u2", "op=rmsnorm", "rows=64", "1,", VERDICT_HOLDS, 1.2, "paired", ""},
        // A partner has the same kind of stores; an end that is the bound decides nothing, for digits are cut.
        {"op=dyt variant=u2_nt", "op=rmsnorm variant=std_nt", "rows=64", ",1", VERDICT_CANNOT_TELL, 0.95, "paired", ""},
        {"op=dyt variant=u2", "op=rmsnorm variant=std_nt", "rows=64", ",1", VERDICT_HOLDS, 0.6, "times", ""},
        {"op=dyt variant=u2", "op=layernorm", "rows=64", ",1", VERDICT_HOLDS, 0.75, "times", ""},
        {"op=dyt variant=lp", "op=layernorm", "rows=64", ",1", VERDICT_HOLDS, 0.7, "paired", ""},
        // Of several shapes the largest; one thread a core, of the most that were used where no machine is known.
        {"op=dyt variant=u2", "op=rmsnorm", "threads=cores", ",1", VERDICT_CANNOT_TELL, 1.1, "times", ""},
        {"op=dyt variant=u2", "op=rmsnorm", "cache=warm", ",1", VERDICT_CANNOT_TELL, 1.1, "times", ""},
        // Of several variants the default.
        {"op=dyt level=avx2", "op=rmsnorm", "rows=64 threads=1|3", ",1", VERDICT_DOES_NOT_HOLD, 1.2, "paired", ""},
        {"op=dyt variant=libm", "op=rmsnorm", "rows=64", ",1", VERDICT_CANNOT_TELL, NAN, "", "is skipped, too slow"},
        {"op=derf", "op=rmsnorm", "rows=64", ",1", VERDICT_CANNOT_TELL, NAN, "",
         "no row of kernels.csv has op=derf rows=64"},
        {"op=dyt variant=u2", "op=identity", "rows=64", ",1", VERDICT_CANNOT_TELL, NAN, "", "has op=identity run_id=r"},
        {"op=dyt variant=u2", "op=rmsnorm", "data=L1", ",1", VERDICT_CANNOT_TELL, NAN, "", "data=L1"},
    };
    (void)state;
    put("kernels.csv", KERNELS, rows);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char row[512];
        run_tables run;
        questions q;
        snprintf(row, sizeof row, "x,q,1,kernels,time_ratio,%s,%s,%s,,,128,%s\n", cases[i].subject, cases[i].baseline,
                 cases[i].where, cases[i].bounds);
        const finding f = ask(row, &run, &q);
        const bool equal =
            isnan(cases[i].value) ? isnan(f.value.median) : fabs(f.value.median - cases[i].value) < 1e-12;
        if (f.verdict != cases[i].want || !equal || strcmp(f.method, cases[i].method) != 0 ||
            (isnan(cases[i].value) && strstr(f.why, cases[i].why) == NULL))
            fail_msg("%s: %s, %g, %s, %s", row, verdict_name(f.verdict), f.value.median, f.method, f.why);
        // 128 rows were published; a row that is noisy makes the verdict so.
        assert_int_equal(f.scaled, row_is(f.subject) && strcmp(row_text(f.subject, "rows"), "64") == 0);
        assert_int_equal(f.unstable, strstr(cases[i].baseline, "layernorm") != NULL);
        forget(&run, &q);
    }
}

static void data_lie_in_the_nearest_cache(void **state) {
    static const char *const places[] = {"L1", "L2", "L3", "memory"};
    static const char *const rows[] = {"1", "16", "256", "4096"};
    (void)state;
    put("kernels.csv", KERNELS,
        KERNEL("dyt", "u2", "fused", "avx2", "1", "1", "1,1,1,1", "0.5,0.4,0.6", "ok,")
            KERNEL("rmsnorm", "std", "fused", "avx2", "1", "1", "2,2,2,2", "1,1,1", "ok,")
                KERNEL("dyt", "u2", "fused", "avx2", "16", "1", "1,1,1,1", "0.5,0.4,0.6", "ok,")
                    KERNEL("rmsnorm", "std", "fused", "avx2", "16", "1", "2,2,2,2", "1,1,1", "ok,")
                        KERNEL("dyt", "u2", "fused", "avx2", "256", "1", "1,1,1,1", "0.5,0.4,0.6", "ok,")
                            KERNEL("rmsnorm", "std", "fused", "avx2", "256", "1", "2,2,2,2", "1,1,1", "ok,")
                                KERNEL("dyt", "u2", "fused", "avx2", "4096", "1", "1,1,1,1", "0.5,0.4,0.6", "ok,")
                                    KERNEL("rmsnorm", "std", "fused", "avx2", "4096", "1", "2,2,2,2", "1,1,1", "ok,"));
    put("meta.json", "{\"machine\": {\"topology\": {\"cores\": 1, \"l1d_bytes\": 1024, \"l2_bytes\": 16384,",
        "\"llc_bytes\": 262144}}}\n");
    for (size_t i = 0; i < 4; i++) {
        char row[256];
        run_tables run;
        questions q;
        snprintf(row, sizeof row, "x,q,1,kernels,time_ratio,op=dyt,op=rmsnorm,data=%s threads=cores,,,,,1\n",
                 places[i]);
        const finding f = ask(row, &run, &q);
        assert_int_equal(f.verdict, VERDICT_HOLDS);
        assert_string_equal(row_text(f.subject, "rows"), rows[i]);
        forget(&run, &q);
    }
}

static void the_tanh_of_a_framework_is_the_runs(void **state) {
    (void)state;
#define TANH(name) KERNEL("dyt", name, "framework", "avx2", "1", "1", "1,1,1,1", "0.5,0.4,0.6", "ok,")
#define NORM KERNEL("rmsnorm", "std", "framework", "avx2", "1", "1", "2,2,2,2", "1,1,1", "ok,")
    static const char *const cases[][2] = {{TANH("sleef") TANH("mkl") TANH("u2") NORM, "mkl"},
                                           {TANH("libm") TANH("sleef") NORM, "sleef"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_tables run;
        questions q;
        put("kernels.csv", KERNELS, cases[i][0]);
        const finding f = ask("x,q,1,kernels,time_ratio,op=dyt,op=rmsnorm,form=framework,,,128,,1\n", &run, &q);
        assert_string_equal(row_text(f.subject, "variant"), cases[i][1]);
        forget(&run, &q);
    }
}

// ---- Rows of layers.csv

// Norms take 10 of 100 and 4 of 90 ns: by the norms the layer changes by -6 %, by the totals by -10 %.
#define NATIVE LAYER("rmsnorm,std", "100,99,101", "10,9.9,10.1,0.1,0.099,0.101", ",,", "", ",,")
#define OTHER(rest, delta, in_place) LAYER("dyt,u2", "90,89,91", "4,3.9,4.1,0.04,0.039,0.041", delta, rest, in_place)
static void layers_are_judged_in_place_where_the_rest_is_the_same(void **state) {
    static const struct {
        const char *dyt, *quantity;
        double value;
        const char *method;
    } cases[] = {
        {OTHER("1", "-10.5,-11,-10", ",,"), "total_change", -6, "in place"},
        {OTHER("1", "-10.5,-11,-10", "-6.1,-6.3,-5.9"), "total_change", -6.1, "in place"},
        {OTHER("0", "-10.5,-11,-10", "-6.1,-6.3,-5.9"), "total_change", -10.5, "totals, paired"},
        {OTHER("", ",,", ",,"), "total_change", -10, "totals"},
        {OTHER("1", "-10.5,-11,-10", ",,"), "norm_change", -60, "in place"},
        {OTHER("1", "-10.5,-11,-10", ",,"), "norm_share", 4, "in place"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char row[256], tables[2048];
        run_tables run;
        questions q;
        snprintf(tables, sizeof tables, "%s%s", NATIVE, cases[i].dyt);
        put("layers.csv", LAYERS, tables);
        snprintf(row, sizeof row, "x,q,%%,layers,%s,op=dyt,op=rmsnorm,model=llama_7b,layer,,4096,,50\n",
                 cases[i].quantity);
        const finding f = ask(row, &run, &q);
        if (f.verdict != VERDICT_HOLDS || !(fabs(f.value.median - cases[i].value) < 1e-9) ||
            strcmp(f.method, cases[i].method) != 0 || !f.scaled)
            fail_msg("%zu, %s: %s, %g, %s, %s", i, cases[i].quantity, verdict_name(f.verdict), f.value.median, f.method,
                     f.why);
        forget(&run, &q);
    }
}

// ---- Input that is wrong

static void bad_questions_are_refused(void **state) {
    static const struct {
        const char *rows, *why;
    } cases[] = {
        {"", "it has no rows"},
        {"x,q,1,kernels,time_ratio,op=dyt,op=rmsnorm,,,,,,1\ny,q,1,kernels,tim_ratio,op=dyt,op=rmsnorm,,,,,,1\n",
         "line 3 is no question: \"tim_ratio\" is no quantity; did you mean time_ratio?"},
        {"x,q,1,kernel,time_ratio,op=dyt,op=rmsnorm,,,,,,1\n", "\"kernel\" is no table; did you mean kernels?"},
        {"x,q,1,layers,time_ratio,op=dyt,op=rmsnorm,,layer,,,,1\n", "table is \"layers\", expected kernels"},
        {"x,q,1,kernels,time_ratio,op=dty,op=rmsnorm,,,,,,1\n", "column subject: \"dty\" is no op; did you mean dyt?"},
        {"x,q,1,kernels,time_ratio,op=dyt|derv,op=rmsnorm,,,,,,1\n", "\"derv\" is no op"},
        {"x,q,1,kernels,time_ratio,op=dyt,op=rmsnorm,shape=64x64,,,,,1\n", "\"64x64\" is no shape"},
        {"x,q,1,kernels,time_ratio,op=dyt,op=rmsnorm,time=1,,,,,1\n", "no row is found by \"time\": give op, variant"},
        {"x,q,1,kernels,time_ratio,op=dyt,op=rmsnorm,rows=many,,,,,1\n", "column where: \"many\" is no number of rows"},
        {"x,q,1,kernels,time_ratio,op=dyt,op=rmsnorm,data=L4,,,,,1\n",
         "\"L4\" is no data; valid are L1, L2, L3, memory"},
        {"x,q,1,kernels,time_ratio,dyt,op=rmsnorm,,,,,,1\n", "\"dyt\" is no word column=value"},
        {"x,q,1,kernels,time_ratio,,op=rmsnorm,,,,,,1\n", "subject is \"\", expected words column=value"},
        {"x,q,1,kernels,time_ratio,op=dyt,,,,,,,1\n", "baseline is \"\", expected words column=value"},
        {"x,q,1,kernels,time_ratio,op=dyt,op=rmsnorm,,,,,one,\n", "holds_lo is \"one\", expected a number"},
        {"x,q,1,kernels,time_ratio,op=dyt,op=rmsnorm,,,,,2,1\n", "line 2 holds nowhere: holds_lo is above holds_hi"},
        {"x,q,1,kernels,time_ratio,op=dyt,op=rmsnorm,,,,few,,1\n", "tokens is \"few\", expected a number"},
        {"x,q,%,layers,norm_share,op=dyt,,,layers,,,,1\n", "\"layers\" is no part; did you mean layer?"},
        {"x,q,%,layers,norm_share,op=dyt,,,model,,,,1\n", "layers is \"\", expected a whole number"},
        {"x,q,1,kernels\n", "line 2: 4 fields, header has 13"},
        {"x,q,1,kernels,time_ratio,op=dyt,op=rmsnorm,,,,,,1", "the last line has no end"},
    };
    static const struct {
        const char *rows, *why;
    } margins[] = {
        {"x,q,1,kernels,time_ratio,op=dyt,op=rmsnorm,,,,,1,2,0.1\n", "margin is \"0.1\", expected nothing"},
        {"x,q,1,kernels,time_ratio,op=dyt,op=rmsnorm,,,,,,,0.1\n", "margin is \"0.1\", expected nothing"},
        {"x,q,1,kernels,time_ratio,op=dyt,op=rmsnorm,,,,,,1,-0.1\n", "margin is \"-0.1\", expected a number"},
    };
    char message[TABLES_MESSAGE];
    (void)state;
    for (size_t i = 0; i < sizeof margins / sizeof *margins; i++) {
        questions q;
        put("asked.csv", ASKED ",margin", margins[i].rows);
        if (questions_read(&q, temporary_path("asked.csv"), "", message) || strstr(message, margins[i].why) == NULL)
            fail_msg("%s: %s", margins[i].rows, message);
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        questions q;
        put("asked.csv", ASKED, cases[i].rows);
        if (questions_read(&q, temporary_path("asked.csv"), "", message) || strstr(message, cases[i].why) == NULL ||
            strstr(message, temporary_path("asked.csv")) == NULL)
            fail_msg("%s: %s", cases[i].rows, message);
    }
}

static void bad_tables_are_refused(void **state) {
    static const char good[] = KERNEL("rmsnorm", "std", "fused", "avx2", "64", "1", "90,100,98,102", "1,1,1", "ok,");
    static const struct {
        const char *header, *rows, *why;
    } cases[] = {
        {KERNELS, KERNEL("rmsnorm", "std", "fused", "avx2", "64", "1", "90,1OO,98,102", "1,1,1", "ok,"),
         "line 3: time_ns_median is \"1OO\", expected a number"},
        {KERNELS, KERNEL("rmsnorm", "std", "fused", "avx2", "64.5", "1", "90,100,98,102", "1,1,1", "ok,"),
         "line 3: rows is \"64.5\", expected a whole number"},
        {KERNELS, KERNEL("rmsnrm", "std", "fused", "avx2", "64", "1", "90,100,98,102", "1,1,1", "ok,"),
         "line 3 is of no run that this program can judge: \"rmsnrm\" is no op; did you mean rmsnorm?"},
        {KERNELS, "r,rmsnorm", "the last line has no end"},
        {KERNELS, "r,rmsnorm\n", "line 3: 2 fields"},
        {"time_ns_median", "1\n", "has no column op: it is no kernels.csv"},
    };
    char message[TABLES_MESSAGE], rows[1024];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_tables run;
        snprintf(rows, sizeof rows, "%s%s", strcmp(cases[i].header, KERNELS) == 0 ? good : "", cases[i].rows);
        put("kernels.csv", cases[i].header, rows);
        if (run_tables_read(&run, temporary_folder(), message) || strstr(message, cases[i].why) == NULL ||
            strstr(message, "kernels.csv: ") == NULL)
            fail_msg("%s: %s", cases[i].rows, message);
    }
}

// ---- What the program holds

static void the_programs_own_questions_can_be_asked(void **state) {
    static const size_t least[VERDICT_TABLES] = {50, 40, 20};
    char message[TABLES_MESSAGE];
    run_tables run;
    efficiency e;
    (void)state;
    assert_true(run_tables_read(&run, temporary_folder(), message));
    for (verdict_table of = 0; of < VERDICT_TABLES; of++) {
        verdicts v;
        if (!verdicts_make(&v, of, NULL, &run, 1, message))
            fail_msg("%s", message);
        assert_true(v.asked.count >= least[of]);
        assert_int_equal(v.found.count, v.asked.count);
        for (size_t i = 0; i < v.asked.count; i++) {
            assert_int_equal(v.found.items[i].verdict, VERDICT_CANNOT_TELL);
            assert_non_null(strstr(v.found.items[i].why, "there is no "));
            for (size_t k = 0; k < i; k++)
                assert_string_not_equal(row_text(v.asked.items[i].row, "id"), row_text(v.asked.items[k].row, "id"));
        }
        verdicts_free(&v);
    }
    if (!efficiency_make(&e, NULL, &run, message))
        fail_msg("%s", message);
    assert_int_equal(e.count, 28);
    efficiency_free(&e);
    run_tables_free(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_those_that_the_interval_supports),
        cmocka_unit_test(arithmetic_takes_the_worst_ends),
        cmocka_unit_test_teardown(kernels_are_judged, temporary_empty),
        cmocka_unit_test_teardown(data_lie_in_the_nearest_cache, temporary_empty),
        cmocka_unit_test_teardown(the_tanh_of_a_framework_is_the_runs, temporary_empty),
        cmocka_unit_test_teardown(layers_are_judged_in_place_where_the_rest_is_the_same, temporary_empty),
        cmocka_unit_test_teardown(bad_questions_are_refused, temporary_empty),
        cmocka_unit_test_teardown(bad_tables_are_refused, temporary_empty),
        cmocka_unit_test(the_programs_own_questions_can_be_asked),
    };
    return cmocka_run_group_tests(tests, temporary_make, temporary_remove);
}
