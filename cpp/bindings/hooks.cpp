#include "bindings/hooks.h"

#include "bindings/gil.h"
#include "bindings/numpy.h"

namespace lstmfast::bindings {
namespace {

bool truth(const py::object& answer) {
  const int result = until_exit([&] { return PyObject_IsTrue(answer.ptr()); });
  if (result < 0) throw py::error_already_set();
  return result != 0;
}

py::object argument(index number) { return py::int_(number); }
py::object argument(const model::Logs& logs) {
  return dict_of(logs.names, logs.values, static_cast<std::size_t>(logs.count));
}

template <py::object Hooks::* hook, class... Args>
bool call_hook(void* context, Args... arguments) {
  const WithGil gil;
  return truth(call_python(static_cast<Hooks*>(context)->*hook, argument(arguments)...));
}

bool on_tick(void* context, const model::Progress& done) {
  check_signals();
  if (static_cast<Hooks*>(context)->tick.is_none()) return false;
  return call_hook<&Hooks::tick>(context, done.epoch, done.batch, done.batches, done.logs);
}

}  // namespace

py::dict dict_of(const std::string* names, const double* values, std::size_t count) {
  py::dict out;
  for (std::size_t i = 0, end = 0; i < count; i = end) {
    while (end < count && names[end] == names[i]) ++end;
    py::object value = py::float_(values[i]);
    if (end - i > 1) {
      auto array = new_array<double>(std::vector<index>{static_cast<index>(end - i)});
      std::copy(values + i, values + end, array.mutable_data());
      value = std::move(array);
    }
    out[py::str(names[i])] = value;
  }
  return out;
}

Hooks::Hooks(py::handle tuple) {
  const auto each = tuple.cast<py::tuple>();
  if (each.size() != 6) throw py::type_error("expected a tuple of 6 callables or None");
  std::size_t place = 0;
  for (py::object* const hook :
       {&train_begin, &epoch_begin, &epoch_end, &batch_begin, &batch_end, &tick}) {
    *hook = each[place++];
  }
}

model::Callbacks Hooks::callbacks() {
  model::Callbacks out;
  out.context = this;
  if (!train_begin.is_none()) out.train_begin = &call_hook<&Hooks::train_begin>;
  if (!epoch_begin.is_none()) out.epoch_begin = &call_hook<&Hooks::epoch_begin>;
  if (!epoch_end.is_none()) out.epoch_end = &call_hook<&Hooks::epoch_end>;
  if (!batch_begin.is_none()) out.batch_begin = &call_hook<&Hooks::batch_begin>;
  if (!batch_end.is_none()) out.batch_end = &call_hook<&Hooks::batch_end>;
  out.tick = on_tick;
  return out;
}

}  // namespace lstmfast::bindings
