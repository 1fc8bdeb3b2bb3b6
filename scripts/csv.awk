# SPDX-License-Identifier: MIT
# The one reader of CSV files (RFC 4180) of the scripts, and the writer of one field.

# Rows into cell[i, column], i = 1, 2, ...; columns into names[1 .. names[0]]. Returns the number of rows, -1 if the file cannot be read or is
# no table: every row must be as wide as the header and the last quotation closed.
function csv_read(path, cell, names,    text, record, rows, count, field, i, bad) {
    names[0] = rows = 0
    record = ""
    while ((getline text < path) > 0) {
        record = record == "" ? text : record "\n" text
        if (gsub(/"/, "\"", record) % 2) # inside a quoted field: the row goes on
            continue
        count = csv_split(record, field)
        record = ""
        if (!names[0]) {
            names[0] = count
            for (i = 1; i <= count; i++)
                names[i] = field[i]
            continue
        }
        if (count != names[0])
            bad = 1
        rows++
        for (i = 1; i <= names[0]; i++)
            cell[rows, names[i]] = field[i]
    }
    close(path)
    return bad || record != "" || !names[0] ? -1 : rows
}

function csv_has(names, column,    i) {
    for (i = 1; i <= names[0]; i++)
        if (names[i] == column)
            return 1
    return 0
}

function csv_split(text, field,    count, value) {
    sub(/\r$/, "", text)
    text = text ","
    for (count = 0; text != ""; ) {
        if (substr(text, 1, 1) == "\"") {
            match(text, /^"([^"]|"")*"/)
            value = substr(text, 2, RLENGTH - 2)
            gsub(/""/, "\"", value)
            text = substr(text, RLENGTH + 2)
        } else {
            match(text, /^[^,]*/)
            value = substr(text, 1, RLENGTH)
            text = substr(text, RLENGTH + 2)
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
