#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "fcgi_client.h"

enum { HEADER = 8, REQUEST_ID = 1 };

int fcgi_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval timeout = {.tv_sec = 20};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void fcgi_record(int fd, enum fcgi_type type, const void *data, size_t len)
{
	uint8_t header[HEADER] = {1,          (uint8_t)type,       0,
	                          REQUEST_ID, (uint8_t)(len >> 8), (uint8_t)len};

	assert_int_equal(send(fd, header, HEADER, MSG_NOSIGNAL), HEADER);
	if (len > 0)
		assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
}

void fcgi_begin(int fd, int keep)
{
	uint8_t body[8] = {0, 1, (uint8_t)(keep != 0)};

	fcgi_record(fd, FCGI_BEGIN, body, sizeof(body));
}

void fcgi_param(int fd, const char *name, const char *value)
{
	uint8_t pair[256];
	size_t name_len = 0;
	size_t value_len = 0;

	if (name == NULL) {
		fcgi_record(fd, FCGI_PARAMETERS, "", 0);
		return;
	}
	name_len = strlen(name);
	value_len = strlen(value);
	assert_true(name_len < 128 && value_len < 128 && name_len + value_len + 2 <= sizeof(pair));
	pair[0] = (uint8_t)name_len;
	pair[1] = (uint8_t)value_len;
	memcpy(pair + 2, name, name_len);
	memcpy(pair + 2 + name_len, value, value_len);
	fcgi_record(fd, FCGI_PARAMETERS, pair, name_len + value_len + 2);
}

size_t fcgi_compose(void *data, size_t cap, const char *route, const char *body)
{
	char length[24];
	int ends[2];
	ssize_t len = 0;

	(void)snprintf(length, sizeof(length), "%zu", strlen(body));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	fcgi_begin(ends[0], 0);
	fcgi_param(ends[0], "REQUEST_METHOD", "POST");
	fcgi_param(ends[0], "REQUEST_ID", "abc");
	fcgi_param(ends[0], "ROUTE", route);
	fcgi_param(ends[0], "CONTENT_LENGTH", length);
	fcgi_param(ends[0], NULL, NULL);
	fcgi_record(ends[0], FCGI_INPUT, body, strlen(body));
	fcgi_record(ends[0], FCGI_INPUT, "", 0);
	len = recv(ends[1], data, cap, 0);
	assert_true(len > 0 && (size_t)len < cap);
	close(ends[0]);
	close(ends[1]);
	return (size_t)len;
}

/* Read exactly ${len} bytes; 0 if the peer closed before the first. */
static int read_all(int fd, void *data, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = recv(fd, (char *)data + got, len - got, 0);

		assert_true(n >= 0 && (n > 0 || got == 0));
		if (n == 0)
			return 0;
		got += (size_t)n;
	}
	return 1;
}

int fcgi_answer(int fd, char *text, size_t cap)
{
	uint8_t header[HEADER];
	uint8_t content[65535 + 255];
	size_t len = 0;
	int ends = 0;

	while (read_all(fd, header, HEADER)) {
		size_t content_len = (size_t)header[4] << 8 | header[5];

		if (content_len + header[6] > 0)
			assert_true(read_all(fd, content, content_len + header[6]));
		ends += header[1] == FCGI_END;
		if (header[1] != FCGI_OUTPUT)
			continue;
		assert_true(len + content_len < cap);
		memcpy(text + len, content, content_len);
		len += content_len;
	}
	text[len] = '\0';
	return ends;
}
