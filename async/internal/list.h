// async/internal/list.h: a doubly linked list through its elements.
//
// Layer: async.  Adding, removing and splicing are O(1) and allocate nothing; an element
// can leave its list without knowing which one it is in.  The list owns nothing.

#pragma once

namespace async::internal {

struct List_link {
  List_link* next = nullptr;
  List_link* prev = nullptr;

  bool is_linked() const noexcept { return next != nullptr; }
  void unlink() noexcept {
    prev->next = next;
    next->prev = prev;
    next = nullptr;
  }
};

/// `List<T>` holds elements of type `T`, which derives from `List_link`.
template <class T>
class List {
 public:
  List() noexcept { reset(); }
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  bool is_empty() const noexcept { return head_.next == &head_; }
  T& front() noexcept { return static_cast<T&>(*head_.next); }
  T& back() noexcept { return static_cast<T&>(*head_.prev); }

  void push_back(T& element) noexcept {
    List_link& link = element;
    link.next = &head_;
    link.prev = head_.prev;
    head_.prev->next = &link;
    head_.prev = &link;
  }
  void push_front(T& element) noexcept {
    List_link& link = element;
    link.prev = &head_;
    link.next = head_.next;
    head_.next->prev = &link;
    head_.next = &link;
  }
  T& pop_front() noexcept {
    T& element = front();
    static_cast<List_link&>(element).unlink();
    return element;
  }
  /// `splice_back(other)` moves all of `other` behind what is here.
  void splice_back(List& other) noexcept {
    if (other.is_empty()) return;
    head_.prev->next = other.head_.next;
    other.head_.next->prev = head_.prev;
    other.head_.prev->next = &head_;
    head_.prev = other.head_.prev;
    other.reset();
  }

  class Iterator {
   public:
    explicit Iterator(List_link* at) noexcept : at_(at) {}
    T& operator*() const noexcept { return static_cast<T&>(*at_); }
    Iterator& operator++() noexcept {
      at_ = at_->next;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    List_link* at_;
  };
  Iterator begin() noexcept { return Iterator(head_.next); }
  Iterator end() noexcept { return Iterator(&head_); }

 private:
  void reset() noexcept { head_.next = head_.prev = &head_; }

  List_link head_;
};

}  // namespace async::internal
