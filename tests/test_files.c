// SPDX-License-Identifier: MIT
// Files of a results folder whose names are links, pipes and folders: nothing outside is touched, nothing waits. What
// cannot be written whole leaves what was there. One writer at a time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/files.h"
#include "base/program.h"

static char folder[] = "/tmp/normbench-test-files-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : chdir(folder);
}

static int remove_folder(void **state) {
    (void)state;
    static const char *const names[] = {"inside/link",     "inside/dangling", "inside/pipe", "inside/folder",
                                        "inside/plain",    "inside/new.part", "inside/none", "inside",
                                        "outside",         "out.csv",         "out.link",    "out.twin",
                                        "inside/readonly", "out.pipe"};
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            (void)remove(names[i]);
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

static void put(const char *path, const char *text) {
    FILE *const file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_holds(const char *path, const char *text) {
    char got[64] = "";
    FILE *const file = fopen(path, "r");
    assert_non_null(file);
    got[fread(got, 1, sizeof got - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(got, text);
}

static bool exists(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0;
}

// The folder as someone may have sent it.
static void set_up(void) {
    (void)mkdir("inside", 0777);
    (void)mkdir("inside/folder", 0777);
    (void)unlink("inside/new.part");
    (void)unlink("inside/none");
    (void)unlink("nowhere");
    put("outside", "precious");
    (void)unlink("inside/plain");
    put("inside/plain", "old");
    if (!exists("inside/link"))
        assert_int_equal(symlink("../outside", "inside/link"), 0);
    if (!exists("inside/dangling"))
        assert_int_equal(symlink("../nowhere", "inside/dangling"), 0);
    if (!exists("inside/pipe"))
        assert_int_equal(mkfifo("inside/pipe", 0666), 0);
}

static void assert_outside_untouched(void) {
    assert_holds("outside", "precious");
    assert_false(exists("nowhere"));
}

static int write_new(const void *what, const char *path) {
    FILE *const file = fopen(path, "w");
    if (file == NULL)
        return errno;
    const bool written = fputs(what, file) >= 0;
    return fclose(file) == 0 && written ? 0 : errno;
}

typedef int opener(const char *path, FILE **file);

// How each way of opening takes each kind of name.
static void nothing_but_plain_files(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int read, go_on, create;
    } cases[] = {{"inside/plain", 0, 0, 0},
                 {"inside/none", ENOENT, 0, 0},
                 {"inside/link", FILES_NOT_PLAIN, FILES_NOT_PLAIN, FILES_NOT_PLAIN},
                 {"inside/dangling", FILES_NOT_PLAIN, FILES_NOT_PLAIN, FILES_NOT_PLAIN},
                 {"inside/pipe", FILES_NOT_PLAIN, FILES_NOT_PLAIN, FILES_NOT_PLAIN},
                 {"/dev/null", FILES_NOT_PLAIN, FILES_NOT_PLAIN, FILES_NOT_PLAIN},
                 {"inside/folder", EISDIR, EISDIR, EISDIR},
                 {"inside/away/file", ENOENT, ENOENT, ENOENT}};
    static opener *const openers[] = {files_open, files_continue, files_create};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int want[] = {cases[i].read, cases[i].go_on, cases[i].create};
        for (size_t k = 0; k < 3; k++) {
            FILE *file;
            set_up();
            assert_int_equal(openers[k](cases[i].name, &file), want[k]);
            assert_int_equal(file != NULL, want[k] == 0);
            if (file != NULL && k > 0)
                assert_true(fputs("x", file) >= 0);
            if (file != NULL)
                fclose(file);
            assert_outside_untouched();
        }
        set_up();
        assert_int_equal(files_replace(cases[i].name, write_new, "new"), cases[i].create);
        assert_false(exists("inside/new.part"));
        assert_outside_untouched();
        if (cases[i].create == 0)
            assert_holds(cases[i].name, "new");
    }
    csv_table table;
    char message[64];
    set_up();
    assert_int_equal(csv_read(&table, "inside/pipe", message, sizeof message), FILES_NOT_PLAIN);
    assert_non_null(strstr(files_reason(FILES_NOT_PLAIN), "remove it"));
}

// A file with a second name elsewhere keeps what it holds there; what stands in the way of the new one is not followed.
static void other_names_stay(void **state) {
    (void)state;
    FILE *file;
    set_up();
    assert_int_equal(unlink("inside/plain"), 0);
    assert_int_equal(link("outside", "inside/plain"), 0);
    assert_int_equal(files_create("inside/plain", &file), 0);
    assert_true(fputs("new", file) >= 0);
    fclose(file);
    assert_outside_untouched();
    set_up();
    assert_int_equal(symlink("../outside", "inside/new.part"), 0);
    assert_int_equal(files_replace("inside/plain", write_new, "new"), FILES_NOT_PLAIN);
    assert_holds("inside/plain", "old");
    assert_outside_untouched();
    set_up();
    put("inside/new.part", "of one that was killed");
    assert_int_equal(files_replace("inside/plain", write_new, "new"), 0);
    assert_holds("inside/plain", "new");
}

static int write_in_vain(const void *what, const char *path) {
    const int code = write_new("half a ta", path);
    return code != 0 ? code : *(const int *)what;
}

static int write_much(const void *what, const char *path) {
    (void)what;
    csv_writer w;
    int code = csv_open(&w, path, false);
    for (int i = 0; code == 0 && i < 4096; i++) {
        csv_text(&w, "0123456789abcdef");
        code = csv_end(&w);
    }
    const int closed = csv_close(&w);
    return code != 0 ? code : closed;
}

// A disk that is full, here a file that may not grow: the old table stands, whole, and nothing lies about.
static void what_fails_leaves_the_old(void **state) {
    (void)state;
    static const int reason = ENOSPC;
    set_up();
    assert_int_equal(files_replace("inside/plain", write_in_vain, &reason), ENOSPC);
    assert_holds("inside/plain", "old");
    assert_false(exists("inside/new.part"));
    put("out.csv", "old");
    assert_int_equal(files_deliver("out.csv", write_in_vain, &reason), ENOSPC);
    assert_holds("out.csv", "old");

    struct rlimit before, less;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    less = before;
    less.rlim_cur = 10000;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
    const int replaced = files_replace("inside/plain", write_much, NULL),
              delivered = files_deliver("out.csv", write_much, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(replaced, EFBIG);
    assert_int_equal(delivered, EFBIG);
    assert_holds("inside/plain", "old");
    assert_holds("out.csv", "old");
    assert_false(exists("inside/new.part"));
    assert_non_null(strstr(files_reason(EFBIG), "ulimit -f"));
    assert_int_equal(files_deliver("/dev/full", write_new, "new"), access("/dev/full", W_OK) == 0 ? ENOSPC : EACCES);
}

// Where the command line says: links are followed, other names and permissions stay, what is no plain file is written
// to.
static void people_may_use_links(void **state) {
    (void)state;
    struct stat info;
    put("out.csv", "old");
    assert_int_equal(chmod("out.csv", 0640), 0);
    assert_int_equal(symlink("out.csv", "out.link"), 0);
    assert_int_equal(files_deliverable("out.link"), 0);
    assert_int_equal(files_deliver("out.link", write_new, "new"), 0);
    assert_holds("out.csv", "new");
    assert_int_equal(lstat("out.link", &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(stat("out.csv", &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_int_equal(link("out.csv", "out.twin"), 0);
    assert_int_equal(files_deliver("out.csv", write_new, "newer"), 0);
    assert_holds("out.twin", "newer");
    assert_int_equal(unlink("out.csv"), 0);
    assert_int_equal(files_deliver("out.link", write_new, "made"), 0); // a link to nothing yet
    assert_holds("out.csv", "made");
    assert_int_equal(lstat("out.link", &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(files_deliver("/dev/null", write_new, "new"), 0);
    assert_int_equal(stat("/dev/null", &info), 0);
    assert_true(S_ISCHR(info.st_mode));

    static const struct {
        const char *path;
        int code;
    } cases[] = {{"-", 0},       {"out.none", 0},          {"/dev/null", 0},         {".", EISDIR},
                 {"", ENOENT},   {"away/out.csv", ENOENT}, {"out.csv/x", ENOTDIR},   {"away/", EISDIR},
                 {"out.csv", 0}, {"out.link", 0},          {"inside/folder", EISDIR}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_up();
        assert_int_equal(files_deliverable(cases[i].path), cases[i].code);
    }
    assert_false(exists("out.none"));
    // A pipe whose reader comes later is not opened in advance, which would end the reader.
    assert_int_equal(mkfifo("out.pipe", 0666), 0);
    assert_int_equal(files_deliverable("out.pipe"), 0);
    char longest[PATH_MAX + 100];
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(files_deliverable(longest), ENAMETOOLONG);
    assert_int_equal(files_replace(longest, write_new, "new"), ENAMETOOLONG);
    assert_int_equal(files_deliver(longest, write_new, "new"), ENAMETOOLONG);
}

static void one_writer_at_a_time(void **state) {
    (void)state;
    int first, second;
    set_up();
    assert_int_equal(files_lock("inside", &first), 0);
    assert_int_equal(files_lock("inside", &second), FILES_LOCKED);
    assert_int_equal(second, -1);
    assert_int_equal(files_lock("inside/folder", &second), 0);
    assert_int_equal(close(second), 0);
    assert_int_equal(close(first), 0);
    assert_int_equal(files_lock("inside", &second), 0);
    assert_int_equal(close(second), 0);
    assert_int_equal(files_lock("inside/away", &second), ENOENT);
    assert_int_equal(files_lock("outside", &second), ENOTDIR);
}

static int compare_ids(const void *a, const void *b) { return memcmp(a, b, PROGRAM_ID_SIZE); }

// A bit of any byte, in blocks of any length; bytes that changed places; a byte more: each gives another id.
static void every_change_of_a_file_gives_another_id(void **state) {
    (void)state;
    enum { LENGTH = 40003, STEP = 37, CHANGES = LENGTH / STEP + 4 };
    static unsigned char bytes[LENGTH + 1];
    static char ids[CHANGES][PROGRAM_ID_SIZE];
    size_t count = 0;
    for (size_t i = 0; i < LENGTH; i++)
        bytes[i] = (unsigned char)(i / 8); // so that words differ and the last byte of the file is no zero
    set_up();
    for (size_t change = 0; change < CHANGES; change++) {
        const size_t at = change * STEP % LENGTH, length = LENGTH + (change == CHANGES - 1), other = at + 8;
        const unsigned char before = bytes[at];
        const bool swaps = change == CHANGES - 2;
        if (swaps) { // two words, each the other's place
            bytes[at] = bytes[other];
            bytes[other] = before;
        } else if (change < CHANGES - 3) {
            bytes[at] = (unsigned char)(before ^ 1u << change / 8 % 8);
        }
        FILE *const file = fopen("outside", "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, length, file), length);
        assert_int_equal(fclose(file), 0);
        program_file_id("outside", ids[count++]);
        if (swaps)
            bytes[other] = bytes[at];
        bytes[at] = before;
    }
    program_file_id("inside/away", ids[0]);
    assert_string_equal(ids[0], "unknown");
    program_file_id("outside", ids[0]);
    assert_string_equal(ids[0], ids[CHANGES - 1]);
    qsort(ids[1], count - 1, sizeof ids[1], compare_ids);
    for (size_t i = 2; i < count; i++)
        assert_memory_not_equal(ids[i - 1], ids[i], PROGRAM_ID_SIZE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_but_plain_files),   cmocka_unit_test(other_names_stay),
        cmocka_unit_test(what_fails_leaves_the_old), cmocka_unit_test(people_may_use_links),
        cmocka_unit_test(one_writer_at_a_time),      cmocka_unit_test(every_change_of_a_file_gives_another_id),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
