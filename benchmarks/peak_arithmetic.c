//===- peak_arithmetic.c - how fast a core can multiply -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

/* The limit of a prefill kernel: multiply-adds on registers alone, by the
 * widest instruction that this file was compiled for. Compiled by
 * matmul_peers.py with -O3 -march=native -pthread. */

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif
#if defined(__AMX_INT8__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

enum { CHAINS = 12, MAX_THREADS = 256 };

/* Each defines a register, a step `sum = sum + a * b` and the operations of a
 * step, where a multiply-add is two. */
#if defined(__AVX512VNNI__)
typedef __m512i integers;
#define INTEGER_STEP(sum, x) _mm512_dpbusd_epi32(sum, x, x)
enum { INTEGER_OPERATIONS = 128 };
#elif defined(__AVX2__)
typedef __m256i integers;
#define INTEGER_STEP(sum, x)                                                   \
  _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(x, sum), x))
enum { INTEGER_OPERATIONS = 64 };
#elif defined(__ARM_FEATURE_DOTPROD)
typedef int32x4_t integers;
#define INTEGER_STEP(sum, x)                                                   \
  vdotq_s32(sum, vreinterpretq_s8_s32(x), vreinterpretq_s8_s32(x))
enum { INTEGER_OPERATIONS = 32 };
#else
typedef int32_t integers __attribute__((vector_size(16)));
#define INTEGER_STEP(sum, x) (sum + x * x)
enum { INTEGER_OPERATIONS = 8 };
#endif

#if defined(__AVX512F__)
typedef __m512 floats;
#define FLOAT_STEP(sum, x) _mm512_fmadd_ps(x, x, sum)
#elif defined(__FMA__)
typedef __m256 floats;
#define FLOAT_STEP(sum, x) _mm256_fmadd_ps(x, x, sum)
#elif defined(__aarch64__)
typedef float32x4_t floats;
#define FLOAT_STEP(sum, x) vfmaq_f32(sum, x, x)
#else
typedef float floats __attribute__((vector_size(16)));
#define FLOAT_STEP(sum, x) (sum + x * x)
#endif
enum { FLOAT_OPERATIONS = sizeof(floats) / sizeof(float) * 2 };

/* Keeps the compiler from looking through a register. */
#if defined(__x86_64__)
#define HIDE(x) __asm__ volatile("" : "+v"(x))
#elif defined(__aarch64__)
#define HIDE(x) __asm__ volatile("" : "+w"(x))
#else
#define HIDE(x) __asm__ volatile("" : "+m"(x))
#endif

typedef struct {
  double operations;
  int isFloat, isAmx;
} share;

static void run_integers(double operations) {
  integers sums[CHAINS] = {0}, x = {0};
  HIDE(x);
  long steps = (long)(operations / INTEGER_OPERATIONS / CHAINS) + 1;
  for (long i = 0; i < steps; ++i)
    for (int chain = 0; chain < CHAINS; ++chain)
      sums[chain] = INTEGER_STEP(sums[chain], x);
  for (int chain = 0; chain < CHAINS; ++chain)
    HIDE(sums[chain]);
}

static void run_floats(double operations) {
  floats sums[CHAINS] = {0}, x = {0};
  HIDE(x);
  long steps = (long)(operations / FLOAT_OPERATIONS / CHAINS) + 1;
  for (long i = 0; i < steps; ++i)
    for (int chain = 0; chain < CHAINS; ++chain)
      sums[chain] = FLOAT_STEP(sums[chain], x);
  for (int chain = 0; chain < CHAINS; ++chain)
    HIDE(sums[chain]);
}

#if defined(__AMX_INT8__)
/* Linux lets a process use tiles only after it has asked. */
static int may_use_tiles(void) {
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

static void run_tiles(double operations) {
  struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } __attribute__((aligned(64))) shape = {.palette = 1};
  for (int tile = 0; tile < 8; ++tile) {
    shape.bytes[tile] = 64;
    shape.rows[tile] = 16;
  }
  _tile_loadconfig(&shape);
  /* Four products of 16 x 64 by 64 x 16. */
  long steps = (long)(operations / (4 * 2 * 16 * 64 * 16)) + 1;
  for (long i = 0; i < steps; ++i) {
    _tile_dpbssd(0, 4, 6);
    _tile_dpbssd(1, 4, 7);
    _tile_dpbssd(2, 5, 6);
    _tile_dpbssd(3, 5, 7);
  }
  _tile_release();
}
#else
static int may_use_tiles(void) { return 0; }
static void run_tiles(double operations) { (void)operations; }
#endif

static void *run_share(void *argument) {
  const share *mine = argument;
  if (mine->isFloat)
    run_floats(mine->operations);
  else if (mine->isAmx)
    run_tiles(mine->operations);
  else
    run_integers(mine->operations);
  return NULL;
}

/* Executes so many operations on floats or on int8, with some threads. */
void peak_arithmetic_run(double operations, int isFloat, int threads) {
  pthread_t ids[MAX_THREADS];
  if (threads > MAX_THREADS)
    threads = MAX_THREADS;
  share mine = {operations / threads, isFloat, !isFloat && may_use_tiles()};
  for (int t = 1; t < threads; ++t)
    if (pthread_create(&ids[t], NULL, run_share, &mine))
      threads = t;
  run_share(&mine);
  for (int t = 1; t < threads; ++t)
    pthread_join(ids[t], NULL);
}
