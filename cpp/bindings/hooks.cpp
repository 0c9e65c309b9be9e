#include "bindings/hooks.h"

#include <pybind11/stl.h>

#include <string>

#include "bindings/gil.h"
#include "bindings/numpy.h"

namespace lstmfast::bindings {
namespace {

bool truth(const py::object& answer) {
  const int result = until_exit([&] { return PyObject_IsTrue(answer.ptr()); });
  if (result < 0) throw py::error_already_set();
  return result != 0;
}

Hooks& hooks(void* context) { return *static_cast<Hooks*>(context); }

bool on_train_begin(void* context) {
  const WithGil gil;
  return truth(call_python(hooks(context).train_begin));
}

bool on_epoch_begin(void* context, index epoch) {
  const WithGil gil;
  return truth(call_python(hooks(context).epoch_begin, py::int_(epoch)));
}

bool on_epoch_end(void* context, index epoch, const model::Logs& logs) {
  const WithGil gil;
  return truth(call_python(hooks(context).epoch_end, py::int_(epoch), logs_dict(logs)));
}

bool on_batch_begin(void* context, index batch) {
  const WithGil gil;
  return truth(call_python(hooks(context).batch_begin, py::int_(batch)));
}

bool on_batch_end(void* context, index batch, const model::Logs& logs) {
  const WithGil gil;
  return truth(call_python(hooks(context).batch_end, py::int_(batch), logs_dict(logs)));
}

bool on_tick(void* context, const model::Progress& progress) {
  check_signals();
  const WithGil gil;
  const py::object& tick = hooks(context).tick;
  if (tick.is_none()) return false;
  return truth(call_python(tick, py::int_(progress.epoch), py::int_(progress.batch),
                           py::int_(progress.batches), logs_dict(progress.logs)));
}

}  // namespace

py::dict logs_dict(const model::Logs& logs) {
  py::dict out;
  for (index i = 0; i < logs.count; ++i) out[py::str(logs.names[i])] = logs.values[i];
  return out;
}

py::dict history_dict(const model::History& history) {
  py::dict out;
  for (std::size_t i = 0; i < history.names.size(); ++i) {
    out[py::str(history.names[i])] = py::cast(history.values[i]);
  }
  return out;
}

void Hooks::check(const char* op) const {
  const auto check_one = [op](const char* name, const py::object& hook) {
    if (hook.is_none() || PyCallable_Check(hook.ptr()) != 0) return;
    throw py::type_error(std::string("[") + op + "] " + name + " is " + type_text(hook) +
                         "; expected a callable or None");
  };
  check_one("on_train_begin", train_begin);
  check_one("on_epoch_begin", epoch_begin);
  check_one("on_epoch", epoch_end);
  check_one("on_batch_begin", batch_begin);
  check_one("on_batch", batch_end);
  check_one("on_tick", tick);
}

model::Callbacks Hooks::callbacks() {
  model::Callbacks out;
  out.context = this;
  if (!train_begin.is_none()) out.train_begin = on_train_begin;
  if (!epoch_begin.is_none()) out.epoch_begin = on_epoch_begin;
  if (!epoch_end.is_none()) out.epoch_end = on_epoch_end;
  if (!batch_begin.is_none()) out.batch_begin = on_batch_begin;
  if (!batch_end.is_none()) out.batch_end = on_batch_end;
  out.tick = on_tick;
  return out;
}

}  // namespace lstmfast::bindings
