#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "bounds.h"
#include "config.h"
#include "log.h"
#include "s3.h"
#include "s3_put.h"
#include "sigv4.h"
#include "sniff.h"
#include "upload.h"
#include "worker.h"

/*
 * The uploader worker: takes images and puts them into the store.  `uploader -t` only checks the
 * configuration.  Exit status: 0 after a signal or a good check, 78 for an unusable configuration,
 * 64 for other arguments, 1 if it cannot work.
 */

struct settings {
	char *url;
	char *bucket;
	char *region;
	struct secret access_key;
	struct secret secret_key;
	bool trusted;
	int64_t max_upload;
	int64_t max_pixels;
	int64_t connect_timeout;
	int64_t timeout;
	int64_t upload_timeout;
	int64_t daily_bytes;
	char *daily_table;
	int64_t log_level;
};

#define KIB    INT64_C(1024)
#define GIB    (KIB * KIB * KIB)
#define SECOND INT64_C(1000)

static const struct setting table[] = {
    {"STORE_URL", SETTING_TEXT, offsetof(struct settings, url), "http://storage:9000", 8, 299},
    {"STORE_BUCKET", SETTING_TEXT, offsetof(struct settings, bucket), "images", 3, 63},
    {"STORE_REGION", SETTING_TEXT, offsetof(struct settings, region), "us-east-1", 1,
     SIGV4_KEY_MAX},
    {"STORE_ACCESS_KEY", SETTING_SECRET, offsetof(struct settings, access_key), NULL, 3,
     SIGV4_KEY_MAX},
    {"STORE_SECRET_KEY", SETTING_SECRET, offsetof(struct settings, secret_key), NULL, 8,
     SIGV4_KEY_MAX},
    {"STORE_TRUSTED", SETTING_FLAG, offsetof(struct settings, trusted), "on", 0, 0},
    /* S3 takes no more than 5 GiB at once. */
    {"MAX_UPLOAD", SETTING_SIZE, offsetof(struct settings, max_upload), "64M", KIB, 5 * GIB},
    {"MAX_PIXELS", SETTING_NUMBER, offsetof(struct settings, max_pixels), "100000000", 1,
     INT64_C(1000000000000)},
    {"STORE_CONNECT_TIMEOUT", SETTING_DURATION, offsetof(struct settings, connect_timeout), "2s",
     100, 60 * SECOND},
    {"STORE_TIMEOUT", SETTING_DURATION, offsetof(struct settings, timeout), "60s", SECOND,
     3600 * SECOND},
    {"UPLOAD_TIMEOUT", SETTING_DURATION, offsetof(struct settings, upload_timeout), "10m", SECOND,
     24 * 3600 * SECOND},
    {"UPLOAD_DAILY_BYTES", SETTING_SIZE, offsetof(struct settings, daily_bytes), "10G", 0,
     1024 * GIB},
    {"UPLOAD_DAILY_TABLE", SETTING_TEXT, offsetof(struct settings, daily_table),
     "/run/imagegate-private/uploads", 1, 255},
    {"LOG_LEVEL", SETTING_NUMBER, offsetof(struct settings, log_level), "1", 0, 3},
};

enum { SETTINGS = sizeof(table) / sizeof(table[0]) };

static struct s3_config store_config(const struct settings *settings)
{
	return (struct s3_config){
	    .url = settings->url,
	    .bucket = settings->bucket,
	    .region = settings->region,
	    .access_key = &settings->access_key,
	    .secret_key = &settings->secret_key,
	    .trusted = settings->trusted,
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
	if (settings->daily_bytes != 0 && settings->daily_bytes < settings->max_upload)
		buf_puts(&problems, "UPLOAD_DAILY_BYTES: must be 0 or at least MAX_UPLOAD\n");
	if (err == ERR_OK && problems.len > 0)
		err = ERR_MALFORMED;
	log_lines(LOG_LEVEL_ERROR, &problems);
	buf_free(&problems);
	return err;
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

static int serve(const struct settings *settings)
{
	struct s3_config config = store_config(settings);
	struct upload upload = {.max_bytes = settings->max_upload,
	                        .max_pixels = settings->max_pixels,
	                        .max_age_ms = settings->upload_timeout,
	                        .now = now};
	struct s3 *s3 = NULL;
	int status = 1;

	if (open_quota(settings, &upload.quota) != ERR_OK)
		return 1;
	if (s3_new(&config, &s3) != ERR_OK || sniff_check() != ERR_OK) {
		log_error("the libraries for the store and for file types do not start");
		goto out;
	}
	upload.store = s3_put_store(s3);
	status = worker_run(upload_handle, &upload);
out:
	s3_free(s3);
	tally_close(upload.quota.tally);
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings = {0};
	bool check_only = argc == 2 && strcmp(argv[1], "-t") == 0;
	int status = CONFIG_EXIT;

	log_open("uploader", LOG_LEVEL_INFO);
	if (argc > 1 && !check_only) {
		log_error("usage: uploader [-t]");
		return EX_USAGE;
	}
	if (load(&settings) != ERR_OK)
		goto out;
	log_open("uploader", (enum log_level)settings.log_level);
	status = check_only ? 0 : serve(&settings);
out:
	config_free(table, SETTINGS, &settings);
	return status;
}
