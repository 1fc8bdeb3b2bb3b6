// SPDX-License-Identifier: MIT
// sleef.h: our dyt with the tanh of SLEEF, variant `sleef`, at the levels that it has. It is no part of libnorm, which
// needs no other library: the program has it, and libnorm_peers.so, which scripts/peers.py loads.
#ifndef SLEEF_H
#define SLEEF_H

// Makes them known to norm.h; to be called once, before anything of it.
void sleef_register(void);

#endif
