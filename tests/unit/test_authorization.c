#include <stdlib.h>
#include <string.h>

#include "authorization.h"
#include "bounds.h"
#include "check.h"

static void refused(const char *header)
{
	const char *token = NULL;
	size_t len = 0;

	if (authorization_bearer(header, &token, &len) != ERR_TOKEN)
		fail_msg("taken: %s", header);
	assert_null(token);
	assert_int_equal(len, 0);
}

static void taken(const char *header, const char *want)
{
	const char *token = NULL;
	size_t len = 0;

	assert_int_equal(authorization_bearer(header, &token, &len), ERR_OK);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(token, want, len);
	assert_true(token >= header && token + len == header + strlen(header));
}

static void other_than_bearer(void **state)
{
	static const char *const bad[] = {
	    "",
	    "a.b.c",
	    "None",
	    "Bearer",
	    "Bearer ",
	    "Bearer    ",
	    "Basic YQ",
	    "Bearera.b.c",
	    " Bearer a",
	    "Bearer\ta",
	    "Bearer a ",
	    "Bearer a b",
	    "Bearer,a",
	    "Bearer a,b",
	    "Beare a",
	    "Bearer \"a\"",
	    "Bearer a\n",
	    "Bearer a\r\nX: y",
	    "Token a",
	    "Bearer =",
	    "Bearer =a",
	    "Bearer a=b",
	    "Bearer a\x7f",
	    "Bearer \xc3\xa4",
	    "Bearer:a",
	    "Bearer a;b=c",
	    "B\351rer a",
	    "Bearer%20a",
	    "Bearer token=a",
	    "Bearer Bearer a",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(bad[i]);
}

static void every_byte_in_the_token(void **state)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789-._~+/";
	char header[] = "Bearer axb";

	(void)state;
	for (int c = 1; c < 256; c++) {
		header[8] = (char)c;
		if (memchr(good, c, sizeof(good) - 1) != NULL)
			taken(header, header + 7);
		else
			refused(header);
	}
}

static void lengths(void **state)
{
	enum { LEN = 100 * 1024 };
	char *header = malloc(LEN + 1);

	(void)state;
	assert_non_null(header);
	memset(header, 'a', LEN);
	memcpy(header, "Bearer ", 7);
	header[LEN] = '\0';
	refused(header);
	header[7 + LIMIT_TOKEN + 1] = '\0';
	refused(header);
	header[7 + LIMIT_TOKEN] = '\0';
	taken(header, header + 7);
	memset(header + 7, ' ', LIMIT_AUTHORIZATION);
	header[LIMIT_AUTHORIZATION + 7] = '\0';
	refused(header);
	free(header);
}

static void any_case_of_the_scheme(void **state)
{
	(void)state;
	taken("Bearer a.b.c", "a.b.c");
	taken("bearer a", "a");
	taken("BEARER a==", "a==");
	taken("bEaReR    -._~+/0", "-._~+/0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(other_than_bearer),
	    cmocka_unit_test(every_byte_in_the_token),
	    cmocka_unit_test(lengths),
	    cmocka_unit_test(any_case_of_the_scheme),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
