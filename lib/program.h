#ifndef LIB_PROGRAM_H
#define LIB_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "config.h"
#include "err.h"

/* What the main of a program is made of. */
struct program {
	const char *name;
	const struct setting *table; /* ${rows} of them, which fill *${settings} */
	size_t rows;
	void *settings;           /* zeroed at first */
	const int64_t *log_level; /* one of the settings: an enum log_level */

	const char *metrics; /* the folder where it counts, see metrics.h; NULL: it does not */

	/*
	 * Judge what the table cannot: a line in ${problems} for each thing that is wrong, or an
	 * error.  It sees every setting, also when others are bad: those are NULL or 0 then.  May
	 * be NULL.
	 */
	enum err (*check)(void *settings, struct buf *problems);

	/* Do the work; return the exit status: 0 after a signal, 1 if it cannot be done. */
	int (*serve)(const void *settings);
};

/*
 * Open the log, load and check the settings of ${program}, and serve; with the one argument `-t`
 * only check, with `-s` only print the table (see config_print()).  A program that cannot count
 * works all the same.  Returns the exit status: that of serve(), 0 after a good check or the table,
 * CONFIG_EXIT for unusable settings, all of which are logged, EX_USAGE of sysexits(3) for other
 * arguments.  What the table filled is freed then.
 */
int program_run(const struct program *program, int argc, char **argv);

#endif
