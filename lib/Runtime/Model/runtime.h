/*===- runtime.h - what the parts of a model's runtime share ---- -*- C -*-===*\
|*                                                                            *|
|* Part of the Lowbit project, under the Apache License v2.0 with LLVM        *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

/* quant-compile compiles these sources for the target of each model and links
 * them into it: a model needs nothing but a C library. All symbols begin with
 * the model's name, so that several models can be linked into one program. */

#ifndef LOWBIT_MODEL_RUNTIME_H
#define LOWBIT_MODEL_RUNTIME_H

#include "lowbit/Runtime/model.h"
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#ifndef LOWBIT_NAME
#define LOWBIT_NAME(name) lowbit_##name
#endif
#define LOWBIT_EXPORT __attribute__((visibility("default")))

/* What quant-compile writes for each model. */
typedef struct tables_t {
  lowbit_model model;
  /* The code: takes pointers to the memref descriptors of inputs and outputs.
   * NULL if this CPU lacks what `needs` names. */
  void (*(*get_entry)(void))(void **descriptors);
  const char *needs;
  /* Of the code for a GPU (lowbit/Runtime/gpu.h); NULL if there is none. */
  const char *(*take_gpu_error)(void);
  void (*abandon_gpu_run)(void);
} tables_t;
extern const tables_t LOWBIT_NAME(tables);

typedef struct block_t block_t;

/* One call of the model. It belongs to the thread that called. */
typedef struct run_t {
  int status;
  char message[480];
  /* What the code has allocated, and what of it was freed and is kept. */
  block_t *used_blocks, *free_blocks;
  size_t used_bytes, free_bytes;
  /* The most that was used at one time. */
  size_t most_bytes;
  /* Guards all of it: the code runs on several threads. */
  atomic_flag lock;
} run_t;

static inline void LOWBIT_NAME(lock)(run_t *run) {
  while (atomic_flag_test_and_set_explicit(&run->lock, memory_order_acquire))
    ;
}

static inline void LOWBIT_NAME(unlock)(run_t *run) {
  atomic_flag_clear_explicit(&run->lock, memory_order_release);
}

/* What the runtime knows of a thread. */
typedef struct thread_t {
  run_t *run;
  /* Where the thread goes when it cannot go on. */
  jmp_buf *landing;
  /* Its number in the team that executes the parallel region, and the team's
   * size. */
  int id, size;
  /* The size that the next parallel region is to have. */
  int requested;
} thread_t;
extern _Thread_local thread_t LOWBIT_NAME(thread);

LOWBIT_EXPORT int LOWBIT_NAME(run)(const lowbit_tensor *inputs,
                                   lowbit_tensor *outputs);
LOWBIT_EXPORT const char *LOWBIT_NAME(error)(void);
LOWBIT_EXPORT void LOWBIT_NAME(release)(lowbit_tensor *output);
LOWBIT_EXPORT void LOWBIT_NAME(set_threads)(int count);
LOWBIT_EXPORT const lowbit_model *LOWBIT_NAME(get_model)(void);

/* In front of each block; it is as long as a cache line and the widest vector,
 * as the block's address is a multiple of it. */
enum { LOWBIT_BLOCK_HEADER = 64 };
void *LOWBIT_NAME(rt_malloc)(size_t size);
void LOWBIT_NAME(rt_free)(void *address);
/* At the end of a run. Its outputs stay, unless it failed. */
void LOWBIT_NAME(free_blocks)(run_t *run, bool failed);

/* Ends the run that this thread takes part in. The first message counts. */
_Noreturn void LOWBIT_NAME(fail)(int status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif /* LOWBIT_MODEL_RUNTIME_H */
