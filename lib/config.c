#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bounds.h"
#include "config.h"

static const struct unit {
	const char *suffix;
	int64_t factor;
} sizes[] = {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {NULL, 0}},
  durations[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0}},
  plain[] = {{"", 1}, {NULL, 0}};

static void free_text(char **text)
{
	free(*text);
	*text = NULL;
}

static void free_secret(struct secret *secret)
{
	if (secret->data != NULL) {
		explicit_bzero(secret->data, secret->len);
		free(secret->data);
	}
	*secret = (struct secret){0};
}

/* Read the file ${path} into ${value}.  A description of a failure goes to ${problems}. */
static enum err read_file(const char *name, const char *path, struct buf *value,
                          struct buf *problems)
{
	enum err err = ERR_OK;
	char block[1024];
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		buf_printf(problems, "%s_FILE: cannot open %s: %s\n", name, path, strerror(errno));
		return ERR_MALFORMED;
	}
	while (buf_err(value) == ERR_OK && (n = read(fd, block, sizeof(block))) > 0)
		buf_put(value, block, (size_t)n);
	if (n < 0) {
		buf_printf(problems, "%s_FILE: cannot read %s: %s\n", name, path, strerror(errno));
		err = ERR_MALFORMED;
	} else if (buf_err(value) == ERR_TOO_LARGE) {
		buf_printf(problems, "%s_FILE: %s is larger than %d bytes\n", name, path,
		           LIMIT_SECRET_FILE);
		err = ERR_MALFORMED;
	} else {
		err = buf_err(value);
	}
	explicit_bzero(block, sizeof(block));
	close(fd);
	return err;
}

/* Put the raw text of ${row} into ${value}, from wherever it is given. */
static enum err find(const struct setting *row, struct buf *value, struct buf *problems)
{
	char file_name[128];
	const char *text = getenv(row->name);
	const char *path = NULL;

	(void)snprintf(file_name, sizeof(file_name), "%s_FILE", row->name);
	path = getenv(file_name);
	if (text != NULL && path != NULL) {
		buf_printf(problems, "%s: both %s and %s are set; keep one\n", row->name, row->name,
		           file_name);
		return ERR_MALFORMED;
	}
	if (path != NULL)
		return read_file(row->name, path, value, problems);
	if (text == NULL)
		text = row->fallback;
	if (text == NULL) {
		buf_printf(problems, "%s: neither %s nor %s is set\n", row->name, row->name,
		           file_name);
		return ERR_MALFORMED;
	}
	buf_puts(value, text);
	return buf_err(value);
}

/* Decimal digits and one of ${units}: set *${ret} to the number in the smallest unit. */
static enum err parse_quantity(const char *text, const struct unit *units, int64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	int64_t number = 0;

	if (digits == 0 || digits > 18)
		return ERR_MALFORMED;
	number = strtoll(text, NULL, 10);
	for (; units->suffix != NULL; units++) {
		if (strcmp(text + digits, units->suffix) == 0)
			return __builtin_mul_overflow(number, units->factor, ret) ? ERR_MALFORMED
			                                                          : ERR_OK;
	}
	return ERR_MALFORMED;
}

static enum err set_quantity(const struct setting *row, const char *text, const struct unit *units,
                             const char *form, int64_t *ret, struct buf *problems)
{
	int64_t number = 0;

	if (parse_quantity(text, units, &number) != ERR_OK) {
		buf_printf(problems, "%s: must be %s\n", row->name, form);
		return ERR_MALFORMED;
	}
	if (number < row->min || number > row->max) {
		buf_printf(problems, "%s: must be from %lld to %lld%s\n", row->name,
		           (long long)row->min, (long long)row->max,
		           row->type == SETTING_SIZE       ? " bytes"
		           : row->type == SETTING_DURATION ? " ms"
		                                           : "");
		return ERR_MALFORMED;
	}
	*ret = number;
	return ERR_OK;
}

/* One of two words: set *${ret} to whether it is ${yes}. */
static enum err set_flag(const struct setting *row, const char *text, const char *yes,
                         const char *no, bool *ret, struct buf *problems)
{
	if (strcmp(text, yes) != 0 && strcmp(text, no) != 0) {
		buf_printf(problems, "%s: must be %s or %s\n", row->name, yes, no);
		return ERR_MALFORMED;
	}
	*ret = strcmp(text, yes) == 0;
	return ERR_OK;
}

/* The rules that texts and secrets share: the length and, for texts, the characters. */
static enum err check_text(const struct setting *row, const struct buf *value, struct buf *problems)
{
	if (value->len < (size_t)row->min || value->len > (size_t)row->max) {
		buf_printf(problems, "%s: must have %lld to %lld bytes\n", row->name,
		           (long long)row->min, (long long)row->max);
		return ERR_MALFORMED;
	}
	for (size_t i = 0; row->type == SETTING_TEXT && i < value->len; i++) {
		if (value->data[i] < 0x20 || value->data[i] > 0x7e) {
			buf_printf(problems, "%s: must be printable ASCII\n", row->name);
			return ERR_MALFORMED;
		}
	}
	return ERR_OK;
}

static enum err copy_text(const struct setting *row, const struct buf *value, char **ret,
                          struct buf *problems)
{
	enum err err = check_text(row, value, problems);
	char *text = NULL;

	if (err != ERR_OK)
		return err;
	text = strdup(buf_str(value));
	if (text == NULL)
		return ERR_NOMEM;
	*ret = text;
	return ERR_OK;
}

/* Give the member of ${row} in ${out} the ${value}. */
static enum err set(const struct setting *row, const struct buf *value, void *out,
                    struct buf *problems)
{
	void *member = (char *)out + row->offset;
	const char *text = buf_str(value);
	struct secret *secret = NULL;
	enum err err = ERR_OK;

	switch (row->type) {
	case SETTING_TEXT:
		return copy_text(row, value, (char **)member, problems);
	case SETTING_SECRET:
		secret = member;
		err = copy_text(row, value, &secret->data, problems);
		secret->len = err == ERR_OK ? value->len : 0;
		return err;
	case SETTING_NUMBER:
		return set_quantity(row, text, plain, "a whole number", member, problems);
	case SETTING_SIZE:
		return set_quantity(row, text, sizes, "a size such as 65536, 64K, 64M or 1G",
		                    member, problems);
	case SETTING_DURATION:
		return set_quantity(row, text, durations, "a time such as 500ms, 3s, 10m, 1h or 1d",
		                    member, problems);
	case SETTING_FLAG:
		return set_flag(row, text, "on", "off", member, problems);
	case SETTING_OPEN:
		return set_flag(row, text, "open", "closed", member, problems);
	}
	return ERR_INTERNAL;
}

static enum err load(const struct setting *row, void *out, struct buf *problems)
{
	struct buf value = buf_new(LIMIT_SECRET_FILE);
	enum err err = find(row, &value, problems);

	if (err != ERR_OK)
		goto out;
	if (value.len > 0 && value.data[value.len - 1] == '\n')
		value.data[--value.len] = '\0';
	if (memchr(buf_str(&value), '\0', value.len) != NULL) {
		buf_printf(problems, "%s: must not hold a NUL byte\n", row->name);
		err = ERR_MALFORMED;
		goto out;
	}
	err = set(row, &value, out, problems);
out:
	if (err == ERR_NOMEM)
		buf_printf(problems, "%s: memory ran out\n", row->name);
	buf_free(&value);
	return err;
}

enum err config_load(const struct setting *table, size_t n, void *out, struct buf *problems)
{
	enum err result = ERR_OK;

	for (size_t i = 0; i < n; i++) {
		enum err err = load(&table[i], out, problems);

		if (err != ERR_OK)
			result = err;
	}
	return result;
}

void config_print(const struct setting *table, size_t n, struct buf *out)
{
	static const char *const kinds[] = {
	    [SETTING_TEXT] = "text",        [SETTING_SECRET] = "secret",
	    [SETTING_NUMBER] = "number",    [SETTING_SIZE] = "size",
	    [SETTING_DURATION] = "time",    [SETTING_FLAG] = "on|off",
	    [SETTING_OPEN] = "open|closed",
	};

	for (size_t i = 0; i < n; i++) {
		const struct setting *row = &table[i];
		bool words = row->type == SETTING_FLAG || row->type == SETTING_OPEN;

		buf_printf(out, "%s\t%s\t%s\t", row->name, kinds[row->type],
		           row->fallback == NULL ? "-" : row->fallback);
		if (words)
			buf_puts(out, "-\t-\n");
		else
			buf_printf(out, "%" PRId64 "\t%" PRId64 "\n", row->min, row->max);
	}
}

void config_free(const struct setting *table, size_t n, void *out)
{
	for (size_t i = 0; i < n; i++) {
		void *member = (char *)out + table[i].offset;

		if (table[i].type == SETTING_TEXT)
			free_text((char **)member);
		else if (table[i].type == SETTING_SECRET)
			free_secret(member);
	}
}
