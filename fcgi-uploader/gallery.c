#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sysexits.h>

#include "bounds.h"
#include "config.h"
#include "list.h"
#include "log.h"
#include "purge.h"
#include "removal.h"
#include "s3.h"
#include "s3_gallery.h"
#include "sigv4.h"
#include "worker.h"

/*
 * The gallery worker: lists and removes images.  `gallery -t` only checks the configuration.  Exit
 * status: 0 after a signal or a good check, 78 for an unusable configuration, 64 for other
 * arguments, 1 if it cannot work.
 */

struct settings {
	char *url;
	char *bucket;
	char *region;
	struct secret access_key;
	struct secret secret_key;
	int64_t connect_timeout;
	int64_t timeout;
	char *purge_socket;
	int64_t log_level;
};

#define SECOND        INT64_C(1000)
#define PURGE_TIMEOUT (2 * SECOND)

/* A removal asks the store twice and the gateway once: together less than the gateway waits. */
static const struct setting table[] = {
    {"STORE_URL", SETTING_TEXT, offsetof(struct settings, url), "http://storage:9000", 8, 299},
    {"STORE_BUCKET", SETTING_TEXT, offsetof(struct settings, bucket), "images", 3, 63},
    {"STORE_REGION", SETTING_TEXT, offsetof(struct settings, region), "us-east-1", 1,
     SIGV4_KEY_MAX},
    {"STORE_ACCESS_KEY", SETTING_SECRET, offsetof(struct settings, access_key), NULL, 3,
     SIGV4_KEY_MAX},
    {"STORE_SECRET_KEY", SETTING_SECRET, offsetof(struct settings, secret_key), NULL, 8,
     SIGV4_KEY_MAX},
    {"STORE_CONNECT_TIMEOUT", SETTING_DURATION, offsetof(struct settings, connect_timeout), "2s",
     100, 60 * SECOND},
    {"STORE_TIMEOUT", SETTING_DURATION, offsetof(struct settings, timeout), "5s", SECOND,
     10 * SECOND},
    {"PURGE_SOCKET", SETTING_TEXT, offsetof(struct settings, purge_socket),
     "/run/imagegate/purge/purge.sock", 1, 255},
    {"LOG_LEVEL", SETTING_NUMBER, offsetof(struct settings, log_level), "1", 0, 3},
};

enum { SETTINGS = sizeof(table) / sizeof(table[0]) };

/* What the handlers work with. */
struct gallery {
	struct store_gallery store;
	struct removal removal;
};

static struct s3_config store_config(const struct settings *settings)
{
	return (struct s3_config){
	    .url = settings->url,
	    .bucket = settings->bucket,
	    .region = settings->region,
	    .access_key = &settings->access_key,
	    .secret_key = &settings->secret_key,
	    .connect_timeout_ms = settings->connect_timeout,
	    .timeout_ms = settings->timeout,
	};
}

/* Load the settings; log all that is wrong with them. */
static enum err load(struct settings *settings)
{
	struct buf problems = buf_new(LIMIT_PROBLEMS);
	enum err err = config_load(table, SETTINGS, settings, &problems);
	struct s3_config config = store_config(settings);

	s3_check(&config, &problems);
	if (settings->purge_socket != NULL)
		purge_check(settings->purge_socket, &problems);
	if (err == ERR_OK && problems.len > 0)
		err = ERR_MALFORMED;
	log_lines(LOG_LEVEL_ERROR, &problems);
	buf_free(&problems);
	return err;
}

static void handle(void *deps, const struct request *req, struct response *resp)
{
	const struct gallery *gallery = deps;

	if (strcmp(req->route, "list") == 0)
		list_handle(&gallery->store, req, resp);
	else if (strcmp(req->route, "remove") == 0)
		removal_handle(&gallery->removal, req, resp);
	else if (strcmp(req->route, "takedown") == 0)
		removal_takedown(&gallery->removal, req, resp);
	else
		response_problem(resp, req, ERR_NOT_FOUND, NULL);
}

static int serve(const struct settings *settings)
{
	struct s3_config config = store_config(settings);
	struct purge purge = {.socket = settings->purge_socket, .timeout_ms = PURGE_TIMEOUT};
	struct gallery gallery;
	struct s3 *s3 = NULL;
	int status = 1;

	if (s3_new(&config, &s3) != ERR_OK) {
		log_error("the library for the store does not start");
		return 1;
	}
	gallery.store = s3_gallery_store(s3);
	gallery.removal =
	    (struct removal){.store = &gallery.store, .purge = purge_object, .ctx = &purge};
	status = worker_run(handle, &gallery);
	s3_free(s3);
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings = {0};
	bool check_only = argc == 2 && strcmp(argv[1], "-t") == 0;
	int status = CONFIG_EXIT;

	log_open("gallery", LOG_LEVEL_INFO);
	if (argc > 1 && !check_only) {
		log_error("usage: gallery [-t]");
		return EX_USAGE;
	}
	if (load(&settings) != ERR_OK)
		goto out;
	log_open("gallery", (enum log_level)settings.log_level);
	status = check_only ? 0 : serve(&settings);
out:
	config_free(table, SETTINGS, &settings);
	return status;
}
