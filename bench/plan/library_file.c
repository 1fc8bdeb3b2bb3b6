// SPDX-License-Identifier: MIT
// library_file.c: see library_file.h. What the architecture is, the program's own file says.
#include "library_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/program.h"
#include "base/refuse.h"

typedef struct {
    int descriptor;
    uint64_t bytes;
    char *why;
    size_t size;
} looked_at;

static bool read_at(const looked_at *f, uint64_t at, void *to, size_t bytes) {
    return at <= f->bytes && bytes <= f->bytes - at && pread(f->descriptor, to, bytes, (off_t)at) == (ssize_t)bytes;
}

static bool open_plain(looked_at *f, const char *path) {
    struct stat info;
    // Without O_NONBLOCK, the opening of a pipe waits for its other end.
    f->descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (f->descriptor < 0 || fstat(f->descriptor, &info) != 0)
        return REFUSE(f, "cannot be read: %s", strerror(errno));
    if (!S_ISREG(info.st_mode))
        return REFUSE(f, "is %s, and no file: name a shared library", S_ISDIR(info.st_mode) ? "a folder" : "a device");
    f->bytes = (uint64_t)info.st_size;
    return true;
}

#define HOW_TO_BUILD "build one with cc -shared -fPIC"
#define CUT_OFF "is cut off: its headers speak of more bytes than it has; build or copy it again"

#ifdef __APPLE__
#include <mach-o/loader.h>

static bool check(const looked_at *f) {
    struct mach_header_64 its, own;
    looked_at self = {.descriptor = open(program_path(), O_RDONLY | O_CLOEXEC), .bytes = sizeof own};
    const bool known = self.descriptor >= 0 && read_at(&self, 0, &own, sizeof own);
    if (self.descriptor >= 0)
        (void)close(self.descriptor);
    if (!read_at(f, 0, &its, sizeof its) || its.magic != MH_MAGIC_64)
        return REFUSE(f, "is no shared library: " HOW_TO_BUILD);
    if (known && its.cputype != own.cputype)
        return REFUSE(f, "is of another architecture (CPU type %d, this program's is %d): compile it for this one",
                      (int)its.cputype, (int)own.cputype);
    if (its.filetype != MH_DYLIB && its.filetype != MH_BUNDLE)
        return REFUSE(f, "is no shared library but a program or an object: " HOW_TO_BUILD);
    return its.sizeofcmds <= f->bytes - sizeof its || REFUSE(f, CUT_OFF);
}
#else
#include <elf.h>
#include <link.h>

static const char *machine_name(unsigned machine, char text[32]) {
    static const struct {
        unsigned machine;
        const char *name;
    } known[] = {{EM_X86_64, "x86-64"}, {EM_AARCH64, "AArch64"}, {EM_386, "32-bit x86"}, {EM_ARM, "32-bit ARM"},
                 {EM_PPC64, "POWER"},   {EM_RISCV, "RISC-V"},    {EM_S390, "S/390"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].machine == machine)
            return known[i].name;
    (void)snprintf(text, 32, "ELF machine %u", machine);
    return text;
}

// Whether a library's dynamic section marks it as a program that can lie anywhere, which is a shared object, too.
static bool is_program(const looked_at *f, const ElfW(Phdr) * dynamic) {
    ElfW(Dyn) entry;
    for (uint64_t at = 0; at + sizeof entry <= dynamic->p_filesz; at += sizeof entry)
        if (!read_at(f, dynamic->p_offset + at, &entry, sizeof entry) || entry.d_tag == DT_NULL)
            return false;
        else if (entry.d_tag == DT_FLAGS_1)
            return entry.d_un.d_val & DF_1_PIE;
    return false;
}

// Each segment has to lie within the file; one of them has to say what the library needs.
static bool check_segments(const looked_at *f, const ElfW(Ehdr) * header) {
    bool linked = false;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        ElfW(Phdr) segment;
        if (header->e_phentsize != sizeof segment ||
            !read_at(f, header->e_phoff + (uint64_t)i * sizeof segment, &segment, sizeof segment) ||
            segment.p_offset > f->bytes || segment.p_filesz > f->bytes - segment.p_offset)
            return REFUSE(f, CUT_OFF);
        if (segment.p_type == PT_DYNAMIC && is_program(f, &segment))
            return REFUSE(f, "is a program: " HOW_TO_BUILD);
        linked |= segment.p_type == PT_DYNAMIC;
    }
    return linked || REFUSE(f, "is no shared library, for nothing in it can be linked with: " HOW_TO_BUILD);
}

static bool check_type(const looked_at *f, unsigned type) {
    if (type == ET_REL)
        return REFUSE(f, "is an object file: link it with cc -shared");
    return type == ET_DYN || REFUSE(f, "is %s: " HOW_TO_BUILD, type == ET_EXEC ? "a program" : "no shared library");
}

static bool check(const looked_at *f) {
    ElfW(Ehdr) its, own;
    unsigned char begin[EI_NIDENT];
    char text[32], own_text[32];
    looked_at self = {.descriptor = open(program_path(), O_RDONLY | O_CLOEXEC), .bytes = sizeof own};
    const bool known = self.descriptor >= 0 && read_at(&self, 0, &own, sizeof own);
    if (self.descriptor >= 0)
        (void)close(self.descriptor);
    if (!known)
        return REFUSE(f, "cannot be held against this program, whose own file cannot be read; is /proc there?");
    if (f->bytes >= 8 && read_at(f, 0, begin, 8) && memcmp(begin, "!<arch>\n", 8) == 0)
        return REFUSE(f, "is a static library: " HOW_TO_BUILD);
    if (!read_at(f, 0, begin, SELFMAG) || memcmp(begin, ELFMAG, SELFMAG) != 0)
        return REFUSE(f, "is no shared library: " HOW_TO_BUILD);
    // In both classes of file the machine stands at the same place.
    if (!read_at(f, 0, &its, sizeof its))
        return REFUSE(f, CUT_OFF);
    if (its.e_machine != own.e_machine || its.e_ident[EI_CLASS] != own.e_ident[EI_CLASS] ||
        its.e_ident[EI_DATA] != own.e_ident[EI_DATA])
        return REFUSE(f, "is of another architecture (%s, this program is of %s): compile it for this one",
                      machine_name(its.e_machine, text), machine_name(own.e_machine, own_text));
    return check_type(f, its.e_type) && check_segments(f, &its);
}
#endif

bool library_file_check(const char *path, char *why, size_t size) {
    looked_at f = {.why = why, .size = size};
    const bool ok = open_plain(&f, path) && check(&f);
    if (f.descriptor >= 0)
        (void)close(f.descriptor);
    return ok;
}
