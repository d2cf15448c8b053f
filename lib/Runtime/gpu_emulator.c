//===- gpu_emulator.c - what GPU programs call, on the host ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

/* Runs the kernels of a program that was lowered with `emulate` on the host, to
 * test them where there is no GPU. The threads of a block are coroutines: each
 * runs until a barrier or a shuffle, then the next one does.
 *
 * It is stricter than a GPU where that finds mistakes: device memory can be
 * touched only during launches and copies (the host's access faults), and
 * starts as NaNs. */

#include "gpu_error.h"
#include "lowbit/Runtime/gpu.h"
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

/* --- Memory ------------------------------------------------------------- */

enum { ALIGNMENT = 256, WARP = 32, MAX_THREADS = 1024 };
#define ARENA_SIZE ((size_t)16 << 30)
#define STACK_SIZE ((size_t)64 << 10)

static char *arena;
static size_t arena_used;

struct block {
  struct block *next;
  size_t size;
  char *address;
  bool is_constant;
};
static struct block *used_blocks, *free_blocks;

static void protect(int protection) {
  if (arena_used)
    mprotect(arena, (arena_used + 4095) / 4096 * 4096, protection);
}

static void open_memory(void) { protect(PROT_READ | PROT_WRITE); }
static void close_memory(void) { protect(PROT_NONE); }

void *lowbit_gpu_alloc(int64_t bytes) {
  size_t size = ((size_t)bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
  if (!arena) {
    arena = mmap(NULL, ARENA_SIZE, PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED) {
      arena = NULL;
      lowbit_gpu_fail("the emulator cannot reserve memory");
      return NULL;
    }
  }
  struct block **link = &free_blocks;
  while (*link && (*link)->size != size)
    link = &(*link)->next;
  struct block *block = *link;
  if (block) {
    *link = block->next;
  } else {
    if (ARENA_SIZE - arena_used < size || !(block = malloc(sizeof *block))) {
      lowbit_gpu_fail("out of memory in the emulator");
      return NULL;
    }
    block->size = size;
    block->address = arena + arena_used;
    arena_used += size;
  }
  block->is_constant = false;
  block->next = used_blocks;
  used_blocks = block;
  open_memory();
  memset(block->address, 0xff, size);
  close_memory();
  return block->address;
}

void lowbit_gpu_free(void *memory) {
  struct block **link = &used_blocks;
  while (*link && (*link)->address != memory)
    link = &(*link)->next;
  struct block *block = *link;
  if (!block) {
    if (memory)
      lowbit_gpu_fail("the program frees memory that it does not hold");
    return;
  }
  *link = block->next;
  block->next = free_blocks;
  free_blocks = block;
}

void lowbit_gpu_abandon_run(void) {
  for (struct block **link = &used_blocks; *link;) {
    struct block *block = *link;
    if (block->is_constant) {
      link = &block->next;
      continue;
    }
    *link = block->next;
    block->next = free_blocks;
    free_blocks = block;
  }
}

static void copy(void *target, const void *source, int64_t bytes) {
  if (lowbit_gpu_failed())
    return;
  open_memory();
  memcpy(target, source, (size_t)bytes);
  close_memory();
}

void lowbit_gpu_copy_to_device(void *device, const void *host, int64_t bytes) {
  copy(device, host, bytes);
}

void lowbit_gpu_copy_to_host(void *host, const void *device, int64_t bytes) {
  copy(host, device, bytes);
}

void lowbit_gpu_copy_on_device(void *target, const void *source,
                               int64_t bytes) {
  copy(target, source, bytes);
}

void *lowbit_gpu_constant(void **slot, const void *host, int64_t bytes) {
  if (!*slot) {
    *slot = lowbit_gpu_alloc(bytes);
    if (*slot)
      used_blocks->is_constant = true;
    copy(*slot, host, bytes);
  }
  return *slot;
}

void lowbit_gpu_release_constant(void **slot) {
  lowbit_gpu_free(*slot);
  *slot = NULL;
}

void lowbit_gpu_release_module(lowbit_gpu_slot *module) { (void)module; }

/* --- Threads ------------------------------------------------------------ */

/* A context gives a thread its stack; from then on control passes by longjmp,
 * which unlike swapcontext makes no system call. A thread outlives its block:
 * the next block runs on the same stack. */
struct thread {
  ucontext_t context;
  jmp_buf resume;
  int64_t id[3];
  bool started;
  bool done;
  uint64_t exchanged;
};

static struct {
  int64_t grid[3], block[3], block_id[3];
  void (*kernel)(void **);
  void **arguments;
  struct thread *threads;
  struct thread *current;
  jmp_buf scheduler;
} state;

int64_t lowbit_emulator_thread_id(int32_t dimension) {
  return state.current->id[dimension];
}
int64_t lowbit_emulator_block_id(int32_t dimension) {
  return state.block_id[dimension];
}
int64_t lowbit_emulator_block_dim(int32_t dimension) {
  return state.block[dimension];
}
int64_t lowbit_emulator_grid_dim(int32_t dimension) {
  return state.grid[dimension];
}

static void wait_for_others(void) {
  if (!_setjmp(state.current->resume))
    _longjmp(state.scheduler, 1);
}

void lowbit_emulator_barrier(void) { wait_for_others(); }

/* All threads pass the same sequence of barriers and shuffles in turn, so one
 * round of the scheduler before the value is read is enough, and one after it
 * keeps the next exchange from overwriting it. */
uint64_t lowbit_emulator_shuffle(uint64_t value, int32_t offset, int32_t width,
                                 int32_t mode) {
  struct thread *self = state.current;
  self->exchanged = value;
  wait_for_others();
  int64_t index = self - state.threads;
  int64_t lane = index % WARP, warp = index - lane;
  int64_t segment = lane / width * width;
  int64_t other = lane;
  switch (mode) {
  case 0:
    other = lane ^ offset;
    break;
  case 1:
    other = lane + offset;
    break;
  case 2:
    other = lane - offset;
    break;
  case 3:
    other = segment + offset;
    break;
  }
  uint64_t result = other >= segment && other < segment + width
                        ? state.threads[warp + other].exchanged
                        : value;
  wait_for_others();
  return result;
}

static void run_thread(void) {
  for (;;) {
    state.kernel(state.arguments);
    state.current->done = true;
    wait_for_others();
  }
}

static char *get_stacks(void) {
  static char *stacks;
  if (!stacks) {
    stacks = mmap(NULL, MAX_THREADS * STACK_SIZE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED)
      stacks = NULL;
  }
  return stacks;
}

/* Runs a thread up to its next barrier, shuffle or end. */
static void resume(struct thread *thread, char *stack) {
  state.current = thread;
  if (_setjmp(state.scheduler))
    return;
  if (thread->started)
    _longjmp(thread->resume, 1);
  thread->started = true;
  getcontext(&thread->context);
  thread->context.uc_stack.ss_sp = stack;
  thread->context.uc_stack.ss_size = STACK_SIZE;
  makecontext(&thread->context, run_thread, 0);
  setcontext(&thread->context);
}

static void run_block(int64_t count, bool cooperative, char *stacks) {
  if (!cooperative) {
    for (int64_t i = 0; i < count; ++i) {
      state.current = &state.threads[i];
      state.kernel(state.arguments);
    }
    return;
  }
  for (int64_t i = 0; i < count; ++i)
    state.threads[i].done = false;
  for (bool running = true; running;) {
    running = false;
    for (int64_t i = 0; i < count; ++i) {
      struct thread *thread = &state.threads[i];
      if (thread->done)
        continue;
      resume(thread, stacks + i * (int64_t)STACK_SIZE);
      running |= !thread->done;
    }
  }
}

void lowbit_emulator_launch(void (*kernel)(void **), int32_t cooperative,
                            int64_t grid_x, int64_t grid_y, int64_t grid_z,
                            int64_t block_x, int64_t block_y, int64_t block_z,
                            void **arguments) {
  static struct thread threads[MAX_THREADS];
  if (lowbit_gpu_failed())
    return;
  int64_t count = block_x * block_y * block_z;
  char *stacks = get_stacks();
  if (!stacks || count > MAX_THREADS) {
    lowbit_gpu_fail("the emulator cannot run %lld threads a block",
                    (long long)count);
    return;
  }
  state.grid[0] = grid_x, state.grid[1] = grid_y, state.grid[2] = grid_z;
  state.block[0] = block_x, state.block[1] = block_y, state.block[2] = block_z;
  state.kernel = kernel;
  state.arguments = arguments;
  state.threads = threads;
  for (int64_t i = 0; i < count; ++i) {
    threads[i].id[0] = i % block_x;
    threads[i].id[1] = i / block_x % block_y;
    threads[i].id[2] = i / (block_x * block_y);
  }
  open_memory();
  for (int64_t z = 0; z < grid_z; ++z)
    for (int64_t y = 0; y < grid_y; ++y)
      for (int64_t x = 0; x < grid_x; ++x) {
        state.block_id[0] = x, state.block_id[1] = y, state.block_id[2] = z;
        run_block(count, cooperative, stacks);
      }
  close_memory();
}
