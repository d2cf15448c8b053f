/* Runs a language model that was compiled as "model" on a file of int64 tokens,
 * [1, length], and writes the logits: run_logits <tokens> <logits> [threads] */

#include "model.h"
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  static int64_t tokens[4096];
  FILE *file = fopen(argv[1], "rb");
  int64_t length = (int64_t)fread(tokens, sizeof *tokens, 4096, file);
  fclose(file);
  if (argc > 3)
    model_set_threads(atoi(argv[3]));

  lowbit_tensor inputs[MODEL_NUM_INPUTS] = {{tokens, {1, length}, NULL}};
  lowbit_tensor outputs[MODEL_NUM_OUTPUTS];
  int status = model_run(inputs, outputs);
  if (status != LOWBIT_OK) {
    printf("status %d: %s\n", status, model_error());
    return 1;
  }
  const lowbit_tensor *logits = &outputs[MODEL_OUTPUT_LOGITS];
  file = fopen(argv[2], "wb");
  size_t count = (size_t)(length * logits->shape[2]);
  fwrite(logits->data, sizeof(float), count, file);
  fclose(file);
  model_release(&outputs[MODEL_OUTPUT_LOGITS]);
  return 0;
}
