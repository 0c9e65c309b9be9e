// Chooses the ISA whose kernels run, at the first use, by the CPU and LSTMFAST_ISA.

#include <strings.h>

#include <cstdlib>
#include <cstring>

#include "kernels/table.h"

namespace lstmfast::kernels {

#define LF_ISA_ROW(name, own)                   \
  extern const Table<float> table_##own##_f32;  \
  extern const Table<double> table_##own##_f64; \
  extern const ReducedTable table_##name##_reduced;
#include "kernels/isa_list.def"
#undef LF_ISA_ROW

namespace {

// The detection table: one row an ISA.
bool cpu_runs(const char* name) {
  const auto is = [name](const char* other) { return std::strcmp(name, other) == 0; };
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (is("baseline")) return true;
  if (is("avx2"))
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi2");
  if (is("avx512"))
    return cpu_runs("avx2") && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
  if (is("avx512vnni")) return cpu_runs("avx512") && __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__)
  if (is("neon")) return true;
#endif
  return false;
}

struct Isa {
  const char* name;
  const Table<float>* f32;
  const Table<double>* f64;
  const ReducedTable* reduced;
};

constexpr Isa kIsas[] = {
#define LF_ISA_ROW(name, own) \
  {#name, &table_##own##_f32, &table_##own##_f64, &table_##name##_reduced},
#include "kernels/isa_list.def"
#undef LF_ISA_ROW
};
constexpr int kCount = sizeof(kIsas) / sizeof(kIsas[0]);

struct Choice {
  const Isa* isa = &kIsas[0];
  IsaStatus status = IsaStatus::ok;
  const char* requested;

  Choice() : requested(std::getenv("LSTMFAST_ISA")) {
    if (requested && !*requested) requested = nullptr;
    if (requested) status = IsaStatus::unknown;
    for (const Isa& candidate : kIsas) {
      const bool wanted = !requested || strcasecmp(requested, candidate.name) == 0;
      if (!wanted) continue;
      if (cpu_runs(candidate.name)) {
        isa = &candidate;
        status = IsaStatus::ok;
      } else if (requested) {
        status = IsaStatus::unsupported;
      }
    }
  }
};

const Choice& choice() {
  static const Choice c;
  return c;
}

}  // namespace

template <>
const Table<float>& table<float>() {
  return *choice().isa->f32;
}
template <>
const Table<double>& table<double>() {
  return *choice().isa->f64;
}

const ReducedTable& reduced_table() { return *choice().isa->reduced; }

const char* isa() { return choice().isa->name; }
IsaStatus isa_status() { return choice().status; }
const char* requested_isa() { return choice().requested; }
int isa_count() { return kCount; }
const char* isa_name(int i) { return kIsas[i].name; }
bool isa_available(int i) { return cpu_runs(kIsas[i].name); }

}  // namespace lstmfast::kernels
