#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bounds.h"
#include "certificate.h"
#include "check.h"

static char path[] = "/tmp/test_certificate.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static enum err end_of(const char *text, size_t padding)
{
	FILE *file = fopen(path, "w");
	int64_t end = 0;

	assert_non_null(file);
	(void)fputs(text, file);
	for (size_t i = 0; i < padding; i++)
		(void)fputc('\n', file);
	assert_int_equal(fclose(file), 0);
	return certificate_end(path, &end);
}

static void what_is_no_certificate_has_no_end(void **state)
{
	int64_t end = 7;

	(void)state;
	assert_int_equal(certificate_end("/nowhere", &end), ERR_NOT_FOUND);
	assert_int_equal(certificate_end("/tmp", &end), ERR_MALFORMED);
	assert_int_equal(end, 7);
	assert_int_equal(end_of("", 0), ERR_MALFORMED);
	assert_int_equal(end_of("words\n", 0), ERR_MALFORMED);
	assert_int_equal(end_of("-----BEGIN CERTIFICATE-----\nMAA=\n", 0), ERR_MALFORMED);
	assert_int_equal(
	    end_of("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", 0),
	    ERR_MALFORMED);
	assert_int_equal(end_of("", LIMIT_SECRET_FILE + 1), ERR_MALFORMED);
}

/* OpenSSL would ask the terminal. */
static void nobody_is_asked_for_a_password(void **state)
{
	(void)state;
	assert_int_equal(end_of("-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
	                        "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
	                        "AAAAAAAAAAAAAAAAAAAAAA==\n-----END CERTIFICATE-----\n",
	                        0),
	                 ERR_MALFORMED);
}

static void the_first_to_end_counts(void **state)
{
	int64_t end = 0;

	(void)state;
	assert_int_equal(certificate_end("tests/vectors/certificate/chain.pem", &end), ERR_OK);
	assert_int_equal(end, 1798761599);
	assert_int_equal(certificate_end("tests/vectors/certificate/late.pem", &end), ERR_OK);
	assert_int_equal(end, 4102444799);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_no_certificate_has_no_end),
	    cmocka_unit_test(nobody_is_asked_for_a_password),
	    cmocka_unit_test(the_first_to_end_counts),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
