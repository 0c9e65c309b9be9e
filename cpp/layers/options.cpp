#include "layers/options.h"

#include <algorithm>
#include <limits>

namespace lstmfast::layers {

base::Option rate_option(const char* name) {
  return base::number(name, 0.0, base::from_to_below(0, 1));
}

namespace {

struct Named {
  std::string name;
  ActivationSpec defaults;
  base::OptionTable numbers;  // alpha and beta, as far as it has them

  // `bounds`: values of alpha for which the formula is defined and its slope follows from its
  // value.
  Named(const char* own, ActivationSpec spec, int parameters = 0, base::Bounds bounds = {})
      : name(own), defaults(spec) {
    if (parameters > 0) numbers.rows.push_back(base::number("alpha", spec.alpha, bounds));
    if (parameters > 1) numbers.rows.push_back(base::number("beta", spec.beta));
  }
};

const std::vector<Named> kActivations = {
    {"linear", {Activation::linear}},
    {"relu", {Activation::relu}},
    {"tanh", {Activation::tanh}},
    {"sigmoid", {Activation::sigmoid}},
    {"hard_sigmoid", {Activation::hard_sigmoid, 1.0 / 6, 0.5}, 2},
    {"leaky_relu", {Activation::leaky_relu, 0.2}, 1},
    {"elu", {Activation::elu, 1}, 1, base::at_least(0)},
    {"softplus", {Activation::softplus}},
    {"softsign", {Activation::softsign}},
    {"exponential", {Activation::exponential}},
    {"relu6", {Activation::relu6}},
    {"selu", {Activation::selu}},
    {"celu", {Activation::celu, 1}, 1, base::above(0)},
    {"gelu", {Activation::gelu}},
    {"gelu_tanh", {Activation::gelu_tanh}},
    {"silu", {Activation::silu}},
    {"mish", {Activation::mish}},
    {"tanh_shrink", {Activation::tanh_shrink}},
    {"log_sigmoid", {Activation::log_sigmoid}},
    {"hard_silu", {Activation::hard_silu}},
    {"hard_tanh", {Activation::hard_tanh}},
    {"hard_shrink", {Activation::hard_shrink, 0.5}, 1, base::at_least(0)},
    {"soft_shrink", {Activation::soft_shrink, 0.5}, 1, base::at_least(0)},
    {"sparse_plus", {Activation::sparse_plus}},
    {"sparse_sigmoid", {Activation::sparse_sigmoid}},
    {"squareplus", {Activation::squareplus, 4}, 1, base::above(0)},
    {"threshold", {Activation::threshold, 0, 0}, 2},
    {"thresholded_relu", {Activation::thresholded_relu, 1}, 1},
    {"affine", {Activation::affine, 1, 0}, 2},
    {"scaled_tanh", {Activation::scaled_tanh, 1, 1}, 2},
    {"softmax", {Activation::softmax}},
};

const Named* find(std::string_view name) {
  for (const Named& item : kActivations) {
    if (name == item.name) return &item;
  }
  return nullptr;
}

// The activation that a text names. For other texts sets `expected` to what is allowed.
ActivationSpec parse_activation(const std::string& text, bool rows, std::string* expected) {
  std::size_t colon = text.find(':');
  const Named* const item = find(std::string_view(text).substr(0, colon));
  if (item == nullptr || (item->defaults.kind == Activation::softmax && !rows)) {
    std::vector<std::string> names = activation_names();
    if (!rows) names.pop_back();
    *expected = base::one_of(names);
    return {};
  }
  ActivationSpec spec = item->defaults;
  double* const targets[] = {&spec.alpha, &spec.beta};
  const std::vector<base::Option>& numbers = item->numbers.rows;
  for (std::size_t i = 0; colon != std::string::npos; ++i) {
    const std::size_t next = text.find(':', colon + 1);
    if (i == numbers.size()) {
      *expected = "at most " + std::to_string(i) + " numbers after " + item->name;
      return {};
    }
    const base::FileText number{text.substr(colon + 1, next - colon - 1)};
    try {
      *targets[i] = base::OptionReader({{numbers[i].name, number}}, "").read(numbers[i]).number();
    } catch (const std::invalid_argument&) {
      *expected = numbers[i].expected_text() + " as " + numbers[i].name + " of " + item->name;
      return {};
    }
    colon = next;
  }
  return spec;
}

// Throws for options of the cell that exclude each other.
void check_cell(const base::Values& o) {
  for (const char* gate : {"input_gate", "forget_gate"}) {
    if (o["coupled"].flag() && !o[gate].flag()) {
      o.fail("coupled", std::string("False with ") + gate + "=False: it ties i to 1 - f");
    }
  }
  if (!o["proj_clip"].none() && o["proj_size"].integer() == 0) {
    o.fail("proj_clip", "None without proj_size: there is no projection to clip");
  }
}

base::Option interval(const char* name) { return base::integer(name, base::none(), 1); }
base::Option interval_or_root(const char* name) {
  base::Option out = interval(name);
  out.takes |= base::kText;
  out.choices = {"sqrt"};
  return out;
}

// The rows that all tables have; only the name of the dropout of x differs.
base::OptionTable training_rows(const char* dropout) {
  return {{
      rate_option(dropout),
      rate_option("recurrent_dropout"),
      base::text("recurrent_dropout_kind", "sequence", {"sequence", "step"}),
      rate_option("weight_drop"),
      interval("bptt_steps"),
      interval_or_root("recompute_every"),
  }};
}

void check_start(const base::Values& o) {
  if (!o["learn_initial_state"].flag() || !o["stateful"].flag()) return;
  o.fail("learn_initial_state", "False in a stateful layer, which begins as it ended");
}

// Those of layers.
base::OptionTable layer_rows() {
  return base::OptionTable{{base::integer("units", base::kRequired, 1, kMaxUnits),
                            base::flag("learn_initial_state", false)},
                           check_start} +
         sequence_options();
}

// Those of LSTMs.
base::OptionTable cell_rows(const char* dropout) {
  return base::OptionTable{
             {
                 activation_option("activation", "tanh"),
                 activation_option("recurrent_activation", "sigmoid"),
                 activation_option("output_activation", base::none()),  // as activation
#define CELL_FLAG(name, fallback) base::flag(#name, fallback),
#define CELL_CLIP(name, in_cell) base::number(#name, base::none(), base::above(0)),
#define CELL_SHARE(name, in_cell) base::number(#name, 0.0, base::from_to(0, 1)),
#include "base/cell_options.def"
                 base::integer("proj_size", 0, 0, kMaxUnits),
             },
             check_cell} +
         training_rows(dropout);
}

ActivationSpec activation_in(const base::Values& o, const char* name) {
  return activation_of(o[name].text());
}

LstmOptions read_training(const base::Values& o, const char* bias, const char* dropout) {
  LstmOptions out;
  out.cell.activation = activation_in(o, "activation");
  out.use_bias = o[bias].flag();
  out.noise.input = o[dropout].number();
  out.noise.recurrent = o["recurrent_dropout"].number();
  out.noise.recurrent_per_step = o["recurrent_dropout_kind"].text() == "step";
  out.noise.weight = o["weight_drop"].number();
  const base::Value &bptt = o["bptt_steps"], &every = o["recompute_every"];
  if (!bptt.none()) out.bptt_steps = bptt.integer();
  const bool root = every.kind() == base::Value::Kind::text;
  if (!every.none()) out.recompute_every = root ? ops::kRootOfSteps : every.integer();
  return out;
}

}  // namespace

base::OptionTable sequence_options() {
  return {{base::flag("use_bias", true), base::flag("return_sequences", false),
           base::flag("go_backwards", false), base::flag("stateful", false),
           base::flag("zero_output_for_mask", false), seed_option()}};
}

Sequences read_sequences(const base::Values& o) {
  return {o["return_sequences"].flag(), o["stateful"].flag(), o["zero_output_for_mask"].flag(),
          read_seed(o)};
}

LstmOptions read_lstm(const base::Values& o, const char* bias, const char* dropout) {
  LstmOptions out = read_training(o, bias, dropout);
  CellOptions& cell = out.cell;
  cell.recurrent_activation = activation_in(o, "recurrent_activation");
  const bool own = !o["output_activation"].none();
  cell.output_activation = own ? activation_in(o, "output_activation") : cell.activation;
#define CELL_FLAG(name, fallback) cell.name = o[#name].flag();
#define CELL_CLIP(name, in_cell) cell.name = o[#name].none() ? 0 : o[#name].number();
#define CELL_SHARE(name, in_cell) cell.name = o[#name].number();
#include "base/cell_options.def"
  cell.projection = o["proj_size"].integer();
  return out;
}

LstmOptions read_gru(const base::Values& o) {
  LstmOptions out = read_training(o, "use_bias", "dropout");
  out.cell.kind = o["reset_after"].flag() ? CellKind::gru : CellKind::gru_reset_before;
  out.cell.recurrent_activation = activation_in(o, "recurrent_activation");
  return out;
}

LstmOptions read_simple_rnn(const base::Values& o) {
  LstmOptions out = read_training(o, "use_bias", "dropout");
  out.cell.kind = CellKind::simple_rnn;
  return out;
}

std::vector<std::string> activation_names() {
  std::vector<std::string> names;
  for (const Named& item : kActivations) names.emplace_back(item.name);
  return names;
}

const base::OptionTable* activation_options(const std::string& name) {
  const Named* const item = find(name);
  return item == nullptr ? nullptr : &item->numbers;
}

base::Option activation_option(const char* name, base::Fallback fallback, bool rows) {
  base::Option out = base::text(name, std::move(fallback));
  out.expected = "the name of an activation";
  out.normalise = [rows](base::Value& value) {
    std::string expected;
    parse_activation(value.text(), rows, &expected);
    return expected;
  };
  return out;
}

ActivationSpec activation_of(const std::string& text) {
  std::string expected;
  return parse_activation(text, true, &expected);
}

base::Option axis_option(const char* name, base::Fallback fallback) {
  base::Option out = base::integer(name, std::move(fallback), -Shape::kMaxRank, Shape::kMaxRank);
  out.expected = out.expected_text() + " other than 0, which is the batch";
  out.normalise = [expected = out.expected](base::Value& value) {
    return value.integer() != 0 ? "" : expected;
  };
  return out;
}

base::Option axes_option(const char* name, base::Fallback fallback) {
  base::Option out = axis_option(name, std::move(fallback));
  out.takes |= base::kExtents;
  out.expected += ", or several different ones";
  out.normalise = [expected = out.expected](base::Value& value) {
    const bool many = value.kind() == base::Value::Kind::extents;
    base::Extents axes = many ? value.extents() : base::Extents{value.integer()};
    std::sort(axes.begin(), axes.end());
    const bool good = !axes.empty() && std::adjacent_find(axes.begin(), axes.end()) == axes.end() &&
                      !std::binary_search(axes.begin(), axes.end(), 0);
    return good ? "" : expected;
  };
  return out;
}

base::Option data_format_option() {
  return base::text("data_format", base::none(), {"channels_last", "channels_first"});
}
bool channels_first(const base::Values& options) {
  const base::Value& value = options["data_format"];
  return !value.none() && value.text() == "channels_first";
}

base::Option seed_option() {
  return base::integer("seed", base::none(), 0, std::numeric_limits<index>::max());
}

std::optional<std::uint64_t> read_seed(const base::Values& options) {
  if (options["seed"].none()) return std::nullopt;
  return static_cast<std::uint64_t>(options["seed"].integer());
}

const base::OptionTable& lstm_layer_options() {
  static const base::OptionTable table = [] {
    base::OptionTable out = layer_rows() + cell_rows("dropout");
    out.together = [](const base::Values& o) {
      check_start(o);
      check_cell(o);
    };
    return out;
  }();
  return table;
}

const base::OptionTable& gru_layer_options() {
  static const base::OptionTable table =
      layer_rows() +
      base::OptionTable{{activation_option("activation", "tanh"),
                         activation_option("recurrent_activation", "sigmoid"),
                         base::flag("reset_after", true)}} +
      training_rows("dropout");
  return table;
}

const base::OptionTable& simple_rnn_layer_options() {
  static const base::OptionTable table =
      layer_rows() + base::OptionTable{{activation_option("activation", "tanh")}} +
      training_rows("dropout");
  return table;
}

const base::OptionTable& lstm_cell_options() {
  static const base::OptionTable table =
      cell_rows("input_dropout") + base::OptionTable{{base::flag("return_cell_states", false)}};
  return table;
}

const base::OptionTable& rnn_options() {
  static const base::OptionTable table =
      base::OptionTable{{base::integer("input_size", base::kRequired, 1, kMaxUnits),
                         base::integer("hidden_size", base::kRequired, 1, kMaxUnits),
                         base::integer("num_layers", 1, 1, 1000), base::flag("bias", true),
                         rate_option("dropout"),  // between layers
                         base::flag("bidirectional", false)}} +
      lstm_cell_options();
  return table;
}

}  // namespace lstmfast::layers
