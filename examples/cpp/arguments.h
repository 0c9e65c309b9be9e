// The words of a command line: files, and numbers by name.
#ifndef LSTMFAST_EXAMPLES_ARGUMENTS_H_
#define LSTMFAST_EXAMPLES_ARGUMENTS_H_

#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

struct Arguments {
  std::vector<std::string> files;
  std::map<std::string, double> numbers;
};

// Reads as many files as told, then pairs of a name in `numbers`, which has what holds where a name
// is missing, and a number. Throws std::runtime_error: usage, or the word that is no number.
inline Arguments read_arguments(int count, char** words, int files,
                                std::map<std::string, double> numbers, const char* usage) {
  if (count < 1 + files || (count - 1 - files) % 2 != 0) throw std::runtime_error(usage);
  for (int k = 1 + files; k < count; k += 2) {
    const auto found = numbers.find(words[k]);
    if (found == numbers.end()) throw std::runtime_error(usage);
    const std::string word = words[k + 1];
    std::size_t read = 0;
    try {
      found->second = std::stod(word, &read);
    } catch (const std::logic_error&) {
    }
    if (read == 0 || read != word.size()) {
      throw std::runtime_error(found->first + " is " + word + "; expected a number");
    }
  }
  return {{words + 1, words + 1 + files}, std::move(numbers)};
}

#endif  // LSTMFAST_EXAMPLES_ARGUMENTS_H_
