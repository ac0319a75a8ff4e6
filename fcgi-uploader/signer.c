#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "bounds.h"
#include "config.h"
#include "log.h"
#include "name.h"
#include "sign.h"
#include "worker.h"

/*
 * The signer worker: makes the signatures with which the gateway reads images from the store.
 * `signer -t` only checks the configuration.  Exit status: 0 after a signal or a good check, 78 for
 * an unusable configuration, 64 for other arguments, 1 if it cannot work.
 */

struct settings {
	char *host;
	char *bucket;
	char *region;
	struct secret access_key;
	struct secret secret_key;
	int64_t log_level;
};

static const struct setting table[] = {
    {"STORE_HOST", SETTING_TEXT, offsetof(struct settings, host), "storage:9000", 1, 255},
    {"STORE_BUCKET", SETTING_TEXT, offsetof(struct settings, bucket), "images", 3, 63},
    {"STORE_REGION", SETTING_TEXT, offsetof(struct settings, region), "us-east-1", 1,
     SIGV4_KEY_MAX},
    {"STORE_ACCESS_KEY", SETTING_SECRET, offsetof(struct settings, access_key), NULL, 3,
     SIGV4_KEY_MAX},
    {"STORE_SECRET_KEY", SETTING_SECRET, offsetof(struct settings, secret_key), NULL, 8,
     SIGV4_KEY_MAX},
    {"LOG_LEVEL", SETTING_NUMBER, offsetof(struct settings, log_level), "1", 0, 3},
};

enum { SETTINGS = sizeof(table) / sizeof(table[0]) };

/* Load the settings; log all that is wrong with them. */
static enum err load(struct settings *settings)
{
	struct buf problems = buf_new(LIMIT_PROBLEMS);
	enum err err = config_load(table, SETTINGS, settings, &problems);

	if (settings->host != NULL && strpbrk(settings->host, "/ @?#") != NULL)
		buf_puts(&problems, "STORE_HOST: must be a host and perhaps a port\n");
	if (settings->bucket != NULL && !name_is_bucket(settings->bucket))
		buf_puts(&problems, "STORE_BUCKET: " NAME_BUCKET_RULE "\n");
	sigv4_check(&settings->access_key, settings->region, &problems);
	if (err == ERR_OK && problems.len > 0)
		err = ERR_MALFORMED;
	log_lines(LOG_LEVEL_ERROR, &problems);
	buf_free(&problems);
	return err;
}

static int serve(const struct settings *settings)
{
	struct sign sign = {.host = settings->host, .bucket = settings->bucket, .now = time};
	int status = 1;

	if (sigv4_init(&sign.sigv4, &settings->access_key, &settings->secret_key,
	               settings->region) != ERR_OK)
		return 1;
	status = worker_run(sign_handle, &sign);
	sigv4_wipe(&sign.sigv4);
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings = {0};
	bool check_only = argc == 2 && strcmp(argv[1], "-t") == 0;
	int status = CONFIG_EXIT;

	log_open("signer", LOG_LEVEL_INFO);
	if (argc > 1 && !check_only) {
		log_error("usage: signer [-t]");
		return EX_USAGE;
	}
	if (load(&settings) != ERR_OK)
		goto out;
	log_open("signer", (enum log_level)settings.log_level);
	status = check_only ? 0 : serve(&settings);
out:
	config_free(table, SETTINGS, &settings);
	return status;
}
