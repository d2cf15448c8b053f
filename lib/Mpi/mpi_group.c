/*===- mpi_group.c - what Lowbit uses of MPI ------------------------------===*\
|*                                                                            *|
|* Part of the Lowbit project, under the Apache License v2.0 with LLVM        *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#include "lowbit/Mpi/mpi_group.h"
#include <mpi.h>
#include <stddef.h>

/* Counts of MPI are ints. */
static const uint64_t piece = 1u << 30;

static int piece_of(uint64_t count) {
  return (int)(count < piece ? count : piece);
}

static void send_bytes(const void *bytes, uint64_t count, int32_t to) {
  const char *next = bytes;
  while (count) {
    int part = piece_of(count);
    MPI_Send(next, part, MPI_BYTE, to, 0, MPI_COMM_WORLD);
    next += part;
    count -= (uint64_t)part;
  }
}

static void receive_bytes(void *bytes, uint64_t count, int32_t from) {
  char *next = bytes;
  while (count) {
    int part = piece_of(count);
    MPI_Recv(next, part, MPI_BYTE, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    next += part;
    count -= (uint64_t)part;
  }
}

static void broadcast_bytes(void *bytes, uint64_t count, int32_t root) {
  char *next = bytes;
  while (count) {
    int part = piece_of(count);
    MPI_Bcast(next, part, MPI_BYTE, root, MPI_COMM_WORLD);
    next += part;
    count -= (uint64_t)part;
  }
}

static void leave(void) { MPI_Finalize(); }

static void abandon(int32_t status) { MPI_Abort(MPI_COMM_WORLD, status); }

const lowbit_mpi_group *lowbit_mpi_join(void) {
  static lowbit_mpi_group group = {
      0, 1, send_bytes, receive_bytes, broadcast_bytes, leave, abandon};
  int provided;
  if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided) !=
          MPI_SUCCESS ||
      provided < MPI_THREAD_SERIALIZED)
    return NULL;
  MPI_Comm_rank(MPI_COMM_WORLD, &group.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &group.size);
  return &group;
}
