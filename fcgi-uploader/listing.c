#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"

enum {
	DEPTH_MAX = 8, /* elements inside each other; the real ones reach 4 */
	TEXT_MAX = 128 /* bytes of a text that matters; longer keys are not ours */
};

/* An element that matters: its name, and how deep it is. */
enum element { ROOT, CONTENTS, KEY, SIZE, TRUNCATED, ELEMENTS };

static const struct {
	const char *name;
	int depth;
} elements[ELEMENTS] = {
    [ROOT] = {"ListBucketResult", 1},
    [CONTENTS] = {"Contents", 2},
    [KEY] = {"Key", 3},
    [SIZE] = {"Size", 3},
    [TRUNCATED] = {"IsTruncated", 2},
};

struct parser {
	XML_Parser expat;
	struct listing *listing;
	enum err err;
	int depth;
	bool inside;     /* in an element Contents, */
	int keys, sizes; /* which has had so many of these; */
	bool ours;       /* its key is of our form */
	struct listing_entry entry;
	int truncated; /* elements IsTruncated */
	bool reading;  /* the text of the element in hand matters */
	bool too_long; /* and does not fit */
	size_t len;
	char text[TEXT_MAX + 1];
};

static void fail(struct parser *parser)
{
	parser->err = ERR_MALFORMED;
	(void)XML_StopParser(parser->expat, XML_FALSE);
}

static bool is(const struct parser *parser, enum element element, const char *name)
{
	return parser->depth == elements[element].depth &&
	       strcmp(name, elements[element].name) == 0;
}

static void on_start(void *ctx, const char *name, const char **attributes)
{
	struct parser *parser = ctx;

	(void)attributes;
	parser->depth++;
	if (parser->depth > DEPTH_MAX || (parser->depth == 1 && !is(parser, ROOT, name))) {
		fail(parser);
		return;
	}
	if (is(parser, CONTENTS, name)) {
		parser->inside = true;
		parser->keys = parser->sizes = 0;
	}
	parser->reading = is(parser, TRUNCATED, name) ||
	                  (parser->inside && (is(parser, KEY, name) || is(parser, SIZE, name)));
	parser->too_long = false;
	parser->len = 0;
}

static void on_text(void *ctx, const char *text, int len)
{
	struct parser *parser = ctx;
	size_t n = (size_t)len;

	if (!parser->reading)
		return;
	if (n > TEXT_MAX - parser->len) {
		parser->too_long = true;
		return;
	}
	memcpy(parser->text + parser->len, text, n);
	parser->len += n;
}

static void end_key(struct parser *parser)
{
	parser->keys++;
	parser->ours = !parser->too_long && name_is_object(parser->text);
	if (parser->ours)
		memcpy(parser->entry.object, parser->text, parser->len + 1);
}

/* At most 18 digits, so that the number fits. */
static void end_size(struct parser *parser)
{
	parser->sizes++;
	if (parser->too_long || parser->len == 0 || parser->len > 18 ||
	    strspn(parser->text, "0123456789") != parser->len) {
		fail(parser);
		return;
	}
	parser->entry.size = strtoll(parser->text, NULL, 10);
}

static void end_truncated(struct parser *parser)
{
	bool yes = strcmp(parser->text, "true") == 0;

	parser->truncated++;
	if (parser->too_long || (!yes && strcmp(parser->text, "false") != 0))
		fail(parser);
	parser->listing->truncated = yes;
}

static void end_contents(struct parser *parser)
{
	struct listing *listing = parser->listing;

	parser->inside = false;
	if (parser->keys != 1 || parser->sizes != 1 || listing->n + listing->foreign == LISTING_MAX)
		fail(parser);
	else if (parser->ours)
		listing->entries[listing->n++] = parser->entry;
	else
		listing->foreign++;
}

static void on_end(void *ctx, const char *name)
{
	struct parser *parser = ctx;

	parser->text[parser->len] = '\0';
	if (is(parser, CONTENTS, name))
		end_contents(parser);
	else if (parser->inside && is(parser, KEY, name))
		end_key(parser);
	else if (parser->inside && is(parser, SIZE, name))
		end_size(parser);
	else if (is(parser, TRUNCATED, name))
		end_truncated(parser);
	parser->reading = false;
	parser->depth--;
}

/* Entities and what else a document type can bring begin here, and end here. */
static void on_doctype(void *ctx, const char *name, const char *system, const char *public,
                       int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	fail(ctx);
}

enum err listing_parse(const void *xml, size_t len, struct listing *ret)
{
	struct parser parser = {.listing = ret};
	enum XML_Status status = XML_STATUS_ERROR;

	*ret = (struct listing){0};
	if (len > INT32_MAX)
		return ERR_MALFORMED;
	parser.expat = XML_ParserCreate("UTF-8");
	if (parser.expat == NULL)
		return ERR_NOMEM;
	XML_SetUserData(parser.expat, &parser);
	XML_SetElementHandler(parser.expat, on_start, on_end);
	XML_SetCharacterDataHandler(parser.expat, on_text);
	XML_SetStartDoctypeDeclHandler(parser.expat, on_doctype);
	status = XML_Parse(parser.expat, xml, (int)len, 1);
	if (parser.err == ERR_OK && status != XML_STATUS_OK)
		parser.err = XML_GetErrorCode(parser.expat) == XML_ERROR_NO_MEMORY ? ERR_NOMEM
		                                                                   : ERR_MALFORMED;
	if (parser.err == ERR_OK && parser.truncated != 1)
		parser.err = ERR_MALFORMED;
	XML_ParserFree(parser.expat);
	return parser.err;
}
