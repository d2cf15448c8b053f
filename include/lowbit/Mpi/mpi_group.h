/*===- mpi_group.h - what Lowbit uses of MPI ---------------------*- C -*-===*\
|*                                                                            *|
|* Part of the Lowbit project, under the Apache License v2.0 with LLVM        *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

/* Implementations of MPI differ in their binary interfaces, and opening one
 * takes longer than many a run. So only liblowbit_mpi.so is linked with MPI,
 * and only programs that mpirun has started open it. */

#ifndef LOWBIT_MPI_GROUP_H
#define LOWBIT_MPI_GROUP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All functions end the whole group when they fail. */
typedef struct lowbit_mpi_group {
  int32_t rank;
  int32_t size;
  void (*send)(const void *bytes, uint64_t count, int32_t to);
  void (*receive)(void *bytes, uint64_t count, int32_t from);
  /* From the process `root` to all others. */
  void (*broadcast)(void *bytes, uint64_t count, int32_t root);
  /* Waits for all others. */
  void (*leave)(void);
  /* Ends all processes. */
  void (*abandon)(int32_t status);
} lowbit_mpi_group;

/* Joins the group; null if MPI cannot be initialized. */
typedef const lowbit_mpi_group *lowbit_mpi_join_fn(void);
#define LOWBIT_MPI_JOIN "lowbit_mpi_join"

#ifdef __cplusplus
}
#endif

#endif /* LOWBIT_MPI_GROUP_H */
