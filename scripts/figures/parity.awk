# SPDX-License-Identifier: MIT
# What small models reach with each norm: two panels for each task, losses by rate of learning on what the rate is chosen by, and losses at
# the chosen rate on what nothing was chosen by. A series for each norm and first alpha.
function figure(    i, k, p, s) {
    for (i = 1; i <= cells; i++) {
        number_of(cell[i, "task"], task_place, task, "tasks")
        number_of(arm_of(i), arm_place, arm, "arms")
        op_of[arm_place[arm_of(i)]] = cell[i, "norm"]
        if (cell[i, "role"] == "test")
            seeds = cell[i, "seeds"]
    }
    if (!count["arms"]) {
        print "no model has a finite loss"
        return
    }
    for (k = 1; k <= count["tasks"]; k++) {
        p = panel_of(task[k] ": loss on validation data, by rate")
        p = panel_of(task[k] ": loss on test data, at the rate chosen")
    }
    print "$data << END_OF_DATA"
    for (k = 1; k <= count["tasks"]; k++)
        for (s = 1; s <= count["arms"]; s++) {
            print_role(task[k], s, "selection", "val_loss")
            print_role(task[k], s, "test", "test_loss")
        }
    print "END_OF_DATA"
    print_panels()
    print "series = " count["arms"] "\narray label[" count["arms"] "]\narray op[" count["arms"] "]\narray turn[" count["arms"] "]"
    for (s = 1; s <= count["arms"]; s++) {
        print "label[" s "] = " quoted(arm[s])
        print "op[" s "] = " quoted(op_of[s])
        print "turn[" s "] = " ++turns[op_of[s]]
    }
    print_looks()
    print_title("What small models reach with each norm, by rate of learning and first alpha", \
                "left: median over the seeds that choose the rate; right: median over " seeds " other seeds, with 95 % intervals; none: no norm at all")
}

function number_of(key, place, list, what) {
    if (!(key in place)) {
        place[key] = ++count[what]
        list[count[what]] = key
    }
}
function arm_of(i) { return (cell[i, "norm"] == "identity" ? "none" : cell[i, "norm"]) (cell[i, "alpha0"] == "" ? "" : " from " cell[i, "alpha0"]) }

# x: the rate, or the arm's number; the loss and its ends, which of few seeds are the loss itself.
function print_role(of_task, s, role, column,    i, lo, hi) {
    for (i = 1; i <= cells; i++)
        if (cell[i, "task"] == of_task && cell[i, "role"] == role && arm_place[arm_of(i)] == s && cell[i, column] != "") {
            lo = cell[i, column "_lo95"] == "" ? cell[i, column] : cell[i, column "_lo95"]
            hi = cell[i, column "_hi95"] == "" ? cell[i, column] : cell[i, column "_hi95"]
            print role == "test" ? s : as_number(cell[i, "rate"]), as_number(cell[i, column]), as_number(lo), as_number(hi)
        }
    print "NaN NaN NaN NaN\n\n"
}
