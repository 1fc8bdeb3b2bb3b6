// SPDX-License-Identifier: MIT
// files.c: see files.h.
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "packed.h"
#include "refuse.h"

const char *files_reason(int code) {
    switch (code) {
    case FILES_NOT_PLAIN:
        return "a link, a pipe or a device stands there, where only a plain file may: remove it";
    case FILES_LOCKED:
        return "another normbench is writing there: wait until it is done, or stop it";
    case FILES_PACKED:
        return "a file of that name stands there compressed, as .gz: remove it, or give another folder";
    case EFBIG:
        return "the file may not grow further: see ulimit -f, or the limits of the disk";
    default:
        return strerror(code);
    }
}

bool files_wrote(int code, const char *path, char *message, size_t size) {
    return code == 0 || refuse(message, size, "cannot write %s: %s", path, files_reason(code));
}

// ---- Plain files of a results folder

static int judge(const struct stat *info) {
    return S_ISREG(info->st_mode) ? 0 : S_ISDIR(info->st_mode) ? EISDIR : FILES_NOT_PLAIN;
}

// 0: a plain file, or none.
int files_replaceable(const char *path) {
    struct stat info;
    if (lstat(path, &info) != 0)
        return errno == ENOENT ? 0 : errno;
    return judge(&info);
}

// Without O_NONBLOCK, the opening of a pipe waits for its other end.
static int open_plain(const char *path, int flags, const char *mode, FILE **file) {
    struct stat info;
    *file = NULL;
    const int descriptor = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return errno == ELOOP || errno == ENXIO ? FILES_NOT_PLAIN : errno;
    int code = fstat(descriptor, &info) != 0 ? errno : judge(&info);
    if (code == 0 && (*file = fdopen(descriptor, mode)) == NULL)
        code = errno;
    if (code != 0)
        (void)close(descriptor);
    return code;
}

int files_open(const char *path, FILE **file) { return open_plain(path, O_RDONLY, "r", file); }
int files_continue(const char *path, FILE **file) { return open_plain(path, O_RDWR | O_APPEND | O_CREAT, "a+", file); }

int files_create(const char *path, FILE **file) {
    char packed[PATH_MAX];
    struct stat info;
    *file = NULL;
    const int code = files_replaceable(path);
    if (code != 0)
        return code;
    if (snprintf(packed, sizeof packed, "%s" PACKED_SUFFIX, path) < (int)sizeof packed && lstat(packed, &info) == 0)
        return FILES_PACKED;
    if (unlink(path) != 0 && errno != ENOENT)
        return errno;
    return open_plain(path, O_WRONLY | O_CREAT | O_EXCL, "w", file);
}

// ---- Files that take their name once they are whole

// What was written may still be on its way to the disk, and may not fit there.
static int settle(const char *part) {
    const int descriptor = open(part, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return errno;
    const int code = fsync(descriptor) == 0 || errno == EINVAL || errno == ENOSYS ? 0 : errno;
    (void)close(descriptor);
    return code;
}

static int write_and_rename(const char *part, const char *path, files_writer *write, const void *what) {
    int code = write(what, part);
    if (code == 0)
        code = settle(part);
    if (code == 0 && rename(part, path) != 0)
        code = errno;
    if (code != 0)
        (void)unlink(part);
    return code;
}

int files_replace(const char *path, files_writer *write, const void *what) {
    char part[PATH_MAX];
    FILE *file;
    const char *const slash = strrchr(path, '/');
    const int folder = slash == NULL ? 0 : (int)(slash - path) + 1;
    if (snprintf(part, sizeof part, "%.*s%s", folder, path, FILES_PART) >= (int)sizeof part)
        return ENAMETOOLONG;
    int code = files_replaceable(path);
    if (code == 0)
        code = files_create(part, &file);
    if (code != 0)
        return code;
    // Made here, and nobody else's: whoever writes may open it by its name.
    if (fclose(file) != 0)
        return errno;
    return write_and_rename(part, path, write, what);
}

// Whether a file is one that this process was given as standard input, output or error.
static bool is_standard(const struct stat *info) {
    struct stat own;
    for (int descriptor = 0; descriptor <= STDERR_FILENO; descriptor++)
        if (fstat(descriptor, &own) == 0 && own.st_dev == info->st_dev && own.st_ino == info->st_ino)
            return true;
    return false;
}

// An empty file beside `target` with the permissions that a file of that name has or would have. 0 or errno.
static int make_beside(const char *target, const struct stat *old, char part[PATH_MAX]) {
    if (snprintf(part, PATH_MAX, "%s.XXXXXX", target) >= PATH_MAX)
        return ENAMETOOLONG;
    const int descriptor = mkostemp(part, O_CLOEXEC);
    if (descriptor < 0)
        return errno;
    const mode_t mask = umask(0);
    (void)umask(mask);
    int code = fchmod(descriptor, old != NULL ? old->st_mode & 0777 : 0666 & ~mask) == 0 ? 0 : errno;
    if (close(descriptor) != 0 && code == 0)
        code = errno;
    if (code != 0)
        (void)unlink(part);
    return code;
}

int files_deliver(const char *path, files_writer *write, const void *what) {
    char target[PATH_MAX], part[PATH_MAX];
    struct stat old;
    const bool there = stat(path, &old) == 0, named = lstat(path, &(struct stat){0}) == 0;
    // What has other names as well keeps them, what is open elsewhere is what is read there, and a link to nothing yet
    // will lead to what is made.
    if (strcmp(path, "-") == 0 || named != there ||
        (there && (!S_ISREG(old.st_mode) || old.st_nlink > 1 || is_standard(&old))))
        return write(what, path);
    if (there ? realpath(path, target) == NULL : snprintf(target, sizeof target, "%s", path) >= (int)sizeof target)
        return there ? errno : ENAMETOOLONG;
    const int code = make_beside(target, there ? &old : NULL, part);
    // A file may be writable in a folder that is not.
    if (there && (code == EACCES || code == EPERM || code == EROFS || code == ENAMETOOLONG))
        return write(what, path);
    return code != 0 ? code : write_and_rename(part, target, write, what);
}

int files_deliverable(const char *path) {
    char folder[PATH_MAX];
    struct stat info;
    if (strcmp(path, "-") == 0)
        return 0;
    if (stat(path, &info) == 0)
        return S_ISDIR(info.st_mode) ? EISDIR : access(path, W_OK) == 0 ? 0 : errno;
    if (errno != ENOENT || path[0] == '\0')
        return errno;
    const char *const slash = strrchr(path, '/');
    if (snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
                 slash == NULL ? "." : path) >= (int)sizeof folder)
        return ENAMETOOLONG;
    if (slash != NULL && slash[1] == '\0')
        return EISDIR;
    return access(folder, W_OK | X_OK) == 0 ? 0 : errno;
}

// ---- One writer at a time

int files_lock(const char *folder, int *lock) {
    *lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0)
        return errno;
    if (flock(*lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return 0;
    (void)close(*lock);
    *lock = -1;
    return FILES_LOCKED;
}

// ---- Text

int text_file_write(const void *text, const char *path) {
    const text_file *const t = text;
    FILE *const file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    int error = file == NULL ? errno : 0;
    if (file == NULL)
        return error;
    errno = 0;
    t->print(file, t->what);
    if (fflush(file) != 0 || ferror(file))
        error = errno != 0 ? errno : EIO;
    if (file != stdout && fclose(file) != 0 && error == 0)
        error = errno;
    return error;
}
