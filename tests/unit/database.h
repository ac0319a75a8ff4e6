#ifndef TESTS_UNIT_DATABASE_H
#define TESTS_UNIT_DATABASE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { DATABASE_COLUMNS = 5 };

/* What is answered to a statement that contains ${part}: one row of texts, up to the first NULL. */
struct database_answer {
	const char *part;
	const char *row[DATABASE_COLUMNS + 1];
};

/*
 * Start a process that speaks as much of PostgreSQL's protocol (manual, chapter 53) as lib needs,
 * and takes ${password} by SCRAM-SHA-256 (RFC 5802).  It serves one connection at a time, on
 * 127.0.0.1 and *${ret_port}, until database_stop().  The last of ${answers} has the part "".
 */
pid_t database_start(const char *password, const struct database_answer *answers,
                     int64_t *ret_port);

/* End it. */
void database_stop(pid_t pid);

#endif
