/* Runs a model with one f32 input of two dimensions on several inputs:
 * run_floats <library> <columns> <rows>... <inputs >outputs */

#include "lowbit/Runtime/model.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  void *library = dlopen(argv[1], RTLD_NOW);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  lowbit_get_model_fn *get_model =
      (lowbit_get_model_fn *)dlsym(library, LOWBIT_GET_MODEL);
  const lowbit_model *model = get_model();
  int64_t columns = atoi(argv[2]);
  lowbit_tensor *outputs = malloc((size_t)model->num_outputs * sizeof *outputs);
  for (int i = 3; i < argc; ++i) {
    int64_t rows = atoi(argv[i]);
    size_t count = (size_t)(rows * columns);
    float *values = malloc(count * sizeof *values);
    if (fread(values, sizeof *values, count, stdin) != count)
      return 1;
    lowbit_tensor input = {values, {rows, columns}, NULL};
    if (model->run(&input, outputs) != LOWBIT_OK) {
      fprintf(stderr, "%s\n", model->error());
      return 1;
    }
    for (int j = 0; j < model->num_outputs; ++j) {
      fwrite(outputs[j].data, sizeof *values,
             (size_t)(rows * outputs[j].shape[1]), stdout);
      model->release(&outputs[j]);
    }
    free(values);
  }
  free(outputs);
  return 0;
}
