// SPDX-License-Identifier: MIT
// line_time.c: see line_time.h.
#include "line_time.h"

#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdbool.h>

// A trip is there and back. The first of a trial pay for waking the other thread.
enum { TRIALS = 3, TRIPS = 200, UNTIMED = 20 };
// Threads that share a core hand the line over once a time slice: that is no time of the line.
#define PATIENCE_NS 3e7

// On a line of its own; two, for the hardware fetches lines in pairs.
typedef struct {
    _Alignas(128) atomic_int trip; // odd: there, even: back
    _Alignas(128) atomic_bool end; // apart: an answer that is late would overwrite an end among the trips
} passed_line;

static bool await(const passed_line *line, int value, double until_ns, double (*now_ns)(void)) {
    for (unsigned spins = 0; atomic_load_explicit(&line->trip, memory_order_acquire) != value; spins++)
        if (spins % 1024 == 1023 && now_ns() > until_ns)
            return false;
    return true;
}

// NaN if the other thread does not answer in time.
static double lead(passed_line *line, double (*now_ns)(void)) {
    const double until_ns = now_ns() + PATIENCE_NS;
    double start_ns = 0;
    bool answered = true;
    for (int i = 0; answered && i < UNTIMED + TRIPS; i++) {
        if (i == UNTIMED)
            start_ns = now_ns();
        atomic_store_explicit(&line->trip, 2 * i + 1, memory_order_release);
        answered = await(line, 2 * i + 2, until_ns, now_ns);
    }
    const double ns = (now_ns() - start_ns) / (2.0 * (double)TRIPS);
    atomic_store_explicit(&line->end, true, memory_order_release);
    return answered ? ns : (double)NAN;
}

static void answer(passed_line *line) {
    for (int next = 1; !atomic_load_explicit(&line->end, memory_order_acquire);)
        if (atomic_load_explicit(&line->trip, memory_order_acquire) == next) {
            atomic_store_explicit(&line->trip, next + 1, memory_order_release);
            next += 2;
        }
}

double line_time_ns(int threads, double (*now_ns)(void)) {
    double least = INFINITY;
    if (threads < 2)
        return (double)NAN;
    for (int i = 0; i < TRIALS; i++) {
        passed_line line = {0};
        double ns = NAN;
#pragma omp parallel num_threads(threads)
        {
            if (omp_get_num_threads() == threads && omp_get_thread_num() == 0)
                ns = lead(&line, now_ns);
            else if (omp_get_num_threads() == threads && omp_get_thread_num() == threads - 1)
                answer(&line);
        }
        least = fmin(least, ns);
    }
    return isinf(least) ? (double)NAN : least;
}
