#include <stddef.h>
#include <string.h>
#include <time.h>

#include "config.h"
#include "metrics.h"
#include "name.h"
#include "program.h"
#include "sign.h"
#include "worker.h"

/*
 * The signer pool: makes the signatures with which the gateway reads images from the store.  Serves
 * FastCGI on descriptor 0.
 */

struct settings {
	char *host;
	char *bucket;
	char *region;
	struct secret access_key;
	struct secret secret_key;
	int64_t log_level;
};

#define AT(member) offsetof(struct settings, member)

static const struct setting table[] = {
    {"STORE_HOST", SETTING_TEXT, AT(host), "storage:9000", 1, 255},
    {"STORE_BUCKET", SETTING_TEXT, AT(bucket), "images", 3, 63},
    {"STORE_REGION", SETTING_TEXT, AT(region), "us-east-1", 1, SIGV4_KEY_MAX},
    {"STORE_ACCESS_KEY", SETTING_SECRET, AT(access_key), NULL, 3, SIGV4_KEY_MAX},
    {"STORE_SECRET_KEY", SETTING_SECRET, AT(secret_key), NULL, 8, SIGV4_KEY_MAX},
    {"LOG_LEVEL", SETTING_NUMBER, AT(log_level), "1", 0, 3},
};

enum { ROWS = sizeof(table) / sizeof(table[0]) };

static enum err check(void *settings, struct buf *problems)
{
	const struct settings *s = settings;

	if (s->host != NULL && strpbrk(s->host, "/ @?#") != NULL)
		buf_puts(problems, "STORE_HOST: must be a host and perhaps a port\n");
	if (s->bucket != NULL && !name_is_bucket(s->bucket))
		buf_puts(problems, "STORE_BUCKET: " NAME_BUCKET_RULE "\n");
	sigv4_check(&s->access_key, s->region, problems);
	return ERR_OK;
}

static int serve(const void *settings)
{
	const struct settings *s = settings;
	struct sign sign = {.host = s->host, .bucket = s->bucket, .now = time};
	int status = 1;

	if (sigv4_init(&sign.sigv4, &s->access_key, &s->secret_key, s->region) != ERR_OK)
		return 1;
	status = worker_run(sign_handle, &sign);
	sigv4_wipe(&sign.sigv4);
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings = {0};
	const struct program program = {
	    .name = "signer",
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
