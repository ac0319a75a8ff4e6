#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <postgresql/libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "db.h"
#include "resolver.h"

enum {
	WHY_SIZE = 256,    /* bytes of an explanation */
	HOSTS_MAX = 1024,  /* bytes of a list of addresses */
	OPTIONS_MAX = 128, /* bytes of the start-up options */
	PARAMS_MAX = 20,   /* connection parameters */
};

struct db {
	const struct db_settings *settings;
	struct resolver *resolver; /* NULL for a unix socket */
	PGconn *conn;              /* NULL while there is no connection */
	char why[WHY_SIZE];
};

/* db_result is PGresult under a name of our own: it is never defined. */
static const PGresult *pg(const struct db_result *result)
{
	return (const PGresult *)result;
}

/* Milliseconds until ${deadline}, as poll(2) takes them. */
static int left_ms(int64_t deadline)
{
	int64_t left = deadline - clock_steady_ms();

	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

enum err db_new(const struct db_settings *settings, struct db **ret)
{
	struct db *db = calloc(1, sizeof(*db));
	enum err err = ERR_OK;

	if (db == NULL)
		return ERR_NOMEM;
	db->settings = settings;
	if (settings->host[0] != '/')
		err = resolver_new(settings->host, &db->resolver);
	if (err != ERR_OK) {
		free(db);
		return err;
	}
	*ret = db;
	return ERR_OK;
}

static void drop(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
}

void db_free(struct db *db)
{
	if (db == NULL)
		return;
	drop(db);
	resolver_free(db->resolver);
	free(db);
}

const char *db_why(const struct db *db)
{
	return db->why;
}

/* Remember the first line of ${why} and return ${err}. */
static enum err explain(struct db *db, enum err err, const char *why)
{
	(void)snprintf(db->why, sizeof(db->why), "%.*s", (int)strcspn(why, "\n"), why);
	return err;
}

/* Give the connection up, for the reason that libpq has. */
static enum err broken(struct db *db)
{
	enum err err = explain(db, ERR_UNAVAILABLE, PQerrorMessage(db->conn));

	drop(db);
	return err;
}

/* Wait for ${events} on the connection's socket; give the connection up after ${deadline}. */
static enum err wait_socket(struct db *db, short events, int64_t deadline)
{
	struct pollfd fd = {.fd = PQsocket(db->conn), .events = events};
	int n = 0;

	do
		n = poll(&fd, 1, left_ms(deadline));
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return ERR_OK;
	drop(db);
	return explain(db, ERR_TIMEOUT, "no answer within the limit");
}

/* --- connecting --- */

static void ignore_notice(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

/* Begin to connect to ${hosts}, of which there are the numeric ${addresses}. */
static enum err start(struct db *db, const char *hosts, const char *addresses)
{
	const struct db_settings *s = db->settings;
	char port[24];
	char timeout[24];
	char options[OPTIONS_MAX];
	const struct {
		const char *name, *value;
	} rows[] = {
	    {"host", hosts},
	    {"hostaddr", addresses},
	    {"port", port},
	    {"dbname", s->name},
	    {"user", s->user},
	    {"password", s->password},
	    {"application_name", s->app},
	    {"client_encoding", "UTF8"},
	    {"options", options},
	    {"gssencmode", "disable"}, /* looking for tickets blocks */
	    {"require_auth",
	     "scram-sha-256"}, /* never show the password to who asks for it in clear */
	    {"tcp_user_timeout", timeout},
	    {"keepalives_idle", "10"},
	    {"keepalives_interval", "5"},
	    {"keepalives_count", "3"},
	};
	const char *names[PARAMS_MAX] = {NULL};
	const char *values[PARAMS_MAX] = {NULL};

	(void)snprintf(port, sizeof(port), "%" PRId64, s->port);
	(void)snprintf(timeout, sizeof(timeout), "%" PRId64, s->timeout_ms);
	/* The server gives up before we do: then the outcome is known and the connection stays. */
	(void)snprintf(options, sizeof(options), "-c statement_timeout=%" PRId64,
	               s->timeout_ms * 5 / 6);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		names[i] = rows[i].name;
		values[i] = rows[i].value;
	}
	db->conn = PQconnectStartParams(names, values, 0);
	if (db->conn == NULL)
		return explain(db, ERR_NOMEM, "no memory for a connection");
	(void)PQsetNoticeReceiver(db->conn, ignore_notice, NULL);
	return PQstatus(db->conn) == CONNECTION_BAD ? broken(db) : ERR_OK;
}

/* Begin to connect to every address of the host: libpq itself would look it up without a limit. */
static enum err start_by_name(struct db *db, int64_t deadline)
{
	struct buf addresses = buf_new(HOSTS_MAX);
	struct buf hosts = buf_new(HOSTS_MAX);
	int n = 0;
	enum err err = resolver_lookup(db->resolver, left_ms(deadline), &addresses, &n);

	if (err != ERR_OK) {
		err = explain(db, err, "the host name cannot be resolved");
		goto out;
	}
	for (int i = 0; i < n; i++)
		buf_printf(&hosts, "%s%s", i > 0 ? "," : "", db->settings->host);
	err = buf_err(&hosts);
	if (err == ERR_OK)
		err = start(db, buf_str(&hosts), buf_str(&addresses));
out:
	buf_free(&hosts);
	buf_free(&addresses);
	return err;
}

static enum err handshake(struct db *db, int64_t deadline)
{
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;

	while (next != PGRES_POLLING_OK) {
		enum err err = ERR_OK;

		if (next == PGRES_POLLING_FAILED)
			return broken(db);
		err = wait_socket(db, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
		if (err != ERR_OK)
			return err;
		next = PQconnectPoll(db->conn);
	}
	return PQsetnonblocking(db->conn, 1) == 0 ? ERR_OK : broken(db);
}

/* --- one statement --- */

static enum err send_statement(struct db *db, const char *sql, const char *const *params, int n,
                               int64_t deadline)
{
	int more = 0;

	if (PQsendQueryParams(db->conn, sql, n, NULL, params, NULL, NULL, 0) != 1)
		return broken(db);
	while ((more = PQflush(db->conn)) > 0) {
		enum err err = wait_socket(db, POLLIN | POLLOUT, deadline);

		if (err != ERR_OK)
			return err;
		if (PQconsumeInput(db->conn) != 1)
			return broken(db);
	}
	return more == 0 ? ERR_OK : broken(db);
}

/* Set *${ret} to the next result, NULL after the last. */
static enum err next_result(struct db *db, int64_t deadline, PGresult **ret)
{
	while (PQisBusy(db->conn)) {
		enum err err = wait_socket(db, POLLIN, deadline);

		if (err != ERR_OK)
			return err;
		if (PQconsumeInput(db->conn) != 1)
			return broken(db);
	}
	*ret = PQgetResult(db->conn);
	return ERR_OK;
}

/* What the SQLSTATE of a failed statement means (PostgreSQL manual, appendix A). */
static enum err sqlstate_err(const char *state)
{
	static const struct {
		const char *prefix;
		enum err err;
	} rows[] = {
	    {"57014", ERR_TIMEOUT}, /* statement_timeout */
	    {"55P03", ERR_TIMEOUT}, /* lock_timeout */
	    {"22", ERR_INTERNAL},   /* a value that we should have refused */
	    {"23", ERR_INTERNAL},   /* a constraint that we should have known */
	    {"P0", ERR_INTERNAL},   /* raised on purpose */
	    {"", ERR_UNAVAILABLE},  /* going down, out of something, not migrated yet, no rights */
	};
	size_t i = 0;

	while (strncmp(state, rows[i].prefix, strlen(rows[i].prefix)) != 0)
		i++;
	return rows[i].err;
}

static enum err judge(struct db *db, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	const char *state = NULL;
	const char *message = NULL;

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return ERR_OK;
	if (PQstatus(db->conn) == CONNECTION_BAD)
		return broken(db);
	/* Only the primary message: the details may quote values. */
	state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	return explain(db, state == NULL ? ERR_UNAVAILABLE : sqlstate_err(state),
	               message == NULL ? "no result" : message);
}

/* Run a statement on the connection there is; give it up if it broke or is late. */
static enum err run(struct db *db, const char *sql, const char *const *params, int n,
                    int64_t deadline, PGresult **ret)
{
	PGresult *first = NULL;
	PGresult *more = NULL;
	enum err err = send_statement(db, sql, params, n, deadline);

	if (err == ERR_OK)
		err = next_result(db, deadline, &first);
	if (err != ERR_OK)
		return err;
	err = judge(db, first);
	while (db->conn != NULL) {
		enum err end = next_result(db, deadline, &more);

		if (end != ERR_OK && err == ERR_OK)
			err = end;
		if (end != ERR_OK || more == NULL)
			break;
		PQclear(more);
	}
	if (err == ERR_OK)
		*ret = first;
	else
		PQclear(first);
	return err;
}

/* --- the connection --- */

static enum err listen_to(struct db *db, int64_t deadline)
{
	char sql[OPTIONS_MAX];
	PGresult *result = NULL;
	enum err err = ERR_OK;

	if (db->settings->channel == NULL)
		return ERR_OK;
	(void)snprintf(sql, sizeof(sql), "LISTEN %s", db->settings->channel);
	err = run(db, sql, NULL, 0, deadline, &result);
	PQclear(result);
	if (err != ERR_OK)
		drop(db);
	return err;
}

static enum err connect_by(struct db *db, int64_t deadline)
{
	enum err err = db->resolver == NULL ? start(db, db->settings->host, NULL)
	                                    : start_by_name(db, deadline);

	if (err == ERR_OK)
		err = handshake(db, deadline);
	if (err == ERR_OK)
		err = listen_to(db, deadline);
	return err;
}

/* Take in what the server sent meanwhile; drop a connection that it closed. */
static void refresh(struct db *db)
{
	struct pollfd fd = {.events = POLLIN | POLLRDHUP};

	if (db->conn == NULL)
		return;
	fd.fd = PQsocket(db->conn);
	if (poll(&fd, 1, 0) <= 0)
		return;
	if ((fd.revents & ~POLLIN) != 0 || PQconsumeInput(db->conn) != 1 || PQisBusy(db->conn)) {
		(void)explain(db, ERR_UNAVAILABLE, "the database closed the connection");
		drop(db);
	}
}

enum err db_query(struct db *db, enum db_repeat repeat, const char *sql, const char *const *params,
                  int n, struct db_result **ret)
{
	int64_t deadline = clock_steady_ms() + db->settings->timeout_ms;
	PGresult *result = NULL;
	bool reused = false;
	enum err err = ERR_OK;

	refresh(db);
	reused = db->conn != NULL;
	if (!reused)
		err = connect_by(db, deadline);
	if (err == ERR_OK)
		err = run(db, sql, params, n, deadline, &result);
	if (err == ERR_UNAVAILABLE && reused && db->conn == NULL && repeat == DB_REPEATABLE) {
		err = connect_by(db, deadline);
		if (err == ERR_OK)
			err = run(db, sql, params, n, deadline, &result);
	}
	if (err == ERR_OK)
		*ret = (struct db_result *)result;
	return err;
}

/* Take all notifications; return whether there were any. */
static bool take_notifications(struct db *db)
{
	PGnotify *notify = NULL;
	bool any = false;

	if (db->conn == NULL)
		return false;
	while ((notify = PQnotifies(db->conn)) != NULL) {
		PQfreemem(notify);
		any = true;
	}
	return any;
}

bool db_wait(struct db *db, int wake_fd, int64_t timeout_ms)
{
	int64_t deadline = clock_steady_ms() + timeout_ms;
	struct pollfd fds[2] = {{.fd = wake_fd, .events = POLLIN}, {.fd = -1, .events = POLLIN}};

	for (;;) {
		int n = 0;

		if (take_notifications(db))
			return false;
		fds[1].fd = db->conn == NULL ? -1 : PQsocket(db->conn);
		n = poll(fds, 2, left_ms(deadline));
		if (n == 0)
			return false;
		if (n < 0)
			continue;
		if (fds[0].revents != 0)
			return true;
		refresh(db);
		if (db->conn == NULL)
			return false;
	}
}

/* --- results --- */

size_t db_rows(const struct db_result *result)
{
	return (size_t)PQntuples(pg(result));
}

const char *db_text(const struct db_result *result, size_t row, size_t col)
{
	if (row >= db_rows(result) || col >= (size_t)PQnfields(pg(result)) ||
	    PQgetisnull(pg(result), (int)row, (int)col))
		return NULL;
	return PQgetvalue(pg(result), (int)row, (int)col);
}

enum err db_integer(const struct db_result *result, size_t row, size_t col, int64_t *ret)
{
	const char *text = db_text(result, row, col);
	char *end = NULL;
	long long value = 0;

	if (text == NULL)
		return ERR_INTERNAL;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		return ERR_INTERNAL;
	*ret = value;
	return ERR_OK;
}

enum err db_flag(const struct db_result *result, size_t row, size_t col, bool *ret)
{
	const char *text = db_text(result, row, col);

	if (text == NULL || (strcmp(text, "t") != 0 && strcmp(text, "f") != 0))
		return ERR_INTERNAL;
	*ret = text[0] == 't';
	return ERR_OK;
}

void db_result_free(struct db_result *result)
{
	PQclear((PGresult *)result);
}
