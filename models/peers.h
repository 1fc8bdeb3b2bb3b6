// SPDX-License-Identifier: MIT
// peers.h: other libraries' norms as implementations like ours, of level `library`: listed, verified and timed with
// them. Today oneDNN's, variant `onednn`: layernorm, rmsnorm (from 3.9 on), and dyt as one sweep of its primitives;
// PyTorch's, `torch_eager` and `torch_compile`, which only `make peers` can time; and our dyt with the tanh of SLEEF,
// variant `sleef`, at the levels that it has.
#ifndef PEERS_H
#define PEERS_H

// Makes them known to norm.h; to be called once, before anything of it. What the library that is linked lacks on this
// CPU is known as well, with the reason.
void peers_register(void);

#endif
