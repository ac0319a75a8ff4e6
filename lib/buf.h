#ifndef LIB_BUF_H
#define LIB_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/*
 * A byte buffer that grows up to a maximum fixed at birth.  Errors stick: after the first failed
 * append every later one is a no-op, so that a row of appends is checked once, with buf_err().
 * The contents are always followed by a NUL byte that is not counted.
 */
struct buf {
	char *data; /* ${len} bytes and a NUL; NULL until the first append */
	size_t len;
	size_t cap; /* bytes allocated */
	size_t max; /* ${len} never exceeds this */
	enum err err;
};

/* An empty buffer that never holds more than ${max} bytes.  Allocates nothing. */
struct buf buf_new(size_t max);

/* Free the contents, wiping them first.  ${buf} may be NULL or empty; it is empty afterwards. */
void buf_free(struct buf *buf);

/* Forget the contents and a sticky error; keep the memory. */
void buf_clear(struct buf *buf);

/* Append ${len} bytes of ${data}.  Sticks ERR_TOO_LARGE over the maximum, ERR_NOMEM without memory.
 */
void buf_put(struct buf *buf, const void *data, size_t len);

/* Append the string ${s} without its NUL.  Errors as buf_put(). */
void buf_puts(struct buf *buf, const char *s);

/* Append as printf would.  Errors as buf_put(). */
void buf_printf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/*
 * Append ${len} bytes of ${data} as a JSON string with its quotes (RFC 8259 section 7).  Control
 * characters, DEL and every byte that is not part of valid UTF-8 become escapes, so that the result
 * is one line of valid UTF-8 whatever the input.  Errors as buf_put().
 */
void buf_json(struct buf *buf, const void *data, size_t len);

/* buf_json() of the string ${s}; NULL is appended as null. */
void buf_jsons(struct buf *buf, const char *s);

/* The sticky error, ERR_OK if every append since buf_new() or buf_clear() succeeded. */
MUST_CHECK enum err buf_err(const struct buf *buf);

/* The contents as a string: never NULL, valid until the next change of ${buf}. */
const char *buf_str(const struct buf *buf);

#endif
