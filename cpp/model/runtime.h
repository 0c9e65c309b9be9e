// Checks of the process before anything is computed. Knows no model.
#pragma once

namespace lstmfast::model {

// Throws std::invalid_argument where LSTMFAST_ISA names an instruction set that is unknown, or that
// this CPU does not have.
void require_isa();

}  // namespace lstmfast::model
