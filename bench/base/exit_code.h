// SPDX-License-Identifier: MIT
// exit_code.h: what the exit codes of normbench mean. The only list of them.
#ifndef EXIT_CODE_H
#define EXIT_CODE_H

enum {
    EXIT_DONE = 0,
    EXIT_REGRESSION = 1,   // the candidate is slower, and that was confirmed; or a run shows the opposite of another
    EXIT_USAGE = 2,        // a bad name, number, shape or file: nothing was run
    EXIT_FAILED = 3,       // a build or run failure, or a wrong result
    EXIT_INCOMPARABLE = 4, // results of another machine or program
    EXIT_INCONCLUSIVE = 5, // the measurement was disturbed, or too much of it shows nothing
    EXIT_INCOMPLETE = 6,   // fewer rows measured than planned
    EXIT_INTERRUPTED = 130 // what is on disk is valid, and resumable
};

#endif
