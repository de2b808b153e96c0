/// Each item, and again.
///
/// **Shape.** `-a-b-|` twice() `-aa-bb-|`
/// **Ordering.** emits at once.
auto twice();
