#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "faults.h"
#include "image.h"
#include "log.h"
#include "name.h"
#include "s3_put.h"
#include "sign.h"
#include "upload.h"

/*
 * Each module of fcgi-uploader/ while memory runs out, the body breaks or the store fails, at every
 * place where it can.
 */

#define ACCOUNT "0123456789abcdef"
#define OBJECT  ACCOUNT "/vuci4ialvv0123456789abcdefghij.gif"

static const unsigned char gif[] = "GIF89a\3\0\2\0\0\0\0,\0\0\0\0\3\0\2\0\0\2\2\204Q\0;";
enum { GIF_LEN = sizeof(gif) - 1 };

static char access_text[] = "AKIAIOSFODNN7EXAMPLE";
static char secret_text[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
static const struct secret access_key = {.data = access_text, .len = sizeof(access_text) - 1};
static const struct secret secret_key = {.data = secret_text, .len = sizeof(secret_text) - 1};

static bool never_gone(void *ctx)
{
	(void)ctx;
	return false;
}

static enum err broken_read(void *ctx, void *data, size_t cap, size_t *ret_len)
{
	size_t *at = ctx;
	size_t n = GIF_LEN - *at;

	if (fault_due())
		return ERR_CUT;
	n = n < cap ? n : cap;
	n = n < 10 ? n : 10;
	memcpy(data, gif + *at, n);
	*at += n;
	*ret_len = n;
	return ERR_OK;
}

static struct request request_of(const char *route, const char *method, size_t *at)
{
	return (struct request){.id = "r1",
	                        .route = route,
	                        .method = method,
	                        .authorization = "",
	                        .accept = "",
	                        .content_type = "image/gif",
	                        .remote_addr = "",
	                        .account = ACCOUNT,
	                        .object = OBJECT,
	                        .content_length = GIF_LEN,
	                        .read = broken_read,
	                        .gone = never_gone,
	                        .ctx = at};
}

/* The answer as an error; a success is one by its status, and whole. */
static enum err outcome(const struct response *resp, int status)
{
	if (buf_err(&resp->header) != ERR_OK)
		return buf_err(&resp->header);
	if (buf_err(&resp->body) != ERR_OK)
		return buf_err(&resp->body);
	if (resp->status == status)
		return ERR_OK;
	if (resp->status == 400)
		return ERR_CUT;
	return resp->status == 503 || resp->status == err_problem(ERR_NOMEM)->status ? ERR_NOMEM
	                                                                             : ERR_INTERNAL;
}

/* --- the signer --- */

static enum err ask_signer(void *ctx)
{
	struct sign sign = {.host = "storage:9000", .bucket = "images", .now = time};
	struct request req = request_of("sign", "GET", NULL);
	struct response resp = response_new();
	enum err err = sigv4_init(&sign.sigv4, &access_key, &secret_key, "us-east-1");

	(void)ctx;
	assert_int_equal(err, ERR_OK);
	sign_handle(&sign, &req, &resp);
	err = outcome(&resp, 204);
	if (err == ERR_OK)
		assert_non_null(strstr(resp.header.data, ",Signature="));
	sigv4_wipe(&sign.sigv4);
	response_free(&resp);
	return err;
}

static void signer(void **state)
{
	(void)state;
	fault_each(ask_signer, NULL, ERR_NOMEM);
}

/* --- what an upload goes through --- */

static enum err check_image(void *ctx)
{
	struct image *image = NULL;
	uint32_t width = 0;
	uint32_t height = 0;
	enum err err = image_new(IMAGE_GIF, 1000, &image);

	(void)ctx;
	if (err != ERR_OK) {
		assert_null(image);
		return err;
	}
	err = image_feed(image, gif, GIF_LEN);
	if (err == ERR_OK)
		err = image_end(image, &width, &height);
	assert_int_equal(width, 3);
	image_free(image);
	return err;
}

static void images(void **state)
{
	(void)state;
	fault_each(check_image, NULL, ERR_NOMEM);
}

/* What the store that does not exist holds. */
static struct {
	unsigned char data[GIF_LEN];
	bool whole;
} held;

static enum err broken_put(void *ctx, const struct store_object *object, char why[STORE_WHY_LEN])
{
	enum err err = ERR_OK;

	(void)ctx;
	why[0] = '\0';
	if (fault_due())
		return ERR_UNAVAILABLE;
	err = object->pull(object->ctx, held.data, (size_t)object->length);
	if (err != ERR_OK)
		return err;
	held.whole = true;
	return fault_due() ? ERR_TIMEOUT : ERR_OK;
}

static int64_t now(void)
{
	return 0;
}

static enum err upload_image(void *ctx)
{
	struct upload upload = {.store = {.put = broken_put},
	                        .now = now,
	                        .max_bytes = 1000,
	                        .max_pixels = 1000,
	                        .max_age_ms = 1000};
	size_t at = 0;
	struct request req = request_of("upload", "POST", &at);
	struct response resp = response_new();
	enum err err = ERR_OK;

	(void)ctx;
	held.whole = false;
	upload_handle(&upload, &req, &resp);
	err = outcome(&resp, 201);
	/* No name without an object, and no object that is not the image. */
	if (resp.status == 201)
		assert_true(held.whole);
	if (held.whole)
		assert_memory_equal(held.data, gif, GIF_LEN);
	if (resp.status != 201)
		assert_null(strstr(buf_str(&resp.body), "filename"));
	response_free(&resp);
	return err;
}

static void uploads(void **state)
{
	(void)state;
	fault_each(upload_image, NULL, ERR_CUT);
}

/* --- the store --- */

/* Read a request with its body; whether there was one. */
static bool read_request(FILE *stream)
{
	char line[2048];
	size_t length = 0;
	bool any = false;

	while (fgets(line, sizeof(line), stream) != NULL && strcmp(line, "\r\n") != 0) {
		any = true;
		if (strncasecmp(line, "content-length:", 15) == 0)
			length = strtoul(line + 15, NULL, 10);
	}
	for (; length > 0; length--) {
		if (fgetc(stream) == EOF)
			return false;
	}
	return any;
}

static void store_run(int listener)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
				     "ETag: \"00000000000000000000000000000000\"\r\n\r\n";

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		FILE *in = fdopen(fd, "r");
		FILE *out = fdopen(dup(fd), "w");

		if (in == NULL || out == NULL)
			_exit(1);
		while (read_request(in)) {
			(void)fputs(answer, out);
			(void)fflush(out);
		}
		(void)fclose(in);
		(void)fclose(out);
	}
}

static enum err pull(void *ctx, void *data, size_t len)
{
	(void)ctx;
	memset(data, 'x', len);
	return fault_due() ? ERR_CUT : ERR_OK;
}

static enum err put_object(void *ctx)
{
	const struct store_object object = {
	    .key = "a/b", .type = "image/gif", .length = 1000, .pull = pull};
	struct s3_config config = {.url = ctx,
	                           .bucket = "images",
	                           .region = "us-east-1",
	                           .access_key = &access_key,
	                           .secret_key = &secret_key,
	                           .connect_timeout_ms = 5000,
	                           .timeout_ms = 5000};
	char why[STORE_WHY_LEN];
	struct s3 *s3 = NULL;
	enum err err = s3_new(&config, &s3);

	if (err != ERR_OK) {
		assert_null(s3);
		return err;
	}
	err = s3_put_store(s3).put(s3, &object, why);
	/* Whatever happened, it goes on when memory is there again. */
	fault_pause();
	assert_int_equal(s3_put_store(s3).put(s3, &object, why), ERR_OK);
	s3_free(s3);
	fault_resume();
	return err == ERR_CUT ? ERR_UNAVAILABLE : err;
}

static void objects(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char url[64];
	pid_t pid = -1;

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 64), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", ntohs(address.sin_port));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		store_run(listener);
	(void)close(listener);
	fault_each(put_object, url, ERR_UNAVAILABLE);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signer),
	    cmocka_unit_test(images),
	    cmocka_unit_test(uploads),
	    cmocka_unit_test(objects),
	};

	log_open("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
