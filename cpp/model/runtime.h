// Checks of the process before anything is computed. Knows no model.
#pragma once

namespace lstmfast::model {

// Throws std::invalid_argument if LSTMFAST_ISA names an instruction set that is unknown or that
// this CPU lacks.
void require_isa();

}  // namespace lstmfast::model
