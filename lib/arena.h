#ifndef LIB_ARENA_H
#define LIB_ARENA_H

#include <stddef.h>

#include "err.h"

/*
 * Memory for a library that does not cope with an allocation that fails: it is taken in one piece,
 * which may be refused, and handed out from that, which never is.  Nothing is freed before all is,
 * and all is wiped then.
 *
 * The hooks of such libraries know no context, so that one arena at a time is open.
 */
struct arena {
	char *data; /* ${size} bytes; NULL before arena_open() */
	size_t size;
	size_t used;
};

/*
 * Take ${size} bytes, and let the three hooks below serve from them until arena_close().  The
 * caller knows that the library needs no more: the program is aborted when it does.  On success
 * ${arena}, which stays where it is, is to be given to arena_free().  ERR_NOMEM.
 */
MUST_CHECK enum err arena_open(struct arena *arena, size_t size);

/* No more is taken from the arena that is open.  What was taken stays. */
void arena_close(void);

/* In place of malloc(3), realloc(3) and free(3), while an arena is open. */
void *arena_hook_malloc(size_t size);
void *arena_hook_realloc(void *old, size_t size);
void arena_hook_free(void *memory);

/* Wipe and free all.  ${arena} may be one of zeros. */
void arena_free(struct arena *arena);

#endif
