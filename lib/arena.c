#include <stdlib.h>
#include <string.h>

#include "arena.h"

static struct arena *current;

enum err arena_open(struct arena *arena, size_t size)
{
	char *data = malloc(size);

	if (data == NULL)
		return ERR_NOMEM;
	*arena = (struct arena){.data = data, .size = size};
	current = arena;
	return ERR_OK;
}

void arena_close(void)
{
	current = NULL;
}

void *arena_hook_malloc(size_t size)
{
	const size_t step = _Alignof(max_align_t);
	char *memory = NULL;

	if (current == NULL || size > current->size - current->used)
		abort();
	memory = current->data + current->used;
	size += (step - size % step) % step;
	if (size > current->size - current->used)
		size = current->size - current->used;
	current->used += size;
	return memory;
}

void *arena_hook_realloc(void *old, size_t size)
{
	const char *end = current == NULL ? NULL : current->data + current->used;
	char *memory = arena_hook_malloc(size);
	size_t len = 0;

	if (old == NULL)
		return memory;
	/* How long the old piece was is not known: what follows it is copied along. */
	len = (size_t)(end - (const char *)old);
	memcpy(memory, old, len < size ? len : size);
	return memory;
}

void arena_hook_free(void *memory)
{
	(void)memory;
}

void arena_free(struct arena *arena)
{
	if (arena->data != NULL) {
		explicit_bzero(arena->data, arena->used);
		free(arena->data);
	}
	*arena = (struct arena){0};
}
