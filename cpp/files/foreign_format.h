// Names the format of a file that is no tensor file, by its first bytes; for messages only.
#pragma once

#include <string_view>

namespace lstmfast::files {

constexpr std::size_t kForeignPrefix = 128;  // bytes that foreign_format() looks at

// "a model of Keras (.keras)", "a pickle", ...; empty for an unknown format.
std::string_view foreign_format(std::string_view begin);

}  // namespace lstmfast::files
