// SPDX-License-Identifier: MIT
// list.h: a list that grows item by item.
#ifndef LIST_H
#define LIST_H

#include <stddef.h>
#include <stdlib.h>

// The list with room for one item more, which it has but where it holds none or a power of two: it is then made twice
// as large. It was always grown so. NULL: no memory, and the list is as it was.
static inline void *list_more(void *items, size_t count, size_t size) {
    return (count & (count - 1)) != 0 ? items : realloc(items, (count == 0 ? 1 : 2 * count) * size);
}

#endif
