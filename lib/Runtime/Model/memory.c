/*===- memory.c - the memory of compiled models -------------------- C ----===*\
|*                                                                            *|
|* Part of the Lowbit project, under the Apache License v2.0 with LLVM        *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

/* The layers of a model free large blocks and ask for others of the same sizes
 * again and again. The C library gives such blocks back to the system, which
 * then clears every page of the next one: a tenth of the time of a long prompt.
 * A run keeps them instead, but never more than it had in use at one time. */

#include "runtime.h"
#include <stdlib.h>
#include <sys/mman.h>

#define self LOWBIT_NAME(thread)

enum {
  /* Cache lines, and the widest vectors. */
  alignment = LOWBIT_BLOCK_HEADER,
  /* From here on a run keeps blocks; the C library is good at smaller ones. */
  large_block = 1 << 16,
  huge_page = 1 << 21
};

struct block_t {
  size_t size;
  /* In use, or free. */
  block_t *next, **link;
};

static void insert(block_t **list, block_t *block) {
  block->next = *list;
  block->link = list;
  if (block->next)
    block->next->link = &block->next;
  *list = block;
}

static void take_out(block_t *block) {
  *block->link = block->next;
  if (block->next)
    block->next->link = block->link;
}

static void free_all(block_t **list) {
  for (block_t *block = *list, *next; block; block = next) {
    next = block->next;
    free(block);
  }
  *list = NULL;
}

/* The smallest free block that is large enough, but not twice as large. */
static block_t *find_free_block(run_t *run, size_t size) {
  block_t *best = NULL;
  for (block_t *block = run->free_blocks; block; block = block->next)
    if (block->size >= size && block->size / 2 < size &&
        (!best || block->size < best->size))
      best = block;
  return best;
}

/* Takes as many blocks out of the free ones as must go before `size` more bytes
 * are allocated. */
static block_t *make_room(run_t *run, size_t size) {
  block_t *victims = NULL;
  size_t used = run->used_bytes + size;
  if (run->most_bytes < used)
    run->most_bytes = used;
  while (run->free_blocks && used + run->free_bytes > run->most_bytes) {
    block_t *block = run->free_blocks;
    take_out(block);
    run->free_bytes -= block->size;
    insert(&victims, block);
  }
  return victims;
}

static block_t *allocate(size_t size) {
  size_t page = size < 2 * huge_page ? alignment : huge_page;
  size_t whole = (size + page - 1) & ~(page - 1);
  block_t *block = whole < size ? NULL : aligned_alloc(page, whole);
#ifdef MADV_HUGEPAGE
  if (block && page == huge_page)
    madvise(block, whole, MADV_HUGEPAGE);
#endif
  return block;
}

static bool is_large(size_t size) { return size >= large_block; }

void *LOWBIT_NAME(rt_malloc)(size_t size) {
  run_t *run = self.run;
  size_t total = size + alignment;
  block_t *block = NULL, *victims = NULL;
  if (is_large(total)) {
    LOWBIT_NAME(lock)(run);
    block = find_free_block(run, total);
    if (block) {
      take_out(block);
      run->free_bytes -= block->size;
    } else {
      victims = make_room(run, total);
    }
    LOWBIT_NAME(unlock)(run);
    free_all(&victims);
  }
  if (!block && total > size) {
    block = allocate(total);
    if (block)
      block->size = total;
  }
  if (!block)
    LOWBIT_NAME(fail)(LOWBIT_OUT_OF_MEMORY,
                      "out of memory: cannot allocate %zu bytes", size);
  LOWBIT_NAME(lock)(run);
  insert(&run->used_blocks, block);
  run->used_bytes += block->size;
  LOWBIT_NAME(unlock)(run);
  return (char *)block + alignment;
}

void LOWBIT_NAME(rt_free)(void *address) {
  if (!address)
    return;
  block_t *block = (block_t *)((char *)address - alignment);
  run_t *run = self.run;
  bool keep = is_large(block->size);
  LOWBIT_NAME(lock)(run);
  take_out(block);
  run->used_bytes -= block->size;
  if (keep) {
    insert(&run->free_blocks, block);
    run->free_bytes += block->size;
  }
  LOWBIT_NAME(unlock)(run);
  if (!keep)
    free(block);
}

void LOWBIT_NAME(free_blocks)(run_t *run, bool failed) {
  free_all(&run->free_blocks);
  if (failed)
    free_all(&run->used_blocks);
}

#undef self
