#include "multipart.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char token_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789!#$%&'*+-.^_`|~";
static const char boundary_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					  "0123456789'()+_,-./:=? ";

/* Record what is wrong; return the error. */
static enum err fail(struct multipart *form, const char *why)
{
	form->err = ERR_MALFORMED;
	form->why = why;
	return form->err;
}

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t");
}

/* --- parameters: RFC 9110 section 5.6.6 --- */

struct parameter {
	const char *name;
	size_t name_len;
	size_t value_len;
	char value[MULTIPART_BOUNDARY_MAX + 2]; /* without quotes; a longer one is cut */
};

static void put(struct parameter *parameter, char character)
{
	if (parameter->value_len < sizeof(parameter->value) - 1)
		parameter->value[parameter->value_len++] = character;
}

/* Read a token or a quoted string (RFC 9110 section 5.6.4) at ${at}; return its end, or NULL. */
static const char *read_value(const char *at, struct parameter *parameter)
{
	size_t len = strspn(at, token_characters);

	parameter->value_len = 0;
	if (*at != '"') {
		for (size_t i = 0; i < len; i++)
			put(parameter, at[i]);
		parameter->value[parameter->value_len] = '\0';
		return len == 0 ? NULL : at + len;
	}
	for (at++; *at != '"'; at++) {
		if (*at == '\\')
			at++;
		if (*at == '\0')
			return NULL;
		put(parameter, *at);
	}
	parameter->value[parameter->value_len] = '\0';
	return at + 1;
}

/*
 * Read the next of the parameters at *${at}, which begins behind a value or another parameter, and
 * move on.  Returns 1 for a parameter, 0 at the end, -1 for what is none.
 */
static int next_parameter(const char **at, struct parameter *parameter)
{
	const char *name = skip_space(*at);

	if (*name == '\0')
		return 0;
	if (*name != ';')
		return -1;
	while (*name == ';')
		name = skip_space(name + 1);
	if (*name == '\0')
		return 0;
	parameter->name = name;
	parameter->name_len = strspn(name, token_characters);
	if (parameter->name_len == 0 || name[parameter->name_len] != '=')
		return -1;
	*at = read_value(name + parameter->name_len + 1, parameter);
	return *at == NULL ? -1 : 1;
}

static bool is_named(const struct parameter *parameter, const char *name)
{
	return parameter->name_len == strlen(name) &&
	       strncasecmp(parameter->name, name, parameter->name_len) == 0;
}

/* If ${value} begins with ${word}, in any case, and that ends there: what follows, else NULL. */
static const char *after_word(const char *value, const char *word)
{
	size_t len = strlen(word);

	if (strncasecmp(value, word, len) != 0 || strchr(" \t;", value[len]) == NULL)
		return NULL;
	return value + len;
}

/* --- the Content-Type of the body --- */

bool multipart_is(const char *content_type)
{
	return after_word(skip_space(content_type), "multipart/form-data") != NULL;
}

/* Whether the value of ${parameter} is a boundary: RFC 2046 section 5.1.1. */
static bool is_boundary(const struct parameter *parameter)
{
	size_t len = parameter->value_len;

	return len > 0 && len <= MULTIPART_BOUNDARY_MAX &&
	       strspn(parameter->value, boundary_characters) == len &&
	       parameter->value[len - 1] != ' ';
}

enum err multipart_begin(struct multipart *form, const char *content_type, int64_t length,
                         int64_t file_length)
{
	const char *at = after_word(skip_space(content_type), "multipart/form-data");
	struct parameter parameter;
	int found = 0;

	*form = (struct multipart){
	    .told = file_length, .file_length = -1, .measured = -1, .left = length};
	while (at != NULL && (found = next_parameter(&at, &parameter)) > 0) {
		if (!is_named(&parameter, "boundary"))
			continue;
		if (form->delimiter_len > 0)
			return fail(form, "The Content-Type of the form names two boundaries.");
		if (!is_boundary(&parameter))
			return fail(form, "The boundary of a form must have 1 to 70 characters of "
			                  "A-Z, a-z, 0-9 and '()+_,-./:=? and not end in a space.");
		form->delimiter_len = (size_t)snprintf(form->delimiter, sizeof(form->delimiter),
		                                       "\r\n--%s", parameter.value);
	}
	if (at == NULL || found < 0)
		return fail(form, "The Content-Type of the form is not well formed.");
	if (form->delimiter_len == 0)
		return fail(form, "The Content-Type of the form names no boundary.");
	/* The boundary behind the file is the one that does not take of it. */
	form->room = MULTIPART_FRAMING_MAX - form->delimiter_len;
	/* The first boundary needs no CRLF before it. */
	form->matched = 2;
	return ERR_OK;
}

/* --- the headers of a part --- */

static enum err take_disposition(struct multipart *form, const char *value)
{
	const char *at = after_word(value, "form-data");
	struct parameter parameter;
	int found = 0;

	if (form->disposition)
		return fail(form, "A part of the form has two Content-Disposition headers.");
	form->disposition = true;
	while (at != NULL && (found = next_parameter(&at, &parameter)) > 0)
		/* With the asterisk: the form of RFC 8187, which RFC 7578 forbids and some send. */
		form->filename |=
		    is_named(&parameter, "filename") || is_named(&parameter, "filename*");
	if (at == NULL || found < 0)
		return fail(form, "A part of the form has a Content-Disposition that is not "
		                  "form-data or not well formed.");
	return ERR_OK;
}

static enum err take_encoding(struct multipart *form, const char *value)
{
	static const char *const identities[] = {"binary", "8bit", "7bit"};

	for (size_t i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
		const char *end = after_word(value, identities[i]);

		if (end != NULL && *skip_space(end) == '\0')
			return ERR_OK;
	}
	return fail(form, "A part of the form has a Content-Transfer-Encoding; send it as it is.");
}

/* Take a header line that is not empty. */
static enum err take_header(struct multipart *form)
{
	const char *line = form->line;
	size_t name_len = strspn(line, token_characters);
	const char *value = NULL;

	if (name_len == 0 || line[name_len] != ':')
		return fail(form, "A part of the form has a header line that is none.");
	if (++form->headers > MULTIPART_HEADERS_MAX)
		return fail(form, "A part of the form has more than 16 header lines.");
	value = skip_space(line + name_len + 1);
	if (strncasecmp(line, "Content-Disposition:", name_len + 1) == 0)
		return take_disposition(form, value);
	if (strncasecmp(line, "Content-Transfer-Encoding:", name_len + 1) == 0)
		return take_encoding(form, value);
	if (strncasecmp(line, "Content-Type:", name_len + 1) == 0 &&
	    strncasecmp(value, "multipart/", 10) == 0)
		return fail(form, "A part of the form is a multipart itself.");
	return ERR_OK;
}

/* The length of the file that begins now: as told, or as if the form ended as nearly all do. */
static int64_t length_of_file(const struct multipart *form)
{
	const int64_t closing_len = (int64_t)form->delimiter_len + (int64_t)strlen("--\r\n");

	/* The LF in hand counts as not seen yet. */
	return form->told >= 0 ? form->told : form->left - 1 - closing_len;
}

/* The empty line: what follows is the part's content. */
static enum err begin_content(struct multipart *form)
{
	int64_t file_length = length_of_file(form);

	if (!form->disposition)
		return fail(form, "A part of the form has no Content-Disposition.");
	/* The CRLF of the empty line may be that of a boundary: a part without content. */
	form->matched = 2;
	form->state = form->filename ? MULTIPART_FILE : MULTIPART_FIELD;
	if (!form->filename)
		return ERR_OK;
	if (file_length <= 0)
		return fail(form, "The file of the form is empty, or the form is cut.");
	form->file_length = file_length;
	return ERR_OK;
}

static void begin_part(struct multipart *form)
{
	form->state = MULTIPART_HEADER;
	form->headers = 0;
	form->disposition = form->filename = false;
}

/* Whether the line is ${mark} and padding: RFC 2046 section 5.1.1. */
static bool is_padded(const struct multipart *form, const char *mark)
{
	size_t len = strlen(mark);

	return strncmp(form->line, mark, len) == 0 && *skip_space(form->line + len) == '\0';
}

static enum err end_boundary(struct multipart *form)
{
	bool last = is_padded(form, "--");

	if (last && form->file_length < 0)
		return fail(form, "The form has no file: no part of it has a file name.");
	if (!last && form->file_length >= 0)
		return fail(form, "The form goes on behind its file: the file must be the last "
		                  "part, and its boundary the closing one.");
	if (!last && !is_padded(form, ""))
		return fail(form, "A boundary of the form is not followed by CRLF.");
	if (last)
		form->state = MULTIPART_EPILOGUE;
	else
		begin_part(form);
	return ERR_OK;
}

/* The line ends, with an LF that is not kept. */
static enum err end_line(struct multipart *form)
{
	size_t len = form->line_len;

	form->line_len = 0;
	if (len == 0 || form->line[len - 1] != '\r')
		return fail(form, "A line of the form does not end in CRLF.");
	form->line[len - 1] = '\0';
	if (form->state == MULTIPART_BOUNDARY)
		return end_boundary(form);
	return len == 1 ? begin_content(form) : take_header(form);
}

/* --- the states; each takes at least one of the bytes and returns how many it took --- */

/* Whether ${byte} may come next in the line; CR only at its end. */
static bool fits_line(const struct multipart *form, unsigned char byte)
{
	if (form->line_len > 0 && form->line[form->line_len - 1] == '\r')
		return false;
	return byte == '\t' || byte == '\r' || (byte >= ' ' && byte != 0x7f);
}

/* A header line, or the rest of that of a boundary. */
static size_t step_line(struct multipart *form, const unsigned char *data)
{
	if (data[0] == '\n')
		(void)end_line(form);
	else if (!fits_line(form, data[0]))
		(void)fail(form, "A line of the form holds a control character.");
	else if (form->line_len == MULTIPART_LINE_MAX)
		(void)fail(form, "A line of the form has more than 2048 bytes.");
	else
		form->line[form->line_len++] = (char)data[0];
	return 1;
}

/*
 * Look for the delimiter up to its last byte.  It holds one CR, its first byte: so a row of matches
 * that breaks can only begin anew with the byte that broke it.
 */
static size_t step_search(struct multipart *form, const unsigned char *data, size_t len)
{
	size_t i = 0;

	while (i < len && form->matched < form->delimiter_len) {
		if (form->matched == 0) {
			const unsigned char *next = memchr(data + i, '\r', len - i);

			if (next == NULL)
				return len;
			i = (size_t)(next - data);
		}
		if (data[i] == (unsigned char)form->delimiter[form->matched])
			form->matched++;
		else
			form->matched = data[i] == '\r';
		i++;
	}
	return i;
}

/* What stands before the file, up to a boundary. */
static size_t step_skip(struct multipart *form, const unsigned char *data, size_t len)
{
	size_t n = step_search(form, data, len);

	if (form->matched == form->delimiter_len)
		form->state = MULTIPART_BOUNDARY;
	return n;
}

static size_t step_file(struct multipart *form, const unsigned char *data, size_t len)
{
	size_t n = step_skip(form, data, len);

	form->file_seen += (int64_t)n;
	if (form->state == MULTIPART_FILE)
		return n;
	form->measured = form->file_seen - (int64_t)form->delimiter_len;
	if (form->measured <= 0)
		(void)fail(form, "The file of the form is empty.");
	return n;
}

static size_t step(struct multipart *form, const unsigned char *data, size_t len)
{
	switch (form->state) {
	case MULTIPART_PREAMBLE:
	case MULTIPART_FIELD:
		return step_skip(form, data, len);
	case MULTIPART_BOUNDARY:
	case MULTIPART_HEADER:
		return step_line(form, data);
	case MULTIPART_FILE:
		return step_file(form, data, len);
	case MULTIPART_EPILOGUE:
		break;
	}
	return len;
}

/* How many of ${len} bytes may be looked at now: beside the file, as many as there is room for. */
static size_t within_room(const struct multipart *form, size_t len)
{
	return form->state == MULTIPART_FILE || len < form->room ? len : form->room;
}

/* Of ${len} bytes of the file that come next, those up to its file_length. */
static size_t within_file(const struct multipart *form, size_t len)
{
	int64_t left = form->file_length - form->file_seen;

	if (left <= 0)
		return 0;
	return (uint64_t)len < (uint64_t)left ? len : (size_t)left;
}

enum err multipart_feed(struct multipart *form, const void *data, size_t len,
                        struct multipart_piece *ret_file)
{
	const unsigned char *at = data;

	*ret_file = (struct multipart_piece){.data = at};
	while (len > 0 && form->err == ERR_OK) {
		bool file = form->state == MULTIPART_FILE;
		size_t n = within_room(form, len);

		if (n == 0)
			return fail(form, "The form has more than 64 KiB beside its file.");
		if (file)
			*ret_file =
			    (struct multipart_piece){.data = at, .len = within_file(form, n)};
		n = step(form, at, n);
		form->left -= (int64_t)n;
		if (!file)
			form->room -= n;
		at += n;
		len -= n;
	}
	return form->err;
}

bool multipart_missed(const struct multipart *form)
{
	return form->measured >= 0 && form->measured != form->file_length;
}

enum err multipart_end(struct multipart *form)
{
	/* The last boundary may be without its CRLF. */
	if (form->err == ERR_OK && form->state == MULTIPART_BOUNDARY) {
		form->line[form->line_len] = '\0';
		if (is_padded(form, "--"))
			(void)end_boundary(form);
	}
	if (form->err != ERR_OK)
		return form->err;
	if (form->state != MULTIPART_EPILOGUE || form->left != 0)
		return fail(form, "The form ends before its closing boundary.");
	if (!multipart_missed(form))
		return ERR_OK;
	(void)fail(form, "The form does not end with its closing boundary and one CRLF, without "
	                 "which the length of its file is not known in time.");
	return form->err = ERR_LENGTH;
}
