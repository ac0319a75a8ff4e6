#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "lines.h"

enum { FEW = 3 };

void each_line(const char *path, void (*check)(char *line))
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	size_t n = 0;

	if (file == NULL)
		fail_msg("cannot open %s", path);
	for (; getline(&line, &cap, file) > 0; n++) {
		line[strcspn(line, "\n")] = '\0';
		check(line);
	}
	free(line);
	(void)fclose(file);
	assert_true(n > FEW);
}
