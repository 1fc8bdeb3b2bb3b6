// SPDX-License-Identifier: MIT
// The one place that knows which oneDNN this is.
//
// One OpenMP runtime: distributions build the library against libgomp. A program built by gcc shares it. In one built
// by clang, libomp comes before libgomp in the order of symbol look-up and exports libgomp's entry points as well, so
// the library's parallel regions run on libomp's team; libgomp is loaded and never starts a thread. test_matmul counts
// the threads of its process to prove either.
#include "onednn_layouts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dnnl_debug.h>

#if DNNL_VERSION_MAJOR >= 3
static layout_ref ref_of(const layout *l) { return *l; }
#else
static layout_ref ref_of(const layout *l) { return l; }
#endif

dnnl_data_type_t onednn_type(norm_dtype dtype) {
    static const dnnl_data_type_t types[NORM_DTYPES] = {
        [NORM_F32] = dnnl_f32, [NORM_BF16] = dnnl_bf16, [NORM_F16] = dnnl_f16};
    return types[dtype];
}

static dnnl_status_t layout_make(layout *l, const onednn_tensor *t) {
    const dnnl_data_type_t type = onednn_type(t->dtype);
#if DNNL_VERSION_MAJOR >= 3
    *l = NULL;
    return t->any ? dnnl_memory_desc_create_with_tag(l, t->ndims, t->dims, type, dnnl_format_tag_any)
                  : dnnl_memory_desc_create_with_strides(l, t->ndims, t->dims, type, t->strides);
#else
    return t->any ? dnnl_memory_desc_init_by_tag(l, t->ndims, t->dims, type, dnnl_format_tag_any)
                  : dnnl_memory_desc_init_by_strides(l, t->ndims, t->dims, type, t->strides);
#endif
}

static void layout_free(layout *l) {
#if DNNL_VERSION_MAJOR >= 3
    if (*l)
        (void)dnnl_memory_desc_destroy(*l);
    *l = NULL;
#else
    (void)l;
#endif
}

void onednn_layouts_free(onednn_layouts *all) {
    for (size_t i = 0; i < all->count; i++)
        if (all->at[i])
            layout_free(&all->own[i]);
}

dnnl_status_t onednn_layouts_make(onednn_layouts *all, const onednn_tensor *const tensors[], size_t count) {
    *all = (onednn_layouts){0};
    for (; all->count < count; all->count++) {
        const size_t i = all->count;
        if (!tensors[i])
            continue;
        const dnnl_status_t status = layout_make(&all->own[i], tensors[i]);
        if (status != dnnl_success)
            return status;
        all->at[i] = ref_of(&all->own[i]);
    }
    return dnnl_success;
}

// ---- The process's engine, and the stream of each thread, which ends with it

dnnl_engine_t onednn_engine;
static dnnl_status_t engine_status;
static pthread_key_t stream_key;
static _Thread_local dnnl_stream_t stream;

static void close_stream(void *of) { (void)dnnl_stream_destroy(of); }
static void close_library(void) {
    if (stream)
        close_stream(stream);
    (void)dnnl_engine_destroy(onednn_engine);
}

static void make_engine(void) {
    engine_status = dnnl_engine_create(&onednn_engine, dnnl_cpu, 0);
    if (engine_status == dnnl_success &&
        (pthread_key_create(&stream_key, close_stream) != 0 || atexit(close_library) != 0))
        engine_status = dnnl_out_of_memory;
}

const char *onednn_refusal_of(unsigned runtime, int major, int minor) {
    static const struct {
        unsigned runtime;
        const char *owner;
    } others[] = {{DNNL_RUNTIME_SEQ, "its caller alone"}, {DNNL_RUNTIME_TBB, "TBB"}, {DNNL_RUNTIME_SYCL, "SYCL"}};
    static char text[160];
    const char *owner = "another pool";
    if (major != DNNL_VERSION_MAJOR || minor < DNNL_VERSION_MINOR) {
        snprintf(text, sizeof text,
                 "headers and library of one oneDNN; these are of %d.%d and %d.%d: build anew, by ONEDNN=PREFIX",
                 DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR, major, minor);
        return text;
    }
    if (runtime == DNNL_RUNTIME_OMP)
        return NULL;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (runtime == others[i].runtime)
            owner = others[i].owner;
    snprintf(text, sizeof text, "a oneDNN of DNNL_CPU_RUNTIME=OMP; %d.%d here has threads of %s", major, minor, owner);
    return text;
}

const char *onednn_refusal(void) {
    const dnnl_version_t *const v = dnnl_version();
    return onednn_refusal_of(v->cpu_runtime, v->major, v->minor);
}

dnnl_status_t onednn_open(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (onednn_refusal() != NULL)
        return dnnl_unimplemented;
    if (stream)
        return dnnl_success;
    (void)pthread_once(&once, make_engine);
    if (engine_status != dnnl_success)
        return engine_status;
    const dnnl_status_t status = dnnl_stream_create(&stream, onednn_engine, dnnl_stream_default_flags);
    if (status == dnnl_success)
        (void)pthread_setspecific(stream_key, stream);
    return status;
}

// ---- Primitives

static layout_ref layout_of(const onednn_op *op, size_t index) {
    return dnnl_primitive_desc_query_md(op->desc, dnnl_query_exec_arg_md, op->args[index].arg);
}

void onednn_free(onednn_op *op) {
    for (size_t i = 0; i < op->count; i++)
        if (op->args[i].memory)
            (void)dnnl_memory_destroy(op->args[i].memory);
    if (op->primitive)
        (void)dnnl_primitive_destroy(op->primitive);
    if (op->desc)
        (void)dnnl_primitive_desc_destroy(op->desc);
    *op = (onednn_op){0};
}

dnnl_status_t onednn_finish(onednn_op *op, dnnl_status_t status, const int *names, size_t count,
                            const onednn_layouts *all) {
    if (status == dnnl_success)
        status = dnnl_primitive_create(&op->primitive, op->desc);
    for (size_t i = 0; status == dnnl_success && i < count; i++) {
        if (all && !all->at[i])
            continue;
        dnnl_exec_arg_t *const arg = &op->args[op->count++];
        arg->arg = names[i];
        status = dnnl_memory_create(&arg->memory, layout_of(op, op->count - 1), onednn_engine, DNNL_MEMORY_NONE);
    }
    if (status != dnnl_success)
        onednn_free(op);
    return status;
}

dnnl_status_t onednn_matmul(onednn_op *op, const onednn_tensor *a, const onednn_tensor *b, const onednn_tensor *bias,
                            const onednn_tensor *c, bool accumulate, const onednn_op *like) {
    static const int names[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST};
    onednn_layouts all = {0};
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t after = NULL;
    *op = (onednn_op){0};
    dnnl_status_t status = onednn_open();
    if (status == dnnl_success)
        status = onednn_layouts_make(&all, (const onednn_tensor *const[]){a, b, bias, c}, 4);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_create(&attr);
    if (status == dnnl_success && accumulate) {
        status = dnnl_post_ops_create(&after);
#if DNNL_VERSION_MAJOR >= 3
        if (status == dnnl_success)
            status = dnnl_post_ops_append_sum(after, 1, 0, dnnl_data_type_undef);
#else
        if (status == dnnl_success)
            status = dnnl_post_ops_append_sum(after, 1);
#endif
        if (status == dnnl_success)
            status = dnnl_primitive_attr_set_post_ops(attr, after);
    }
    if (status == dnnl_success) {
        const layout_ref weights = like ? layout_of(like, 1) : all.at[1];
#if DNNL_VERSION_MAJOR >= 3
        status =
            dnnl_matmul_primitive_desc_create(&op->desc, onednn_engine, all.at[0], weights, all.at[2], all.at[3], attr);
#else
        dnnl_matmul_desc_t description;
        status = dnnl_matmul_desc_init(&description, all.at[0], weights, all.at[2], all.at[3]);
        if (status == dnnl_success)
            status = dnnl_primitive_desc_create(&op->desc, &description, attr, onednn_engine, NULL);
#endif
    }
    status = onednn_finish(op, status, names, 4, &all);
    if (after)
        (void)dnnl_post_ops_destroy(after);
    if (attr)
        (void)dnnl_primitive_attr_destroy(attr);
    onednn_layouts_free(&all);
    return status;
}

static dnnl_status_t reorder(onednn_op *op, layout_ref from, layout_ref to) {
    static const int names[] = {DNNL_ARG_FROM, DNNL_ARG_TO};
    const dnnl_status_t status =
        dnnl_reorder_primitive_desc_create(&op->desc, from, onednn_engine, to, onednn_engine, NULL);
    return onednn_finish(op, status, names, 2, NULL);
}

dnnl_status_t onednn_reorder_in(onednn_op *op, const onednn_tensor *from, const onednn_op *of, size_t index) {
    layout own;
    *op = (onednn_op){0};
    dnnl_status_t status = layout_make(&own, from);
    if (status != dnnl_success)
        return status;
    status = reorder(op, ref_of(&own), layout_of(of, index));
    layout_free(&own);
    return status;
}

dnnl_status_t onednn_reorder_out(onednn_op *op, const onednn_op *of, size_t index, const onednn_tensor *to) {
    layout own;
    *op = (onednn_op){0};
    dnnl_status_t status = layout_make(&own, to);
    if (status != dnnl_success)
        return status;
    status = reorder(op, layout_of(of, index), ref_of(&own));
    layout_free(&own);
    return status;
}

bool onednn_run(onednn_op *op, const void *const data[]) {
    for (size_t i = 0; i < op->count; i++) {
        void *const handle = (void *)(uintptr_t)data[i];
        if (op->data[i] == handle) // setting it again would clear a layout's padding again
            continue;
        if (dnnl_memory_set_data_handle(op->args[i].memory, handle) != dnnl_success)
            return false;
        op->data[i] = handle;
    }
    return dnnl_primitive_execute(op->primitive, stream, (int)op->count, op->args) == dnnl_success &&
           dnnl_stream_wait(stream) == dnnl_success;
}

size_t onednn_bytes(const onednn_op *op, size_t index) { return dnnl_memory_desc_get_size(layout_of(op, index)); }

size_t onednn_scratch(const onednn_op *op) {
    int64_t bytes = 0;
    if (!op->desc ||
        dnnl_primitive_desc_query(op->desc, dnnl_query_memory_consumption_s64, 0, &bytes) != dnnl_success || bytes < 0)
        return 0;
    return (size_t)bytes;
}

const char *onednn_name(const onednn_op *op) {
    const char *name = NULL;
    return dnnl_primitive_desc_query(op->desc, dnnl_query_impl_info_str, 0, &name) == dnnl_success && name ? name : "?";
}

bool onednn_names_reference(const char *name) { return strstr(name, "ref") != NULL; }
bool onednn_is_reference(const onednn_op *op) { return onednn_names_reference(onednn_name(op)); }

const char *onednn_error(dnnl_status_t status) { return dnnl_status2str(status); }
