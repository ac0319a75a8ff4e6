#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "terminal.h"

/* Byte by byte: what follows the line is not ours. */
static enum err read_line(int fd, char *line, size_t cap, size_t *ret_len)
{
	size_t len = 0;
	ssize_t n = 0;
	char c = '\0';

	while ((n = read(fd, &c, 1)) == 1 && c != '\n') {
		if (len == cap)
			return ERR_TOO_LARGE;
		line[len++] = c;
	}
	if (n < 0)
		return ERR_UNAVAILABLE;
	if (n == 0 && len == 0)
		return ERR_CUT;
	*ret_len = len;
	return ERR_OK;
}

/* Read a line without showing it; ${fd} is a terminal in the state ${before}. */
static enum err read_hidden(int fd, const struct termios *before, char *line, size_t cap,
                            size_t *ret_len)
{
	struct termios quiet = *before;
	enum err err = ERR_OK;

	quiet.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0)
		return ERR_UNAVAILABLE;
	err = read_line(fd, line, cap, ret_len);
	(void)tcsetattr(fd, TCSAFLUSH, before);
	if (write(fd, "\n", 1) < 0)
		return ERR_UNAVAILABLE;
	return err;
}

enum err terminal_secret(int fd, const char *prompt, char *line, size_t cap, size_t *ret_len)
{
	struct termios before;
	sigset_t all;
	sigset_t mask;
	enum err err = ERR_OK;

	if (tcgetattr(fd, &before) != 0)
		return read_line(fd, line, cap, ret_len);
	if (write(fd, prompt, strlen(prompt)) < 0)
		return ERR_UNAVAILABLE;
	/* An interrupt has to wait for the end of the line: it would leave the terminal mute. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &mask);
	err = read_hidden(fd, &before, line, cap, ret_len);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return err;
}
