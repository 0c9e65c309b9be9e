#include "model/stepper.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/denormals.h"
#include "base/team.h"
#include "ops/vector.h"

namespace lstmfast::model {

// Learns the shapes, and what is carried, by the rule of plan().
template <class T>
void Stepper<T>::describe(const std::vector<std::optional<layers::Shape>>& fixed) {
  forget();  // what is prepared points to states that end here
  planned_ = 0;
  inputs_.clear();
  in_along_.clear();
  for (index k = 0; k < graph_->inputs(); ++k) {
    layers::Shape shape = graph_->declared_shape(k);
    const bool listed = !fixed.empty();
    const bool steps = listed ? !fixed[static_cast<std::size_t>(k)]
                              : shape.rank > (graph_->elements(k).ids > 0 ? 0 : 1);
    if (steps) {
      LF_CHECK(shape.rank >= 1, "[steps] input " << k << " has no axis of steps");
      shape.sizes[0] = 1;
    } else if (listed) {
      shape = *fixed[static_cast<std::size_t>(k)];
    }
    LF_CHECK(shape.known(), "[steps] input " << k << " has samples of shape " << shape.text()
                                             << "; expected known sizes but for the steps");
    inputs_.push_back(shape);
    in_along_.push_back(steps ? layers::Along::steps : layers::Along::fixed);
  }
  std::vector<layers::CarriedState<T>*> carried;
  along_ = memory_.begin_steps(in_along_, carried);
  outputs_ = graph_->shapes_of_steps(inputs_);
  parts_.clear();
  state_size_ = widest_ = 0;
  for (layers::CarriedState<T>* const state : carried) {
    index number = 0;
    for (const index size : state->sizes()) {
      parts_.push_back({state, number++, size});
      state_size_ += size;
      widest_ = std::max(widest_, size);
    }
  }
}

template <class T>
std::size_t Stepper<T>::bytes_for(index rows) {
  describe({});
  base::Planner made;
  for (const layers::Shape& output : outputs_) made.add<T>(rows * output.count());
  return bytes_with(memory_.needs(inputs_, rows) + made.bytes(), rows);
}

template <class T>
void Stepper<T>::plan(index rows, const std::vector<std::optional<layers::Shape>>& fixed) {
  LF_ASSERT(rows >= 1);
  if (rows <= planned_ && fixed == fixed_) {
    place(rows);
    return begin_first(rows);
  }
  describe(fixed);
  place(rows);
  begins_.resize(static_cast<std::size_t>(rows));
  was_begun_.resize(begins_.size());
  gathered_.resize(rows * widest_);
  fixed_ = fixed;
  planned_ = rows;
  begin_first(rows);
}

// Memory that was planned for far more rows goes back after some calls.
template <class T>
void Stepper<T>::place(index rows) {
  forget();
  placed_ = rows;
  memory_.plan(inputs_, rows, false);
  memory_.arrange([&](const auto& array) {
    for (std::size_t k = 0; k < outputs_.size(); ++k) {
      array(memory_.out(k).values, rows * outputs_[k].count());
    }
  });
}

template <class T>
void Stepper<T>::begin_first(index rows) {
  LF_ASSERT(rows >= 1 && rows <= placed_);
  if (rows != rows_) forget();
  rows_ = pass_.batch = rows;
  for (const Part& part : parts_) part.state->begin(rows);
  begin();
}

// Whether the ports are those of the step before.
template <class T>
bool Stepper<T>::same_ports() const {
  if (before_.empty()) return false;
  for (std::size_t k = 0; k < before_.size(); ++k) {
    const layers::In<T>&now = memory_.in(k), &before = before_[k];
    const bool same = now.values == before.values && now.ids == before.ids;
    if (!same || now.mask != nullptr || before.mask != nullptr) return false;
  }
  return true;
}

template <class T>
void Stepper<T>::prepare(bool alone) {
  std::optional<base::team::Alone> thread;
  if (alone) thread.emplace();
  calls_ = memory_.prepare_step(pass_);
}

template <class T>
void Stepper<T>::step(bool alone) {
  const base::FlushDenormals flush;
  std::optional<base::team::Alone> thread;
  try {
    if (!same_ports()) {
      calls_.clear();
    } else if (!any_begins_) {
      if (calls_.empty()) prepare(alone);
      if (alone && calls_.may_share) thread.emplace();
      calls_.run();
      return;
    }
    if (alone) thread.emplace();
    layers::Pass<T> pass = pass_;
    pass.begins = begins_.data();
    memory_.forward(pass);
    pass_.arena = pass.arena;
    before_ = memory_.ins();
  } catch (...) {
    begin();
    throw;
  }
  std::fill(begins_.begin(), begins_.end(), static_cast<unsigned char>(0));
  any_begins_ = false;
}

template <class T>
std::vector<index> Stepper<T>::state_sizes() const {
  std::vector<index> out;
  for (const Part& part : parts_) out.push_back(part.size);
  return out;
}

template <class T>
void Stepper<T>::get(index row, T* state) const {
  const bool begins = begins_[static_cast<std::size_t>(row)] != 0;
  for (const Part& part : parts_) {
    const T* const from = begins ? part.state->start(part.number) : part.row(row);
    from == nullptr ? std::fill_n(state, part.size, T(0)) : std::copy_n(from, part.size, state);
    state += part.size;
  }
}

template <class T>
void Stepper<T>::set(index row, const T* state) {
  for (const Part& part : parts_) {
    std::copy_n(state, part.size, part.row(row));
    state += part.size;
  }
  begins_[static_cast<std::size_t>(row)] = 0;
}

template <class T>
void Stepper<T>::gather(const index* from) {
  const auto move = [&](auto* values, auto* scratch, index size) {
    std::copy_n(values, rows_ * size, scratch);
    for (index r = 0; r < rows_; ++r) {
      std::copy_n(scratch + from[r] * size, size, values + r * size);
    }
  };
  for (const Part& part : parts_) move(part.row(0), gathered_.data(), part.size);
  move(begins_.data(), was_begun_.data(), 1);
}

template <class T>
void Stepper<T>::copy(index row, const Stepper& other, index from) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (&other == this && row == from) continue;
    std::copy_n(other.parts_[i].row(from), parts_[i].size, parts_[i].row(row));
  }
  begins_[static_cast<std::size_t>(row)] = other.begins_[static_cast<std::size_t>(from)];
  any_begins_ = any_begins_ || other.any_begins_;
}

template class Stepper<float>;
template class Stepper<double>;

}  // namespace lstmfast::model
