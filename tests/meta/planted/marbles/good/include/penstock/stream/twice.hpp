/// Each item, and again.
///
/// **Shape.** `-a-b-|` twice() `-(aa)-(bb)-|`; with a busy consumer: `ab|` twice()
/// `a-a-b-b-|`
/// **Ordering.** emits at once; backpressures always; completes and fails with the stream;
/// cancels the stream.
auto twice();

/// As twice, and again.
///
/// **Shape.** as `twice`
/// **Ordering.** emits, backpressures, completes, fails and cancels as it does.
auto thrice();
