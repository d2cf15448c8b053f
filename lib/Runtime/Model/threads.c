/*===- threads.c - the threads of compiled models ------------------ C ----===*\
|*                                                                            *|
|* Part of the Lowbit project, under the Apache License v2.0 with LLVM        *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

/* The entry points of LLVM's OpenMP runtime that generated code calls, so that
 * a model needs no such runtime where it runs; for some targets there is none.
 * Unlike there, a failure in any thread ends the whole region. */

#include "runtime.h"
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

#define self LOWBIT_NAME(thread)

/* What a parallel region executes; all that it reads lies behind `argument`. */
typedef void region_fn(int32_t *global_id, int32_t *bound_id, void *argument);

enum {
  max_threads = 256,
  /* How often to look before giving up the processor: some 50 us, about as
   * long as waking a thread takes. */
  max_spins = 2000
};

/* One team serves all threads that call the model: while it is busy, others
 * execute their regions alone. */
static struct {
  /* Held by the thread whose region the workers execute. */
  pthread_mutex_t busy;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  atomic_int limit; /* 0: not known yet */
  struct worker {
    pthread_t thread;
    int id;
    unsigned seen; /* regions that it has executed or was too late for */
  } workers[max_threads];
  int num_workers;
  /* Counts the regions: a worker waits for the next. */
  atomic_uint region;
  atomic_int asleep, running;
  bool stop;
  /* The region. */
  region_fn *function;
  void *argument;
  run_t *run;
  int size;
  atomic_int arrived, failed;
  atomic_uint barrier;
} team = {.busy = PTHREAD_MUTEX_INITIALIZER,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER};

static void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* One step of a wait that lasts as long as another thread computes. */
static void wait_a_little(unsigned *spins) {
  if (++*spins < max_spins)
    pause_briefly();
  else
    sched_yield();
}

static int count_processors(void) {
  const char *text = getenv("OMP_NUM_THREADS");
  int count = text ? atoi(text) : 0;
  cpu_set_t set;
  if (count <= 0 && !sched_getaffinity(0, sizeof set, &set))
    count = CPU_COUNT(&set);
  return count < 1 ? 1 : count;
}

static int get_limit(void) {
  int limit = atomic_load(&team.limit);
  if (limit)
    return limit;
  limit = count_processors();
  if (limit > max_threads)
    limit = max_threads;
  atomic_store(&team.limit, limit);
  return limit;
}

void LOWBIT_NAME(set_threads)(int count) {
  atomic_store(&team.limit, count < 1             ? 0
                            : count > max_threads ? max_threads
                                                  : count);
}

/* Executes this thread's part of the region. */
static void take_part(int id) {
  thread_t outer = self;
  jmp_buf landing;
  self = (thread_t){team.run, &landing, id, team.size, 0};
  int32_t number = id;
  if (!setjmp(landing))
    team.function(&number, &number, team.argument);
  else
    atomic_store(&team.failed, 1);
  self = outer;
}

static void *work(void *argument) {
  int id = ((struct worker *)argument)->id;
  unsigned seen = ((struct worker *)argument)->seen;
  for (;;) {
    for (unsigned i = 0; i < max_spins && atomic_load(&team.region) == seen;
         ++i)
      pause_briefly();
    if (atomic_load(&team.region) == seen) {
      pthread_mutex_lock(&team.lock);
      atomic_fetch_add(&team.asleep, 1);
      while (atomic_load(&team.region) == seen)
        pthread_cond_wait(&team.wake, &team.lock);
      atomic_fetch_sub(&team.asleep, 1);
      pthread_mutex_unlock(&team.lock);
    }
    ++seen;
    if (team.stop)
      return NULL;
    take_part(id);
    atomic_fetch_sub(&team.running, 1);
  }
}

/* Lets the workers go on to what the team's fields say. */
static void start_region(void) {
  atomic_fetch_add(&team.region, 1);
  if (!atomic_load(&team.asleep))
    return;
  pthread_mutex_lock(&team.lock);
  pthread_cond_broadcast(&team.wake);
  pthread_mutex_unlock(&team.lock);
}

static void stop_workers(void) {
  team.stop = true;
  start_region();
  for (int i = 0; i < team.num_workers; ++i)
    pthread_join(team.workers[i].thread, NULL);
  team.num_workers = 0;
  team.stop = false;
}

/* Before the code goes away, and when the process ends. */
__attribute__((destructor)) static void unload(void) {
  /* Held for good: what still runs then, runs alone. If another thread runs
   * the model, the process is about to end. */
  if (!pthread_mutex_trylock(&team.busy))
    stop_workers();
}

/* A forked process has one thread. */
static void forget_workers(void) {
  team.num_workers = 0;
  atomic_store(&team.asleep, 0);
  pthread_mutex_init(&team.busy, NULL);
  pthread_mutex_init(&team.lock, NULL);
  pthread_cond_init(&team.wake, NULL);
}

/* Makes a team of `size` members, or of as many as the system allows. */
static int resize(int size) {
  static bool forks_are_known = false;
  if (!forks_are_known)
    forks_are_known = !pthread_atfork(NULL, NULL, forget_workers);
  if (team.num_workers > size - 1)
    stop_workers();
  while (team.num_workers < size - 1) {
    struct worker *worker = &team.workers[team.num_workers];
    worker->id = team.num_workers + 1;
    worker->seen = atomic_load(&team.region);
    if (pthread_create(&worker->thread, NULL, work, worker))
      break;
    ++team.num_workers;
  }
  return team.num_workers + 1;
}

static void execute_alone(region_fn *function, void *argument) {
  int id = self.id, size = self.size;
  int32_t number = 0;
  self.id = 0;
  self.size = 1;
  function(&number, &number, argument);
  self.id = id;
  self.size = size;
}

/*===----------------------------------------------------------------------===*\
|* What generated code calls. LLVM passes one pointer to all that a region
|* reads, or none.
\*===----------------------------------------------------------------------===*/

typedef struct ident ident;

int LOWBIT_NAME(rt_omp_get_max_threads)(void) { return get_limit(); }

int32_t LOWBIT_NAME(rt___kmpc_global_thread_num)(ident *where) {
  (void)where;
  return self.id;
}

void LOWBIT_NAME(rt___kmpc_push_num_threads)(ident *where, int32_t id,
                                             int32_t count) {
  (void)where, (void)id;
  self.requested = count;
}

void LOWBIT_NAME(rt___kmpc_fork_call)(ident *where, int32_t count,
                                      region_fn *function, void *argument) {
  (void)where, (void)count;
  int limit = get_limit();
  int size = self.requested ? self.requested : limit;
  self.requested = 0;
  if (size > limit)
    size = limit;
  if (size <= 1 || self.size > 1 || pthread_mutex_trylock(&team.busy)) {
    execute_alone(function, argument);
    return;
  }
  team.size = resize(size);
  team.function = function;
  team.argument = argument;
  team.run = self.run;
  atomic_store(&team.arrived, 0);
  atomic_store(&team.failed, 0);
  atomic_store(&team.running, team.num_workers);
  start_region();
  take_part(0);
  for (unsigned spins = 0; atomic_load(&team.running);)
    wait_a_little(&spins);
  bool failed = atomic_load(&team.failed);
  pthread_mutex_unlock(&team.busy);
  if (failed)
    longjmp(*self.landing, 1);
}

void LOWBIT_NAME(rt___kmpc_barrier)(ident *where, int32_t id) {
  (void)where, (void)id;
  if (self.size == 1)
    return;
  unsigned phase = atomic_load(&team.barrier);
  if (atomic_fetch_add(&team.arrived, 1) + 1 == self.size) {
    atomic_store(&team.arrived, 0);
    atomic_fetch_add(&team.barrier, 1);
    return;
  }
  for (unsigned spins = 0; atomic_load(&team.barrier) == phase;) {
    if (atomic_load(&team.failed))
      longjmp(*self.landing, 1);
    wait_a_little(&spins);
  }
}

/* The iterations lower..upper, in steps of 1, in equal parts: this thread's
 * become lower..upper; none if upper + 1 == lower. */
void LOWBIT_NAME(rt___kmpc_for_static_init_8u)(
    ident *where, int32_t id, int32_t schedule, int32_t *is_last,
    uint64_t *lower, uint64_t *upper, int64_t *stride, int64_t increment,
    int64_t chunk) {
  (void)where, (void)id, (void)schedule, (void)increment, (void)chunk;
  uint64_t size = (uint64_t)self.size, number = (uint64_t)self.id;
  uint64_t total = *upper - *lower + 1;
  uint64_t each = total / size, more = total % size;
  *is_last = number == size - 1;
  *stride = (int64_t)total;
  *lower += number * each + (number < more ? number : more);
  *upper = *lower + each + (number < more) - 1;
}

void LOWBIT_NAME(rt___kmpc_for_static_fini)(ident *where, int32_t id) {
  (void)where, (void)id;
}

#undef self
