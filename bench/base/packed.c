// SPDX-License-Identifier: MIT
// packed.c: see packed.h.
#include "packed.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "files.h"
#include "refuse.h"

// Of one unpacked file: a small one may claim to be larger than any memory.
enum { LARGEST = 1 << 30 };

char *packed_rest(FILE *file, size_t *length) {
    size_t capacity = 1 << 16, used = 0;
    char *buffer = malloc(capacity);
    while (buffer) {
        errno = 0;
        used += fread(buffer + used, 1, capacity - 1 - used, file);
        if (ferror(file)) {
            const int error = errno ? errno : EIO;
            free(buffer);
            errno = error;
            return NULL;
        }
        if (used < capacity - 1)
            break;
        char *larger = realloc(buffer, capacity *= 2);
        if (!larger)
            free(buffer);
        buffer = larger;
    }
    if (buffer) {
        buffer[used] = '\0';
        *length = used;
    }
    return buffer;
}

// The path of the packed form; false: no path is that long.
static bool packed_path(const char *path, char packed[PATH_MAX]) {
    return snprintf(packed, PATH_MAX, "%s" PACKED_SUFFIX, path) < PATH_MAX;
}

static bool stands(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0;
}

static const char *base_of(const char *path) {
    const char *const slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

#define COMPLAIN(...) (refuse(__VA_ARGS__), -1)

// ---- Unpacking in memory

typedef struct {
    z_stream z;
    char *text; // z.total_out bytes of it are there, and room for a NUL
    size_t capacity, used;
} unpacker;

// Room for more, as far as any file goes. Z_OK, Z_MEM_ERROR or Z_BUF_ERROR.
static int grow(unpacker *u) {
    if (u->used + 1 < u->capacity)
        return Z_OK;
    if (u->capacity >= LARGEST)
        return Z_BUF_ERROR;
    char *const larger = realloc(u->text, u->capacity * 2);
    if (larger == NULL)
        return Z_MEM_ERROR;
    u->text = larger;
    u->capacity *= 2;
    return Z_OK;
}

// Takes all members of the file, of which gzip may join several. Z_STREAM_END: whole, to the last byte.
static int take_members(unpacker *u) {
    int status = Z_OK;
    while (status == Z_OK) {
        if ((status = grow(u)) != Z_OK)
            return status == Z_BUF_ERROR ? Z_NEED_DICT : status;
        const size_t room = u->capacity - 1 - u->used;
        u->z.next_out = (Bytef *)u->text + u->used;
        u->z.avail_out = (uInt)room;
        status = inflate(&u->z, Z_NO_FLUSH);
        u->used += room - u->z.avail_out;
        if (status == Z_STREAM_END && u->z.avail_in > 0)
            status = inflateReset(&u->z);
        else if (status == Z_OK && u->z.avail_in == 0 && u->z.avail_out > 0)
            status = Z_BUF_ERROR; // it wants more than there is
    }
    return status;
}

// Z_STREAM_END with *text and *length; Z_BUF_ERROR: cut off; Z_NEED_DICT, which gzip has not: beyond LARGEST.
static int unpack(char *packed, size_t packed_length, char **text, size_t *length) {
    enum { GZIP_ONLY = 16 };
    unpacker u = {.capacity = 1 << 16};
    u.z.next_in = (Bytef *)packed;
    u.z.avail_in = (uInt)packed_length;
    if (packed_length > LARGEST)
        return Z_NEED_DICT;
    if ((u.text = malloc(u.capacity)) == NULL || inflateInit2(&u.z, MAX_WBITS + GZIP_ONLY) != Z_OK) {
        free(u.text);
        return Z_MEM_ERROR;
    }
    const int status = take_members(&u);
    (void)inflateEnd(&u.z);
    if (status != Z_STREAM_END) {
        free(u.text);
        return status;
    }
    u.text[u.used] = '\0';
    *text = u.text;
    *length = u.used;
    return status;
}

static int read_packed(const char *packed, char **text, size_t *length, char *message, size_t size) {
    FILE *file;
    size_t packed_length = 0;
    int code = files_open(packed, &file);
    if (code != 0)
        return code;
    char *const bytes = packed_rest(file, &packed_length);
    code = bytes != NULL ? 0 : errno;
    (void)fclose(file);
    if (code != 0)
        return code;
    const char *const base = base_of(packed);
    const int status = unpack(bytes, packed_length, text, length);
    free(bytes);
    switch (status) {
    case Z_STREAM_END:
        return 0;
    case Z_MEM_ERROR:
        return ENOMEM;
    case Z_NEED_DICT:
        return COMPLAIN(message, size, "%s unpacks to more than 1 GiB: no run is that large", base);
    case Z_BUF_ERROR:
        return COMPLAIN(message, size,
                        "%s is cut off: copy it anew from where it is whole, or keep what is left of it: gzip -dc %s "
                        ">%.*s, then remove it",
                        base, base, (int)(strlen(base) - strlen(PACKED_SUFFIX)), base);
    default:
        return COMPLAIN(message, size, "%s is damaged, or no gzip file: copy it anew from where it is whole", base);
    }
}

// ---- Files

int packed_read(const char *path, char **text, size_t *length, char *message, size_t size) {
    char packed[PATH_MAX];
    FILE *file;
    const bool has_packed = packed_path(path, packed) && stands(packed);
    if (has_packed && stands(path))
        return COMPLAIN(message, size,
                        "%s stands beside it: remove one of the two; `gzip -dc %s | cmp - %s` says whether they hold "
                        "the same",
                        base_of(packed), base_of(packed), base_of(path));
    if (has_packed)
        return read_packed(packed, text, length, message, size);
    int code = files_open(path, &file);
    if (code != 0)
        return code;
    *text = packed_rest(file, length);
    code = *text != NULL ? 0 : errno;
    (void)fclose(file);
    return code;
}

typedef struct {
    const char *text;
    size_t length;
} content;

static int write_content(const void *what, const char *path) {
    const content *const c = what;
    FILE *const file = fopen(path, "we");
    if (file == NULL)
        return errno;
    errno = 0;
    int code = fwrite(c->text, 1, c->length, file) == c->length ? 0 : errno != 0 ? errno : EIO;
    if (fclose(file) != 0 && code == 0)
        code = errno;
    return code;
}

int packed_unpack(const char *path, char *message, size_t size) {
    char packed[PATH_MAX], *text = NULL;
    size_t length = 0;
    if (!packed_path(path, packed) || !stands(packed))
        return 0;
    int code = packed_read(path, &text, &length, message, size);
    if (code == 0)
        code = files_replace(path, write_content, &(content){text, length});
    if (code == 0 && unlink(packed) != 0)
        code = errno;
    free(text);
    return code;
}
