#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "bounds.h"
#include "log.h"
#include "metrics.h"
#include "program.h"

static enum err load(const struct program *program, struct buf *problems)
{
	enum err err = config_load(program->table, program->rows, program->settings, problems);
	enum err check_err = ERR_OK;

	if (program->check != NULL)
		check_err = program->check(program->settings, problems);
	if (err == ERR_OK)
		err = check_err;
	if (err == ERR_OK && problems->len > 0)
		err = ERR_MALFORMED;
	return err == ERR_OK ? buf_err(problems) : err;
}

static int serve(const struct program *program)
{
	int status = 0;

	if (program->metrics != NULL && metrics_open(program->metrics) != ERR_OK)
		log_warn("nothing is counted in %s: %s", program->metrics, strerror(errno));
	status = program->serve(program->settings);
	metrics_close();
	return status;
}

/* Print the table, with what the settings are by default and may be. */
static int print(const struct program *program)
{
	struct buf out = buf_new(LIMIT_PROBLEMS);
	int status = 1;

	config_print(program->table, program->rows, &out);
	if (buf_err(&out) == ERR_OK && fputs(buf_str(&out), stdout) >= 0 && fflush(stdout) == 0)
		status = 0;
	buf_free(&out);
	return status;
}

int program_run(const struct program *program, int argc, char **argv)
{
	struct buf problems = buf_new(LIMIT_PROBLEMS);
	bool check_only = argc == 2 && strcmp(argv[1], "-t") == 0;
	bool print_only = argc == 2 && strcmp(argv[1], "-s") == 0;
	int status = CONFIG_EXIT;

	log_open(program->name, LOG_LEVEL_INFO);
	if (print_only)
		return print(program);
	if (argc > 1 && !check_only) {
		log_error("usage: %s [-s | -t]", program->name);
		return EX_USAGE;
	}
	if (load(program, &problems) != ERR_OK) {
		log_lines(LOG_LEVEL_ERROR, &problems);
		goto out;
	}
	log_open(program->name, (enum log_level) * program->log_level);
	status = check_only ? 0 : serve(program);
out:
	config_free(program->table, program->rows, program->settings);
	buf_free(&problems);
	return status;
}
