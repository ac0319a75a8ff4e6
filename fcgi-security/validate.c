#include <stddef.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "bounds.h"
#include "config.h"
#include "keys.h"
#include "log.h"
#include "table.h"
#include "validator.h"
#include "worker.h"

/*
 * The validate worker: says whether a request's token is valid.  `validate -t` only checks the
 * configuration.  Exit status: 0 after a signal or a good check, 78 for an unusable configuration,
 * 64 for other arguments, 1 if it cannot work.
 */

struct settings {
	struct secret keys;
	char *issuer;
	char *audience;
	int64_t lifetime; /* milliseconds */
	char *table;
	int64_t log_level;
};

static const struct setting settings_table[] = {
    {"JWT_KEYS", SETTING_SECRET, offsetof(struct settings, keys), NULL, 1, LIMIT_SECRET_FILE},
    {"JWT_ISSUER", SETTING_TEXT, offsetof(struct settings, issuer), "imagegate", 1, 255},
    {"JWT_AUDIENCE", SETTING_TEXT, offsetof(struct settings, audience), "imagegate", 1, 255},
    {"JWT_LIFETIME", SETTING_DURATION, offsetof(struct settings, lifetime), "1h", 1000, 86400000},
    {"REVOCATIONS_TABLE", SETTING_TEXT, offsetof(struct settings, table),
     "/run/imagegate/revocations/table", 1, 4095},
    {"LOG_LEVEL", SETTING_NUMBER, offsetof(struct settings, log_level), "1", 0, 3},
};

enum { SETTINGS = sizeof(settings_table) / sizeof(settings_table[0]) };

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Load the settings and the keys; log all that is wrong with either. */
static enum err load(struct settings *settings, struct keys **ret_keys)
{
	struct buf problems = buf_new(LIMIT_PROBLEMS);
	enum err err = config_load(settings_table, SETTINGS, settings, &problems);
	enum err keys_err = ERR_OK;

	if (settings->keys.data != NULL)
		keys_err = keys_parse(settings->keys.data, settings->keys.len, ret_keys, &problems);
	if (err == ERR_OK)
		err = keys_err;
	log_lines(LOG_LEVEL_ERROR, &problems);
	buf_free(&problems);
	return err;
}

static int serve(const struct settings *settings, const struct keys *keys)
{
	struct validator validator = {
	    .rules = {.keys = keys,
	              .issuer = settings->issuer,
	              .audience = settings->audience,
	              .lifetime = settings->lifetime / 1000},
	    .state = VALIDATOR_START,
	    .now_ms = now_ms,
	};
	int status = 1;

	if (table_new(settings->table, &validator.table) != ERR_OK) {
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
	struct keys *keys = NULL;
	bool check_only = argc == 2 && strcmp(argv[1], "-t") == 0;
	int status = CONFIG_EXIT;

	log_open("validate", LOG_LEVEL_INFO);
	if (argc > 1 && !check_only) {
		log_error("usage: validate [-t]");
		return EX_USAGE;
	}
	if (load(&settings, &keys) != ERR_OK)
		goto out;
	log_open("validate", (enum log_level)settings.log_level);
	status = check_only ? 0 : serve(&settings, keys);
out:
	keys_free(keys);
	config_free(settings_table, SETTINGS, &settings);
	return status;
}
