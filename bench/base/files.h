// SPDX-License-Identifier: MIT
// files.h: how files are opened, replaced and locked. A results folder travels between people, so that a name in it may
// be a link to anywhere or a pipe that nobody writes: there nothing is followed and nothing but a plain file is taken.
// A file that somebody names on the command line is his own affair: links, pipes and devices are what they are for.
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <stdio.h>

// What these functions return besides 0 and errno.
enum { FILES_NOT_PLAIN = -2, FILES_LOCKED = -3, FILES_PACKED = -4 };
// What a code means, and what to do about it where that is known.
const char *files_reason(int code);
// Whether the code is 0; if not, a message: "cannot write PATH: REASON".
bool files_wrote(int code, const char *path, char *message, size_t size);

// Of a results folder: opens a plain file to read it, to read and append, or anew in place of one that is there, but
// not beside its packed form (packed.h).
int files_open(const char *path, FILE **file);
int files_continue(const char *path, FILE **file);
int files_create(const char *path, FILE **file);

// Writes a file anew: it takes its name once it is whole and on the disk, so that whatever goes wrong leaves the old
// one or none. write: 0 or errno, as these. files_replace: of a results folder, by way of FILES_PART in it;
// files_deliver: where the command line says, by way of a file beside that; a pipe or device, or "-", is written to
// directly.
#define FILES_PART "new.part"
typedef int files_writer(const void *what, const char *path);
int files_replace(const char *path, files_writer *write, const void *what);
int files_deliver(const char *path, files_writer *write, const void *what);
// Whether what stands there, if anything, is one that files_replace and files_create take.
int files_replaceable(const char *path);
// Whether files_deliver can be expected to work, without touching anything, so that nothing is computed in vain.
int files_deliverable(const char *path);

// Locks a folder against other processes that lock it, until *lock is closed or the process ends. FILES_LOCKED: another
// has it. A file system that has no locks is no error, and *lock then locks nothing.
int files_lock(const char *folder, int *lock);

// Text for people, or for other tools, as a file.
// What is printed, and how.
typedef struct {
    void (*print)(FILE *out, const void *what);
    const void *what;
} text_file;
// A files_writer of a text_file; path "-" is stdout. 0 or errno.
int text_file_write(const void *text, const char *path);

#endif
