// SPDX-License-Identifier: MIT
// What the judge's line of a ratio says of what bounds the kernels behind it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/verdicts.h"
#include "temporary.h"

#define KERNELS                                                                                                        \
    "run_id,op,variant,pass,form,level,dtype,rows,cols,threads,placement,cache,time_ns_min,time_ns_median,"            \
    "time_ns_lo95,time_ns_hi95,bytes_per_element,ratio_to_rmsnorm,ratio_lo95,ratio_hi95,status,reason,"                \
    "cycles_per_element,ratio_to_layernorm,ratio_to_layernorm_lo95,ratio_to_layernorm_hi95,bound,bound_fraction"
#define ASKED "id,question,unit,table,quantity,subject,baseline,where,part,layers,tokens,holds_lo,holds_hi"

// The line of a ratio says how near either kernel is to what bounds it, and which is not at its limit.
static void ratios_say_what_bounds_both(void **state) {
    static const struct {
        const char *dyt, *rmsnorm, *want;
    } cases[] = {
        {"ports,0.59", "l2,0.88", "; dyt 0.59 of ports (not at its limit), rmsnorm 0.88 of l2\n"},
        {"memory,0.85", "memory,0.8499", "; dyt 0.85 of memory, rmsnorm 0.85 of memory (not at its limit)\n"},
        {"l1,1.01", "latency,0.97", "; dyt 1.01 of l1, rmsnorm 0.97 of latency\n"},
        {",", "l3,0.9", "; rmsnorm 0.90 of l3\n"},
        {",", ",", "times the time of rmsnorm [1.19, 1.21]\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = NULL, message[TABLES_MESSAGE] = "";
        size_t size = 0;
        run_tables run;
        verdicts v;
        FILE *const out = open_memstream(&text, &size);
        const char *const row = "r,%s,forward,fused,avx2,f32,64,64,1,cores,warm,90,100,98,102,8,%s,ok,,1.5,,,,%s\n";
        char rows[512];
        const int used = snprintf(rows, sizeof rows, row, "dyt,u2", "1.2,1.19,1.21", cases[i].dyt);
        snprintf(rows + used, sizeof rows - (size_t)used, row, "rmsnorm,std", "1,1,1", cases[i].rmsnorm);
        temporary_put("kernels.csv", "%s\n%s", KERNELS, rows);
        temporary_put("asked.csv", "%s\n%s", ASKED, "x,q,1,kernels,time_ratio,op=dyt,op=rmsnorm,rows=64,,,64,,1\n");
        assert_true(run_tables_read(&run, temporary_folder(), message));
        assert_true(verdicts_make(&v, VERDICT_TABLE_QUESTIONS, temporary_path("asked.csv"), &run, 1, message));
        assert_true(verdicts_print(&v, out));
        assert_int_equal(fclose(out), 0);
        const size_t length = strlen(cases[i].want);
        if (size < length || strcmp(text + size - length, cases[i].want) != 0)
            fail_msg("%s and %s: %s", cases[i].dyt, cases[i].rmsnorm, text);
        free(text);
        verdicts_free(&v);
        run_tables_free(&run);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(ratios_say_what_bounds_both, temporary_empty)};
    return cmocka_run_group_tests(tests, temporary_make, temporary_remove);
}
