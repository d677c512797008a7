import Testing

@testable import Moderation

@Suite("StandardScaler")
struct StandardScalerTests {
  @Test("Means and scales are scikit-learn's to the last bit", arguments: LearningScenario.all)
  func bits(scenario: LearningScenario) throws {
    let scaler = try StandardScaler(fitting: scenario.makeBatches()[0].numeric)
    #expect(scaler.means.map(\.bitPattern) == scenario.means.map(\.bitPattern))
    #expect(scaler.scales.map(\.bitPattern) == scenario.scales.map(\.bitPattern))
  }

  @Test(
    "They are for lengths at the seams of NumPy's pairwise sum",
    arguments: [
      (1, 0x1.70e4db6db6db7p+15, 0x1.0000000000000p+0),
      (7, 0x1.7d0214e5e0a73p+16, 0x1.d46aa8f95b78ap+14),
      (8, 0x1.59f396db6db6ep+16, 0x1.1f1157ef0e4f8p+15),
      (9, 0x1.6cdc65965965ap+16, 0x1.23058608f2bf3p+15),
      (127, 0x1.0412289a5944dp+16, 0x1.57f8bbd67903bp+15),
      (128, 0x1.02a6e32492492p+16, 0x1.581d693e5eadbp+15),
      (129, 0x1.01f146dff6ed8p+16, 0x1.572777a4db203p+15),
      (136, 0x1.05ee15833a158p+16, 0x1.5a0dc7e35a846p+15),
      (137, 0x1.052299c29a4b3p+16, 0x1.59495f0f11205p+15),
      (1000, 0x1.1f433c3252816p+16, 0x1.436dbc0995873p+15),
    ])
  func seams(count: Int, mean: Double, scale: Double) throws {
    let scaler = try StandardScaler(fitting: [Self.sevenths(count)])
    #expect(scaler.means[0].bitPattern == mean.bitPattern)
    #expect(scaler.scales[0].bitPattern == scale.bitPattern)
  }

  @Test("The accumulator's result is the two-pass scaler's within two last bits, however it is cut")
  func cuts() throws {
    let values = Self.sevenths(1000)
    let whole = try StandardScaler(fitting: [values])
    for size in [1, 3, 8, 64, 999, 1000] {
      let streamed = try Self.accumulate(values, by: size)
      #expect(abs(streamed.means[0] - whole.means[0]) <= 2 * whole.means[0].ulp)
      #expect(abs(streamed.scales[0] - whole.scales[0]) <= 2 * whole.scales[0].ulp)
    }
  }

  @Test("Whole numbers give the same bits in any order and with any cuts")
  func exactness() throws {
    let values = Self.sevenths(1000).map { $0.rounded() * 1e6 }
    let once = try Self.accumulate(values, by: 1000)
    for size in [1, 7, 250] {
      #expect(try Self.accumulate(values, by: size) == once)
      #expect(try Self.accumulate(values.reversed(), by: size) == once)
    }
    // 1 … 9: mean 5, variance 60 ∕ 9.
    let nine = try Self.accumulate((1...9).map(Double.init), by: 2)
    #expect(nine.means == [5])
    #expect(nine.scales == [(60.0 / 9).squareRoot()])
  }

  @Test("The accumulator keeps digits that sums of plain doubles would lose")
  func cancellation() throws {
    // Mean 1e9 + 0.5, deviation 0.5: the squares agree in their first 18 digits.
    let values = (0..<1000).map { 1e9 + Double($0 % 2) }
    let scaler = try Self.accumulate(values, by: 10)
    #expect(scaler.means == [1e9 + 0.5])
    #expect(scaler.scales == [0.5])
  }

  @Test("A constant column has scale 1 both ways", arguments: [0, 0.1, -7.3, 1e9 + 0.1, 1e-20])
  func constant(value: Double) throws {
    for count in [1, 2, 10, 12_345] {
      let column = Array(repeating: value, count: count)
      #expect(try StandardScaler(fitting: [column]).scales == [1])
      #expect(try Self.accumulate(column, by: 9).scales == [1])
    }
  }

  @Test("Unequal columns, no rows and what isn't finite are refused with the column's place")
  func errors() throws {
    #expect(
      throws: TrainingError(place: "columns[1]", reason: "has 2 rows, and the first column 1")
    ) { try StandardScaler(fitting: [[1], [1, 2]]) }
    #expect(
      throws: TrainingError(place: "columns[0]", reason: "has 0 rows, and the first column 0")
    ) { try StandardScaler(fitting: [[]]) }
    #expect(throws: TrainingError(place: "means[0]", reason: "nan is not a finite number")) {
      try StandardScaler(fitting: [[1, .nan]])
    }
    #expect(
      throws: TrainingError(place: "scales[0]", reason: "0.0 is not a finite positive number")
    ) { try StandardScaler(means: [1], scales: [0]) }
    #expect(throws: TrainingError(place: "scales", reason: "there are 2, and 1 means")) {
      try StandardScaler(means: [1], scales: [1, 1])
    }
    var accumulator = StandardScaler.Accumulator(columnCount: 1)
    #expect(throws: TrainingError(place: "columns", reason: "there was no row to fit to")) {
      try accumulator.scaler()
    }
    #expect(throws: TrainingError(place: "columns", reason: "there are 2 instead of 1")) {
      try accumulator.add([[1], [1]])
    }
    #expect(accumulator.rowCount == 0)
  }

  private static func sevenths(_ count: Int) -> [Double] {
    var chance = LinearCongruence(state: 10)
    return (0..<count).map { _ in Double(chance.below(1_000_000)) / 7 }
  }

  private static func accumulate(_ values: [Double], by size: Int) throws -> StandardScaler {
    var accumulator = StandardScaler.Accumulator(columnCount: 1)
    for start in stride(from: 0, to: values.count, by: size) {
      try accumulator.add([Array(values[start..<min(start + size, values.count)])])
    }
    #expect(accumulator.rowCount == values.count)
    return try accumulator.scaler()
  }
}
