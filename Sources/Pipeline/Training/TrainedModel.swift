import Moderation

/// What came of a training.
public struct TrainedModel: Sendable {
  /// How many rows went where.
  public struct Counts: Hashable, Sendable {
    /// Rows of the snapshot.
    public var rows = 0
    /// Rows whose label wasn't ripe; the lab's mode trains on them all the same.
    public var unripe = 0
    /// Rows that were trained on, in one pass.
    public var trained = 0
    /// Those of them that needed moderation.
    public var positive = 0
    /// Ripe rows that were held back.
    public var heldBack = 0
    /// Batches with rows that were trained on.
    public var batches = 0
    /// FNV-1a over the values that were trained on, 64 bits at a time, in their order.
    public var fingerprint: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func note(_ labels: [Bool?]) {
      rows += labels.count
      unripe += labels.count { $0 == nil }
    }

    mutating func note(trained examples: ExampleBatch) {
      trained += examples.rowCount
      batches += 1
      var hash = fingerprint
      func fold(_ word: UInt64) { hash = (hash ^ word) &* 0x100_0000_01b3 }
      for column in examples.numeric {
        for value in column { fold(value.bitPattern) }
      }
      for column in examples.categorical {
        for name in column.names { for byte in name.utf8 { fold(UInt64(byte)) } }
        for code in column.codes { fold(UInt64(UInt32(bitPattern: code))) }
      }
      for label in examples.labels {
        fold(label ? 1 : 0)
        if label { positive += 1 }
      }
      fingerprint = hash
    }
  }

  /// Scores of the rows that were held back.
  public struct Validation: Sendable {
    /// A part of the rows that is judged by itself.
    public struct Segment: Sendable {
      /// `category=Bread`, `country=DE`, `viral=yes`.
      public var name: String
      /// How well its rows are told apart.
      public var metrics: ClassifierMetrics
    }

    private var scores: [Double] = []
    private var labels: [Bool] = []
    private var categories: [String] = []
    private var countries: [String?] = []
    private var viral: [String] = []

    mutating func add(
      _ examples: ExampleBatch, scores new: [Double], countries newCountries: [String?]
    ) {
      scores += new
      labels += examples.labels
      let category = examples.categorical[2]
      categories += category.codes.map { category.names[Int($0)] }
      countries += newCountries
      viral += examples.numeric[Self.viewsIndex].map { ModelSegments.viral(views: $0) }
    }

    private static let viewsIndex = ModelInputs.numericNames.firstIndex(of: "views_5min") ?? 0

    /// How well all rows are told apart; nil without rows.
    public var metrics: ClassifierMetrics? {
      // Probabilities of finite weights are within 0…1.
      scores.isEmpty ? nil : try? ClassifierMetrics(scores: scores, labels: labels)
    }

    /// The same by category, by country where it is known, and by whether the image was viral.
    public var segments: [Segment] {
      var rows: [String: [Int]] = [:]
      for index in scores.indices {
        rows["category=\(categories[index])", default: []].append(index)
        if let country = countries[index] { rows["country=\(country)", default: []].append(index) }
        rows[viral[index], default: []].append(index)
      }
      return rows.sorted { $0.key < $1.key }.compactMap { name, indices in
        // As above.
        let metrics = try? ClassifierMetrics(
          scores: indices.map { scores[$0] }, labels: indices.map { labels[$0] })
        return metrics.map { Segment(name: name, metrics: $0) }
      }
    }
  }

  /// The model.
  public var model: LearnedModel
  /// How many rows went where.
  public var counts: Counts
  /// The passes over the rows that made it.
  public var epochs: Int
  /// Scores of what was held back; nil in the lab's mode.
  public var validation: Validation?
}
