#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "metrics.h"
#include "request.h"
#include "revocation.h"

static enum err entry_of(const struct db_result *result, size_t row, struct table_entry *ret)
{
	const char *account = db_text(result, row, 0);
	enum err err = ERR_OK;

	if (account == NULL || !request_account_ok(account))
		return ERR_INTERNAL;
	memcpy(ret->account, account, sizeof(ret->account));
	err = db_integer(result, row, 1, &ret->generation);
	if (err != ERR_OK)
		return err;
	return db_integer(result, row, 2, &ret->until);
}

enum err revocation_list(struct db *db, struct table_entry **ret, size_t *ret_n)
{
	static const char sql[] =
	    "SELECT account, generation, ceil(extract(epoch FROM until))::bigint"
	    " FROM imagegate.revocations WHERE until > now()";
	struct db_result *result = NULL;
	struct table_entry *entries = NULL;
	size_t n = 0;
	int64_t start = clock_steady_us();
	enum err err = db_query(db, DB_REPEATABLE, sql, NULL, 0, &result);

	metrics_since(TIMER_DATABASE_REVOCATIONS, start);
	if (err != ERR_OK)
		return err;
	n = db_rows(result);
	entries = calloc(n + 1, sizeof(*entries));
	if (entries == NULL)
		err = ERR_NOMEM;
	for (size_t i = 0; err == ERR_OK && i < n; i++)
		err = entry_of(result, i, &entries[i]);
	db_result_free(result);
	if (err != ERR_OK) {
		free(entries);
		return err;
	}
	*ret = entries;
	*ret_n = n;
	return ERR_OK;
}

void revocation_list_free(struct table_entry *entries)
{
	free(entries);
}
