#ifndef FCGI_SECURITY_DB_H
#define FCGI_SECURITY_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/*
 * A connection to PostgreSQL that is made when it is first needed, and again whenever it broke.
 * Nothing here ends the program because the database is away, and no wait is longer than the limit,
 * be the server down, frozen, slow, locked, or cut off without a word.
 */
struct db;

struct db_settings {
	const char *host; /* a name, an address, or the folder of a unix socket */
	int64_t port;
	const char *name;
	const char *user;
	const char *password;
	const char *app;     /* application_name, for who looks at pg_stat_activity */
	int64_t timeout_ms;  /* for connecting and the statement together */
	const char *channel; /* to LISTEN to, an SQL identifier; NULL for none */
};

/* Whether a statement may run twice when its connection broke and nobody knows if it did run. */
enum db_repeat { DB_ONCE, DB_REPEATABLE };

/* The rows that a statement returned. */
struct db_result;

/*
 * Make a connection to be.  Does not connect.  ${settings} and what it points to are borrowed until
 * db_free(), to which *${ret} is to be given.  ERR_NOMEM.
 */
MUST_CHECK enum err db_new(const struct db_settings *settings, struct db **ret);

/*
 * Run the one statement ${sql}, a constant, with the ${n} strings ${params} for $1, $2, …  Connects
 * if there is no connection.  If an idle connection turns out to be broken the statement is tried
 * once more on a new one: always if it was not sent yet, after that only if it is DB_REPEATABLE.
 * On success *${ret} is to be freed with db_result_free().  Blocks for at most the limit.
 * ERR_UNAVAILABLE: no connection, it broke, or the database cannot do this now.  ERR_TIMEOUT: no
 * answer within the limit; the connection is given up.  After both a statement may have run, or may
 * still run.  ERR_INTERNAL: the database refused the values.  ERR_NOMEM.
 */
MUST_CHECK enum err db_query(struct db *db, enum db_repeat repeat, const char *sql,
                             const char *const *params, int n, struct db_result **ret);

/*
 * Sleep until a notification comes on the channel of ${settings}, descriptor ${wake_fd} is
 * readable, the connection breaks, or ${timeout_ms} milliseconds are over.  Returns whether
 * ${wake_fd} is readable.  Notifications that have come already end the sleep at once; all of them
 * are taken.
 */
bool db_wait(struct db *db, int wake_fd, int64_t timeout_ms);

/* What went wrong last, in one line without secrets and without values; valid until the next call.
 */
const char *db_why(const struct db *db);

/* Close ${db}, which may be NULL. */
void db_free(struct db *db);

/* The number of rows. */
size_t db_rows(const struct db_result *result);

/* The value in ${row} and ${col}, borrowed from ${result}; NULL if it is null or not there. */
const char *db_text(const struct db_result *result, size_t row, size_t col);

/* Set *${ret} to an integer value.  ERR_INTERNAL: it is none; *${ret} is untouched. */
MUST_CHECK enum err db_integer(const struct db_result *result, size_t row, size_t col,
                               int64_t *ret);

/* Set *${ret} to a boolean value.  ERR_INTERNAL: it is none; *${ret} is untouched. */
MUST_CHECK enum err db_flag(const struct db_result *result, size_t row, size_t col, bool *ret);

/* Free ${result}, which may be NULL. */
void db_result_free(struct db_result *result);

#endif
