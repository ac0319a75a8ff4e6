#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* Those of the examples in the S3 API Reference. */
static char access_text[] = "AKIAIOSFODNN7EXAMPLE";
static char secret_text[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
static const struct secret access_key = {.data = access_text, .len = sizeof(access_text) - 1};
static const struct secret secret_key = {.data = secret_text, .len = sizeof(secret_text) - 1};

void peer_start(struct peer *peer, int (*serve)(int listener, const void *ctx), const void *ctx)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	                              .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 64), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	(void)snprintf(peer->url, sizeof(peer->url), "http://127.0.0.1:%d",
	               ntohs(address.sin_port));
	peer->pid = fork();
	assert_true(peer->pid >= 0);
	if (peer->pid == 0) {
		alarm(60);
		(void)signal(SIGPIPE, SIG_IGN);
		_exit(serve(listener, ctx));
	}
	close(listener);
}

void peer_end(const struct peer *peer)
{
	int status = 0;

	assert_int_equal(waitpid(peer->pid, &status, 0), peer->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

void peer_kill(const struct peer *peer)
{
	(void)kill(peer->pid, SIGKILL);
	(void)waitpid(peer->pid, NULL, 0);
}

void peer_accept(int listener, FILE **ret_in, FILE **ret_out)
{
	int fd = accept(listener, NULL, NULL);

	*ret_in = fdopen(fd, "r");
	*ret_out = fdopen(dup(fd), "w");
	if (*ret_in == NULL || *ret_out == NULL)
		_exit(99);
}

size_t peer_head(FILE *in, char head[PEER_HEAD_MAX])
{
	size_t len = 0;

	while (len < PEER_HEAD_MAX - 1 && (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0)) {
		int c = fgetc(in);

		if (c == EOF)
			return 0;
		head[len++] = (char)c;
	}
	head[len] = '\0';
	return len;
}

long peer_length(const char *head)
{
	static const char name[] = "\r\ncontent-length:";
	const char *at = strcasestr(head, name);

	return at == NULL ? -1 : strtol(at + strlen(name), NULL, 10);
}

struct s3_config peer_config(char *url)
{
	return (struct s3_config){.url = url,
	                          .bucket = "images",
	                          .region = "us-east-1",
	                          .access_key = access_key,
	                          .secret_key = secret_key,
	                          .trusted = true,
	                          .connect_timeout_ms = 1000,
	                          .timeout_ms = 10000};
}
