#include "files/tensor_header.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "files/json_scanner.h"

namespace lstmfast::files {
namespace {

constexpr std::string_view kMetadataKey = "__metadata__";
// Limits the memory for a malicious header to a small multiple of its text.
constexpr std::size_t kMaxEntries = 100'000;
constexpr std::size_t kMaxRank = 64;

std::string too_many(const char* what) {
  return "more than " + std::to_string(kMaxEntries) + " " + what;
}

bool is_utf8(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const int length = base::utf8_length(at, end);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::vector<index> parse_shape(JsonScanner& json) {
  std::vector<index> shape;
  json.array([&] {
    const std::uint64_t extent = json.integer();
    if (extent > static_cast<std::uint64_t>(std::numeric_limits<index>::max())) {
      json.fail("an extent of the shape is too large");
    }
    if (shape.size() == kMaxRank) json.fail("the shape has more than 64 extents");
    shape.push_back(static_cast<index>(extent));
  });
  return shape;
}

void parse_offsets(JsonScanner& json, TensorInfo& info) {
  std::uint64_t offsets[2];
  std::size_t count = 0;
  json.array([&] {
    if (count == 2) json.fail("data_offsets has more than two numbers");
    offsets[count++] = json.integer();
  });
  if (count != 2) json.fail("data_offsets has fewer than two numbers");
  info.begin = offsets[0];
  info.end = offsets[1];
}

TensorInfo parse_tensor(JsonScanner& json, std::string name) {
  constexpr const char* kKeys[] = {"dtype", "shape", "data_offsets"};
  TensorInfo info;
  info.name = std::move(name);
  const auto fail = [&](const std::string& what) {
    json.fail("tensor " + base::in_quotes(info.name) + " has " + what);
  };
  bool seen[std::size(kKeys)] = {};
  json.object([&](const std::string& key) {
    const auto* const found = std::find(std::begin(kKeys), std::end(kKeys), key);
    const auto at = static_cast<std::size_t>(found - kKeys);
    if (at == std::size(kKeys)) {
      fail("the unknown key " + base::in_quotes(key) + "; expected dtype, shape, data_offsets");
    }
    if (std::exchange(seen[at], true)) fail(key + " twice");
    if (at == 0) {
      const std::string dtype = json.string();
      if (!find_dtype(dtype, &info.dtype)) fail("the unknown dtype " + base::in_quotes(dtype));
    } else if (at == 1) {
      info.shape = parse_shape(json);
    } else {
      parse_offsets(json, info);
    }
  });
  for (std::size_t i = 0; i < std::size(kKeys); ++i) {
    if (!seen[i]) fail(std::string("no ") + kKeys[i]);
  }
  return info;
}

Metadata parse_metadata(JsonScanner& json) {
  Metadata metadata;
  json.object([&](std::string key) {
    if (metadata.size() == kMaxEntries) json.fail(too_many("metadata entries"));
    std::string value = json.string();
    const auto [at, is_new] = metadata.emplace(std::move(key), std::move(value));
    if (!is_new) json.fail("metadata key " + base::in_quotes(at->first) + " appears twice");
  });
  return metadata;
}

// Checks that the tensors fill the data from byte 0 to the end, without holes or overlaps.
void check_layout(const std::vector<TensorInfo>& tensors, std::uint64_t data_size,
                  const std::string& where) {
  std::vector<const TensorInfo*> order;
  order.reserve(tensors.size());
  for (const TensorInfo& info : tensors) order.push_back(&info);
  std::sort(order.begin(), order.end(), [](const TensorInfo* a, const TensorInfo* b) {
    return std::tie(a->begin, a->end) < std::tie(b->begin, b->end);
  });
  std::uint64_t place = 0;
  for (const TensorInfo* info : order) {
    const std::uint64_t begin = info->begin;
    const std::uint64_t end = info->end;
    std::uint64_t size = 0;
    LF_CHECK(
        count_bytes(info->shape, info->dtype, &size),
        where << "tensor " << base::in_quotes(info->name) << " has a shape whose size overflows");
    LF_CHECK(begin <= end && end - begin == size,
             where << "tensor " << base::in_quotes(info->name) << " has data_offsets [" << begin
                   << ", " << end << "]; expected " << size << " bytes for "
                   << type_text(info->dtype, info->shape));
    LF_CHECK(begin == place, where << "tensor " << base::in_quotes(info->name)
                                   << " has data_offsets [" << begin << ", " << end << "], which "
                                   << (begin < place ? "overlap" : "leave a hole in")
                                   << " the data before them; expected a start at " << place);
    place = end;
  }
  LF_CHECK(place == data_size, where << "the file holds " << data_size
                                     << " bytes of data; expected " << place << " from its header"
                                     << (data_size < place ? " (truncated?)" : ""));
}

std::string metadata_text(const Metadata& metadata, const std::string& where) {
  std::string text;
  append_json_string(text, kMetadataKey);
  text += ":{";
  for (const auto& [key, value] : metadata) {
    const std::string& name = key;  // a lambda cannot capture a structured binding
    LF_CHECK(is_utf8(key) && is_utf8(value),
             where << "metadata entry " << base::in_quotes(name) << " is not valid UTF-8");
    if (text.back() != '{') text += ',';
    append_json_string(text, key);
    text += ':';
    append_json_string(text, value);
  }
  return text + '}';
}

// Places the tensor at byte `begin` of the data and returns where it ends.
std::uint64_t place_tensor(TensorInfo& info, std::uint64_t begin, const std::string& where) {
  constexpr auto kMaxData = static_cast<std::uint64_t>(std::numeric_limits<index>::max());
  LF_CHECK(is_utf8(info.name),
           where << "tensor name " << base::in_quotes(info.name) << " is not valid UTF-8");
  LF_CHECK(info.name != kMetadataKey,
           where << "no tensor may be named " << base::in_quotes(kMetadataKey));
  std::uint64_t size = 0;
  LF_CHECK(info.shape.size() <= kMaxRank && count_bytes(info.shape, info.dtype, &size) &&
               size <= kMaxData - begin,
           where << "tensor " << base::in_quotes(info.name) << " has the impossible shape "
                 << type_text(info.dtype, info.shape));
  info.begin = begin;
  info.end = begin + size;
  return info.end;
}

}  // namespace

TensorHeader parse_tensor_header(std::string_view text, std::uint64_t data_size,
                                 const std::string& where) {
  TensorHeader header;
  JsonScanner json(text, where);
  bool has_metadata = false;
  LF_CHECK(text.substr(0, 1) == "{", where << "the header does not start with '{'");
  json.object([&](std::string name) {
    if (name == kMetadataKey) {
      if (has_metadata) json.fail("__metadata__ appears twice");
      has_metadata = true;
      header.metadata = parse_metadata(json);
      return;
    }
    if (header.tensors.size() == kMaxEntries) json.fail(too_many("tensors"));
    header.tensors.push_back(parse_tensor(json, std::move(name)));
  });
  json.expect_end();

  std::vector<TensorInfo>& tensors = header.tensors;
  const auto by_name = [](const TensorInfo& a, const TensorInfo& b) { return a.name < b.name; };
  std::sort(tensors.begin(), tensors.end(), by_name);
  const auto twice =
      std::adjacent_find(tensors.begin(), tensors.end(),
                         [](const TensorInfo& a, const TensorInfo& b) { return a.name == b.name; });
  LF_CHECK(twice == tensors.end(),
           where << "tensor " << base::in_quotes(twice->name) << " appears twice");
  check_layout(tensors, data_size, where);
  return header;
}

void place_tensors(std::vector<TensorInfo>& tensors, const std::string& where) {
  LF_CHECK(tensors.size() <= kMaxEntries, where << too_many("tensors"));
  std::set<std::string_view> names;
  std::uint64_t place = 0;
  for (TensorInfo& info : tensors) {
    LF_CHECK(names.insert(info.name).second,
             where << "tensor " << base::in_quotes(info.name) << " appears twice");
    place = place_tensor(info, place, where);
  }
}

std::string format_tensor_header(const std::vector<TensorInfo>& tensors, const Metadata& metadata,
                                 const std::string& where) {
  LF_CHECK(metadata.size() <= kMaxEntries, where << too_many("metadata entries"));
  std::string text = "{";
  if (!metadata.empty()) text += metadata_text(metadata, where);
  for (const TensorInfo& info : tensors) {
    if (text.size() > 1) text += ',';
    append_json_string(text, info.name);
    text += ":{\"dtype\":\"" + std::string(dtype_name(info.dtype)) + "\",\"shape\":[";
    for (std::size_t i = 0; i < info.shape.size(); ++i) {
      text += (i == 0 ? "" : ",") + std::to_string(info.shape[i]);
    }
    text +=
        "],\"data_offsets\":[" + std::to_string(info.begin) + "," + std::to_string(info.end) + "]}";
  }
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');
  LF_CHECK(text.size() <= kMaxHeaderSize,
           where << "names and metadata need a header beyond the format's limit of 100 MB");
  return text;
}

}  // namespace lstmfast::files
