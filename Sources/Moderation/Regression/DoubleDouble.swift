/// A number as the unevaluated sum of two doubles: about 106 significant bits
/// (Dekker 1971; Knuth, TAOCP 2, §4.2.2).
struct DoubleDouble: Hashable, Sendable {
  /// The number rounded to a double.
  var high: Double
  /// What rounding left out.
  var low: Double

  init(high: Double = 0, low: Double = 0) {
    self.high = high
    self.low = low
  }

  /// `a + b`, exactly.
  init(sum a: Double, _ b: Double) {
    high = a + b
    let part = high - a
    low = (a - (high - part)) + (b - part)
  }

  /// `a · b`, exactly unless it over- or underflows.
  init(product a: Double, _ b: Double) {
    high = a * b
    low = (-high).addingProduct(a, b)
  }

  static func + (a: Self, b: Self) -> Self {
    var total = Self(sum: a.high, b.high)
    let rest = Self(sum: a.low, b.low)
    total = Self(sum: total.high, total.low + rest.high)
    return Self(sum: total.high, total.low + rest.low)
  }

  static prefix func - (a: Self) -> Self { Self(high: -a.high, low: -a.low) }

  static func * (a: Self, b: Self) -> Self {
    let product = Self(product: a.high, b.high)
    return Self(sum: product.high, product.low + (a.high * b.low + a.low * b.high))
  }

  static func / (a: Self, divisor: Double) -> Self {
    let quotient = a.high / divisor
    let rest = a + -Self(product: quotient, divisor)
    return Self(sum: quotient, rest.high / divisor)
  }
}
