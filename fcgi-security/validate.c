#include <stddef.h>

#include "bounds.h"
#include "clock.h"
#include "config.h"
#include "keys.h"
#include "log.h"
#include "metrics.h"
#include "program.h"
#include "table.h"
#include "validator.h"
#include "worker.h"

/*
 * The validate pool: says whether a request's token is valid.  Serves FastCGI on descriptor 0.
 */

struct settings {
	struct secret jwt_keys;
	char *issuer;
	char *audience;
	int64_t lifetime; /* milliseconds */
	char *revocations;
	int64_t log_level;
	struct keys *keys; /* of jwt_keys */
};

#define AT(member) offsetof(struct settings, member)

static const struct setting table[] = {
    {"JWT_KEYS", SETTING_SECRET, AT(jwt_keys), NULL, 1, LIMIT_SECRET_FILE},
    {"JWT_ISSUER", SETTING_TEXT, AT(issuer), "imagegate", 1, 255},
    {"JWT_AUDIENCE", SETTING_TEXT, AT(audience), "imagegate", 1, 255},
    {"JWT_LIFETIME", SETTING_DURATION, AT(lifetime), "1h", 1000, 86400000},
    {"REVOCATIONS_TABLE", SETTING_TEXT, AT(revocations), "/run/imagegate/revocations/table", 1,
     4095},
    {"LOG_LEVEL", SETTING_NUMBER, AT(log_level), "1", 0, 3},
};

enum { ROWS = sizeof(table) / sizeof(table[0]) };

static enum err check(void *settings, struct buf *problems)
{
	struct settings *s = settings;

	if (s->jwt_keys.data == NULL)
		return ERR_OK;
	return keys_parse(s->jwt_keys.data, s->jwt_keys.len, &s->keys, problems);
}

static int serve(const void *settings)
{
	const struct settings *s = settings;
	struct validator validator = {
	    .rules = {.keys = s->keys,
	              .issuer = s->issuer,
	              .audience = s->audience,
	              .lifetime = s->lifetime / 1000},
	    .state = VALIDATOR_START,
	    .now_ms = clock_unix_ms,
	};
	int status = 1;

	if (table_new(s->revocations, &validator.table) != ERR_OK) {
		log_error("out of memory");
		return 1;
	}
	status = worker_run(validator_handle, &validator);
	table_free(validator.table);
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings = {0};
	const struct program program = {
	    .name = "validate",
	    .table = table,
	    .rows = ROWS,
	    .settings = &settings,
	    .log_level = &settings.log_level,
	    .metrics = METRICS_FOLDER,
	    .check = check,
	    .serve = serve,
	};
	int status = program_run(&program, argc, argv);

	keys_free(settings.keys);
	return status;
}
