// What the core was built with and what it runs on (ISA, threads, caches), and the types of items
// in lists.
#include <pybind11/stl.h>

#include <map>
#include <string>
#include <vector>

#include "base/cache_sizes.h"
#include "base/system_text.h"
#include "base/team.h"
#include "bindings/bindings.h"
#include "kernels/table.h"
#include "model/runtime.h"
#include "ops/plan.h"

namespace lstmfast::bindings {
namespace {

namespace py = pybind11;

#if defined(__clang__)
constexpr const char* kCompiler = __VERSION__;  // begins with its name
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

std::vector<std::string> isas(bool compiled) {
  std::vector<std::string> names;
  for (int i = 0; i < kernels::isa_count(); ++i) {
    if (compiled || kernels::isa_available(i)) names.emplace_back(kernels::isa_name(i));
  }
  return names;
}

using Facts = std::map<std::string, std::string>;

// What /proc/cpuinfo says of the first CPU.
Facts cpu_facts() {
  Facts facts;
  for (const std::string& line : base::read_lines("/proc/cpuinfo")) {
    const std::string_view text(line);
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) continue;
    facts.emplace(base::trim(text.substr(0, colon)), base::trim(text.substr(colon + 1)));
  }
  return facts;
}

std::string known(const Facts& facts, const char* key) {
  const auto found = facts.find(key);
  return found == facts.end() ? "unknown" : found->second;
}

// "AuthenticAMD family 26 model 2"; on Arm "0x41 family 8 model 0xd40".
std::string cpu_id(const Facts& facts) {
  const bool x86 = facts.count("vendor_id") > 0;
  return known(facts, x86 ? "vendor_id" : "CPU implementer") + " family " +
         known(facts, x86 ? "cpu family" : "CPU architecture") + " model " +
         known(facts, x86 ? "model" : "CPU part");
}

Facts config() {
  const Facts cpu = cpu_facts();
  const base::CacheSizes& cache = base::cache_sizes();
  const auto kib = [](index bytes) { return std::to_string(bytes / 1024) + " KiB"; };
  return {
      {"compiler", kCompiler},
      {"pybind11",
       PYBIND11_TOSTRING(PYBIND11_VERSION_MAJOR) "." PYBIND11_TOSTRING(PYBIND11_VERSION_MINOR)},
      {"cpu", known(cpu, "model name")},
      {"cpu id", cpu_id(cpu)},
      {"plan", ops::plan_text()},
      {"l1d", kib(cache.l1d)},
      {"l2", kib(cache.l2)},
      {"l3", kib(cache.l3)},
  };
}

// In C++, since nested lists may hold millions of numbers: Python would take as long to find their
// types as NumPy takes to read them. The hash of a type may run Python code, which may change a
// list.
py::set item_types(const py::list& sequences) {
  py::set types;
  PyTypeObject* latest = nullptr;  // held by the set
  const auto see = [&](PyObject* item) {
    if (Py_TYPE(item) == latest) return;
    latest = Py_TYPE(item);
    types.add(py::handle(reinterpret_cast<PyObject*>(latest)));
  };
  for (py::ssize_t i = 0; i < PyList_GET_SIZE(sequences.ptr()); ++i) {
    const auto each = py::reinterpret_borrow<py::object>(PyList_GET_ITEM(sequences.ptr(), i));
    if (PyList_Check(each.ptr())) {
      for (py::ssize_t k = 0; k < PyList_GET_SIZE(each.ptr()); ++k) {
        see(PyList_GET_ITEM(each.ptr(), k));
      }
    } else if (PyTuple_Check(each.ptr())) {
      for (py::ssize_t k = 0; k < PyTuple_GET_SIZE(each.ptr()); ++k) {
        see(PyTuple_GET_ITEM(each.ptr(), k));
      }
    }
  }
  return types;
}

}  // namespace

void bind_runtime(py::module_& module) {
  module.def("isa", [] {
    model::require_isa();
    return kernels::isa();
  });
  module.def("available_isas", [] { return isas(false); });
  module.def("compiled_isas", [] { return isas(true); });
  module.def("config", &config);
  module.def("item_types", &item_types, py::arg("sequences"),
             "The types of what lists and tuples hold.");
  module.def("set_num_threads", &base::team::set_num_threads, py::arg("n"));
  module.def("get_num_threads", &base::team::get_num_threads);
}

}  // namespace lstmfast::bindings
