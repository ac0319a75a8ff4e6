#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "config.h"
#include "log.h"
#include "metrics.h"
#include "program.h"
#include "s3.h"
#include "s3_put.h"
#include "sigv4.h"
#include "sniff.h"
#include "upload.h"
#include "worker.h"

/*
 * The uploader pool: takes images and puts them into the store.  Serves FastCGI on descriptor 0.
 */

struct settings {
	struct s3_config store;
	int64_t max_upload;
	int64_t max_pixels;
	int64_t upload_timeout;
	int64_t daily_bytes;
	char *daily_table;
	int64_t disk_free;
	int64_t log_level;
};

#define AT(member) offsetof(struct settings, member)
#define KIB        INT64_C(1024)
#define GIB        (KIB * KIB * KIB)
#define SECOND     INT64_C(1000)

static const struct setting table[] = {
    {"STORE_URL", SETTING_TEXT, AT(store.url), "http://storage:9000", 8, 299},
    {"STORE_BUCKET", SETTING_TEXT, AT(store.bucket), "images", 3, 63},
    {"STORE_REGION", SETTING_TEXT, AT(store.region), "us-east-1", 1, SIGV4_KEY_MAX},
    {"STORE_ACCESS_KEY", SETTING_SECRET, AT(store.access_key), NULL, 3, SIGV4_KEY_MAX},
    {"STORE_SECRET_KEY", SETTING_SECRET, AT(store.secret_key), NULL, 8, SIGV4_KEY_MAX},
    {"STORE_TRUSTED", SETTING_FLAG, AT(store.trusted), "on", 0, 0},
    /* S3 takes no more than 5 GiB at once. */
    {"MAX_UPLOAD", SETTING_SIZE, AT(max_upload), "64M", KIB, 5 * GIB},
    {"MAX_PIXELS", SETTING_NUMBER, AT(max_pixels), "100000000", 1, INT64_C(1000000000000)},
    {"STORE_CONNECT_TIMEOUT", SETTING_DURATION, AT(store.connect_timeout_ms), "2s", 100,
     60 * SECOND},
    {"STORE_TIMEOUT", SETTING_DURATION, AT(store.timeout_ms), "60s", SECOND, 3600 * SECOND},
    {"UPLOAD_TIMEOUT", SETTING_DURATION, AT(upload_timeout), "10m", SECOND, 24 * 3600 * SECOND},
    {"UPLOAD_DAILY_BYTES", SETTING_SIZE, AT(daily_bytes), "10G", 0, 1024 * GIB},
    {"UPLOAD_DAILY_TABLE", SETTING_TEXT, AT(daily_table), "/run/imagegate-private/uploads", 1, 255},
    {"DISK_FREE", SETTING_SIZE, AT(disk_free), "1G", 0, 1024 * 1024 * GIB},
    {"LOG_LEVEL", SETTING_NUMBER, AT(log_level), "1", 0, 3},
};

enum { ROWS = sizeof(table) / sizeof(table[0]) };

static enum err check(void *settings, struct buf *problems)
{
	const struct settings *s = settings;

	s3_check(&s->store, problems);
	if (s->daily_bytes != 0 && s->daily_bytes < s->max_upload)
		buf_puts(problems, "UPLOAD_DAILY_BYTES: must be 0 or at least MAX_UPLOAD\n");
	return ERR_OK;
}

/* What the handler works with. */
struct uploader {
	struct s3 *s3;
	struct upload upload;
};

static void handle(void *deps, const struct request *req, struct response *resp)
{
	struct uploader *uploader = deps;

	s3_trace(uploader->s3, req->id, req->traceparent);
	upload_handle(&uploader->upload, req, resp);
}

static int64_t now(void)
{
	return time(NULL);
}

/* Set up the quota: 0 bytes a day are no limit. */
static enum err open_quota(const struct settings *settings, struct quota *quota)
{
	enum err err = ERR_OK;

	quota->limit = settings->daily_bytes;
	if (quota->limit == 0)
		return ERR_OK;
	err = tally_open(settings->daily_table, QUOTA_DAY, &quota->tally);
	if (err != ERR_OK)
		log_error("the table of uploads, %s, cannot be used: %s", settings->daily_table,
		          strerror(errno));
	return err;
}

static int serve(const void *settings)
{
	const struct settings *s = settings;
	struct uploader uploader = {
	    .upload = {.max_bytes = s->max_upload,
	               .max_pixels = s->max_pixels,
	               .max_age_ms = s->upload_timeout,
	               /* The container's own root: Docker keeps it beside its volumes. */
	               .space = {.path = "/", .floor = s->disk_free},
	               .now = now},
	};
	int status = 1;

	if (open_quota(s, &uploader.upload.quota) != ERR_OK)
		return 1;
	if (s3_new(&s->store, &uploader.s3) != ERR_OK || sniff_check() != ERR_OK) {
		log_error("the libraries for the store and for file types do not start");
		goto out;
	}
	uploader.upload.store = s3_put_store(uploader.s3);
	status = worker_run(handle, &uploader);
out:
	s3_free(uploader.s3);
	tally_close(uploader.upload.quota.tally);
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings = {0};
	const struct program program = {
	    .name = "uploader",
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
