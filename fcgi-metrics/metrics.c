#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cache_results.h"
#include "certificate.h"
#include "clock.h"
#include "config.h"
#include "exposition.h"
#include "log.h"
#include "program.h"
#include "worker.h"

/*
 * The metrics process: prints what the pools have counted, for Prometheus.  Serves FastCGI on
 * descriptor 0.  It reads the pools' files anew for each request, and believes none of them.  What
 * the gateway's caches had it counts also when nobody asks.
 */

#define CACHES_FOLDER "/run/imagegate/caches"

/* Seconds: 1.5 MB of lines at 100,000 requests a second, where there is room for 16. */
enum { COUNT_INTERVAL = 5 };

struct settings {
	char *version;
	char *certificate; /* the path of a file, which is there where TLS is on */
	int64_t log_level;
};

#define AT(member) offsetof(struct settings, member)

static const struct setting table[] = {
    {"VERSION", SETTING_TEXT, AT(version), "0.1.0", 1, 127},
    {"TLS_CERTIFICATE_FILE", SETTING_TEXT, AT(certificate), "/run/secrets/tls_certificate", 1, 255},
    {"LOG_LEVEL", SETTING_NUMBER, AT(log_level), "1", LOG_LEVEL_DEBUG, LOG_LEVEL_ERROR},
};

enum { ROWS = sizeof(table) / sizeof(table[0]) };

/* Those of one app_name side by side. */
static const struct {
	const char *name, *app;
} rows[] = {
    {"accounts", "security"}, {"validate", "security"}, {"revocations", "security"},
    {"uploader", "uploader"}, {"gallery", "uploader"},  {"signer", "uploader"},
};

enum { POOLS = sizeof(rows) / sizeof(rows[0]) };

static void handle(void *deps, const struct request *req, struct response *resp)
{
	const struct settings *s = deps;
	struct exposition_pool pools[POOLS] = {0};
	struct exposition_gateway gateway = {0};

	if (strcmp(req->route, "metrics") != 0 || strcmp(req->method, "GET") != 0) {
		response_problem(resp, req, ERR_NOT_FOUND, NULL);
		return;
	}
	for (size_t i = 0; i < POOLS; i++) {
		char folder[64];

		(void)snprintf(folder, sizeof(folder), METRICS_FOLDER "/%s", rows[i].name);
		pools[i].name = rows[i].name;
		pools[i].app = rows[i].app;
		pools[i].known = metrics_read(folder, &pools[i].pool) == ERR_OK;
	}
	gateway.counted = cache_results_count(CACHES_FOLDER, &gateway.caches) == ERR_OK;
	if (certificate_end(s->certificate, &gateway.certificate_end) != ERR_OK)
		gateway.certificate_end = 0;
	exposition_print(&resp->body, pools, POOLS, &gateway, clock_unix_ms(), s->version);
	response_header(resp, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	resp->status = 200;
}

/* There is nothing to count until the gateway has started. */
static void count(void *deps)
{
	struct cache_results caches;

	(void)deps;
	(void)!cache_results_count(CACHES_FOLDER, &caches);
}

static enum err check(void *settings, struct buf *problems)
{
	const struct settings *s = settings;

	if (s->version != NULL && strpbrk(s->version, "\"\\") != NULL)
		buf_puts(problems, "VERSION: must have neither quotes nor backslashes\n");
	return ERR_OK;
}

static int serve(const void *settings)
{
	struct settings s = *(const struct settings *)settings;

	return worker_run_idle(handle, count, COUNT_INTERVAL, &s);
}

int main(int argc, char **argv)
{
	struct settings settings = {0};
	const struct program program = {
	    .name = "metrics",
	    .table = table,
	    .rows = ROWS,
	    .settings = &settings,
	    .log_level = &settings.log_level,
	    .check = check,
	    .serve = serve,
	};

	return program_run(&program, argc, argv);
}
