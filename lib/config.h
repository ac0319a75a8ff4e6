#ifndef LIB_CONFIG_H
#define LIB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

/* Exit status of a program whose configuration is unusable: EX_CONFIG of sysexits(3). */
#define CONFIG_EXIT 78

enum setting_type {
	SETTING_TEXT,   /* char *: not empty, printable ASCII; ${min}..${max} bytes */
	SETTING_SECRET, /* struct secret: the bytes, one trailing newline removed; ${min}..${max} */
	SETTING_NUMBER, /* int64_t: decimal digits */
	SETTING_SIZE,   /* int64_t, bytes: digits and an optional K, M or G (powers of 1024) */
	SETTING_DURATION, /* int64_t, milliseconds: digits and a unit: ms, s, m, h or d */
	SETTING_FLAG,     /* bool: on or off */
	SETTING_OPEN,     /* bool: open or closed */
};

/* Bytes that are wiped when they are freed. */
struct secret {
	char *data; /* ${len} bytes and a NUL */
	size_t len;
};

/* One setting: a row of a program's table. */
struct setting {
	const char
	    *name; /* the environment variable; NAME_FILE names a file that holds the value */
	enum setting_type type;
	size_t offset;        /* of the member in the program's struct */
	const char *fallback; /* the value when neither is set; NULL makes the setting required */
	int64_t min, max;     /* of the value, in its unit; of the length for texts and secrets */
};

/*
 * Fill the struct at ${out} from the environment by the ${n} rows of ${table}.  Every problem is
 * described by one line in ${problems}, and all settings are looked at: NAME and NAME_FILE both
 * set, missing, not readable, not of the type, out of range.  ERR_MALFORMED if there was any,
 * ERR_NOMEM.  ${out} must be zeroed before, and is to be freed with config_free() in any case.
 */
MUST_CHECK enum err config_load(const struct setting *table, size_t n, void *out,
                                struct buf *problems);

/*
 * Append a line for each of the ${n} rows of ${table}: name, kind, default, least and most,
 * separated by tabs.  The kind is text, secret, number, size, time, on|off or open|closed; what
 * does not apply is "-".  Sizes and the lengths of texts and secrets are in bytes, times in
 * milliseconds.
 */
void config_print(const struct setting *table, size_t n, struct buf *out);

/* Free the texts and wipe the secrets of ${out}. */
void config_free(const struct setting *table, size_t n, void *out);

#endif
