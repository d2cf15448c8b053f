/*===- amx_emulator_test.c - AMX instructions against plain C ------ C ----===*\
|*                                                                            *|
|* Part of the Lowbit project, under the Apache License v2.0 with LLVM        *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

/* Executes products of tiles of several shapes, by a real CPU or the emulator,
 * and compares them with loops; "bad" as an argument loads a configuration that
 * no CPU takes. */

#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { stride = 80 };

static uint8_t left[16 * stride], right[16 * stride];
static int32_t sums[16][stride / 4], expected[16][stride / 4];
static uint32_t seed = 1;

static uint8_t draw(void) {
  seed = seed * 1664525 + 1013904223;
  return (uint8_t)(seed >> 24);
}

static void configure(unsigned rows, unsigned depth, unsigned columns) {
  uint8_t config[64] = {1};
  const unsigned tiles[3][2] = {
      {rows, 4 * columns}, {rows, depth}, {depth / 4, 4 * columns}};
  for (int i = 0; i < 3; ++i) {
    config[48 + i] = (uint8_t)tiles[i][0];
    config[16 + 2 * i] = (uint8_t)tiles[i][1];
  }
  _tile_loadconfig(config);
  uint8_t stored[64];
  _tile_storeconfig(stored);
  if (memcmp(config, stored, sizeof config))
    puts("the configuration is lost");
}

static void fill(void) {
  for (int i = 0; i < 16 * stride; ++i) {
    left[i] = draw();
    right[i] = draw();
  }
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < stride / 4; ++j)
      sums[i][j] = expected[i][j] = (int32_t)(draw() * 0x01234567u);
}

static int widen(uint8_t byte, int is_signed) {
  return is_signed ? (int8_t)byte : byte;
}

static int test_bytes(unsigned rows, unsigned depth, unsigned columns,
                      int kind) {
  int left_is_signed = kind & 1, right_is_signed = kind >> 1;
  fill();
  for (unsigned i = 0; i < rows; ++i)
    for (unsigned j = 0; j < columns; ++j)
      for (unsigned k = 0; k < depth; ++k)
        expected[i][j] =
            (int32_t)((uint32_t)expected[i][j] +
                      (uint32_t)(widen(left[i * stride + k], left_is_signed) *
                                 widen(right[k / 4 * stride + 4 * j + k % 4],
                                       right_is_signed)));
  _tile_loadd(0, sums, stride);
  _tile_loadd(1, left, stride);
  _tile_stream_loadd(2, right, stride);
  switch (kind) {
  case 0:
    _tile_dpbuud(0, 1, 2);
    break;
  case 1:
    _tile_dpbsud(0, 1, 2);
    break;
  case 2:
    _tile_dpbusd(0, 1, 2);
    break;
  default:
    _tile_dpbssd(0, 1, 2);
  }
  _tile_stored(0, sums, stride);
  return !memcmp(sums, expected, sizeof sums);
}

/* Small integers, whose products and sums are exact. */
static int test_bfloats(unsigned rows, unsigned depth, unsigned columns) {
  fill();
  float values[2][16 * stride / 2], result[16][stride / 4];
  for (int i = 0; i < 16 * stride; i += 2)
    for (int side = 0; side < 2; ++side) {
      float value = (float)(draw() % 17) - 8;
      uint32_t bits;
      memcpy(&bits, &value, sizeof bits);
      values[side][i / 2] = value;
      memcpy((side ? right : left) + i, (const char *)&bits + 2, 2);
    }
  memset(result, 0, sizeof result);
  for (unsigned i = 0; i < rows; ++i)
    for (unsigned j = 0; j < columns; ++j)
      for (unsigned k = 0; k < depth / 2; ++k)
        result[i][j] += values[0][i * stride / 2 + k] *
                        values[1][k / 2 * stride / 2 + 2 * j + k % 2];
  _tile_zero(0);
  _tile_loadd(1, left, stride);
  _tile_loadd(2, right, stride);
  _tile_dpbf16ps(0, 1, 2);
  memset(sums, 0, sizeof sums);
  _tile_stored(0, sums, stride);
  return !memcmp(sums, result, sizeof sums);
}

int main(int argc, char **argv) {
  (void)argv;
  if (argc > 1) {
    configure(17, 64, 16);
    return 0;
  }
  static const unsigned shapes[][3] = {{16, 64, 16}, {16, 32, 16}, {16, 52, 16},
                                       {16, 4, 16},  {5, 12, 7},   {1, 4, 1}};
  for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; ++i) {
    const unsigned *shape = shapes[i];
    configure(shape[0], shape[1], shape[2]);
    for (int kind = 0; kind < 4; ++kind)
      if (!test_bytes(shape[0], shape[1], shape[2], kind))
        printf("wrong: %u x %u x %u, kind %d\n", shape[0], shape[1], shape[2],
               kind);
    if (!test_bfloats(shape[0], shape[1], shape[2]))
      printf("wrong: %u x %u x %u, bfloat16\n", shape[0], shape[1], shape[2]);
  }
  _tile_release();
  puts("done");
  return 0;
}
