/* Runs model files: of each argument the model PATH, whose inputs are in PATH.x. Writes what
 * predict gives to PATH.predicted, and what a stream gives to PATH.streamed; prints a
 * line each: nothing, or why there is no such file. C99. */
#include <lstmfast/lstmfast.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 6, STEPS = 5, MOST = 8 };

/* The elements of a port, with STEPS for any number of steps. */
static int64_t elements(const lstmfast_port* port) {
  int64_t count = 1;
  for (int i = 0; i < port->rank; ++i) count *= port->sizes[i] < 0 ? STEPS : port->sizes[i];
  return count;
}

static FILE* open_next_to(const char* path, const char* ending, const char* mode) {
  char name[1024];
  snprintf(name, sizeof name, "%s%s", path, ending);
  FILE* const file = fopen(name, mode);
  if (file == NULL) {
    perror(name);
    exit(1);
  }
  return file;
}

static void write_all(const char* path, const char* ending, void* const* arrays,
                      const int64_t* bytes, int64_t count) {
  FILE* const file = open_next_to(path, ending, "wb");
  for (int64_t k = 0; k < count; ++k) fwrite(arrays[k], 1, (size_t)bytes[k], file);
  fclose(file);
}

static const char* run(const char* path) {
  lstmfast_model* model = NULL;
  lstmfast_stream* stream = NULL;
  lstmfast_port port;
  void *x[MOST], *y[MOST];
  int64_t bytes[MOST], steps[MOST];
  if (lstmfast_model_load(path, &model) != LSTMFAST_OK) return lstmfast_error_message();
  const int is_double = lstmfast_model_dtype(model) == LSTMFAST_FLOAT64;
  const int64_t inputs = lstmfast_model_inputs(model), outputs = lstmfast_model_outputs(model);
  const int64_t size = is_double ? 8 : 4;
  int64_t lengths[MOST]; /* of the first axes: steps, where a stream takes them */

  FILE* const file = open_next_to(path, ".x", "rb");
  for (int64_t k = 0; k < inputs; ++k) {
    lstmfast_model_input(model, k, &port);
    steps[k] = STEPS;
    lengths[k] = port.sizes[0] < 0 ? STEPS : port.sizes[0];
    const int64_t count = ROWS * elements(&port) * (port.ids > 0 ? 4 : size);
    x[k] = malloc((size_t)count);
    if (fread(x[k], 1, (size_t)count, file) != (size_t)count) return "inputs are missing";
  }
  fclose(file);

  for (int64_t k = 0; k < outputs; ++k) {
    if (lstmfast_model_output(model, steps, k, &port) != LSTMFAST_OK) {
      return lstmfast_error_message();
    }
    bytes[k] = ROWS * port.count * size;
    y[k] = malloc((size_t)bytes[k]);
  }
  const void* const* const given = (const void* const*)x;
  const lstmfast_status predicted =
      is_double ? lstmfast_model_predict_f64(model, ROWS, steps, given, (double* const*)y)
                : lstmfast_model_predict_f32(model, ROWS, steps, given, (float* const*)y);
  if (predicted != LSTMFAST_OK) return lstmfast_error_message();
  write_all(path, ".predicted", y, bytes, outputs);

  if (lstmfast_stream_new(model, ROWS, &stream) != LSTMFAST_OK) {
    lstmfast_model_free(model);
    return lstmfast_error_message();
  }
  lstmfast_model_free(model);
  int64_t length = 0;
  for (int64_t k = 0; k < inputs; ++k) {
    lstmfast_stream_input(stream, k, &port);
    if (!port.steps) continue;
    if (length > 0 && lengths[k] != length) return "several lengths";
    length = lengths[k];
  }
  if (length == 0) length = 1;
  for (int64_t k = 0; k < outputs; ++k) {
    lstmfast_stream_output(stream, k, &port);
    bytes[k] = ROWS * port.count * size * (port.steps ? length : 1);
    y[k] = realloc(y[k], (size_t)bytes[k]);
  }
  const lstmfast_status streamed =
      is_double ? lstmfast_stream_process_all_f64(stream, length, given, (double* const*)y)
                : lstmfast_stream_process_all_f32(stream, length, given, (float* const*)y);
  if (streamed != LSTMFAST_OK) return lstmfast_error_message();
  write_all(path, ".streamed", y, bytes, outputs);
  lstmfast_stream_free(stream);
  for (int64_t k = 0; k < inputs; ++k) free(x[k]);
  for (int64_t k = 0; k < outputs; ++k) free(y[k]);
  return "";
}

int main(int count, char** paths) {
  if (lstmfast_abi_version() != LSTMFAST_ABI_VERSION) return 1;
  for (int i = 1; i < count; ++i) puts(run(paths[i]));
  return 0;
}
