/* Feeds int64 tokens to a decoder that was compiled as "model", in chunks of
 * 13, 1 and 5 tokens in turn, and writes all logits: decode_logits <tokens>
 * <logits> */

#include "model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 4096 };

static size_t element_size(lowbit_type type) {
  return type == LOWBIT_FLOAT32 ? 4 : type == LOWBIT_FLOAT16 ? 2 : 1;
}

int main(int argc, char **argv) {
  static int64_t tokens[CAPACITY], mask[CAPACITY], positions[CAPACITY];
  FILE *file = fopen(argv[1], "rb");
  int64_t length = (int64_t)fread(tokens, sizeof *tokens, CAPACITY, file);
  fclose(file);
  for (int64_t i = 0; i < length; ++i) {
    mask[i] = 1;
    positions[i] = i;
  }
  const lowbit_model *model = model_get_model();
  lowbit_tensor inputs[MODEL_NUM_INPUTS] = {0}, outputs[MODEL_NUM_OUTPUTS];
  for (int i = 0; i < MODEL_NUM_INPUTS; ++i) {
    const lowbit_tensor_info *info = &model->inputs[i];
    if (!info->updated)
      continue;
    int64_t shape[] = {1, info->shape[1], length, info->shape[3]};
    memcpy(inputs[i].shape, shape, sizeof shape);
    inputs[i].data = calloc((size_t)(shape[1] * shape[2] * shape[3]),
                            element_size(info->type));
  }
  int64_t past = 0;
  inputs[MODEL_INPUT_PAST_LENGTH].data = &past;
  file = fopen(argv[argc - 1], "wb");
  static const int64_t chunks[] = {13, 1, 5};
  for (int step = 0; past < length; ++step) {
    int64_t count = chunks[step % 3];
    if (count > length - past)
      count = length - past;
    inputs[MODEL_INPUT_INPUT_IDS] =
        (lowbit_tensor){tokens + past, {1, count}, NULL};
    inputs[MODEL_INPUT_ATTENTION_MASK] =
        (lowbit_tensor){mask, {1, past + count}, NULL};
    inputs[MODEL_INPUT_POSITION_IDS] =
        (lowbit_tensor){positions + past, {1, count}, NULL};
    int status = model_run(inputs, outputs);
    if (status != LOWBIT_OK) {
      printf("status %d: %s\n", status, model_error());
      return 1;
    }
    lowbit_tensor *logits = &outputs[MODEL_OUTPUT_LOGITS];
    fwrite(logits->data, sizeof(float), (size_t)(count * logits->shape[2]),
           file);
    model_release(logits);
    past += count;
  }
  fclose(file);
  for (int i = 0; i < MODEL_NUM_INPUTS; ++i)
    if (model->inputs[i].updated)
      free(inputs[i].data);
  return 0;
}
