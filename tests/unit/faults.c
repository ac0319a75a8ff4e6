#include "faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

/* The allocator below the one here: the sanitizer's, or the C library's. */
#if __has_feature(address_sanitizer) || defined(__SANITIZE_ADDRESS__)
#define below_malloc  __interceptor_malloc
#define below_calloc  __interceptor_calloc
#define below_realloc __interceptor_realloc
#else
#define below_malloc  __libc_malloc
#define below_calloc  __libc_calloc
#define below_realloc __libc_realloc
#endif
void *below_malloc(size_t size);
void *below_calloc(size_t n, size_t size);
void *below_realloc(void *old, size_t size);

/* The allocator is called before the sanitizer is ready to look at it. */
#define EARLY __attribute__((no_sanitize("address", "undefined")))

enum { MANY = 20000 };

static _Thread_local bool counting;
static _Thread_local bool following; /* whether all that follow the fault fail too */
static _Thread_local size_t seen;
static _Thread_local size_t target;

EARLY bool fault_due(void)
{
	if (!counting)
		return false;
	seen++;
	return seen == target || (following && seen > target);
}

size_t fault_steps(void)
{
	return seen;
}

void fault_pause(void)
{
	counting = false;
}

void fault_resume(void)
{
	counting = true;
}

/* Run with fault ${n}; whether there was one. */
static bool try(fault_operation *operation, void *ctx, enum err also, size_t n)
{
	enum err err = ERR_OK;

	seen = 0;
	target = n;
	counting = true;
	err = operation(ctx);
	counting = false;
	if (seen < n)
		assert_int_equal(err, ERR_OK);
	else if (err != ERR_OK && err != also)
		assert_int_equal(err, ERR_NOMEM);
	return seen >= n;
}

void fault_each(fault_operation *operation, void *ctx, enum err also)
{
	/* Libraries set themselves up at their first use, and not again. */
	(void)try(operation, ctx, also, MANY);
	for (int all = 0; all < 2; all++) {
		size_t n = 1;

		following = all != 0;
		while (try(operation, ctx, also, n))
			n++;
		assert_true(n > 1);
		assert_true(n < MANY);
	}
}

/* --- the allocator --- */

EARLY void *malloc(size_t size)
{
	if (fault_due()) {
		errno = ENOMEM;
		return NULL;
	}
	return below_malloc(size);
}

EARLY void *calloc(size_t n, size_t size)
{
	if (fault_due()) {
		errno = ENOMEM;
		return NULL;
	}
	return below_calloc(n, size);
}

EARLY void *realloc(void *old, size_t size)
{
	if (fault_due()) {
		errno = ENOMEM;
		return NULL;
	}
	return below_realloc(old, size);
}

char *strndup(const char *text, size_t max)
{
	size_t len = strnlen(text, max);
	char *copy = fault_due() ? NULL : below_malloc(len + 1);

	if (copy != NULL) {
		memcpy(copy, text, len);
		copy[len] = '\0';
	}
	return copy;
}

char *strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = fault_due() ? NULL : below_malloc(size);

	return copy == NULL ? NULL : memcpy(copy, text, size);
}
