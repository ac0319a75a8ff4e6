#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "account.h"
#include "bounds.h"
#include "clock.h"
#include "config.h"
#include "crypto.h"
#include "db.h"
#include "endpoints.h"
#include "keys.h"
#include "log.h"
#include "metrics.h"
#include "program.h"
#include "worker.h"

/*
 * The accounts pool: registration, login and logout, and who a token is.  Serves FastCGI on
 * descriptor 0.
 */

struct settings {
	char *db_host;
	int64_t db_port;
	char *db_name;
	char *db_user;
	struct secret db_password;
	int64_t db_timeout;
	struct secret jwt_keys;
	char *jwt_issuer;
	char *jwt_audience;
	int64_t jwt_lifetime;
	int64_t session_max;
	int64_t pbkdf2_rounds;
	int64_t password_min;
	bool registration;
	int64_t login_failures;
	int64_t login_window;
	char *login_table;
	int64_t max_wait;
	int64_t log_level;
	struct keys *keys; /* of jwt_keys */
};

#define AT(member) offsetof(struct settings, member)
enum { HOUR = 3600 * 1000 }; /* milliseconds */

/* JWT_LIFETIME: the database keeps a revocation for 24 hours. */
static const struct setting table[] = {
    {"DB_HOST", SETTING_TEXT, AT(db_host), "db", 1, 255},
    {"DB_PORT", SETTING_NUMBER, AT(db_port), "5432", 1, 65535},
    {"DB_NAME", SETTING_TEXT, AT(db_name), "imagegate", 1, 63},
    {"DB_USER", SETTING_TEXT, AT(db_user), "accounts", 1, 63},
    {"DB_PASSWORD", SETTING_SECRET, AT(db_password), NULL, 1, 1024},
    {"DB_TIMEOUT", SETTING_DURATION, AT(db_timeout), "3s", 100, 60000},
    {"JWT_KEYS", SETTING_SECRET, AT(jwt_keys), NULL, 1, LIMIT_SECRET_FILE},
    {"JWT_ISSUER", SETTING_TEXT, AT(jwt_issuer), "imagegate", 1, 255},
    {"JWT_AUDIENCE", SETTING_TEXT, AT(jwt_audience), "imagegate", 1, 255},
    {"JWT_LIFETIME", SETTING_DURATION, AT(jwt_lifetime), "1h", 1000, 24 * HOUR},
    {"SESSION_MAX", SETTING_DURATION, AT(session_max), "12h", 1000, (int64_t)30 * 24 * HOUR},
    {"PBKDF2_ROUNDS", SETTING_NUMBER, AT(pbkdf2_rounds), "600000", PASSWORD_ROUNDS_MIN,
     PASSWORD_ROUNDS_MAX},
    {"PASSWORD_MIN", SETTING_NUMBER, AT(password_min), "8", 1, LIMIT_PASSWORD},
    {"REGISTRATION", SETTING_OPEN, AT(registration), "open", 0, 0},
    {"LOGIN_FAILURES", SETTING_NUMBER, AT(login_failures), "10", 1, 1000000},
    {"LOGIN_WINDOW", SETTING_DURATION, AT(login_window), "5m", 60 * 1000, 24 * HOUR},
    {"LOGIN_TABLE", SETTING_TEXT, AT(login_table), "/run/imagegate-private/logins", 1, 255},
    {"ACCOUNTS_WAIT", SETTING_DURATION, AT(max_wait), "3s", 1000, 30 * 1000},
    {"LOG_LEVEL", SETTING_NUMBER, AT(log_level), "1", LOG_LEVEL_DEBUG, LOG_LEVEL_ERROR},
};

enum { ROWS = sizeof(table) / sizeof(table[0]) };

static int64_t now(void)
{
	return time(NULL);
}

/* crypto_pbkdf2(), timed. */
static enum err derive(const void *password, size_t password_len, const void *salt, size_t salt_len,
                       uint32_t rounds, void *key, size_t key_len)
{
	int64_t start = clock_steady_us();
	enum err err = crypto_pbkdf2(password, password_len, salt, salt_len, rounds, key, key_len);

	metrics_since(TIMER_PBKDF2, start);
	return err;
}

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
	const struct db_settings db_settings = {
	    .host = s->db_host,
	    .port = s->db_port,
	    .name = s->db_name,
	    .user = s->db_user,
	    .password = s->db_password.data,
	    .app = "imagegate accounts",
	    .timeout_ms = s->db_timeout,
	};
	struct endpoints deps = {
	    .cost = {.rounds = (uint32_t)s->pbkdf2_rounds, .derive = derive},
	    .rules = {.keys = s->keys,
	              .issuer = s->jwt_issuer,
	              .audience = s->jwt_audience,
	              .lifetime = s->jwt_lifetime / 1000},
	    .session_max = s->session_max / 1000,
	    .password_min = s->password_min,
	    .registration = s->registration,
	    .throttle.failures = s->login_failures,
	    .max_wait_ms = s->max_wait,
	    .now = now,
	};
	struct db *db = NULL;
	bool taken = false;
	int status = 1;

	if (tally_open(s->login_table, s->login_window / 1000, &deps.throttle.tally) != ERR_OK) {
		log_error("the table of failed logins, %s, cannot be used: %s", s->login_table,
		          strerror(errno));
		return 1;
	}
	if (db_new(&db_settings, &db) != ERR_OK) {
		log_error("no memory");
		goto out;
	}
	deps.accounts = account_store(db);
	/* A session from the start on outlives the password (scripts/rotate-db-passwords). */
	if (deps.accounts.login_taken(deps.accounts.ctx, "", &taken) != ERR_OK)
		log_warn("no session with the database yet: %s", db_why(db));
	status = worker_run(endpoints_handle, &deps);
out:
	db_free(db);
	tally_close(deps.throttle.tally);
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings = {0};
	const struct program program = {
	    .name = "accounts",
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
