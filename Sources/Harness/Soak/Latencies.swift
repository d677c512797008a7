import Histogram
import Synchronization

/// How long port operations took, in one HdrHistogram per operation (three digits, up to an hour).
final class Latencies: Sendable {
  private let histograms = Mutex<[String: Histogram<UInt32>]>([:])

  func note(_ operation: String, _ nanoseconds: UInt64) {
    histograms.withLock { histograms in
      _ = histograms[operation, default: Self.empty].record(min(nanoseconds, Self.longest))
    }
  }

  /// One summary per operation, those with the longest time in all first.
  var summaries: [SoakReport.Latency] {
    histograms.withLock { histograms in
      histograms.map { name, histogram in
        func microseconds(_ percentile: Double) -> Double {
          Double(histogram.valueAtPercentile(percentile)) / 1000
        }
        return SoakReport.Latency(
          operation: name, count: Int(histogram.totalCount), mean: histogram.mean / 1000,
          p50: microseconds(50), p90: microseconds(90), p99: microseconds(99),
          p999: microseconds(99.9), longest: Double(histogram.max) / 1000)
      }
    }.sorted {
      let (first, second) = ($0.mean * Double($0.count), $1.mean * Double($1.count))
      return first != second ? first > second : $0.operation < $1.operation
    }
  }

  private static let longest: UInt64 = 3_600_000_000_000
  private static let empty = Histogram<UInt32>(highestTrackableValue: longest)
}
