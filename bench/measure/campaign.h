// SPDX-License-Identifier: MIT
// campaign.h: a timing run as a whole, whatever it times: pilot, budget, launches, report; begun, or taken up where
// one was interrupted.
#ifndef CAMPAIGN_H
#define CAMPAIGN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/progress.h"
#include "child.h"
#include "launch.h"
#include "live.h"
#include "run.h"
#include "subject.h"

// What `normbench NAME ARGUMENT...` does of a subject: argv[0] is NAME. An exit code.
int campaign_main(const subject *s, int argc, char **argv);

// Begins the run that `r` asks for, or takes it up, and sees it through. An exit code.
int campaign_run(const subject *s, const request *r, const topology *t);
// Says so on stderr if what is planned takes much longer than was asked for.
void campaign_note_budget(double budget_s, double seconds, size_t launches);

typedef struct campaign campaign;
// One launch to its end. LAUNCH_DIED and LAUNCH_STARVED come with how.
typedef launch_end campaign_launcher(campaign *c, size_t launch, char *how, size_t size);

struct campaign {
    const subject *subject;
    run run;
    observations all;
    progress progress;
    live *live; // NULL: not asked for
    const topology *topology;
    const volatile sig_atomic_t *stop;
    budget_group *costs;       // of each group, once rounds and launches stand
    campaign_launcher *launch; // campaign_launch; a test's own
    char bound[1024];          // the PUs of the group that is being measured
    double done_s;             // of the launches: by the plan, whatever it took
    double pending_s;          // of done_s, once there is a sample
    double begun_ns;
    bool complete; // every launch is done and reported
};

// The launches of a run whose plan and rounds stand, told to an output. An exit code.
int campaign_measure(campaign *c, progress_output output);

// In campaign_launch.c: a fresh process of this program that verifies and calibrates the plan's items, and one that
// samples them; what they tell is kept. A group at which the kernel kills the pilot for want of memory is left out.
launch_end campaign_pilot(campaign *c, char *how, size_t size);
campaign_launcher campaign_launch;

// For launchers. What is done is counted in seconds as planned (pilot: items), not as they pass: what took longer than
// planned is not more done, and what is left is judged by how much longer. campaign_group: what is said is done now,
// after a preparation that counts once it has led to a sample. campaign_skip: so much of the plan needs not be done,
// for an earlier process did it or it cannot be.
void campaign_say(campaign *c, const char *what);
void campaign_group(campaign *c, double prepare_s);
void campaign_advance(campaign *c, double done);
void campaign_skip(campaign *c, double planned_s);

#endif
