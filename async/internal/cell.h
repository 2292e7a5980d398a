// async/internal/cell.h: the shared state behind a Deferred and its Ivar.
//
// Layer: async.  Read next: async/deferred.h.
//
// States of a cell:
//
//     Empty --fill--> Full          the value is in Cell<T>
//       |  \--fail--> Failed        failure() says why
//       |   \-------> Abandoned     no writing end is left: waiters see `Abandoned`
//       |    \------> Never         nothing can determine it, and nobody is told
//       \--connect--> Link          a bind returned it: root() is where its story goes on
//
// While Empty a cell lists its waiters, and the callables that must live until it is
// determined.  It counts its references (handles, queued jobs, writers) and, apart, its
// writing ends.  A waiter that owns its memory is owned by the cell that it waits on.

#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

#include "async/internal/failure.h"
#include "async/internal/kernel.h"
#include "async/unit.h"

namespace async::internal {

class Cell_base;
class Waiter_list;

/// A job that waits for a cell.  `run` finds the determined cell in `source()`, which it owns a
/// reference of.
class Waiter : public Job {
 public:
  bool is_waiting() const noexcept { return place_ == Place::Cell; }

  /// `leave()` takes it out of wherever it is.
  void leave() noexcept;

  /// `source()` is the cell that it has been woken by; null for one that has not, or was woken
  /// by something else.
  Cell_base* source() const noexcept { return is_waiting() ? nullptr : source_; }
  Cell_base* take_source() noexcept { return std::exchange(source_, nullptr); }
  void release_source() noexcept;

  void drop() noexcept final;

 protected:
  /// `never_runs()` is what `drop` means for this waiter, after it has let go of its source.
  virtual void never_runs() noexcept = 0;

  Waiter() noexcept : source_(nullptr) {}
  explicit Waiter(Context* context) noexcept : Job(context), source_(nullptr) {}
  ~Waiter() = default;  // as for any job

  /// `end()` is for one that is destroyed wherever it may be.
  void end() noexcept {
    leave();
    if (source_) release_source();
  }

 private:
  friend class Waiter_list;
  friend class Cell_base;

  Waiter* prev_;  // while it waits; of the first one, the last
  union {
    Cell_base* source_;
    Waiter_list* list_;  // while it waits
  };
};

/// Waiters in the order in which they came.
class Waiter_list {
 public:
  bool is_empty() const noexcept { return !first_; }
  bool has_one() const noexcept { return !first_->next_; }

  void push_back(Waiter& waiter) noexcept {
    waiter.place_ = Waiter::Place::Cell;
    waiter.next_ = nullptr;
    waiter.list_ = this;
    if (!first_) {
      waiter.prev_ = &waiter;
      first_ = &waiter;
    } else {
      Waiter* last = first_->prev_;
      last->next_ = &waiter;
      waiter.prev_ = last;
      first_->prev_ = &waiter;
    }
  }
  Waiter& pop_front() noexcept {
    Waiter& waiter = *first_;
    first_ = waiter.next_;
    if (first_) first_->prev_ = waiter.prev_;
    taken_out(waiter);
    return waiter;
  }
  void remove(Waiter& waiter) noexcept {
    if (first_ == &waiter) {
      pop_front();
      return;
    }
    waiter.prev_->next_ = waiter.next_;
    (waiter.next_ ? waiter.next_ : first_)->prev_ = waiter.prev_;
    taken_out(waiter);
  }
  /// `splice_back(other)` moves all of `other` behind what is here, one by one.
  void splice_back(Waiter_list& other) noexcept {
    while (!other.is_empty()) push_back(other.pop_front());
  }

 private:
  static void taken_out(Waiter& waiter) noexcept {
    waiter.place_ = Waiter::Place::Nowhere;
    waiter.source_ = nullptr;
  }

  Waiter* first_ = nullptr;
};

inline void Waiter::leave() noexcept {
  if (is_waiting()) {
    list_->remove(*this);
  } else if (is_queued()) {
    leave_queue();
  }
}

/// A `Waiter` that keeps its own context alive.
class Owning_waiter : public Waiter {
 protected:
  Owning_waiter() : Waiter(kernel().current.get()) { context->add_ref(); }
  ~Owning_waiter() { context->release(); }
};

/// A callable that lives until the deferred that it returned is determined, or until the
/// scheduler ends, whatever comes first.
class Kept : public List_link {
 public:
  virtual void destroy_callable() noexcept = 0;  // may be called twice
  virtual void let_go() noexcept = 0;            // destroys it, and no cell knows it any more

  Kept* next_in_cell = nullptr;
  const void* type = nullptr;  // the callable's type, as the address of a `type_tag`
};

template <class F>
inline constexpr char type_tag = 0;

class Cell_base : public Pooled {
 public:
  enum class State : std::uint8_t { Full, Failed, Abandoned, Empty, Never, Link };

  Cell_base(const Cell_base&) = delete;
  Cell_base& operator=(const Cell_base&) = delete;

  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ != 0) return;
    if (state_ != State::Link) [[likely]] {
      dispose();
    } else {
      dispose_link(this);
    }
  }
  std::uint32_t refs() const noexcept { return refs_; }

  /// `root()` is the cell that holds the state; it is `this` unless this is a link.
  Cell_base* root() noexcept { return state_ != State::Link ? this : squash(); }

  /// `take_link(link)` is its root in exchange for it, and null if that is Never.
  static Cell_base* take_link(Cell_base* link) noexcept;

  State state() const noexcept { return state_; }
  /// `is_live()` is false once the scheduler that this belongs to has ended.
  bool is_live() const noexcept {
    check_thread();
    return thread_state.kernel && thread_state.kernel->id == home_;
  }
  bool is_determined() const noexcept { return state_ <= State::Abandoned; }

  /// `wait(w)` makes `w` a job once this root is determined, or now if it is.
  void wait(Waiter& waiter) noexcept {
    check_thread();
    if (state_ == State::Empty) {
      waiters_.push_back(waiter);
    } else if (state_ != State::Never) [[likely]] {
      wake(waiter);
    } else {
      waiter.drop();
    }
  }
  /// `wait_for(root, w)` is `root->wait(w)`, which passes its reference on.
  static void wait_for(Ref<Cell_base> root, Waiter& waiter) noexcept {
    if (root->is_determined()) [[likely]] {
      root->check_thread();
      waiter.source_ = root.leak();
      enqueue(waiter);
    } else {
      root->wait(waiter);
    }
  }

  /// `is_wanted()` is false if nobody but the caller, who has one reference, knows of this.
  bool is_wanted() const noexcept {
    return refs_ > 1 || state_ == State::Link || !waiters_.is_empty();
  }

  // How a root is determined.  Each wakes the waiters.
  [[gnu::always_inline]] void set_full() noexcept {
    state_ = State::Full;
    if (kept_) [[unlikely]] {
      let_go_and_wake_all();
    } else if (waiters_.is_empty()) {
      return;
    } else if (waiters_.has_one()) [[likely]] {
      wake(waiters_.pop_front());
    } else {
      wake_all();
    }
  }
  void set_failed(Ref<Failure> failure) noexcept;
  void set_abandoned() noexcept;
  void set_never() noexcept;

  /// `failure()` of a root that is Failed.
  Failure& failure() const noexcept { return *failure_; }

  /// `failure_for(monitor)` is the failure of a root that is Failed, or a new one with
  /// `monitor` when it is Abandoned.
  Ref<Failure> failure_for(const Ref<Monitor_core>& monitor) const;

  /// `take_exception()` and `take_error()` of a root that is Failed or Abandoned.
  std::exception_ptr take_exception() const;
  Error take_error() const;
  /// `is_taken()` of a root that is Failed or Abandoned: somebody has seen the failure.
  bool is_taken() const noexcept { return state_ == State::Failed && failure_->is_taken(); }

  void add_writer() noexcept { ++root()->writers_; }
  /// `remove_writer()` abandons the cell when the last writing end goes.
  void remove_writer() noexcept {
    if (state_ != State::Full) remove_writer_of_unfilled();
  }

  /// `link_to(result)` makes this Empty root, which a bind returned, the same as `result`,
  /// which loses the writing end that the bind was.
  void link_to(Cell_base& result) noexcept;

  /// `keep(k)` keeps a callable until this root is determined.
  void keep(Kept& kept) noexcept;
  /// `supersede(type)` lets go of an older callable of that type.
  void supersede(const void* type) noexcept {
    if (kept_) supersede_kept(type);
  }

  /// `give_up()` says that this lost a race: a later failure goes to the log.
  void give_up() noexcept { root()->is_given_up_ = true; }

  /// `invariant()` throws `std::logic_error` if the representation is broken.
  void invariant() const;

  /// `send_failure()` gives a failure to its monitor at once, now or when it comes.  (That it
  /// is abandoned is no failure as long as nobody waits.)
  void send_failure() noexcept;

 protected:
  explicit Cell_base(State state, const Kernel& k = kernel()) : home_(k.id), state_(state) {}
  ~Cell_base() = default;

  /// `dispose()` is called when the last reference has gone.  Each final class calls
  /// `before_delete()` and deletes itself.
  virtual void dispose() noexcept = 0;
  void before_delete() noexcept {
    if (state_ != State::Full) end_unfilled();
  }

 private:
  /// In a debug build, `check_thread()` ends the program if this belongs to a scheduler that is
  /// at work on another thread.
  void check_thread() const noexcept {
#if !defined(NDEBUG)
    if (!thread_state.kernel || thread_state.kernel->id != home_) check_that_no_thread_runs(home_);
#endif
  }
  void end_unfilled() noexcept;
  void wake(Waiter& waiter) noexcept {
    waiter.source_ = this;
    add_ref();
    enqueue(waiter);
  }
  void wake_all() noexcept;
  void let_go_and_wake_all() noexcept;
  void remove_writer_of_unfilled() noexcept;
  void let_go_of_kept() noexcept;
  static void let_go_of(Kept* kept) noexcept;
  void supersede_kept(const void* type) noexcept;
  void drop_waiters() noexcept;
  Cell_base* squash() noexcept;
  static void dispose_link(Cell_base* cell) noexcept;

  std::uint32_t refs_ = 1;
  std::uint32_t writers_ = 1;
  Waiter_list waiters_;
  std::uint32_t home_;
  State state_;
  bool is_given_up_ = false;
  bool sends_failure_ = false;
  union {
    Kept* kept_ = nullptr;  // Empty
    Failure* failure_;      // Failed
    Cell_base* link_;       // Link
  };
};

inline void Waiter::release_source() noexcept { take_source()->release(); }

/// A cell with room for a value.
template <class T>
class Cell : public Cell_base {
 public:
  using Value = Value_of<T>;

  Cell() : Cell_base(State::Empty) {}
  /// `Cell(std::in_place, args...)` is Full.
  template <class... Args>
  explicit Cell(std::in_place_t, Args&&... args)
      : Cell_base(State::Full), value_(std::forward<Args>(args)...) {}

  Cell* root() noexcept { return static_cast<Cell*>(Cell_base::root()); }

  template <class... Args>
  void construct(Args&&... args) {
    std::construct_at(&value_, std::forward<Args>(args)...);
  }
  void destroy_value() noexcept { std::destroy_at(&value_); }
  Value& value() noexcept { return value_; }

  /// `fill(args...)` of an Empty root.
  template <class... Args>
  void fill(Args&&... args) {
    construct(std::forward<Args>(args)...);
    set_full();
  }

 protected:
  ~Cell()
    requires std::is_trivially_destructible_v<Value>
  = default;
  ~Cell() {
    if (state() == State::Full) destroy_value();
  }

 private:
  union {
    Value value_;
  };
};

/// A cell that is nothing else.
template <class T>
class Plain_cell final : public Cell<T> {
 public:
  using Cell<T>::Cell;

 private:
  void dispose() noexcept override {
    this->before_delete();
    delete this;
  }
};

/// The cell of an `Ivar<T>`, which remembers where its failure belongs.
template <class T>
class Ivar_cell final : public Cell<T> {
 public:
  Ivar_cell() : monitor(kernel().current->monitor) {}

  const Ref<Monitor_core> monitor;
  bool is_read = false;  // for values that have one consumer

 private:
  void dispose() noexcept override {
    this->before_delete();
    delete this;
  }
};

}  // namespace async::internal
