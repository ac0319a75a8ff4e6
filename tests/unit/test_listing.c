#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "listing.h"

#define KEY     "0123456789abcdef/vuci4ialvv0123456789abcdefghij.jpg"
#define ACCOUNT "0123456789abcdef"
#define TEXT_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OPEN    "<ListBucketResult>"
#define CLOSE   "</ListBucketResult>"
#define END     "<IsTruncated>false</IsTruncated>" CLOSE
#define ENTRY   "<Contents><Key>" KEY "</Key><Size>5</Size></Contents>"

static struct listing listing;

static enum err parse(const char *xml)
{
	return listing_parse(xml, strlen(xml), &listing);
}

static void test_refuses(void **state)
{
	static const char *const bad[] = {
	    /* No XML, or cut. */
	    "",
	    " ",
	    "garbage",
	    "{\"images\":[]}",
	    "\xff\xfe",
	    OPEN,
	    OPEN "<IsTruncated>false</IsTruncated>",
	    OPEN ENTRY "<IsTruncated>false</IsTruncated></ListBucketResul",
	    OPEN "<Contents></ListBucketResult>",
	    OPEN END "x",
	    OPEN END OPEN END,
	    OPEN "&nbsp;" END,
	    OPEN "\x80" END,
	    OPEN "\x01" END,
	    /* Another document. */
	    "<Error><Code>AccessDenied</Code></Error>",
	    "<ListBucketResults><IsTruncated>false</IsTruncated></ListBucketResults>",
	    "<x>" OPEN END "</x>",
	    /* Whether there are more must be said, once. */
	    OPEN CLOSE,
	    OPEN ENTRY CLOSE,
	    OPEN "<IsTruncated>false</IsTruncated>" END,
	    OPEN "<IsTruncated></IsTruncated>" CLOSE,
	    OPEN "<IsTruncated>no</IsTruncated>" CLOSE,
	    OPEN "<IsTruncated> false</IsTruncated>" CLOSE,
	    OPEN "<IsTruncated>false<x/></IsTruncated>" CLOSE,
	    OPEN "<Contents><IsTruncated>false</IsTruncated></Contents>" CLOSE,
	    /* One key and one size each. */
	    OPEN "<Contents/>" END,
	    OPEN "<Contents><Key>" KEY "</Key></Contents>" END,
	    OPEN "<Contents><Size>5</Size></Contents>" END,
	    OPEN "<Contents><Key>a</Key><Key>b</Key><Size>5</Size></Contents>" END,
	    OPEN "<Contents><Key>a</Key><Size>5</Size><Size>5</Size></Contents>" END,
	    OPEN "<Key>" KEY "</Key><Size>5</Size>" OPEN END CLOSE,
	    OPEN "<Contents><Key>a</Key><x><Size>5</Size></x></Contents>" END,
	    OPEN "<Contents><Key>a</Key><Size></Size></Contents>" END,
	    OPEN "<Contents><Key>a</Key><Size>-1</Size></Contents>" END,
	    OPEN "<Contents><Key>a</Key><Size>5 </Size></Contents>" END,
	    OPEN "<Contents><Key>a</Key><Size>0x5</Size></Contents>" END,
	    OPEN "<Contents><Key>a</Key><Size>1000000000000000000</Size></Contents>" END,
	    OPEN "<Contents><Key>a</Key><Size>99999999999999999999999999</Size></Contents>" END,
	    /* Deep. */
	    OPEN "<a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a>" END,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i]), ERR_MALFORMED);
}

/* Whatever needs a document type: entities that grow, files of ours, files of others. */
static void test_refuses_document_types(void **state)
{
	static const char *const types[] = {
	    "<!DOCTYPE ListBucketResult>",
	    "<!DOCTYPE ListBucketResult SYSTEM \"http://127.0.0.1/x.dtd\">",
	    "<!DOCTYPE x PUBLIC \"-//x\" \"file:///etc/passwd\">",
	    "<!DOCTYPE x [<!ENTITY e \"false\">]>",
	    "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>",
	    "<!DOCTYPE x [<!ENTITY % e SYSTEM \"file:///etc/passwd\"> %e;]>",
	    "<!DOCTYPE x [<!ENTITY a \"aaaaaaa\"><!ENTITY b \"&a;&a;\">]>",
	    "<!DOCTYPE x [<!ATTLIST ListBucketResult a CDATA \"b\">]>",
	};
	char xml[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		(void)snprintf(xml, sizeof(xml), "<?xml version=\"1.0\"?>%s" OPEN END, types[i]);
		assert_int_equal(parse(xml), ERR_MALFORMED);
	}
}

/* A listing of ${n} objects; the caller frees it. */
static char *listing_of(size_t n)
{
	char *xml = calloc(1, sizeof(OPEN END) + n * sizeof(ENTRY));

	assert_non_null(xml);
	strcat(xml, OPEN);
	for (size_t i = 0; i < n; i++)
		strcat(xml, ENTRY);
	strcat(xml, END);
	return xml;
}

static void test_refuses_more_than_a_page(void **state)
{
	char *full = listing_of(LISTING_MAX);
	char *over = listing_of(LISTING_MAX + 1);

	(void)state;
	assert_int_equal(parse(over), ERR_MALFORMED);
	assert_int_equal(parse(full), ERR_OK);
	assert_int_equal(listing.n, LISTING_MAX);
	free(full);
	free(over);
}

static void test_every_cut_is_refused(void **state)
{
	static const char xml[] = "<?xml version=\"1.0\"?>" OPEN ENTRY END;

	(void)state;
	for (size_t len = 0; len < sizeof(xml) - 1; len++) {
		char *part = malloc(len + (len == 0));

		assert_non_null(part);
		memcpy(part, xml, len);
		assert_int_equal(listing_parse(part, len, &listing), ERR_MALFORMED);
		free(part);
	}
	assert_int_equal(parse(xml), ERR_OK);
}

/* What an operator has put beside the images. */
static void test_leaves_foreign_keys_out(void **state)
{
	static const char *const keys[] = {
	    "",
	    "x",
	    "0123456789abcdef-vuci4ialvv0123456789abcdefghij.jpg",
	    KEY "x",
	    "0123456789abcdef/&lt;script&gt;",
	    ACCOUNT "/" TEXT_64 TEXT_64,
	};
	char xml[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		(void)snprintf(xml, sizeof(xml),
		               OPEN ENTRY
		               "<Contents><Key>%s</Key><Size>1</Size></Contents>" ENTRY END,
		               keys[i]);
		assert_int_equal(parse(xml), ERR_OK);
		assert_int_equal(listing.n, 2);
		assert_int_equal(listing.foreign, 1);
		assert_string_equal(listing.entries[1].object, KEY);
	}
}

/* As MinIO and the S3 API Reference have it. */
static void test_parses(void **state)
{
	static const char xml[] =
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<ListBucketResult "
	    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>images</Name>"
	    "<Prefix>0123456789abcdef/</Prefix><KeyCount>2</KeyCount><MaxKeys>2</MaxKeys>"
	    "<IsTruncated>true</IsTruncated><Contents><Key>" KEY "</Key>"
	    "<LastModified>2026-01-01T00:00:00.000Z</LastModified>"
	    "<ETag>&#34;00000000000000000000000000000000&#34;</ETag><Size>5</Size>"
	    "<Owner><ID></ID><DisplayName></DisplayName></Owner>"
	    "<StorageClass>STANDARD</StorageClass></Contents>"
	    "<!-- a comment --><Contents><Size>999999999999999999</Size><Key>0123456789abcdef/"
	    "<![CDATA[vuci4ialvw]]>0123456789abcdefghij.p&#110;g</Key></Contents>"
	    "<NextContinuationToken>x</NextContinuationToken></ListBucketResult>\n";

	(void)state;
	assert_int_equal(parse(xml), ERR_OK);
	assert_true(listing.truncated);
	assert_int_equal(listing.n, 1);
	assert_int_equal(listing.foreign, 1); /* w is not in the alphabet */
	assert_string_equal(listing.entries[0].object, KEY);
	assert_int_equal(listing.entries[0].size, 5);
	assert_int_equal(parse(OPEN END), ERR_OK);
	assert_false(listing.truncated);
	assert_int_equal(listing.n, 0);
}

static void test_text_in_pieces(void **state)
{
	static const char xml[] = OPEN
	    "<Contents><Key>0123456789abcdef/<![CDATA[vuci4ialvv]]>0123456789abcdefghij.p&#110;g"
	    "</Key><Size>1<!-- -->2</Size></Contents>" END;

	(void)state;
	assert_int_equal(parse(xml), ERR_OK);
	assert_string_equal(listing.entries[0].object,
	                    "0123456789abcdef/vuci4ialvv0123456789abcdefghij.png");
	assert_int_equal(listing.entries[0].size, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refuses),
	    cmocka_unit_test(test_refuses_document_types),
	    cmocka_unit_test(test_refuses_more_than_a_page),
	    cmocka_unit_test(test_every_cut_is_refused),
	    cmocka_unit_test(test_leaves_foreign_keys_out),
	    cmocka_unit_test(test_parses),
	    cmocka_unit_test(test_text_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
