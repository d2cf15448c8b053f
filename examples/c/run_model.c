/* Prints the token that a language model expects next, without Lowbit or LLVM:
 *
 *   quant-compile tiny-llama.onnx -o model.so
 *   cc -I. run_model.c ./model.so -o run_model
 *   ./run_model 1 17 42
 */

#include "model.h"
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  int64_t length = argc - 1;
  int64_t *tokens = malloc((size_t)argc * sizeof *tokens);
  for (int64_t i = 0; i < length; ++i)
    tokens[i] = atoll(argv[i + 1]);

  lowbit_tensor inputs[MODEL_NUM_INPUTS] = {{tokens, {1, length}, NULL}};
  lowbit_tensor outputs[MODEL_NUM_OUTPUTS];
  if (length == 0 || model_run(inputs, outputs) != LOWBIT_OK) {
    fprintf(stderr, "error: %s\n", length ? model_error() : "no tokens given");
    return 1;
  }
  const lowbit_tensor *logits = &outputs[MODEL_OUTPUT_LOGITS];
  int64_t vocabulary = logits->shape[2], best = 0;
  const float *last = (float *)logits->data + (length - 1) * vocabulary;
  for (int64_t i = 1; i < vocabulary; ++i)
    if (last[i] > last[best])
      best = i;
  printf("%lld\n", (long long)best);
  model_release(&outputs[MODEL_OUTPUT_LOGITS]);
  free(tokens);
  return 0;
}
