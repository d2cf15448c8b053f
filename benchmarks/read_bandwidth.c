//===- read_bandwidth.c - how fast memory can be read ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

/* The limit of a decode kernel: every thread reads its share of a buffer as
 * sixteen streams at once, which hides more latency than one does. Compiled by
 * matmul_peers.py with -O3 -march=native -pthread. */

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

enum { STREAMS = 16, MAX_THREADS = 256, LANES = 64 };

typedef uint8_t lanes __attribute__((vector_size(LANES)));

typedef struct {
  const lanes *data;
  size_t vectors;
  lanes result;
} share;

static void *read_share(void *argument) {
  share *mine = argument;
  size_t length = mine->vectors / STREAMS;
  lanes sums[STREAMS] = {{0}};
  for (size_t i = 0; i < length; ++i)
    for (size_t s = 0; s < STREAMS; ++s)
      sums[s] ^= mine->data[s * length + i];
  for (size_t s = 1; s < STREAMS; ++s)
    sums[0] ^= sums[s];
  mine->result = sums[0];
  return NULL;
}

/* Reads `size` bytes from `data` (aligned to 64) with some threads; returns
 * something that depends on all of them. */
int read_bandwidth_run(const void *data, size_t size, int threads) {
  pthread_t ids[MAX_THREADS];
  share *shares = aligned_alloc(LANES, MAX_THREADS * sizeof(share));
  if (!shares)
    return -1;
  if (threads > MAX_THREADS)
    threads = MAX_THREADS;
  size_t vectors = size / LANES / (size_t)threads;
  for (int t = 0; t < threads; ++t) {
    shares[t].data = (const lanes *)data + (size_t)t * vectors;
    shares[t].vectors = vectors;
    if (t && pthread_create(&ids[t], NULL, read_share, &shares[t]))
      threads = t;
  }
  read_share(&shares[0]);
  lanes result = shares[0].result;
  for (int t = 1; t < threads; ++t) {
    pthread_join(ids[t], NULL);
    result ^= shares[t].result;
  }
  free(shares);
  return result[0];
}
