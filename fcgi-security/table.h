#ifndef FCGI_SECURITY_TABLE_H
#define FCGI_SECURITY_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "err.h"

/*
 * The revocation table: a file that one process of a cell writes and the validate workers map.
 * It is always replaced as a whole, by rename(2), and never changed in place.
 *
 * Little endian.  Header, 32 bytes: the magic "IGREVOC1"; int64 synced_at, milliseconds since 1970,
 * the database's state is at least this new; uint64 count; 8 zero bytes.  Then count entries of 32
 * bytes, sorted by account: 16 bytes account id; int64 generation, tokens of an older generation
 * are revoked; int64 until, seconds since 1970, when the last such token has expired anyway.
 */

/* A table that is older than this is reported; revocations are then late. */
#define TABLE_STALE_MS 10000

struct table_entry {
	char account[ACCOUNT_ID_LEN]; /* no NUL */
	int64_t generation; /* of the account: tokens below it are revoked; not negative */
	int64_t until;      /* seconds since 1970; not negative */
};

/*
 * Replace the table at ${path} by the ${n} ${entries}, which are sorted here, in place; they may be
 * NULL if ${n} is 0.  ${synced_at_ms}: see above.  Writes `${path}.new`, which it truncates if an
 * earlier attempt left it, and renames it, so that there must be one writer only.  The file is
 * readable for all and writable for its owner.  Writes to a tmpfs: no fsync, blocks only as a
 * memory copy does.  On failure the table that was there stays, and errno tells why. ERR_MALFORMED:
 * an account id is none or appears twice, or a number is negative; nothing was written.  ERR_NOMEM.
 * ERR_FULL: no room.  ERR_UNAVAILABLE: anything else that the system refused.
 */
MUST_CHECK enum err table_write(const char *path, struct table_entry *entries, size_t n,
                                int64_t synced_at_ms);

/* A reader's view of the table: a path and, while there is a good file, its mapping. */
struct table;

/*
 * Make a reader of ${path}, which is copied.  Opens nothing yet: call table_refresh().  On success
 * *${ret} is the caller's, to be freed with table_free().  ERR_NOMEM.
 */
MUST_CHECK enum err table_new(const char *path, struct table **ret);

/*
 * Look at the file again and map it if it is another one than last time.  To be called before the
 * functions below, once a request; costs one stat(2) while nothing changed.
 * ERR_UNAVAILABLE: there is no file, it cannot be read, or it is not a table.  An older mapping is
 * then given up as well: whoever deletes or damages the table closes the door, he does not open it.
 */
MUST_CHECK enum err table_refresh(struct table *table);

/*
 * The generation below which tokens of ${account} are revoked; 0 if there is no entry.  Only after
 * a table_refresh() that succeeded.  Reads within the mapping whatever the entries say.
 */
int64_t table_generation(const struct table *table, const char account[ACCOUNT_ID_LEN]);

/*
 * How far ${now_ms}, milliseconds since 1970, is from synced_at: 0 to INT64_MAX milliseconds.  A
 * table from the future counts as old: one of the two clocks is wrong.  Only after a
 * table_refresh() that succeeded.
 */
int64_t table_age(const struct table *table, int64_t now_ms);

/* Free ${table}, which may be NULL. */
void table_free(struct table *table);

#endif
