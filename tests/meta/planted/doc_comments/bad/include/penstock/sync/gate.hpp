namespace penstock {
class bare {};  // expect: undocumented

enum class unsaid { a };  // expect: undocumented

int free_function(int);  // expect: undocumented

/// No sentence at all 
int f1();  // expect-at 8: sentence

/// Right. **Not.** a heading here.
/// **Lifetime.** x.
/// **Errors.** y.                            expect: order
/// **Errors.** z.                            expect: order, twice
/// **Colour.** red.                          expect: unknown
/// **Example.** @snippet nowhere.cpp use     expect: snippet
/// ```                                       expect: snippet
int f2();

/// Empty.
/// **Lifetime.**
/// **See also.** f2.
/// expect-at 21: empty
int f3();

/// Waits.
/// **Suspends.** always.
task<> waits();  // expect: missing

/// A class.
class waiting {  // expect: missing
 public:
  detail::wait_awaiter wait();  // expect: undocumented

  /// Right.
  task<int> more();  // expect: missing
};
}  // namespace penstock
