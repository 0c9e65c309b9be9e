// Tells what a file is that is no tensor file, from how it begins; for messages only.
#pragma once

#include <string_view>

namespace lstmfast::files {

constexpr std::size_t kForeignPrefix = 128;  // bytes that foreign_format() looks at

// "a model of Keras (.keras)", "a pickle", ...; empty where the beginning is that of no known
// format.
std::string_view foreign_format(std::string_view begin);

}  // namespace lstmfast::files
