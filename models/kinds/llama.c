// SPDX-License-Identifier: MIT
// llama.c: LLaMA, Llama 3, Mistral and Qwen 3: pre-norm, rotary embeddings, grouped keys and values, SwiGLU, no biases.
#include "graph/graph.h"

static tensor head_norm(graph *g, const char *name, tensor x) {
    const model_shape *const m = graph_config(g)->shape;
    const size_t cols = graph_cols(g, x);
    return graph_reshape(g, graph_norm(g, name, graph_reshape(g, x, m->head_dim), m->alpha_attention), cols);
}

static residual layer_of(graph *g, residual x) {
    const model_shape *const m = graph_config(g)->shape;
    tensor h = graph_add_norm(g, "attention", &x, m->alpha_attention);
    tensor q = graph_linear(g, "attention.q", h, m->heads * m->head_dim, false);
    tensor k = graph_linear(g, "attention.k", h, m->kv_heads * m->head_dim, false);
    const tensor v = graph_linear(g, "attention.v", h, m->kv_heads * m->head_dim, false);
    if (m->qk_norm) {
        q = head_norm(g, "attention.q.norm", q);
        k = head_norm(g, "attention.k.norm", k);
    }
    q = graph_rope(g, "attention.q.rope", q);
    k = graph_rope(g, "attention.k.rope", k);
    const tensor mixed = graph_attention(g, "attention.heads", q, k, v, true);
    x.branch = graph_linear(g, "attention.o", mixed, m->dim, false);

    h = graph_add_norm(g, "ffn", &x, m->alpha);
    const tensor gate = graph_linear(g, "ffn.gate", h, m->ffn, false);
    const tensor up = graph_linear(g, "ffn.up", h, m->ffn, false);
    x.branch = graph_linear(g, "ffn.down", graph_swiglu(g, "ffn.swiglu", gate, up), m->dim, false);
    return x;
}

// The paper's DyT arm also multiplies the embedding by one learned number, which is left out: no norm stands there.
static void model(graph *g, size_t depth) {
    const model_shape *const m = graph_config(g)->shape;
    const embedding e = graph_embed(g, "embed", m->vocab, m->dim);
    residual x = graph_layers(g, (residual){e.x, NO_TENSOR}, depth);
    const tensor h = graph_add_norm(g, "final", &x, m->alpha);
    graph_head(g, "head", h, m->vocab, false, m->tied_head ? e.table : NO_TENSOR);
}

const model_parts llama_parts = {layer_of, model, .decode = true};
