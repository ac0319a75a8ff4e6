#include <stddef.h>
#include <string.h>

#include "config.h"
#include "list.h"
#include "log.h"
#include "metrics.h"
#include "program.h"
#include "purge.h"
#include "removal.h"
#include "s3.h"
#include "s3_gallery.h"
#include "sigv4.h"
#include "worker.h"

/*
 * The gallery pool: lists and removes images.  Serves FastCGI on descriptor 0.
 */

struct settings {
	struct s3_config store;
	char *purge_socket;
	int64_t log_level;
};

#define AT(member)    offsetof(struct settings, member)
#define SECOND        INT64_C(1000)
#define PURGE_TIMEOUT (2 * SECOND)

/* A removal asks the store twice and the gateway once: together less than the gateway waits. */
static const struct setting table[] = {
    {"STORE_URL", SETTING_TEXT, AT(store.url), "http://storage:9000", 8, 299},
    {"STORE_BUCKET", SETTING_TEXT, AT(store.bucket), "images", 3, 63},
    {"STORE_REGION", SETTING_TEXT, AT(store.region), "us-east-1", 1, SIGV4_KEY_MAX},
    {"STORE_ACCESS_KEY", SETTING_SECRET, AT(store.access_key), NULL, 3, SIGV4_KEY_MAX},
    {"STORE_SECRET_KEY", SETTING_SECRET, AT(store.secret_key), NULL, 8, SIGV4_KEY_MAX},
    {"STORE_CONNECT_TIMEOUT", SETTING_DURATION, AT(store.connect_timeout_ms), "2s", 100,
     60 * SECOND},
    {"STORE_TIMEOUT", SETTING_DURATION, AT(store.timeout_ms), "5s", SECOND, 10 * SECOND},
    {"PURGE_SOCKET", SETTING_TEXT, AT(purge_socket), "/run/imagegate/purge/purge.sock", 1, 255},
    {"LOG_LEVEL", SETTING_NUMBER, AT(log_level), "1", 0, 3},
};

enum { ROWS = sizeof(table) / sizeof(table[0]) };

/* What the handlers work with. */
struct gallery {
	struct s3 *s3;
	struct store_gallery store;
	struct removal removal;
};

static enum err check(void *settings, struct buf *problems)
{
	const struct settings *s = settings;

	s3_check(&s->store, problems);
	if (s->purge_socket != NULL)
		purge_check(s->purge_socket, problems);
	return ERR_OK;
}

static void handle(void *deps, const struct request *req, struct response *resp)
{
	const struct gallery *gallery = deps;

	s3_trace(gallery->s3, req->id, req->traceparent);
	if (strcmp(req->route, "list") == 0)
		list_handle(&gallery->store, req, resp);
	else if (strcmp(req->route, "remove") == 0)
		removal_handle(&gallery->removal, req, resp);
	else if (strcmp(req->route, "takedown") == 0)
		removal_takedown(&gallery->removal, req, resp);
	else if (strcmp(req->route, "erase") == 0)
		removal_erase(&gallery->removal, req, resp);
	else
		response_problem(resp, req, ERR_NOT_FOUND, NULL);
}

static int serve(const void *settings)
{
	const struct settings *s = settings;
	struct purge purge = {.socket = s->purge_socket, .timeout_ms = PURGE_TIMEOUT};
	struct gallery gallery = {0};
	int status = 1;

	if (s3_new(&s->store, &gallery.s3) != ERR_OK) {
		log_error("the library for the store does not start");
		return 1;
	}
	gallery.store = s3_gallery_store(gallery.s3);
	gallery.removal =
	    (struct removal){.store = &gallery.store, .purge = purge_object, .ctx = &purge};
	status = worker_run(handle, &gallery);
	s3_free(gallery.s3);
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings = {0};
	const struct program program = {
	    .name = "gallery",
	    .table = table,
	    .rows = ROWS,
	    .settings = &settings,
	    .log_level = &settings.log_level,
	    .metrics = METRICS_FOLDER,
	    .check = check,
	    .serve = serve,
	};

	return program_run(&program, argc, argv);
}
