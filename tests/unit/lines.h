#ifndef TESTS_UNIT_LINES_H
#define TESTS_UNIT_LINES_H

/* Files of vectors, one a line. */

/* Call ${check} with each line of ${path}, without its newline; the line may be changed.  Fails the
 * test if there are few. */
void each_line(const char *path, void (*check)(char *line));

#endif
