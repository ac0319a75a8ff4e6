#include "database.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "crypto.h"

enum { MESSAGE_MAX = 4096, SSL_REQUEST = 80877103, CODE_AT = 4 };

/* A message on its way out; its length is filled in when it is sent. */
struct message {
	char data[MESSAGE_MAX];
	size_t len;
};

static void put(struct message *message, const void *data, size_t len)
{
	memcpy(message->data + message->len, data, len);
	message->len += len;
}

static void put_text(struct message *message, const char *text)
{
	put(message, text, strlen(text) + 1);
}

static void put_16(struct message *message, size_t value)
{
	uint16_t wire = htons((uint16_t)value);

	put(message, &wire, sizeof(wire));
}

static void put_32(struct message *message, size_t value)
{
	uint32_t wire = htonl((uint32_t)value);

	put(message, &wire, sizeof(wire));
}

static struct message message_of(char type)
{
	return (struct message){.data = {type}, .len = 1 + sizeof(uint32_t)};
}

static void send_message(FILE *stream, struct message *message)
{
	uint32_t len = htonl((uint32_t)message->len - 1);

	memcpy(message->data + 1, &len, sizeof(len));
	(void)fwrite(message->data, 1, message->len, stream);
}

/* Read the rest of a message, a string at its end; return its length, or 0 at the end. */
static size_t read_rest(FILE *stream, char data[MESSAGE_MAX])
{
	uint32_t len = 0;

	if (fread(&len, sizeof(len), 1, stream) != 1)
		return 0;
	len = ntohl(len) - (uint32_t)sizeof(len);
	if (len >= MESSAGE_MAX || fread(data, 1, len, stream) != len)
		return 0;
	data[len] = '\0';
	return len;
}

static void authentication(FILE *stream, uint32_t code, const void *data, size_t len)
{
	struct message message = message_of('R');

	put_32(&message, code);
	put(&message, data, len);
	send_message(stream, &message);
	(void)fflush(stream);
}

/* The server's last word: that it knows the password too. */
static bool server_signature(const char *password, const char *said, char text[64])
{
	uint8_t key[CRYPTO_SHA256_LEN];
	uint8_t mac[CRYPTO_SHA256_LEN];

	if (crypto_pbkdf2(password, strlen(password), "salt", 4, 1, key, sizeof(key)) != ERR_OK ||
	    crypto_hmac_sha256(key, sizeof(key), "Server Key", 10, mac) != ERR_OK ||
	    crypto_hmac_sha256(mac, sizeof(mac), said, strlen(said), key) != ERR_OK)
		return false;
	memcpy(text, "v=", 2);
	(void)EVP_EncodeBlock((unsigned char *)text + 2, key, sizeof(key));
	return true;
}

static bool let_in(FILE *stream, const char *password)
{
	static const char mechanism[] = "SCRAM-SHA-256\0";
	char data[MESSAGE_MAX] = "";
	char first[512];
	char server[1024];
	char said[4096];
	char signature[64] = "";
	const char *bare = NULL;

	authentication(stream, 10, mechanism, sizeof(mechanism));
	if (fgetc(stream) != 'p' || read_rest(stream, data) < 24)
		return false;
	/* The mechanism, the length of what follows, and `n,,` come before. */
	bare = data + sizeof(mechanism) - 1 + sizeof(uint32_t) + 3;
	(void)snprintf(first, sizeof(first), "%s", bare);
	if (strstr(first, "r=") == NULL)
		return false;
	(void)snprintf(server, sizeof(server), "%sserver,s=c2FsdA==,i=1", strstr(first, "r="));
	authentication(stream, 11, server, strlen(server));
	if (fgetc(stream) != 'p' || read_rest(stream, data) == 0 || strstr(data, ",p=") == NULL)
		return false;
	*strstr(data, ",p=") = '\0';
	(void)snprintf(said, sizeof(said), "%s,%s,%.2000s", first, server, data);
	if (!server_signature(password, said, signature))
		return false;
	authentication(stream, 12, signature, strlen(signature));
	authentication(stream, 0, "", 0);
	return true;
}

static void ready(FILE *stream)
{
	struct message message = message_of('Z');

	put(&message, "I", 1);
	send_message(stream, &message);
	(void)fflush(stream);
}

static void send_row(FILE *stream, const struct database_answer *answer)
{
	struct message description = message_of('T');
	struct message row = message_of('D');
	struct message end = message_of('C');
	size_t n = 0;

	while (answer->row[n] != NULL)
		n++;
	put_16(&description, n);
	put_16(&row, n);
	for (size_t i = 0; i < n; i++) {
		put_text(&description, "column");
		put_32(&description, 0);
		put_16(&description, 0);
		put_32(&description, 25);
		put_16(&description, UINT16_MAX);
		put_32(&description, UINT32_MAX);
		put_16(&description, 0);
		put_32(&row, strlen(answer->row[i]));
		put(&row, answer->row[i], strlen(answer->row[i]));
	}
	put_text(&end, "SELECT 1");
	send_message(stream, &description);
	send_message(stream, &row);
	send_message(stream, &end);
}

static void answer_statements(FILE *stream, const struct database_answer *answers)
{
	const struct database_answer *answer = answers;
	char data[MESSAGE_MAX];
	int type = 0;

	while ((type = fgetc(stream)) != EOF && read_rest(stream, data) != SIZE_MAX) {
		struct message parsed = message_of('1');
		struct message bound = message_of('2');

		if (type == 'X')
			return;
		if (type == 'P') {
			answer = answers;
			while (strstr(data + 1, answer->part) == NULL)
				answer++;
		}
		if (type != 'S')
			continue;
		send_message(stream, &parsed);
		send_message(stream, &bound);
		send_row(stream, answer);
		ready(stream);
	}
}

static void serve(FILE *stream, const char *password, const struct database_answer *answers)
{
	char data[MESSAGE_MAX] = "";
	uint32_t code = htonl(SSL_REQUEST);

	if (read_rest(stream, data) < CODE_AT)
		return;
	if (memcmp(data, &code, sizeof(code)) == 0) {
		(void)fputc('N', stream);
		(void)fflush(stream);
		if (read_rest(stream, data) < CODE_AT)
			return;
	}
	if (!let_in(stream, password))
		return;
	ready(stream);
	answer_statements(stream, answers);
}

pid_t database_start(const char *password, const struct database_answer *answers, int64_t *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid = -1;

	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 64), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	*ret_port = ntohs(address.sin_port);
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0) {
		(void)close(listener);
		return pid;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN); /* clients that run out of memory go in mid-word */
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		FILE *stream = fdopen(fd, "r+");
		int on = 1;

		if (stream == NULL)
			_exit(1);
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		serve(stream, password, answers);
		(void)fclose(stream);
	}
}

void database_stop(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}
