#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

enum { BUF_FIRST = 256 }; /* bytes of the first allocation: most answers and log lines fit */

struct buf buf_new(size_t max)
{
	return (struct buf){.max = max};
}

void buf_free(struct buf *buf)
{
	if (buf == NULL)
		return;
	if (buf->data != NULL) {
		explicit_bzero(buf->data, buf->cap);
		free(buf->data);
	}
	*buf = buf_new(buf->max);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->err = ERR_OK;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

/* Make room for ${more} bytes and the NUL.  The old memory is wiped: it may hold a secret. */
static enum err grow(struct buf *buf, size_t more)
{
	size_t need = buf->len + more + 1;
	size_t cap = buf->cap == 0 ? BUF_FIRST : buf->cap;
	char *data = NULL;

	if (need <= buf->cap)
		return ERR_OK;
	while (cap < need)
		cap *= 2;
	data = malloc(cap);
	if (data == NULL)
		return ERR_NOMEM;
	if (buf->data != NULL) {
		memcpy(data, buf->data, buf->len);
		explicit_bzero(buf->data, buf->cap);
		free(buf->data);
	}
	buf->data = data;
	buf->cap = cap;
	return ERR_OK;
}

void buf_put(struct buf *buf, const void *data, size_t len)
{
	if (buf->err != ERR_OK)
		return;
	if (len > buf->max - buf->len) {
		buf->err = ERR_TOO_LARGE;
		return;
	}
	buf->err = grow(buf, len);
	if (buf->err != ERR_OK)
		return;
	if (len > 0)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_puts(struct buf *buf, const char *s)
{
	buf_put(buf, s, strlen(s));
}

/* vsnprintf() into the room behind the contents; return what it returns.  ${ap} stays as it was. */
__attribute__((format(printf, 2, 0))) static int print(const struct buf *buf, const char *fmt,
                                                       va_list ap)
{
	va_list copy;
	int n = 0;

	va_copy(copy, ap);
	n = vsnprintf(buf->data == NULL ? NULL : buf->data + buf->len, buf->cap - buf->len, fmt,
	              copy);
	va_end(copy);
	return n;
}

void buf_vprintf(struct buf *buf, const char *fmt, va_list ap)
{
	int n = 0;

	if (buf->err != ERR_OK)
		return;
	n = print(buf, fmt, ap);
	if (n < 0)
		buf->err = ERR_INTERNAL;
	else if ((size_t)n > buf->max - buf->len)
		buf->err = ERR_TOO_LARGE;
	else if ((size_t)n >= buf->cap - buf->len) {
		buf->err = grow(buf, (size_t)n);
		if (buf->err == ERR_OK)
			(void)print(buf, fmt, ap);
	}
	if (buf->err == ERR_OK)
		buf->len += (size_t)n;
	else if (buf->data != NULL)
		buf->data[buf->len] = '\0';
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(buf, fmt, ap);
	va_end(ap);
}

/*
 * The length of the UTF-8 sequence at the start of the ${len} bytes of ${s}, or 0 if there is none
 * (RFC 3629 section 4: no overlong forms, no surrogates, nothing above U+10FFFF).
 */
static size_t utf8_len(const unsigned char *s, size_t len)
{
	static const struct {
		unsigned char first_min, first_max, second_min, second_max, len;
	} forms[] = {
	    {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
	    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
	    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (s[0] < forms[i].first_min || s[0] > forms[i].first_max)
			continue;
		if (len < forms[i].len)
			return 0;
		if (forms[i].len > 1 && (s[1] < forms[i].second_min || s[1] > forms[i].second_max))
			return 0;
		for (size_t k = 2; k < forms[i].len; k++) {
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		}
		return forms[i].len;
	}
	return 0;
}

void buf_json(struct buf *buf, const void *data, size_t len)
{
	const unsigned char *s = data;
	size_t i = 0;

	buf_put(buf, "\"", 1);
	while (i < len) {
		size_t n = utf8_len(s + i, len - i);

		if (n == 0)
			buf_puts(buf, "\\ufffd");
		else if (s[i] == '"' || s[i] == '\\')
			buf_printf(buf, "\\%c", s[i]);
		else if (s[i] < 0x20 || s[i] == 0x7f)
			buf_printf(buf, "\\u%04x", s[i]);
		else
			buf_put(buf, s + i, n);
		i += n == 0 ? 1 : n;
	}
	buf_put(buf, "\"", 1);
}

void buf_jsons(struct buf *buf, const char *s)
{
	if (s == NULL)
		buf_puts(buf, "null");
	else
		buf_json(buf, s, strlen(s));
}

enum err buf_err(const struct buf *buf)
{
	return buf->err;
}

const char *buf_str(const struct buf *buf)
{
	return buf->data == NULL ? "" : buf->data;
}
