#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "name.h"
#include "purge.h"

/*
 * One request in HTTP/1.0, so that the answer ends with the connection.  Only its status line
 * counts (RFC 9112 section 4).
 */

enum {
	REQUEST_MAX = NAME_MAX_LEN + 64, /* bytes */
	STATUS_LEN = 13                  /* bytes of "HTTP/1.1 200 " */
};

/* A conversation with the listener. */
struct talk {
	int fd;
	int64_t deadline; /* milliseconds of the monotonic clock */
	char *why;
};

void purge_check(const char *socket, struct buf *problems)
{
	const struct sockaddr_un *address = NULL;

	if (socket[0] != '/' || strlen(socket) >= sizeof(address->sun_path))
		buf_printf(problems, "PURGE_SOCKET: must be a path from / of at most %zu bytes\n",
		           sizeof(address->sun_path) - 1);
}

static enum err broken(const struct talk *talk, const char *what)
{
	(void)snprintf(talk->why, PURGE_WHY_LEN, "the gateway's purge listener: %s: %.100s", what,
	               strerror(errno));
	return ERR_UNAVAILABLE;
}

static enum err wait_for(const struct talk *talk, short events)
{
	struct pollfd fd = {.fd = talk->fd, .events = events};
	int64_t left = talk->deadline - clock_steady_ms();
	int ready = poll(&fd, 1, left > 0 ? (int)left : 0);

	if (ready > 0)
		return ERR_OK;
	if (ready < 0)
		return broken(talk, "poll");
	(void)snprintf(talk->why, PURGE_WHY_LEN, "the gateway's purge listener does not answer");
	return ERR_TIMEOUT;
}

/* Connect.  EAGAIN is a full backlog: as with a dead socket, nobody is there in time. */
static enum err open_talk(const struct purge *purge, struct talk *talk)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(purge->socket) >= sizeof(address.sun_path))
		return ERR_INTERNAL;
	memcpy(address.sun_path, purge->socket, strlen(purge->socket) + 1);
	talk->deadline = clock_steady_ms() + purge->timeout_ms;
	talk->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (talk->fd < 0)
		return broken(talk, "socket");
	if (connect(talk->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return broken(talk, "connect");
	return ERR_OK;
}

static enum err say(const struct talk *talk, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(talk->fd, text, len, MSG_NOSIGNAL);
		enum err err = ERR_OK;

		if (n < 0 && errno != EAGAIN)
			return broken(talk, "send");
		if (n < 0)
			err = wait_for(talk, POLLOUT);
		if (err != ERR_OK)
			return err;
		text += n < 0 ? 0 : n;
		len -= n < 0 ? 0 : (size_t)n;
	}
	return ERR_OK;
}

/* Read the first ${len} bytes of the answer. */
static enum err hear(const struct talk *talk, char *text, size_t len)
{
	while (len > 0) {
		enum err err = wait_for(talk, POLLIN);
		ssize_t n = 0;

		if (err != ERR_OK)
			return err;
		n = recv(talk->fd, text, len, 0);
		if (n < 0 && errno != EAGAIN)
			return broken(talk, "recv");
		if (n == 0) {
			(void)snprintf(talk->why, PURGE_WHY_LEN,
			               "the gateway's purge listener closed the connection");
			return ERR_UNAVAILABLE;
		}
		text += n < 0 ? 0 : n;
		len -= n < 0 ? 0 : (size_t)n;
	}
	return ERR_OK;
}

/* 200: there was a copy; 412: there was none.  The listener answers nothing else with these two. */
static enum err judge(const struct talk *talk, const char status[STATUS_LEN + 1])
{
	if (memcmp(status, "HTTP/1.", 7) == 0 &&
	    (memcmp(status + 8, " 200 ", 5) == 0 || memcmp(status + 8, " 412 ", 5) == 0))
		return ERR_OK;
	(void)snprintf(talk->why, PURGE_WHY_LEN, "the gateway's purge listener answered \"%s\"",
	               status);
	return ERR_UNAVAILABLE;
}

enum err purge_object(void *purge, const char *object, char why[PURGE_WHY_LEN])
{
	struct talk talk = {.fd = -1, .why = why};
	char request[REQUEST_MAX];
	char status[STATUS_LEN + 1] = "";
	int len = 0;
	enum err err = ERR_INTERNAL;

	why[0] = '\0';
	if (!name_is_object(object))
		return ERR_INTERNAL;
	len = snprintf(request, sizeof(request), "GET /%s HTTP/1.0\r\nHost: purge\r\n\r\n", object);
	err = open_talk(purge, &talk);
	if (err == ERR_OK)
		err = say(&talk, request, (size_t)len);
	if (err == ERR_OK)
		err = hear(&talk, status, STATUS_LEN);
	if (err == ERR_OK)
		err = judge(&talk, status);
	if (talk.fd >= 0)
		close(talk.fd);
	return err;
}
