#ifndef FCGI_SECURITY_REVOCATION_H
#define FCGI_SECURITY_REVOCATION_H

#include <stddef.h>

#include "db.h"
#include "err.h"
#include "table.h"

/*
 * Read the database's list of revocations that still matter.  On success *${ret} holds *${ret_n}
 * entries, in no particular order, to be freed with revocation_list_free().  Errors and waits as
 * db_query(); ERR_INTERNAL: a row makes no sense; ERR_NOMEM.
 */
MUST_CHECK enum err revocation_list(struct db *db, struct table_entry **ret, size_t *ret_n);

/* Free ${entries}, which may be NULL. */
void revocation_list_free(struct table_entry *entries);

#endif
