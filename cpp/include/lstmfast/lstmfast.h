/* The C interface of lstmfast: models loaded from files, run as a whole or step by step. C99 and
 * C++.
 *
 *   lstmfast_model* model;
 *   lstmfast_stream* stream;
 *   if (lstmfast_model_load("model.safetensors", &model) != LSTMFAST_OK ||
 *       lstmfast_stream_new(model, 1, &stream) != LSTMFAST_OK) {
 *     fprintf(stderr, "%s\n", lstmfast_error_message());
 *     exit(1);
 *   }
 *   lstmfast_model_free(model);  // the stream keeps the weights
 *   while (read_sample(&x)) lstmfast_stream_step_f32(stream, &x, &y);
 *   lstmfast_stream_free(stream);
 *
 * A call that fails changes nothing but the calling thread's error message. Null handles and null
 * pointers are errors. A model may be used by any number of threads at a time, a stream by one.
 * Threads run streams of one model side by side, over one copy of the weights. */
#ifndef LSTMFAST_LSTMFAST_H_
#define LSTMFAST_LSTMFAST_H_

#include <stddef.h>
#include <stdint.h>

/* Rises when the interface changes so that compiled programs must be compiled again; the name of
 * the shared library ends in it. */
#define LSTMFAST_ABI_VERSION 1

#ifdef __cplusplus
#define LSTMFAST_NOEXCEPT noexcept
extern "C" {
#else
#define LSTMFAST_NOEXCEPT
#endif

typedef struct lstmfast_model lstmfast_model;
typedef struct lstmfast_stream lstmfast_stream;

typedef enum lstmfast_status {
  LSTMFAST_OK = 0,
  LSTMFAST_INVALID_ARGUMENT = 1, /* a null pointer, a number out of range, the other element type */
  LSTMFAST_INVALID_FILE = 2,     /* damaged, or no model of lstmfast */
  LSTMFAST_SYSTEM_ERROR = 3,     /* a file that cannot be opened or read */
  LSTMFAST_OUT_OF_MEMORY = 4,
  LSTMFAST_CANNOT_STREAM = 5, /* a layer needs the whole sequence, or draws random numbers */
  LSTMFAST_BUSY = 6,          /* another thread runs a stateful model */
  LSTMFAST_INTERNAL_ERROR = 7
} lstmfast_status;

typedef enum lstmfast_dtype { LSTMFAST_FLOAT32 = 0, LSTMFAST_FLOAT64 = 1 } lstmfast_dtype;

/* What an input takes or an output gives for each sample, or, of a stream, for each step. */
#define LSTMFAST_MAX_RANK 8
typedef struct lstmfast_port {
  int64_t sizes[LSTMFAST_MAX_RANK]; /* the shape, without the batch; -1: any number of steps */
  int64_t count;                    /* elements: the product of sizes; -1 where one is */
  int64_t ids;   /* more than 0: int32_t ids from 0 to ids - 1; else numbers of the model's type */
  int32_t rank;  /* of sizes */
  int32_t steps; /* of streams: 1: each step has its own; 0: an input that is the same at all steps,
                    an output that is that of all steps so far */
} lstmfast_port;

/* ---- The library ---- */

int32_t lstmfast_abi_version(void) LSTMFAST_NOEXCEPT; /* LSTMFAST_ABI_VERSION */
const char* lstmfast_version(void) LSTMFAST_NOEXCEPT; /* "1.2.3" */
/* Of the last call of the calling thread that failed; "" before one. Valid until the next. */
const char* lstmfast_error_message(void) LSTMFAST_NOEXCEPT;
/* How many threads a call of predict may use. Streams run on the calling thread. */
lstmfast_status lstmfast_set_num_threads(int32_t threads) LSTMFAST_NOEXCEPT;

/* ---- Models ---- */

/* Reads a file that the Python method `save` wrote. */
lstmfast_status lstmfast_model_load(const char* path, lstmfast_model** model) LSTMFAST_NOEXCEPT;
/* The same from the file's bytes, which are needed during the call alone. */
lstmfast_status lstmfast_model_load_bytes(const void* bytes, size_t size,
                                          lstmfast_model** model) LSTMFAST_NOEXCEPT;
/* Streams keep the weights as long as they need them. Null is ignored. */
void lstmfast_model_free(lstmfast_model* model) LSTMFAST_NOEXCEPT;

/* These are 0 for a null handle. */
lstmfast_dtype lstmfast_model_dtype(const lstmfast_model* model) LSTMFAST_NOEXCEPT;
int64_t lstmfast_model_inputs(const lstmfast_model* model) LSTMFAST_NOEXCEPT;
int64_t lstmfast_model_outputs(const lstmfast_model* model) LSTMFAST_NOEXCEPT;
/* Bytes of the weights, which all streams share. */
int64_t lstmfast_model_memory(const lstmfast_model* model) LSTMFAST_NOEXCEPT;

lstmfast_status lstmfast_model_input(const lstmfast_model* model, int64_t input,
                                     lstmfast_port* port) LSTMFAST_NOEXCEPT;
/* steps [inputs]: what stands for -1 in the shape of each input; null: the output's shape may have
 * -1 too. */
lstmfast_status lstmfast_model_output(const lstmfast_model* model, const int64_t* steps,
                                      int64_t output, lstmfast_port* port) LSTMFAST_NOEXCEPT;

/* Runs whole sequences. x [inputs]: x[k] [samples][shape of input k], numbers of the model's type
 * or int32_t ids. y [outputs]: y[k] [samples][shape of output k], written. steps as above; null
 * where no input has -1. Allocates, and uses the threads. */
lstmfast_status lstmfast_model_predict_f32(const lstmfast_model* model, int64_t samples,
                                           const int64_t* steps, const void* const* x,
                                           float* const* y) LSTMFAST_NOEXCEPT;
lstmfast_status lstmfast_model_predict_f64(const lstmfast_model* model, int64_t samples,
                                           const int64_t* steps, const void* const* x,
                                           double* const* y) LSTMFAST_NOEXCEPT;

/* ---- Streams: sequences, one a row, step by step as they come ---- */

lstmfast_status lstmfast_stream_new(const lstmfast_model* model, int64_t rows,
                                    lstmfast_stream** stream) LSTMFAST_NOEXCEPT;
/* One that continues on its own from the same state, over the same weights. */
lstmfast_status lstmfast_stream_copy(const lstmfast_stream* stream,
                                     lstmfast_stream** copy) LSTMFAST_NOEXCEPT;
void lstmfast_stream_free(lstmfast_stream* stream) LSTMFAST_NOEXCEPT;

/* From here on a call that succeeds allocates nothing, takes no lock and makes no system call. */

lstmfast_dtype lstmfast_stream_dtype(const lstmfast_stream* stream) LSTMFAST_NOEXCEPT;
int64_t lstmfast_stream_rows(const lstmfast_stream* stream) LSTMFAST_NOEXCEPT;
int64_t lstmfast_stream_inputs(const lstmfast_stream* stream) LSTMFAST_NOEXCEPT;
int64_t lstmfast_stream_outputs(const lstmfast_stream* stream) LSTMFAST_NOEXCEPT;
/* Bytes that are this stream's alone, right to a factor of 2. */
int64_t lstmfast_stream_memory(const lstmfast_stream* stream) LSTMFAST_NOEXCEPT;
lstmfast_status lstmfast_stream_input(const lstmfast_stream* stream, int64_t input,
                                      lstmfast_port* port) LSTMFAST_NOEXCEPT;
lstmfast_status lstmfast_stream_output(const lstmfast_stream* stream, int64_t output,
                                       lstmfast_port* port) LSTMFAST_NOEXCEPT;

/* The next step, or steps, of a stream whose one input takes numbers and that has one output:
 * x [rows][steps][shape], y [rows][steps][shape]; a port with `steps` 0 has no axis of steps. x and
 * y of a step may be the same memory. */
lstmfast_status lstmfast_stream_step_f32(lstmfast_stream* stream, const float* x,
                                         float* y) LSTMFAST_NOEXCEPT;
lstmfast_status lstmfast_stream_step_f64(lstmfast_stream* stream, const double* x,
                                         double* y) LSTMFAST_NOEXCEPT;
lstmfast_status lstmfast_stream_process_f32(lstmfast_stream* stream, int64_t steps, const float* x,
                                            float* y) LSTMFAST_NOEXCEPT;
lstmfast_status lstmfast_stream_process_f64(lstmfast_stream* stream, int64_t steps, const double* x,
                                            double* y) LSTMFAST_NOEXCEPT;
/* The next steps of any stream. x [inputs]: x[k] of numbers of the model's type, or int32_t ids
 * where the port has ids; y [outputs]: y[k], or null: not wanted. */
lstmfast_status lstmfast_stream_process_all_f32(lstmfast_stream* stream, int64_t steps,
                                                const void* const* x,
                                                float* const* y) LSTMFAST_NOEXCEPT;
lstmfast_status lstmfast_stream_process_all_f64(lstmfast_stream* stream, int64_t steps,
                                                const void* const* x,
                                                double* const* y) LSTMFAST_NOEXCEPT;

/* The next step of the row, or of all rows, begins a new sequence. */
lstmfast_status lstmfast_stream_reset(lstmfast_stream* stream) LSTMFAST_NOEXCEPT;
lstmfast_status lstmfast_stream_reset_row(lstmfast_stream* stream, int64_t row) LSTMFAST_NOEXCEPT;

/* What one row carries to its next step: h, and c, of each layer in turn. That of a row that begins
 * is 0. After set the row continues. state [state_size]. */
int64_t lstmfast_stream_state_size(const lstmfast_stream* stream) LSTMFAST_NOEXCEPT;
lstmfast_status lstmfast_stream_get_state_f32(const lstmfast_stream* stream, int64_t row,
                                              float* state) LSTMFAST_NOEXCEPT;
lstmfast_status lstmfast_stream_get_state_f64(const lstmfast_stream* stream, int64_t row,
                                              double* state) LSTMFAST_NOEXCEPT;
lstmfast_status lstmfast_stream_set_state_f32(lstmfast_stream* stream, int64_t row,
                                              const float* state) LSTMFAST_NOEXCEPT;
lstmfast_status lstmfast_stream_set_state_f64(lstmfast_stream* stream, int64_t row,
                                              const double* state) LSTMFAST_NOEXCEPT;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* LSTMFAST_LSTMFAST_H_ */
