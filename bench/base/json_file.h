// SPDX-License-Identifier: MIT
// json_file.h: JSON as this project writes it.
#ifndef JSON_FILE_H
#define JSON_FILE_H

// A files_writer of a json_t; path "-" is stdout. 0 or errno.
int json_file_write(const void *json, const char *path);

#endif
