# SPDX-License-Identifier: MIT
# The one reader of CSV files (RFC 4180) of the scripts, and the writer of one field. As strict as the program's: what is malformed is an
# error with its line, whatever the file holds.

# Rows into cell[i, column], i = 1, 2, ...; columns into names[1 .. names[0]]. Returns the number of rows, -1 if the file cannot be read or is
# no table; then csv_error says where and why. Every row must be as wide as the header. Where gzip made FILE.gz of it, that is read.
function csv_read(path, cell, names,    text, record, rows, count, field, i, line, first, open, got, why, unpack) {
    names[0] = rows = line = open = 0
    csv_error = why = ""
    unpack = csv_unpacker(path)
    if (csv_error != "")
        return -1
    while (why == "" && (got = (unpack == "" ? (getline text < path) : (unpack | getline text))) > 0) {
        line++
        if (!open)
            first = line
        record = open ? record "\n" text : text
        open = (open + gsub(/"/, "\"", text)) % 2
        if (open) { # inside a quoted field, so the row goes on; none of ours is as long as this
            if (length(record) > 65536)
                why = "a quotation that does not end"
            continue
        }
        count = csv_split(record, field)
        if (count == 0) {
            why = "a quote that begins or ends no field, or a carriage return that ends no line"
        } else if (!names[0]) {
            names[0] = count
            for (i = 1; i <= count; i++)
                names[i] = field[i]
        } else if (count != names[0]) {
            why = count " fields, the header has " names[0]
        } else {
            rows++
            for (i = 1; i <= count; i++)
                cell[rows, names[i]] = field[i]
        }
    }
    while (unpack != "" && (unpack | getline text) > 0) # or gzip would fail for want of a reader
        continue
    if (close(unpack == "" ? path : unpack) != 0 && unpack != "")
        why = "its .gz is cut off or damaged: copy it anew from where it is whole"
    if (why == "" && open)
        why = "a quotation that does not end"
    if (why != "")
        csv_error = path ": line " first ": " why
    else if (!names[0])
        csv_error = path ": cannot be read, or is empty"
    return csv_error == "" ? rows : -1
}

# The command that unpacks a table that is there as FILE.gz alone; "" for one that is no such. Both at once is an error.
function csv_unpacker(path,    packed, has_packed, line) {
    packed = path ".gz"
    has_packed = (getline line < packed) >= 0
    close(packed)
    if (!has_packed)
        return ""
    if ((getline line < path) >= 0)
        csv_error = path ": has its packed form, .gz, beside it: remove one of the two"
    close(path)
    gsub(/'/, "'\\''", packed) # one word of the shell, whatever it is called
    return "gzip -dc '" packed "' 2>/dev/null"
}

function csv_has(names, column,    i) {
    for (i = 1; i <= names[0]; i++)
        if (names[i] == column)
            return 1
    return 0
}

# The fields of a row; 0 if it is malformed. Each turn takes a field and the comma behind it.
function csv_split(text, field,    count, value) {
    sub(/\r$/, "", text)
    text = text ","
    for (count = 0; text != ""; text = substr(text, RLENGTH + 1)) {
        if (match(text, /^"([^"]|"")*",/)) {
            value = substr(text, 2, RLENGTH - 3)
            gsub(/""/, "\"", value)
        } else if (match(text, /^[^,"\r]*,/)) {
            value = substr(text, 1, RLENGTH - 1)
        } else {
            return 0
        }
        field[++count] = value
    }
    return count
}

# A value as a field of a row.
function csv_field(value) {
    if (value !~ /[",\r\n]/)
        return value
    gsub(/"/, "\"\"", value)
    return "\"" value "\""
}
