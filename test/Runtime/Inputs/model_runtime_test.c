/* Calls the runtime of compiled models as generated code does: a "model" that
 * adds up the numbers 0..n-1, each by the thread that it falls to. */

#include "lowbit/Runtime/model.h"
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../lib/Runtime/Model/runtime.h"

_Noreturn void lowbit_rt_errx(int status, const char *format, ...);
int lowbit_rt_omp_get_max_threads(void);
void lowbit_rt___kmpc_push_num_threads(void *, int32_t, int32_t);
void lowbit_rt___kmpc_fork_call(void *, int32_t,
                                void (*)(int32_t *, int32_t *, void *), void *);
void lowbit_rt___kmpc_barrier(void *, int32_t);
void lowbit_rt___kmpc_for_static_init_8u(void *, int32_t, int32_t, int32_t *,
                                         uint64_t *, uint64_t *, int64_t *,
                                         int64_t, int64_t);

struct sum {
  int64_t count, bad;
  int64_t *parts;
};

static void add(int32_t *id, int32_t *bound, void *argument) {
  (void)bound;
  struct sum *sum = argument;
  int32_t last;
  uint64_t lower = 0, upper = (uint64_t)sum->count - 1;
  int64_t stride;
  lowbit_rt___kmpc_for_static_init_8u(0, *id, 34, &last, &lower, &upper,
                                      &stride, 1, 0);
  void *scratch = lowbit_rt_malloc(100);
  for (uint64_t i = lower; i != upper + 1; ++i) {
    if ((int64_t)i == sum->bad)
      lowbit_rt_errx(1, "%s", "a bad number");
    sum->parts[*id] += (int64_t)i;
  }
  lowbit_rt_free(scratch);
  lowbit_rt___kmpc_barrier(0, *id);
  if (*id == 0)
    for (int i = 1; i < 256; ++i)
      sum->parts[0] += sum->parts[i];
}

static void nest(int32_t *id, int32_t *bound, void *argument) {
  (void)id, (void)bound;
  atomic_int *count = argument;
  struct sum sum = {100, -1, calloc(256, 8)};
  lowbit_rt___kmpc_fork_call(0, 1, (void *)add, &sum);
  assert(sum.parts[0] == 4950);
  free(sum.parts);
  atomic_fetch_add(count, 1);
}

struct memref {
  int64_t *allocated, *aligned;
  int64_t offset, sizes[2];
};

/* Allocates and frees as the layers of a model do. */
static void use_memory(void) {
  const size_t size = 1 << 20;
  char *first = lowbit_rt_malloc(size), *second = lowbit_rt_malloc(2 * size);
  assert(((uintptr_t)first | (uintptr_t)second) % 64 == 0);
  memset(first, 1, size);
  memset(second, 1, 2 * size);
  /* The smallest block that is large enough. */
  lowbit_rt_free(first);
  lowbit_rt_free(second);
  assert(lowbit_rt_malloc(size - 100) == first);
  char *small = lowbit_rt_malloc(size / 2);
  /* Sixteen times as much, a part of it on huge pages: what was kept goes. */
  char *large = lowbit_rt_malloc(16 * size);
  memset(large, 1, 16 * size);
  lowbit_rt_free(small);
  lowbit_rt_free(large);
  assert(lowbit_rt_malloc(16 * size) == large);
  lowbit_rt_free(large);
  lowbit_rt_free(first);
}

/* From {n, number that fails} to {sum}. Not that many numbers fit. */
static void entry(void **descriptors) {
  struct memref *input = descriptors[0], *output = descriptors[1];
  use_memory();
  if (input->aligned[0] < 0)
    lowbit_rt_malloc((size_t)input->aligned[0]);
  int64_t *parts = lowbit_rt_malloc(256 * 8);
  memset(parts, 0, 256 * 8);
  struct sum sum = {input->aligned[0], input->aligned[1], parts};
  lowbit_rt___kmpc_push_num_threads(0, 0, lowbit_rt_omp_get_max_threads());
  lowbit_rt___kmpc_fork_call(0, 1, (void *)add, &sum);
  atomic_int nested = 0;
  lowbit_rt___kmpc_fork_call(0, 1, (void *)nest, &nested);
  assert(nested == lowbit_rt_omp_get_max_threads() || nested == 1);
  int64_t *result = lowbit_rt_malloc(8);
  *result = parts[0];
  lowbit_rt_free(parts);
  *output = (struct memref){result, result, 0, {1, 1}};
}

static void (*get_entry(void))(void **) { return entry; }

static const lowbit_tensor_info inputs[] = {
    {"numbers", LOWBIT_INT64, 1, {2}, {0}, 0}};
static const lowbit_tensor_info outputs[] = {
    {"sum", LOWBIT_INT64, 1, {-1}, {"one"}, 0}};
const tables_t lowbit_tables = {{LOWBIT_MODEL_VERSION, 1, 1, inputs, outputs,
                                 lowbit_run, lowbit_error, lowbit_release,
                                 lowbit_set_threads},
                                get_entry,
                                "",
                                NULL,
                                NULL};

static void check(int64_t count, int64_t bad) {
  int64_t numbers[] = {count, bad};
  lowbit_tensor input = {numbers, {2}, 0}, output;
  int status = lowbit_run(&input, &output);
  if (bad >= 0 && bad < count) {
    assert(status == LOWBIT_INVALID_INPUT);
    assert(!strcmp(lowbit_error(), "a bad number"));
    assert(!output.data);
    return;
  }
  assert(status == LOWBIT_OK && !*lowbit_error());
  assert(output.shape[0] == 1);
  assert(*(int64_t *)output.data == count * (count - 1) / 2);
  lowbit_release(&output);
  assert(!output.data);
}

static void *check_all(void *unused) {
  for (int64_t count = 0; count < 100; ++count)
    check(count, count % 7 ? -1 : count / 2);
  return unused;
}

int main(void) {
  const int sizes[] = {1, 2, 5, 3, 0};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
    lowbit_set_threads(sizes[i]);
    check_all(0);
  }
  pthread_t others[3];
  lowbit_set_threads(3);
  for (int i = 0; i < 3; ++i)
    pthread_create(&others[i], 0, check_all, 0);
  check_all(0);
  for (int i = 0; i < 3; ++i)
    pthread_join(others[i], 0);

  int64_t numbers[3] = {10, -1};
  lowbit_tensor input = {numbers, {3}, 0}, output;
  assert(lowbit_run(&input, &output) == LOWBIT_INVALID_INPUT);
  puts(lowbit_error());
  input.shape[0] = 2;
  input.data = 0;
  assert(lowbit_run(&input, &output) == LOWBIT_INVALID_INPUT);
  puts(lowbit_error());

  /* With what goes in front of it, this is more than a size can be. */
  numbers[0] = -1;
  input.data = numbers;
  assert(lowbit_run(&input, &output) == LOWBIT_OUT_OF_MEMORY);
  puts(lowbit_error());

#ifndef NO_FORK
  fflush(stdout);
  if (fork() == 0) {
    check_all(0);
    puts("the child is done");
    return 0;
  }
  wait(0);
#endif
  puts("done");
  return 0;
}
