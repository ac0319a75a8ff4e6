#ifndef TESTS_UNIT_SIGV4_VECTOR_H
#define TESTS_UNIT_SIGV4_VECTOR_H

/* Reads the files of tests/vectors/sigv4, whose form is described there. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "config.h"
#include "sigv4.h"

enum { VECTOR_HEADERS = 8, VECTOR_CHUNKS = 3, VECTOR_LINES = 24, VECTOR_LINE = 200 };

struct vector {
	struct secret access_key, secret_key;
	const char *region;
	struct sigv4_request request;
	struct sigv4_header headers[VECTOR_HEADERS];
	const char *signature;
	long length, frame_length;
	const char *chunks[VECTOR_CHUNKS];
	size_t n_chunks;
	char lines[VECTOR_LINES][VECTOR_LINE]; /* what the above points to */
};

static void vector_header(struct vector *vector, char *value)
{
	char *colon = strchr(value, ':');

	assert_non_null(colon);
	assert_in_range(vector->request.n_headers, 0, VECTOR_HEADERS - 1);
	*colon = '\0';
	vector->headers[vector->request.n_headers++] =
	    (struct sigv4_header){.name = value, .value = colon + 1};
}

static void vector_line(struct vector *vector, const char *word, char *value)
{
	if (strcmp(word, "access-key") == 0)
		vector->access_key = (struct secret){.data = value, .len = strlen(value)};
	else if (strcmp(word, "secret-key") == 0)
		vector->secret_key = (struct secret){.data = value, .len = strlen(value)};
	else if (strcmp(word, "region") == 0)
		vector->region = value;
	else if (strcmp(word, "method") == 0)
		vector->request.method = value;
	else if (strcmp(word, "path") == 0)
		vector->request.path = value;
	else if (strcmp(word, "query") == 0)
		vector->request.query = value;
	else if (strcmp(word, "header") == 0)
		vector_header(vector, value);
	else if (strcmp(word, "signature") == 0)
		vector->signature = value;
	else if (strcmp(word, "length") == 0)
		vector->length = strtol(value, NULL, 10);
	else if (strcmp(word, "frame-length") == 0)
		vector->frame_length = strtol(value, NULL, 10);
	else if (strcmp(word, "chunk-signature") == 0 && vector->n_chunks < VECTOR_CHUNKS)
		vector->chunks[vector->n_chunks++] = value;
	else
		fail_msg("unknown word %s", word);
}

static void vector_load(const char *path, struct vector *vector)
{
	FILE *file = fopen(path, "re");
	size_t n = 0;

	if (file == NULL)
		fail_msg("cannot open %s", path);
	*vector = (struct vector){.request = {.query = ""}};
	for (; n < VECTOR_LINES && fgets(vector->lines[n], VECTOR_LINE, file) != NULL; n++) {
		char *value = strchr(vector->lines[n], ' ');

		vector->lines[n][strcspn(vector->lines[n], "\n")] = '\0';
		assert_non_null(value);
		*value = '\0';
		vector_line(vector, vector->lines[n], value + 1);
	}
	fclose(file);
	vector->request.headers = vector->headers;
	assert_non_null(vector->signature);
}

#endif
