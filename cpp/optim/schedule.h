// Schedules of learning rates: functions of the number of steps done, by kind, as optimizers have
// them. Must not know optimizers.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/options.h"

namespace lstmfast::optim {

// The learning rate after `step` steps. A schedule of the caller's may throw.
using Schedule = std::function<double(double step)>;

std::vector<std::string> schedule_kinds();  // without "custom"
// Throws std::invalid_argument listing the kinds.
const base::OptionTable& schedule_options(const std::string& kind);

// Makes the schedule whose kind and options `given` holds. The kind "custom" is `custom`, here or
// in the schedule after a warm_up. Throws std::invalid_argument that names a wrong key.
Schedule make_schedule(const base::OptionReader& given, const Schedule& custom = nullptr);

}  // namespace lstmfast::optim
