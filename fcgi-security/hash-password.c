#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "blocklist.h"
#include "bounds.h"
#include "config.h"
#include "crypto.h"
#include "flatjson.h"
#include "password.h"
#include "terminal.h"

/*
 * For operators: reads a password, twice without echo from a terminal or else the first line of the
 * standard input, and prints its hash in the form in which accounts keep it.
 * Exit 0; 1 if the password breaks a rule; 78 with one line for each bad setting.
 */

struct settings {
	int64_t pbkdf2_rounds;
	int64_t password_min;
};

static const struct setting table[] = {
    {"PBKDF2_ROUNDS", SETTING_NUMBER, offsetof(struct settings, pbkdf2_rounds), "600000",
     PASSWORD_ROUNDS_MIN, PASSWORD_ROUNDS_MAX},
    {"PASSWORD_MIN", SETTING_NUMBER, offsetof(struct settings, password_min), "8", 1,
     LIMIT_PASSWORD},
};

enum { ROWS = sizeof(table) / sizeof(table[0]) };

struct input {
	char data[LIMIT_PASSWORD];
	size_t len;
};

static const char *read_input(const char *prompt, struct input *input)
{
	enum err err =
	    terminal_secret(STDIN_FILENO, prompt, input->data, sizeof(input->data), &input->len);

	if (err == ERR_OK)
		return NULL;
	if (err == ERR_TOO_LARGE)
		return "a password has at most 1024 bytes";
	return err == ERR_CUT ? "no password was given" : "the password cannot be read";
}

/* Whether a login could carry these bytes: they are the same after a journey through JSON. */
static bool survives_json(const struct input *input)
{
	struct buf text = buf_new(LIMIT_JSON_BODY);
	struct flatjson *json = NULL;
	const char *why = NULL;
	const char *back = NULL;
	size_t len = 0;
	bool same = false;

	buf_puts(&text, "{\"password\":");
	buf_json(&text, input->data, input->len);
	buf_puts(&text, "}");
	if (buf_err(&text) == ERR_OK &&
	    flatjson_parse(text.data, text.len, &json, &why) == ERR_OK) {
		back = flatjson_string(json, "password", &len);
		same = back != NULL && len == input->len && memcmp(back, input->data, len) == 0;
	}
	flatjson_free(json);
	buf_free(&text);
	return same;
}

/* What is wrong with the password, or NULL. */
static const char *get_password(const struct settings *s, struct input *password)
{
	struct input again;
	const char *why = read_input("Password: ", password);

	if (why != NULL)
		return why;
	if (password->len < (uint64_t)s->password_min)
		return "the password is shorter than PASSWORD_MIN bytes";
	if (blocklist_has(password->data, password->len))
		return "the password is one of the commonest, which are tried first";
	if (!survives_json(password))
		return "the password is not valid UTF-8, or holds a NUL";
	if (!isatty(STDIN_FILENO))
		return NULL;
	why = read_input("Again: ", &again);
	if (why == NULL &&
	    (again.len != password->len || memcmp(again.data, password->data, again.len) != 0))
		why = "the passwords differ";
	crypto_wipe(&again, sizeof(again));
	return why;
}

static int run(const struct settings *s)
{
	struct password_cost cost = {.rounds = (uint32_t)s->pbkdf2_rounds, .derive = crypto_pbkdf2};
	char hash[PASSWORD_HASH_SIZE];
	struct input password;
	const char *why = get_password(s, &password);

	if (why == NULL && password_make(&cost, password.data, password.len, hash) != ERR_OK)
		why = "hashing failed";
	crypto_wipe(&password, sizeof(password));
	if (why != NULL) {
		(void)fprintf(stderr, "hash-password: %s\n", why);
		return 1;
	}
	return puts(hash) < 0 || fflush(stdout) != 0 ? 1 : 0;
}

int main(void)
{
	struct settings settings = {0};
	struct buf problems = buf_new(LIMIT_PROBLEMS);
	int status = CONFIG_EXIT;

	if (config_load(table, ROWS, &settings, &problems) == ERR_OK)
		status = run(&settings);
	else
		(void)fputs(buf_str(&problems), stderr);
	config_free(table, ROWS, &settings);
	buf_free(&problems);
	return status;
}
