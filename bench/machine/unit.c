// SPDX-License-Identifier: MIT
// unit.c: see unit.h.
#include "unit.h"

#include <stdlib.h>

#include "base/order.h"

// Index of one domain, -1: none such.
static int domain_of(const unit *u, domain which) {
    const int domains[DOMAINS] = {
        [DOMAIN_PACKAGE] = u->seat.package, [DOMAIN_NUMA] = u->seat.numa, [DOMAIN_L3] = u->seat.l3};
    return domains[which];
}

static int by_order(const void *left, const void *right) {
    return order_int(((const unit *)left)->order, ((const unit *)right)->order);
}

static int by_core(const void *left, const void *right) {
    const unit *a = left, *b = right;
    return ORDER_BY(order_int(a->sibling, b->sibling), order_int(b->speed, a->speed), by_order(a, b));
}

// The tree, depth first, of each kind of core apart. PUs of a core stay together, because they are of one kind.
static int by_path(const void *left, const void *right) {
    const unit *a = left, *b = right;
    int c = order_int(b->speed, a->speed);
    for (size_t i = 0; c == 0 && i < DOMAINS; i++)
        c = order_int(a->path[i], b->path[i]);
    return c != 0 ? c : by_order(a, b);
}

// One PU per core and fast cores first; of those the path's ranks from the inside out: what varies fastest is the
// outermost, so neighbours in this order are far apart in the tree. Smaller domains just run out earlier.
static int by_scatter(const void *left, const void *right) {
    const unit *a = left, *b = right;
    int c = ORDER_BY(order_int(a->sibling, b->sibling), order_int(b->speed, a->speed),
                     order_int(a->rank_core, b->rank_core));
    for (int i = DOMAINS - 1; c == 0 && i >= 0; i--)
        c = order_int(a->rank[i], b->rank[i]);
    return c != 0 ? c : by_order(a, b);
}

// A domain is known by the first unit in it.
static int first_in_domain(const unit *units, const unit *u, domain which) {
    size_t i = 0;
    while (domain_of(&units[i], which) != domain_of(u, which))
        i++;
    return (int)i;
}

void units_rank(unit *units, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < DOMAINS; k++) {
            const domain which = units[i].nesting[k];
            // Cores outside every L3 come after those that have one.
            const bool outside = which == DOMAIN_L3 && units[i].seat.l3 < 0;
            units[i].path[k] = first_in_domain(units, &units[i], which) + (outside ? (int)count : 0);
        }
    qsort(units, count, sizeof *units, by_path);
    for (size_t i = 1; i < count; i++) {
        unit *const u = &units[i];
        const unit *const before = &units[i - 1];
        bool same = u->speed == before->speed;
        for (size_t k = 0; k < DOMAINS; k++) {
            const bool inside = same;
            same = same && u->path[k] == before->path[k];
            u->rank[k] = inside ? before->rank[k] + !same : 0;
        }
        u->rank_core = same ? before->rank_core + (u->sibling == 0) : 0;
    }
    qsort(units, count, sizeof *units, by_order);
}

void units_sort(unit *units, size_t count, placement p) {
    if (p == PLACEMENT_CORES)
        qsort(units, count, sizeof *units, by_core);
    else if (p == PLACEMENT_SCATTER)
        qsort(units, count, sizeof *units, by_scatter);
}

const unit *units_first(const unit *units, size_t count) {
    const unit *first = units;
    for (size_t i = 1; i < count; i++)
        if (by_core(&units[i], first) < 0)
            first = &units[i];
    return first;
}

size_t units_domains(const unit *units, size_t count, domain which) {
    size_t domains = 0;
    for (size_t i = 0; i < count; i++)
        domains += domain_of(&units[i], which) >= 0 && first_in_domain(units, &units[i], which) == (int)i;
    return domains;
}
