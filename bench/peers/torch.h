// SPDX-License-Identifier: MIT
// torch.h: PyTorch's modules as implementations. They run in a process of their own, which scripts/peers.py times; here
// they have names alone, so that its samples are read and summed up like all others.
#ifndef TORCH_H
#define TORCH_H

// Makes them known to norm.h; to be called once, before anything of it.
void torch_register(void);

#endif
