/* generate.c - continues tokens by a compiled decoder with KV caches.
 *
 *     quant-compile tiny-llama-with-past.onnx -o model.so
 *     cc -I. generate.c ./model.so -o generate
 *     ./generate 8 1 17 42
 *
 * prints the 8 most likely tokens behind 1 17 42. Each step gives the model
 * only what is new: the past is in the caches, which the model updates in
 * place. */

#include "model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What caches are made of: floats, or if --kv-cache=int8 or int4 was asked for
 * codes, zero points and scales. */
static size_t element_size(lowbit_type type) {
  switch (type) {
  case LOWBIT_FLOAT32:
    return 4;
  case LOWBIT_FLOAT16:
    return 2;
  default:
    return 1;
  }
}

int main(int argc, char **argv) {
  int64_t count = argc > 1 ? atoll(argv[1]) : 0, past = 0, added = argc - 2;
  if (added < 1 || count < 1) {
    fprintf(stderr, "usage: generate <count> <token>...\n");
    return 1;
  }
  /* All tokens, the mask that shows them, and where they stand. */
  int64_t capacity = count + added;
  int64_t *tokens = calloc((size_t)capacity, sizeof *tokens);
  int64_t *mask = calloc((size_t)capacity, sizeof *mask);
  int64_t *positions = calloc((size_t)capacity, sizeof *positions);
  for (int64_t i = 0; i < capacity; ++i) {
    tokens[i] = i < added ? atoll(argv[i + 2]) : 0;
    mask[i] = 1;
    positions[i] = i;
  }

  /* What the model updates is the caller's, with room for all tokens. */
  const lowbit_model *model = model_get_model();
  lowbit_tensor inputs[MODEL_NUM_INPUTS] = {0}, outputs[MODEL_NUM_OUTPUTS];
  for (int i = 0; i < MODEL_NUM_INPUTS; ++i) {
    const lowbit_tensor_info *info = &model->inputs[i];
    if (!info->updated)
      continue;
    /* [batch, heads, capacity, size], zeros */
    int64_t shape[] = {1, info->shape[1], capacity, info->shape[3]};
    memcpy(inputs[i].shape, shape, sizeof shape);
    inputs[i].data = calloc((size_t)(shape[1] * shape[2] * shape[3]),
                            element_size(info->type));
  }
  inputs[MODEL_INPUT_PAST_LENGTH].data = &past;

  int status = LOWBIT_OK;
  for (int64_t step = 0; step < count; ++step) {
    inputs[MODEL_INPUT_INPUT_IDS] =
        (lowbit_tensor){tokens + past, {1, added}, NULL};
    inputs[MODEL_INPUT_ATTENTION_MASK] =
        (lowbit_tensor){mask, {1, past + added}, NULL};
    inputs[MODEL_INPUT_POSITION_IDS] =
        (lowbit_tensor){positions + past, {1, added}, NULL};
    status = model_run(inputs, outputs);
    if (status != LOWBIT_OK) {
      fprintf(stderr, "error: %s\n", model_error());
      break;
    }
    lowbit_tensor *logits = &outputs[MODEL_OUTPUT_LOGITS];
    int64_t vocabulary = logits->shape[2], best = 0;
    const float *last = (float *)logits->data + (added - 1) * vocabulary;
    for (int64_t i = 1; i < vocabulary; ++i)
      if (last[i] > last[best])
        best = i;
    model_release(logits);
    printf("%lld%c", (long long)best, step + 1 < count ? ' ' : '\n');
    past += added;
    added = 1;
    tokens[past] = best;
  }

  for (int i = 0; i < MODEL_NUM_INPUTS; ++i)
    if (model->inputs[i].updated)
      free(inputs[i].data);
  free(tokens);
  free(mask);
  free(positions);
  return status != LOWBIT_OK;
}
