// SPDX-License-Identifier: MIT
// peers_table.c: the columns of peers.csv, which scripts/peers_table.py writes.
#include "measure/run.h"
#include "plan/cell.h"
#include "schema.h"

COLUMN_WORDS(heap, "settled", "kept", "fresh")
COLUMN_WORDS(system, "eager", "framework", "framework_dispatched", "pytorch_eager", "fused", "torch_compile")
COLUMN_WORDS(timed, "dyt", "rmsnorm")

static const table_column own_columns[] = {
    {"run_id", &column_id, NULL, "The run of `make peers`, as in the meta.json of its folder.", true, NULL},
    {"machine_id", &column_id, NULL, "The machine, as in the folder name and meta.json.", true, NULL},
    {"pytorch", &column_id, NULL, "Version of PyTorch.", true, NULL},
    {"heap", &column_heap, NULL,
     "State of the heap in which both allocate: settled, as after a block of 32 MiB was freed; kept: nothing is given "
     "back (FAULTS=0); fresh: each output of 128 KiB or more is mapped anew (FAULTS=all).",
     true, NULL},
    {"op", &column_timed, NULL, "What replaces a norm: dyt; or rmsnorm, in place of layernorm or of itself.", true,
     NULL},
    {"beta", &column_flag, NULL, "1 where dyt adds beta, as in the paper's repository, else 0, as in its LLaMA.", true,
     NULL},
    {"against", &column_name, NULL, "The norm that it replaces.", true, NULL},
    {"pass", &column_pass, NULL, "forward, or backward: the gradients of the input and of every parameter.", true,
     NULL},
    {"dtype", &column_dtype, NULL, "Storage type of the tensors.", true, NULL},
    {"rows", &column_ordinal, "{row}", "Rows of the tensor: tokens.", true, NULL},
    {"cols", &column_ordinal, "{column}", "Columns of the tensor: hidden size, the axis that is normalized.", true,
     NULL},
    {"threads", &column_ordinal, "{thread}", "Threads in the team.", true, NULL},
    {"system", &column_system, NULL,
     "Whose: pytorch_eager, torch_compile, or a form of ours; framework_dispatched is form framework with PyTorch's "
     "time of dispatch.",
     true, NULL},
    {"launches", &column_ordinal, "{launch}", "Processes that sampled it.", true, NULL},
    {"ratio", &column_amount, "1", "Time of op over that of against, paired in rounds: median over launches.", true,
     NULL},
    {"ratio_lo95", &column_amount, "1", "Lower end of its 95 % interval; empty below six launches.", false, NULL},
    {"ratio_hi95", &column_amount, "1", "Upper end of its 95 % interval; empty below six launches.", false, NULL},
    {"time_ns_median", &column_amount, "ns", "Time of a call of op: median over samples.", true, NULL},
    {"page_faults", &column_amount, "{page}", "Pages that the kernel gave anew in a call of op: median over launches.",
     false, NULL},
    {"dispatch_ns", &column_count, "ns",
     "What each operation of op waited before its work; empty where it is not of form framework.", false, NULL},
    {"against_system", &column_system, NULL,
     "Whose norm it is held against: the same system's, or, of rmsnorm over itself, that which is fused or compiled. "
     "Empty in earlier versions: the same.",
     false, NULL},
    {"to_pytorch", &column_amount, "1",
     "Of form framework: its ratio over that of pytorch_eager in the same rounds; 1: the same. Median over launches.",
     false, NULL},
    {"to_pytorch_lo95", &column_amount, "1", "Lower end of its 95 % interval; empty below six launches.", false, NULL},
    {"to_pytorch_hi95", &column_amount, "1", "Upper end of its 95 % interval; empty below six launches.", false, NULL},
};
COLUMN_TABLE(
    peers, "*/*/peers.csv",
    "One row per system, pair of ops, pass, dtype, shape, thread count and state of the heap: DyT's time over a norm's "
    "in PyTorch and in our forms, measured in one process by `make peers`. In the folder of the run whose shapes it "
    "took, where `normbench judge` finds it.",
    {run_columns, RUN_VERSION, NULL}, COLUMN_PART(own_columns))
