#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "check.h"
#include "config.h"
#include "crypto.h"
#include "faults.h"
#include "flatjson.h"
#include "log.h"
#include "response.h"
#include "tally.h"

/* Each module of lib/ while memory runs out, or the body breaks, at every place where it can. */

static enum err fill_buffer(void *ctx)
{
	struct buf buf = buf_new(5000);
	enum err err = ERR_OK;

	(void)ctx;
	for (int i = 0; i < 100; i++)
		buf_printf(&buf, "%d,", i);
	buf_jsons(&buf, "\"\x80\n");
	buf_put(&buf, "end", 3);
	err = buf_err(&buf);
	if (err == ERR_OK) {
		assert_memory_equal(buf.data, "0,1,2,", 6);
		assert_string_equal(buf.data + buf.len - 3, "end");
	}
	buf_free(&buf);
	return err;
}

static enum err read_certificates(void *ctx)
{
	const struct buf *pem = ctx;
	int64_t end = 0;
	enum err err = crypto_certificates_end(pem->data, pem->len, &end);

	if (err == ERR_OK)
		assert_int_equal(end, 1798761599);
	return err;
}

/* Not even the second one is passed over. */
static void certificates(void **state)
{
	char block[4096];
	struct buf pem = buf_new(sizeof(block));
	FILE *file = fopen("tests/vectors/certificate/chain.pem", "r");

	(void)state;
	assert_non_null(file);
	buf_put(&pem, block, fread(block, 1, sizeof(block), file));
	assert_int_equal(fclose(file), 0);
	fault_each(read_certificates, &pem, ERR_MALFORMED);
	buf_free(&pem);
}

static void buffers(void **state)
{
	(void)state;
	fault_each(fill_buffer, NULL, ERR_NOMEM);
}

struct settings {
	char *text;
	struct secret secret;
	int64_t number;
};

static const struct setting table[] = {
    {"TEST_TEXT", SETTING_TEXT, offsetof(struct settings, text), "some text", 1, 20},
    {"TEST_SECRET", SETTING_SECRET, offsetof(struct settings, secret), NULL, 1, 2000},
    {"TEST_NUMBER", SETTING_NUMBER, offsetof(struct settings, number), "12", 1, 20},
};

static enum err load_settings(void *ctx)
{
	struct settings settings = {0};
	struct buf problems = buf_new(1000);
	enum err err = config_load(table, 3, &settings, &problems);

	(void)ctx;
	if (err == ERR_OK) {
		assert_string_equal(settings.text, "some text");
		assert_int_equal(settings.secret.len, 1000);
		assert_int_equal(settings.number, 12);
	}
	config_free(table, 3, &settings);
	buf_free(&problems);
	return err;
}

static void settings_of_a_file(void **state)
{
	char path[] = "/tmp/test_faults_lib.XXXXXX";
	char text[1000];
	int fd = mkstemp(path);

	(void)state;
	memset(text, 's', sizeof(text));
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	(void)close(fd);
	assert_int_equal(setenv("TEST_SECRET_FILE", path, 1), 0);
	fault_each(load_settings, NULL, ERR_NOMEM);
	(void)unlink(path);
}

static enum err hash(void *ctx)
{
	static const uint8_t mac_begins[] = {0xf7, 0xbc, 0x83, 0xf4};
	static const uint8_t key_begins[] = {0x12, 0x0f, 0xb6, 0xcf};
	uint8_t digest[CRYPTO_SHA256_LEN];
	uint8_t random[16];
	enum err err = crypto_random(random, sizeof(random));

	(void)ctx;
	if (err == ERR_OK)
		err = crypto_sha256("abc", 3, digest);
	if (err == ERR_OK)
		err = crypto_hmac_sha256("key", 3, "The quick brown fox jumps over the lazy dog",
		                         43, digest);
	if (err == ERR_OK) {
		assert_memory_equal(digest, mac_begins, sizeof(mac_begins));
		err = crypto_pbkdf2("password", 8, "salt", 4, 1, digest, sizeof(digest));
	}
	if (err == ERR_OK)
		assert_memory_equal(digest, key_begins, sizeof(key_begins));
	return err;
}

static void hashes(void **state)
{
	(void)state;
	fault_each(hash, NULL, ERR_NOMEM);
}

static enum err parse(void *ctx)
{
	static const char text[] = "{\"login\":\"somebody\",\"password\":\"\\u00e4 long password"
				   " that takes a buffer of its own\",\"n\":17,\"x\":null}";
	struct flatjson *json = NULL;
	const char *why = NULL;
	size_t len = 0;
	int64_t n = 0;
	enum err err = flatjson_parse(text, sizeof(text) - 1, &json, &why);

	(void)ctx;
	if (err != ERR_OK) {
		assert_null(json);
		return err;
	}
	assert_string_equal(flatjson_string(json, "login", &len), "somebody");
	assert_int_equal(flatjson_integer(json, "n", &n), ERR_OK);
	assert_int_equal(n, 17);
	flatjson_free(json);
	return ERR_OK;
}

static void json(void **state)
{
	(void)state;
	fault_each(parse, NULL, ERR_NOMEM);
}

/* A line is whole or it is the one that says that it was lost. */
static enum err log_a_line(void *ctx)
{
	char line[512] = "";
	int *pipe_fds = ctx;
	ssize_t n = 0;

	log_warn("a line of some length %s", "so that it takes memory");
	n = read(pipe_fds[0], line, sizeof(line) - 1);
	assert_true(n > 0);
	assert_int_equal(line[n - 1], '\n');
	if (strstr(line, "a log line was lost") != NULL)
		return ERR_NOMEM;
	assert_non_null(strstr(line, "so that it takes memory\"}\n"));
	return ERR_OK;
}

static void log_lines_lost(void **state)
{
	int saved = dup(STDERR_FILENO);
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	fault_each(log_a_line, fds, ERR_NOMEM);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(fds[0]);
	(void)close(fds[1]);
	(void)close(saved);
}

static enum err answer_problem(void *ctx)
{
	struct request req = {.id = "r1", .authorization = "x"};
	struct response resp = response_new();
	enum err err = ERR_OK;

	(void)ctx;
	response_problem(&resp, &req, ERR_TOKEN, "A detail with a number: %d", 12);
	response_header(&resp, "X-Some", "%s", "value");
	err = buf_err(&resp.header);
	if (err == ERR_OK)
		err = buf_err(&resp.body);
	/* The detail may have given way to the one that every problem has. */
	if (err == ERR_OK) {
		assert_int_equal(resp.status, 401);
		assert_non_null(strstr(resp.body.data, "\"request_id\":\"r1\""));
		assert_non_null(strstr(resp.header.data, "X-Some: value\r\n"));
	}
	response_free(&resp);
	return err;
}

static void answers(void **state)
{
	(void)state;
	fault_each(answer_problem, NULL, ERR_NOMEM);
}

static enum err count(void *ctx)
{
	struct tally *tally = NULL;
	int64_t before = 0;
	int64_t after = 0;
	enum err err = tally_open(ctx, 60, &tally);

	assert_true((err == ERR_OK) == (tally != NULL));
	if (err == ERR_OK)
		err = tally_get(tally, "key", 3, 0, &before);
	if (err == ERR_OK)
		err = tally_add(tally, "key", 3, 2, 0, &after);
	if (err == ERR_OK)
		assert_int_equal(after, before + 2);
	tally_close(tally);
	return err;
}

static void counters(void **state)
{
	char folder[] = "/dev/shm/test_faults_lib.XXXXXX";
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/tally", folder);
	fault_each(count, path, ERR_NOMEM);
	(void)unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

static enum err broken_read(void *ctx, void *data, size_t cap, size_t *ret_len)
{
	int *left = ctx;

	if (fault_due())
		return ERR_CUT;
	*ret_len = *left > 0 && cap > 0 ? 1 : 0;
	if (*ret_len > 0)
		*(char *)data = (char)('0' + *left);
	*left -= (int)*ret_len;
	return ERR_OK;
}

static enum err read_body(void *ctx)
{
	int left = 5;
	struct request req = {.content_length = 5, .read = broken_read, .ctx = &left};
	char data[8];
	size_t len = 0;
	enum err err = request_body(&req, data, sizeof(data), &len);

	(void)ctx;
	assert_int_equal(len, err == ERR_OK ? 5 : 0);
	if (err == ERR_OK)
		assert_memory_equal(data, "54321", 5);
	return err;
}

static void bodies(void **state)
{
	(void)state;
	fault_each(read_body, NULL, ERR_CUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(buffers),
	    cmocka_unit_test(certificates),
	    cmocka_unit_test(settings_of_a_file),
	    cmocka_unit_test(hashes),
	    cmocka_unit_test(json),
	    cmocka_unit_test(answers),
	    cmocka_unit_test(log_lines_lost),
	    cmocka_unit_test(bodies),
	    cmocka_unit_test(counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
