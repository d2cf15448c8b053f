//===- ggml_layer.c - a linear layer by ggml, to be timed -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

/* What matmul_peers.py calls of llama.cpp's library: y = x W^T with a quantized
 * W. matmul_peers.py compiles it against the user's build of ggml. */

#include <ggml-alloc.h>
#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <ggml.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  ggml_backend_t backend;
  struct ggml_context *weights, *values;
  ggml_backend_buffer_t weight_buffer, value_buffer;
  struct ggml_tensor *x, *y;
  struct ggml_cgraph *graph;
} ggml_layer;

/* Memory 0 is the plain one; the others, for some types, keep weights in an
 * order of their own (repacked rows, AMX tiles). Null if there is none. */
static ggml_backend_buffer_type_t get_memory(int memory) {
  if (memory == 0)
    return ggml_backend_cpu_buffer_type();
  ggml_backend_dev_t device =
      ggml_backend_reg_dev_get(ggml_backend_cpu_reg(), 0);
  ggml_backend_dev_get_extra_bufts_t get =
      (ggml_backend_dev_get_extra_bufts_t)ggml_backend_reg_get_proc_address(
          ggml_backend_cpu_reg(), "ggml_backend_dev_get_extra_bufts");
  ggml_backend_buffer_type_t *types = get ? get(device) : NULL;
  for (int i = 1; types && *types; ++i, ++types)
    if (i == memory)
      return *types;
  return NULL;
}

const char *ggml_layer_memory(int memory) {
  ggml_backend_buffer_type_t type = get_memory(memory);
  return type ? ggml_backend_buft_name(type) : NULL;
}

void ggml_layer_free(ggml_layer *layer) {
  ggml_backend_buffer_free(layer->weight_buffer);
  ggml_backend_buffer_free(layer->value_buffer);
  if (layer->weights)
    ggml_free(layer->weights);
  if (layer->values)
    ggml_free(layer->values);
  if (layer->backend)
    ggml_backend_free(layer->backend);
  free(layer);
}

static void ignore_log(enum ggml_log_level level, const char *text,
                       void *data) {
  (void)level, (void)text, (void)data;
}

static enum ggml_type find_type(const char *name) {
  for (int i = 0; i < GGML_TYPE_COUNT; ++i) {
    const char *other = ggml_type_name((enum ggml_type)i);
    if (other && strcmp(name, other) == 0)
      return (enum ggml_type)i;
  }
  return GGML_TYPE_COUNT;
}

/* Null if ggml has no such type, or no kernel for it in that memory. */
ggml_layer *ggml_layer_create(const char *type_name, int memory, int64_t n,
                              int64_t k, const float *weight, int64_t tokens,
                              int threads) {
  enum ggml_type type = find_type(type_name);
  ggml_backend_buffer_type_t buffer_type = get_memory(memory);
  if (type == GGML_TYPE_COUNT || !buffer_type || k % ggml_blck_size(type))
    return NULL;
  ggml_layer *layer = calloc(1, sizeof *layer);
  if (!layer)
    return NULL;
  ggml_log_set(ignore_log, NULL);
  struct ggml_init_params params = {
      16 * ggml_tensor_overhead() + ggml_graph_overhead(), NULL, true};
  layer->backend = ggml_backend_cpu_init();
  layer->weights = ggml_init(params);
  layer->values = ggml_init(params);
  struct ggml_tensor *w = ggml_new_tensor_2d(layer->weights, type, k, n);
  layer->x = ggml_new_tensor_2d(layer->values, GGML_TYPE_F32, k, tokens);
  layer->y = ggml_mul_mat(layer->values, w, layer->x);
  layer->graph = ggml_new_graph(layer->values);
  ggml_build_forward_expand(layer->graph, layer->y);
  layer->weight_buffer =
      ggml_backend_alloc_ctx_tensors_from_buft(layer->weights, buffer_type);
  layer->value_buffer =
      ggml_backend_alloc_ctx_tensors(layer->values, layer->backend);
  if (!layer->weight_buffer || !layer->value_buffer || (memory && !w->extra) ||
      !ggml_backend_supports_op(layer->backend, layer->y)) {
    ggml_layer_free(layer);
    return NULL;
  }
  ggml_backend_cpu_set_n_threads(layer->backend, threads);
  size_t size = ggml_nbytes(w);
  void *codes = malloc(size);
  if (!codes) {
    ggml_layer_free(layer);
    return NULL;
  }
  ggml_quantize_chunk(type, weight, codes, 0, n, k, NULL);
  ggml_backend_tensor_set(w, codes, 0, size);
  free(codes);
  return layer;
}

void ggml_layer_set_input(ggml_layer *layer, const float *x) {
  ggml_backend_tensor_set(layer->x, x, 0, ggml_nbytes(layer->x));
}

int ggml_layer_run(ggml_layer *layer) {
  return ggml_backend_graph_compute(layer->backend, layer->graph) !=
         GGML_STATUS_SUCCESS;
}

void ggml_layer_get_output(ggml_layer *layer, float *y) {
  ggml_backend_tensor_get(layer->y, y, 0, ggml_nbytes(layer->y));
}
