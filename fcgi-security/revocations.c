#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "db.h"
#include "log.h"
#include "metrics.h"
#include "program.h"
#include "revocation.h"
#include "table.h"

/*
 * The revocations process: copies the database's list of revocations to the table that the validate
 * workers read, again and again, at once when the database says that it changed.  One process a
 * cell.  Whatever happens to the database, it goes on trying; SIGTERM or SIGINT ends it.
 */

struct settings {
	char *db_host;
	int64_t db_port;
	char *db_name;
	char *db_user;
	struct secret db_password;
	int64_t db_timeout;
	char *path;
	int64_t poll;
	int64_t log_level;
};

#define AT(member) offsetof(struct settings, member)

/*
 * A revoked token is to die within two seconds, one of them the gateway's.  The other one has to be
 * longer than REVOCATIONS_POLL and DB_TIMEOUT together: at worst the notification is lost, the next
 * look meets a connection that is dead without a word, and only the one after that succeeds.
 */
static const struct setting table[] = {
    {"DB_HOST", SETTING_TEXT, AT(db_host), "db", 1, 255},
    {"DB_PORT", SETTING_NUMBER, AT(db_port), "5432", 1, 65535},
    {"DB_NAME", SETTING_TEXT, AT(db_name), "imagegate", 1, 63},
    {"DB_USER", SETTING_TEXT, AT(db_user), "revocations", 1, 63},
    {"DB_PASSWORD", SETTING_SECRET, AT(db_password), NULL, 1, 1024},
    {"DB_TIMEOUT", SETTING_DURATION, AT(db_timeout), "600ms", 100, 60000},
    {"REVOCATIONS_TABLE", SETTING_TEXT, AT(path), "/run/imagegate/revocations/table", 1, 4000},
    {"REVOCATIONS_POLL", SETTING_DURATION, AT(poll), "250ms", 100, 1000},
    {"LOG_LEVEL", SETTING_NUMBER, AT(log_level), "1", LOG_LEVEL_DEBUG, LOG_LEVEL_ERROR},
};

enum { ROWS = sizeof(table) / sizeof(table[0]) };

/* Milliseconds between two readings at least: anybody may notify, as often as he likes. */
enum { REST = 50 };

/* Copy the list once. */
static enum err synchronise(struct db *db, const char *path, const char **why)
{
	struct table_entry *entries = NULL;
	size_t n = 0;
	int64_t before = clock_unix_ms();
	enum err err = revocation_list(db, &entries, &n);

	*why = db_why(db);
	if (err != ERR_OK)
		return err;
	err = table_write(path, entries, n, before);
	if (err == ERR_OK)
		metrics_revocations(n, before);
	else
		*why = err == ERR_MALFORMED ? "the list makes no sense" : strerror(errno);
	revocation_list_free(entries);
	return err;
}

/* Log the beginning and the end of trouble, not each failure. */
static void report(enum err err, enum err last, const char *why)
{
	if (err == ERR_OK && last != ERR_OK)
		log_info("the revocation table is up to date");
	else if (err != ERR_OK && (last == ERR_OK || last == ERR_COUNT))
		log_warn("the revocation table is not being updated: %s", why);
}

/* Synchronise until ${stop_fd} is readable. */
static void run(const struct settings *s, struct db *db, int stop_fd)
{
	struct pollfd stop = {.fd = stop_fd, .events = POLLIN};
	enum err last = ERR_COUNT; /* of the synchronisation before; none at first */
	bool stopped = false;

	while (!stopped) {
		const char *why = NULL;
		enum err err = synchronise(db, s->path, &why);

		report(err, last, why);
		stopped = poll(&stop, 1, REST) > 0;
		/* The first failure may be the connection's alone: a new one is tried at once. */
		if (!stopped && (err == ERR_OK || last != ERR_OK))
			stopped = db_wait(db, stop_fd, s->poll - REST);
		last = err;
	}
}

/* A descriptor that becomes readable when the program is to end. */
static int open_stop(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
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
	    .app = "imagegate revocations",
	    .timeout_ms = s->db_timeout,
	    .channel = "revocations",
	};
	struct db *db = NULL;
	int stop_fd = open_stop();

	if (stop_fd < 0 || db_new(&db_settings, &db) != ERR_OK) {
		log_error("cannot start: %s", strerror(errno));
		return 1;
	}
	run(s, db, stop_fd);
	db_free(db);
	(void)close(stop_fd);
	return 0;
}

int main(int argc, char **argv)
{
	struct settings settings = {0};
	const struct program program = {
	    .name = "revocations",
	    .table = table,
	    .rows = ROWS,
	    .settings = &settings,
	    .log_level = &settings.log_level,
	    .metrics = METRICS_FOLDER,
	    .serve = serve,
	};

	return program_run(&program, argc, argv);
}
