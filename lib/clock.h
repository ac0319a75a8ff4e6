#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdint.h>

/* The two clocks of clock_gettime(2).  Neither can fail. */

/* Milliseconds since 1970-01-01T00:00:00Z: for what is written down, or was read from elsewhere. */
int64_t clock_unix_ms(void);

/* Milliseconds of a clock that nobody sets: for deadlines. */
int64_t clock_steady_ms(void);

/* The same in microseconds: for how long something takes. */
int64_t clock_steady_us(void);

#endif
