#include "source.h"

#include <string.h>

/* Show the form ${len} more bytes of the body, or its end if there are none. */
static enum err look(struct source *source, const unsigned char *data, size_t len)
{
	struct multipart *form = &source->multipart;
	enum err err =
	    len > 0 ? multipart_feed(form, data, len, &source->kept) : multipart_end(form);

	source->why = form->why;
	return err;
}

enum err source_open(struct source *source, const struct request *req)
{
	enum err err = ERR_OK;

	source->req = req;
	source->form = multipart_is(req->content_type);
	source->length = source->left = req->content_length;
	source->why = NULL;
	source->kept = (struct multipart_piece){0};
	if (!source->form)
		return ERR_OK;
	err = multipart_begin(&source->multipart, req->content_type, req->content_length,
	                      req->file_length);
	source->why = source->multipart.why;
	while (err == ERR_OK && source->multipart.file_length < 0) {
		size_t n = 0;

		err = request_read(req, source->buffer, sizeof(source->buffer), &n);
		if (err == ERR_OK)
			err = look(source, source->buffer, n);
	}
	source->length = source->left = source->multipart.file_length;
	return err;
}

/* Whether the file has ended, and not where it had to. */
static bool missed(const struct source *source)
{
	return source->form && multipart_missed(&source->multipart);
}

/* Whether the body ends here, and well; what is left of a form is read. */
static enum err read_end(struct source *source)
{
	size_t n = 0;
	enum err err = ERR_OK;

	do {
		err = request_read(source->req, source->buffer, sizeof(source->buffer), &n);
		if (err == ERR_OK && source->form)
			err = look(source, source->buffer, n);
		else if (err == ERR_OK && n > 0)
			err = ERR_CUT;
	} while (err == ERR_OK && n > 0);
	return err;
}

/* Read some bytes of the file, at least one and at most ${cap}. */
static enum err read_some(struct source *source, void *data, size_t cap, size_t *ret_len)
{
	struct multipart_piece *kept = &source->kept;
	enum err err = ERR_OK;

	if (kept->len > 0) {
		*ret_len = kept->len < cap ? kept->len : cap;
		memcpy(data, kept->data, *ret_len);
		kept->data += *ret_len;
		kept->len -= *ret_len;
		return ERR_OK;
	}
	err = request_read(source->req, data, cap, ret_len);
	if (err == ERR_OK && *ret_len == 0)
		err = ERR_CUT;
	if (err == ERR_OK && source->form)
		err = look(source, data, *ret_len);
	/* They are where they belong. */
	kept->len = 0;
	return err;
}

enum err source_read(struct source *source, void *data, size_t len)
{
	unsigned char *at = data;

	source->left -= (int64_t)len;
	while (len > 0 && !missed(source)) {
		size_t n = 0;
		enum err err = read_some(source, at, len, &n);

		if (err != ERR_OK)
			return err;
		at += n;
		len -= n;
	}
	return source->left > 0 && !missed(source) ? ERR_OK : read_end(source);
}

enum err source_settle(struct source *source, enum err err)
{
	if (!source->form || !source->req->repeatable)
		return err;
	return read_end(source) == ERR_LENGTH ? ERR_LENGTH : err;
}
