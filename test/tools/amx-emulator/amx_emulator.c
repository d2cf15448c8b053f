/*===- amx_emulator.c - AMX instructions on CPUs without them ------ C ----===*\
|*                                                                            *|
|* Part of the Lowbit project, under the Apache License v2.0 with LLVM        *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

/* A library to be preloaded: executes the tile instructions of AMX-TILE,
 * AMX-INT8 and AMX-BF16 where a CPU raises an invalid-opcode exception for
 * them, so that tests run the very code that is made for CPUs with AMX. Where
 * there are tiles, it gets them from the system and has nothing more to do.
 *
 * Names and checks are those of Intel's Software Developer's Manual. What would
 * be an exception there ends the process with a message. With
 * AMX_EMULATOR_COUNT in the environment, a process that had tile products
 * executed says how many in the end. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { num_tiles = 8, max_rows = 16, max_bytes = 64 };

typedef struct tile_t {
  /* Zero if the tile is not configured. */
  unsigned rows, bytes;
  uint8_t data[max_rows][max_bytes];
} tile_t;

/* The state of a thread. It begins as the processor's does. */
static _Thread_local struct {
  bool is_configured;
  uint8_t config[64];
  tile_t tiles[num_tiles];
} state __attribute__((tls_model("initial-exec")));

static atomic_long products;

/*===----------------------------------------------------------------------===*\
|* Decoding
\*===----------------------------------------------------------------------===*/

enum prefix { none, p66, pF3, pF2 };

typedef struct instruction_t {
  /* VEX.pp, and the byte after the prefix. */
  enum prefix prefix;
  uint8_t opcode;
  /* ModRM and, as a tile, VEX.vvvv. */
  unsigned mod, reg, rm, vvvv;
  /* The memory operand; the index is a stride in tile loads and stores. */
  bool has_sib;
  uint64_t base, index;
  const uint8_t *end;
} instruction_t;

static uint64_t get_register(const ucontext_t *context, unsigned number) {
  static const int places[] = {
      REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
      REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  return (uint64_t)context->uc_mcontext.gregs[places[number]];
}

/* Whether a VEX.128.0F38.W0 instruction is at `at`; decodes it. */
static bool decode(const ucontext_t *context, const uint8_t *at,
                   instruction_t *result) {
  memset(result, 0, sizeof *result);
  if (at[0] != 0xC4 || (at[1] & 0x1F) != 2 || (at[2] & 0x84) != 0)
    return false;
  unsigned high_index = at[1] & 0x40 ? 0 : 8, high_base = at[1] & 0x20 ? 0 : 8;
  bool is_high_reg = !(at[1] & 0x80);
  result->prefix = (enum prefix)(at[2] & 3);
  result->vvvv = ~(unsigned)at[2] >> 3 & 15;
  result->opcode = at[3];
  result->mod = at[4] >> 6;
  result->reg = (at[4] >> 3 & 7) + (is_high_reg ? 8 : 0);
  result->rm = at[4] & 7;
  at += 5;
  if (result->mod == 3) {
    result->rm += high_base;
    result->end = at;
    return true;
  }
  unsigned base = result->rm;
  if (result->rm == 4) {
    result->has_sib = true;
    unsigned sib = *at++, index = (sib >> 3 & 7) + high_index;
    if (index != 4)
      result->index = get_register(context, index) << (sib >> 6);
    base = sib & 7;
  }
  bool is_relative = false;
  if (base == 5 && result->mod == 0)
    is_relative = !result->has_sib;
  else
    result->base = get_register(context, base + high_base);
  if (result->mod == 1) {
    result->base += (uint64_t)(int64_t)(int8_t)*at++;
  } else if (result->mod == 2 || (base == 5 && result->mod == 0)) {
    int32_t displacement;
    memcpy(&displacement, at, sizeof displacement);
    at += sizeof displacement;
    result->base += (uint64_t)(int64_t)displacement;
  }
  if (is_relative)
    result->base += (uint64_t)(uintptr_t)at;
  result->end = at;
  return true;
}

/*===----------------------------------------------------------------------===*\
|* Execution
\*===----------------------------------------------------------------------===*/

__attribute__((format(printf, 1, 2))) static _Noreturn void
fail(const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  int length = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  static const char name[] = "AMX emulator: ";
  ssize_t written = write(STDERR_FILENO, name, sizeof name - 1);
  written += write(STDERR_FILENO, text, (size_t)length);
  written += write(STDERR_FILENO, "\n", 1);
  (void)written;
  _exit(1);
}

static tile_t *get_tile(unsigned number) {
  if (number >= num_tiles)
    fail("tile %u does not exist", number);
  if (!state.tiles[number].rows)
    fail("tile %u is not configured", number);
  return &state.tiles[number];
}

static void load_config(const uint8_t *config) {
  if (config[0] > 1)
    fail("ldtilecfg: palette %u does not exist", config[0]);
  memset(&state, 0, sizeof state);
  if (config[0] == 0)
    return;
  for (int i = 2; i < 64; ++i)
    if ((i < 16 || (i >= 16 + 2 * num_tiles && i < 48) ||
         i >= 48 + num_tiles) &&
        config[i])
      fail("ldtilecfg: byte %d must be zero", i);
  for (int i = 0; i < num_tiles; ++i) {
    unsigned bytes = config[16 + 2 * i] | (unsigned)config[17 + 2 * i] << 8;
    unsigned rows = config[48 + i];
    if (bytes > max_bytes || rows > max_rows || !bytes != !rows)
      fail("ldtilecfg: tile %d cannot have %u rows of %u bytes", i, rows,
           bytes);
    state.tiles[i].rows = rows;
    state.tiles[i].bytes = bytes;
  }
  memcpy(state.config, config, sizeof state.config);
  state.is_configured = true;
}

static void load_tile(tile_t *tile, const instruction_t *instruction) {
  unsigned start = state.config[1];
  for (unsigned row = start; row < tile->rows; ++row) {
    memset(tile->data[row], 0, max_bytes);
    memcpy(tile->data[row],
           (const void *)(instruction->base + row * instruction->index),
           tile->bytes);
  }
  state.config[1] = 0;
}

static void store_tile(const tile_t *tile, const instruction_t *instruction) {
  for (unsigned row = state.config[1]; row < tile->rows; ++row)
    memcpy((void *)(instruction->base + row * instruction->index),
           tile->data[row], tile->bytes);
  state.config[1] = 0;
}

static int32_t widen(uint8_t byte, bool is_signed) {
  return is_signed ? (int8_t)byte : byte;
}

static void multiply_bytes(tile_t *sums, const tile_t *left,
                           const tile_t *right, enum prefix prefix) {
  bool left_is_signed = prefix == pF2 || prefix == pF3;
  bool right_is_signed = prefix == pF2 || prefix == p66;
  for (unsigned row = 0; row < sums->rows; ++row)
    for (unsigned step = 0; step < right->rows; ++step)
      for (unsigned column = 0; column < sums->bytes / 4; ++column) {
        uint32_t sum;
        memcpy(&sum, &sums->data[row][4 * column], sizeof sum);
        for (unsigned i = 0; i < 4; ++i)
          sum +=
              (uint32_t)(widen(left->data[row][4 * step + i], left_is_signed) *
                         widen(right->data[step][4 * column + i],
                               right_is_signed));
        memcpy(&sums->data[row][4 * column], &sum, sizeof sum);
      }
}

static uint32_t flush(uint32_t bits) {
  return bits & 0x7F800000 ? bits : bits & 0x80000000;
}

static float load_bfloat(const uint8_t *bytes) {
  uint32_t bits = flush((uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 24);
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* To the nearest, denormal operands and results flushed. */
static float add(float x, float y) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits = flush(bits);
  memcpy(&x, &bits, sizeof x);
  float sum = x + y;
  memcpy(&bits, &sum, sizeof bits);
  bits = flush(bits);
  memcpy(&sum, &bits, sizeof sum);
  return sum;
}

static void multiply_bfloats(tile_t *sums, const tile_t *left,
                             const tile_t *right) {
  for (unsigned row = 0; row < sums->rows; ++row)
    for (unsigned column = 0; column < sums->bytes / 4; ++column) {
      float partial[2] = {0, 0};
      for (unsigned step = 0; step < right->rows; ++step)
        for (unsigned i = 0; i < 2; ++i) {
          /* The product is exact, unless it underflows. */
          float product = load_bfloat(&left->data[row][4 * step + 2 * i]) *
                          load_bfloat(&right->data[step][4 * column + 2 * i]);
          partial[i] = add(partial[i], product);
        }
      float sum;
      memcpy(&sum, &sums->data[row][4 * column], sizeof sum);
      sum = add(sum, add(partial[0], partial[1]));
      memcpy(&sums->data[row][4 * column], &sum, sizeof sum);
    }
}

static void multiply(const instruction_t *instruction, bool is_float) {
  atomic_fetch_add(&products, 1);
  unsigned to = instruction->reg, x = instruction->rm, y = instruction->vvvv;
  if (to == x || to == y || x == y)
    fail("the three tiles of a product must differ");
  tile_t *sums = get_tile(to);
  const tile_t *left = get_tile(x), *right = get_tile(y);
  if (left->bytes % 4 || right->bytes % 4 || sums->bytes % 4 ||
      sums->rows != left->rows || left->bytes / 4 != right->rows ||
      sums->bytes != right->bytes)
    fail("tiles of %u x %u and %u x %u bytes cannot be multiplied into %u x %u",
         left->rows, left->bytes, right->rows, right->bytes, sums->rows,
         sums->bytes);
  if (is_float)
    multiply_bfloats(sums, left, right);
  else
    multiply_bytes(sums, left, right, instruction->prefix);
  for (unsigned row = sums->rows; row < max_rows; ++row)
    memset(sums->data[row], 0, max_bytes);
  state.config[1] = 0;
}

/* Whether the instruction is one of these, which it then executes. */
static bool execute(const instruction_t *instruction) {
  bool is_memory = instruction->mod != 3;
  switch (instruction->opcode) {
  case 0x49:
    if (is_memory && instruction->reg == 0 && instruction->prefix == none) {
      load_config((const uint8_t *)instruction->base);
      return true;
    }
    if (is_memory && instruction->reg == 0 && instruction->prefix == p66) {
      memcpy((void *)instruction->base, state.config, sizeof state.config);
      return true;
    }
    if (is_memory)
      return false;
    if (instruction->prefix == none && !instruction->reg && !instruction->rm) {
      memset(&state, 0, sizeof state);
      return true;
    }
    if (instruction->prefix == pF2 && !instruction->rm) {
      memset(get_tile(instruction->reg)->data, 0, max_rows * max_bytes);
      return true;
    }
    return false;
  case 0x4B:
    if (!is_memory || !instruction->has_sib || instruction->prefix == none)
      return false;
    if (instruction->prefix == pF3)
      store_tile(get_tile(instruction->reg), instruction);
    else
      load_tile(get_tile(instruction->reg), instruction);
    return true;
  case 0x5C:
  case 0x5E:
    if (is_memory ||
        (instruction->opcode == 0x5C && instruction->prefix != pF3))
      return false;
    multiply(instruction, instruction->opcode == 0x5C);
    return true;
  default:
    return false;
  }
}

/*===----------------------------------------------------------------------===*\
|* The process
\*===----------------------------------------------------------------------===*/

typedef int sigaction_fn(int, const struct sigaction *, struct sigaction *);
static sigaction_fn *system_sigaction;
/* What the program itself wants to be called. */
static struct sigaction program_action;

static void handle(int signal, siginfo_t *info, void *opaque) {
  (void)info;
  ucontext_t *context = opaque;
  greg_t *next = &context->uc_mcontext.gregs[REG_RIP];
  instruction_t instruction;
  if (decode(context, (const uint8_t *)*next, &instruction) &&
      execute(&instruction)) {
    *next = (greg_t)(uintptr_t)instruction.end;
    return;
  }
  /* The instruction is tried again, and the program gets the signal. */
  system_sigaction(signal, &program_action, NULL);
}

static void find_system(void) {
  if (!system_sigaction)
    system_sigaction = (sigaction_fn *)dlsym(RTLD_NEXT, "sigaction");
}

/* LLVM's tools print a stack trace at this signal. */
int sigaction(int signal, const struct sigaction *action,
              struct sigaction *old) {
  find_system();
  if (signal != SIGILL)
    return system_sigaction(signal, action, old);
  if (old)
    *old = program_action;
  if (action)
    program_action = *action;
  return 0;
}

/* Lowbit looks for this function before it asks the processor for AMX. */
__attribute__((visibility("default"))) int lowbit_emulates_amx(void) {
  return 1;
}

__attribute__((constructor)) static void install(void) {
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  if (!syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA))
    return;
  find_system();
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  system_sigaction(SIGILL, &action, &program_action);
}

__attribute__((destructor)) static void report(void) {
  if (products && getenv("AMX_EMULATOR_COUNT"))
    fprintf(stderr, "AMX emulator: %ld products of tiles\n", products);
}
