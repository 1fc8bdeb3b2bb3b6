// SPDX-License-Identifier: MIT
// Libraries of kernels from outside: a good one is opened, and each kind of bad one is refused with its reason, however
// it ends the process that tries it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan/kernel_library.h"

static char folder[] = "/tmp/test_kernel_library.XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static const char *file(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

// What every source begins with; IMPL is what most implementations of these tests are.
#define BEGIN                                                                                                          \
    "#include <norm_plugin.h>\n#include <stdlib.h>\n#include <unistd.h>\n"                                             \
    "static void run(const norm_args *a, const norm_slice *s) { (void)a; (void)s; }\n"                                 \
    "static const norm_stage stages[65] = {{run, NORM_SPLIT_ROWS, 8}};\n"                                              \
    "#define IMPL .op = NORM_RMSNORM, .params = NORM_GAMMA, .pass[NORM_FORWARD] = {stages, 1}\n"
#define IMPLS(text) "static const norm_impl impls[] = {" text "};\n"
#define TABLE(abi, name, impls, count)                                                                                 \
    "const norm_plugin norm_plugin_table = {" abi ", " name ", " impls ", " count "};\n"
#define MINE TABLE("NORM_ABI", "\"mine\"", "impls", "sizeof impls / sizeof *impls")
#define CONSTRUCTOR(body) "__attribute__((constructor)) static void begin(void) { " body " }\n"

// Compiles a text to a file of the folder, as one told the other.
static void compile(const char *name, const char *flags, const char *text) {
    const char *const cc = getenv("CC");
    char command[512];
    snprintf(command, sizeof command, "%s -std=c17 -D_GNU_SOURCE -w -Ikernels %s -o %s -x c -",
             cc != NULL && *cc != '\0' ? cc : "cc", flags, file(name));
    FILE *const compiler = popen(command, "w");
    assert_non_null(compiler);
    assert_true(fputs(text, compiler) >= 0);
    assert_int_equal(pclose(compiler), 0);
}
#define SHARED "-shared -fPIC"
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

static void good_one_is_opened(void **state) {
    char why[KERNEL_LIBRARY_WHY];
    (void)state;
    compile("good.so", SHARED,
            BEGIN CONSTRUCTOR("(void)!write(1, \"a library may print\\n\", 20);")
                IMPLS("{IMPL}, {IMPL, .dtype = NORM_BF16, .variant = \"mine_wide\", .lacks = \"a CPU\"}") MINE);
    kernel_library *const l = kernel_library_open(file("good.so"), 0, why);
    if (l == NULL)
        fail_msg("%s", why);
    assert_string_equal(l->name, "mine");
    assert_int_equal(strlen(l->id), PROGRAM_ID_SIZE - 1);
    const norm_impl *const first = kernel_library_at(l, 0), *const second = kernel_library_at(l, 1);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(kernel_library_at(l, 2));
    assert_int_equal(first->op, NORM_RMSNORM);
    assert_int_equal(first->level, NORM_LEVEL_LIBRARY);
    assert_string_equal(first->variant, "mine");
    assert_string_equal(first->base, "mine");
    assert_string_equal(second->variant, "mine_wide");
    assert_string_equal(norm_missing(second), "a CPU");
    kernel_library_close(l);
}

// The same kernels as in this program, but those that it has registered.
static void libnorm_is_opened(void **state) {
    const char *const objects = getenv("OBJ");
    char path[512], why[KERNEL_LIBRARY_WHY];
    (void)state;
    snprintf(path, sizeof path, "%s/libnorm.so", objects != NULL ? objects : "build/gcc");
    if (access(path, R_OK) != 0)
        skip();
    kernel_library *const l = kernel_library_open(path, 0, why);
    if (l == NULL)
        fail_msg("%s", why);
    assert_string_equal(l->name, "");
    const norm_impl *impl, *own;
    size_t i = 0;
    for (; (impl = kernel_library_at(l, i)) != NULL && (own = norm_at(i)) != NULL; i++) {
        assert_string_equal(impl->variant, own->variant);
        assert_int_equal(impl->level, own->level);
        assert_ptr_not_equal(impl->pass[NORM_FORWARD].stages, own->pass[NORM_FORWARD].stages);
    }
    assert_true(i > 100);
    assert_null(kernel_library_at(l, i));
    kernel_library_close(l);
}

typedef struct {
    const char *text, *message; // the program, and what is said of it
    double within;
} bad_source;

static const bad_source sources[] = {
    {"int unrelated;", "exports no norm_plugin_table: a plug-in defines it", 0},
    {BEGIN IMPLS("{IMPL}") TABLE("77", "\"mine\"", "impls", "1"),
     "has ABI 77 of norm.h, and this program has " TEXT(NORM_ABI) ": compile it again", 0},
    {"const unsigned norm_abi = 99; void *norm_at(unsigned long i) { return 0; }", "has ABI 99 of norm.h", 0},
    {"void *norm_at(unsigned long i) { return 0; }", "is a libnorm of before norm_abi", 0},
    {BEGIN "void missing_one(void);\n" CONSTRUCTOR("missing_one();") IMPLS("{IMPL}") MINE,
     "cannot be loaded: undefined symbol: missing_one: link it with the library that has it", 0},
    {BEGIN CONSTRUCTOR("abort();") IMPLS("{IMPL}") MINE,
     "crashed while it was opened, in a constructor of its own: signal 6", 0},
    {BEGIN CONSTRUCTOR("exit(0);") IMPLS("{IMPL}") MINE, "ended the program, with exit code 0, while it was opened", 0},
    {BEGIN CONSTRUCTOR("for (;;) pause();") IMPLS("{IMPL}") MINE, "was not done after 0.3 s, while it was opened", 0.3},
    {BEGIN TABLE("NORM_ABI", "\"mine\"", "(const norm_impl *)64", "1"), "crashed while its table was read: signal 11",
     0},
    {BEGIN IMPLS("{IMPL, .variant = (const char *)64}") MINE, "crashed while its table was read: signal 11", 0},
    {BEGIN IMPLS("{IMPL}") TABLE("NORM_ABI", "\"a,b\"", "impls", "1"), "has no name that can stand in a CSV", 0},
    {BEGIN IMPLS("{IMPL}") TABLE("NORM_ABI", "\"abcdefghijklmnopqrstuvwxyz0123456\"", "impls", "1"),
     "has no name that can stand in a CSV", 0},
    {BEGIN IMPLS("{IMPL}") TABLE("NORM_ABI", "0", "impls", "1"), "has no name that can stand in a CSV", 0},
    {BEGIN TABLE("NORM_ABI", "\"mine\"", "0", "1"), "has no implementation", 0},
    {BEGIN IMPLS("{IMPL}, {IMPL}") MINE, "has two implementations of one name: rmsnorm mine fused f32", 0},
    {BEGIN IMPLS("{IMPL, .op = 99}") MINE, "op, form, level and dtype are those of norm.h", 0},
    {BEGIN IMPLS("{IMPL, .dtype = -1}") MINE, "op, form, level and dtype are those of norm.h", 0},
    {BEGIN IMPLS("{IMPL, .variant = \"minefast\"}") MINE, "the plug-in's name, or that, an underscore and more", 0},
    {BEGIN IMPLS("{IMPL, .form = NORM_FRAMEWORK}") MINE, "form framework is PyTorch's eager mode", 0},
    {BEGIN IMPLS("{.op = NORM_RMSNORM, .params = NORM_ALPHA, .pass[NORM_FORWARD] = {stages, 1}}") MINE,
     "params are among those of the op", 0},
    {BEGIN IMPLS("{.op = NORM_RMSNORM, .pass[NORM_BACKWARD] = {stages, 1}}") MINE,
     "every implementation has a forward pass", 0},
    {BEGIN IMPLS("{.op = NORM_RMSNORM, .pass[NORM_FORWARD] = {stages, 2}}") MINE, "a stage has a function", 0},
    {BEGIN IMPLS("{.op = NORM_RMSNORM, .pass[NORM_FORWARD] = {stages, 65}}") MINE, "a pass has at most 64 stages", 0},
    {BEGIN IMPLS("{.op = NORM_RMSNORM, .pass[NORM_FORWARD] = {0, 1}}") MINE, "a pass has at most 64 stages", 0},
    {BEGIN IMPLS("{IMPL, .workspace = {.per_slice_col = 6}}") MINE, "the last in whole floats", 0},
    {BEGIN IMPLS("{IMPL, .saved = {.fixed = 4000000000u}}") MINE, "64 MiB whatever the shape", 0},
};

static void bad_ones_are_refused(void **state) {
    char name[32], why[KERNEL_LIBRARY_WHY];
    (void)state;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        snprintf(name, sizeof name, "bad%zu.so", i);
        compile(name, SHARED, sources[i].text);
        kernel_library *const l = kernel_library_open(file(name), sources[i].within, why);
        if (l != NULL || strncmp(why, file(name), strlen(file(name))) != 0 || strstr(why, sources[i].message) == NULL)
            fail_msg("number %zu, expected \"%s\": %s", i, sources[i].message, l != NULL ? "opened" : why);
    }
}

// ---- Files that are none

static void expect(const char *name, const char *message) {
    char why[KERNEL_LIBRARY_WHY];
    kernel_library *const l = kernel_library_open(file(name), 0, why);
    if (l != NULL || strstr(why, message) == NULL)
        fail_msg("%s, expected \"%s\": %s", name, message, l != NULL ? "opened" : why);
}

static void write_file(const char *name, const void *bytes, size_t count) {
    FILE *const out = fopen(file(name), "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, count, out), count);
    assert_int_equal(fclose(out), 0);
}

static void files_that_are_no_library(void **state) {
    static unsigned char bytes[1 << 16];
    (void)state;
    compile("whole.so", SHARED, BEGIN IMPLS("{IMPL}") MINE);
    FILE *const in = fopen(file("whole.so"), "rb");
    assert_non_null(in);
    const size_t count = fread(bytes, 1, sizeof bytes, in);
    assert_int_equal(fclose(in), 0);
    assert_true(count > 1000 && count < sizeof bytes);

    write_file("text.so", "no library\n", 11);
    expect("text.so", "is no shared library: build one with cc -shared -fPIC");
    write_file("empty.so", "", 0);
    expect("empty.so", "is no shared library");
    write_file("static.a", "!<arch>\n", 8);
    expect("static.a", "is a static library");
    expect("nothing.so", "cannot be read: No such file");
    expect("", "is a folder");
    assert_int_equal(mkfifo(file("pipe.so"), 0600), 0);
    expect("pipe.so", "is a device");
    compile("object.o", "-c -fPIC", "int a;");
    expect("object.o", "is an object file: link it with cc -shared");
    compile("program", "", "int main(void) { return 0; }");
    expect("program", "is a program");
    write_file("half.so", bytes, count / 2);
    expect("half.so", "is cut off");
    write_file("header.so", bytes, 20);
    expect("header.so", "is cut off");
    bytes[18] ^= 0xff; // the machine
    write_file("other.so", bytes, count);
    expect("other.so", "is of another architecture (ELF machine ");
    bytes[18] ^= 0xff;
    bytes[4] ^= 3; // the class
    write_file("narrow.so", bytes, count);
    expect("narrow.so", "is of another architecture");
}

// One that has the entry point of a runtime which this program has not.
static void second_team_is_refused(void **state) {
    (void)state;
    if (dlsym(RTLD_DEFAULT, "__kmpc_fork_call") != NULL)
        skip();
    compile("teams.so", SHARED, BEGIN "void __kmpc_fork_call(void) {}\n" IMPLS("{IMPL}") MINE);
    expect("teams.so", "teams.so, beside the one of this program, so that two teams of threads would share the cores");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_one_is_opened),     cmocka_unit_test(libnorm_is_opened),
        cmocka_unit_test(bad_ones_are_refused),   cmocka_unit_test(files_that_are_no_library),
        cmocka_unit_test(second_team_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
