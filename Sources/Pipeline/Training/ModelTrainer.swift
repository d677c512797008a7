import Moderation
import Ports

/// Trains a model from rows that come in batches, as often as they are asked for: memory is that of
/// one batch, and of the scores of what is held back.
public struct ModelTrainer: Sendable {
  /// Gives the rows of a pinned snapshot, the same ones in the same order each time.
  public typealias Rows = (
    _ columns: Set<String>, _ body: (RecordBatch) throws(PortError) -> Void
  ) async throws(PortError) -> Void

  private let options: TrainingOptions
  private let countries: [String: String]

  /// A trainer.
  ///
  /// - Parameter countries: the uploaders' countries by image, for what was held back to be judged
  ///   by; none of it is trained on.
  public init(_ options: TrainingOptions, countries: [String: String] = [:]) {
    self.options = options
    self.countries = countries
  }

  /// Trains on pinned rows.
  ///
  /// - Throws: `invalid` when the rows lack a column, or none has a label.
  public func train(_ rows: TrainingRows) async throws(PortError) -> TrainedModel {
    try await train { (columns, body) async throws(PortError) in
      try await rows.each(columns, body)
    }
  }

  /// Trains.
  ///
  /// - Throws: `invalid` when the rows lack a column, or none has a label.
  public func train(_ rows: @escaping Rows) async throws(PortError) -> TrainedModel {
    switch options.mode {
    case .lab: try await trainInOnePass(rows)
    case .standard: try await trainInEpochs(rows)
    }
  }

  // MARK: The lab's way

  private func trainInOnePass(_ rows: @escaping Rows) async throws(PortError) -> TrainedModel {
    var counts = TrainedModel.Counts()
    var fitted: (encoding: FeatureEncoding, regression: LogisticRegression)?
    try await rows(ExampleReader.columns(withImages: false)) { batch throws(PortError) in
      let reader = try ExampleReader(batch)
      counts.note(reader.labels)
      // Whose 24 hours aren't over counts as unflagged: the defect that `standard` doesn't have.
      guard let examples = try reader.examples(keep: nil, unripe: false) else { return }
      try Self.translating { () throws(TrainingError) in
        var state: (encoding: FeatureEncoding, regression: LogisticRegression)
        if let fitted { state = fitted } else { state = start(try Self.encoding(examples)) }
        let encoded = try state.encoding.encode(examples)
        try state.regression.partialFit(encoded, labels: examples.labels)
        fitted = state
      }
      counts.note(trained: examples)
    }
    guard let fitted else { throw Self.noRows(counts) }
    return try Self.translating { () throws(TrainingError) in
      TrainedModel(
        model: try LearnedModel(encoding: fitted.encoding, regression: fitted.regression),
        counts: counts, epochs: 1, validation: nil)
    }
  }

  // MARK: Ours

  private func trainInEpochs(_ rows: @escaping Rows) async throws(PortError) -> TrainedModel {
    guard options.table != .featureLog || options.split == .image else {
      throw PortError(
        .invalid, port: "Training", operation: "train",
        hint: "the feature log's rows stand in the order of scores; hold back by image")
    }
    let survey = try await survey(rows)
    guard survey.counts.trained > 0 else { throw Self.noRows(survey.counts) }
    let encoding = try Self.translating { () throws(TrainingError) in
      try FeatureEncoding(
        numericNames: ModelInputs.numericNames, categoricalNames: ModelInputs.categoricalNames,
        scaler: try survey.scaler.scaler(), encoder: survey.encoder.encoder())
    }
    var regression = start(encoding).regression
    var best: (regression: LogisticRegression, loss: Double, epoch: Int)?
    var epoch = 0
    while epoch < options.epochs {
      epoch += 1
      try await each(rows, survey) { batch, keep throws(PortError) in
        let encoded = try Self.encoded(batch, keep, encoding)
        guard let encoded else { return }
        try Self.translating { () throws(TrainingError) in
          try regression.partialFit(
            encoded.rows, labels: encoded.labels, classWeights: survey.weights(options))
        }
      }
      let scores = try await validate(rows, survey, encoding, regression)
      // Without rows held back nothing tells when to stop: a few epochs are enough.
      guard let loss = scores.metrics?.logLoss else {
        best = (regression, 0, epoch)
        if epoch >= options.patience { break }
        continue
      }
      if best.map({ loss < $0.loss }) ?? true {
        best = (regression, loss, epoch)
      } else if let best, epoch - best.epoch >= options.patience {
        break
      }
    }
    let chosen = best ?? (regression, 0, epoch)
    let validation = try await validate(rows, survey, encoding, chosen.regression)
    return try Self.translating { () throws(TrainingError) in
      TrainedModel(
        model: try LearnedModel(encoding: encoding, regression: chosen.regression),
        counts: survey.counts, epochs: chosen.epoch, validation: validation)
    }
  }

  /// What the first pass sees.
  private struct Survey {
    var counts = TrainedModel.Counts()
    var scaler = StandardScaler.Accumulator(columnCount: ModelInputs.numericNames.count)
    var encoder = OneHotEncoder.Accumulator(featureCount: ModelInputs.categoricalNames.count)
    /// Rows from this one on are held back, under ``TrainingOptions/Split/time``.
    var firstHeldBack = Int.max

    func weights(_ options: TrainingOptions) -> LogisticRegression.ClassWeights {
      let (all, positive) = (Double(counts.trained), Double(counts.positive))
      guard options.balancesClasses, positive > 0, positive < all else { return .init() }
      return .init(negative: all / (2 * (all - positive)), positive: all / (2 * positive))
    }
  }

  private func survey(_ rows: @escaping Rows) async throws(PortError) -> Survey {
    var survey = Survey()
    if options.split == .time { survey.firstHeldBack = try await firstHeldBack(rows) }
    var result = survey
    try await each(rows, survey) { reader, keep throws(PortError) in
      result.counts.note(reader.labels)
      result.counts.heldBack += zip(reader.labels, keep).count { $0 != nil && !$1 }
      guard let examples = try reader.examples(keep: keep, unripe: nil) else { return }
      result.counts.note(trained: examples)
      try Self.translating { () throws(TrainingError) in
        try result.scaler.add(examples.numeric)
        result.encoder.add(examples.categorical)
      }
    }
    return result
  }

  /// The first row of the images that are held back: where the last part of the ripe rows begins,
  /// moved on to the next image, since all rows of an image stand together.
  private func firstHeldBack(_ rows: @escaping Rows) async throws(PortError) -> Int {
    var ripe = 0
    try await rows(ExampleReader.columns(withImages: true)) { batch throws(PortError) in
      ripe += try ExampleReader(batch).labels.count { $0 != nil }
    }
    let wanted = ripe - Int((Double(ripe) * options.validationShare).rounded())
    guard wanted < ripe else { return .max }
    var (row, seen, previous) = (0, 0, "")
    var found: Int?
    try await rows(ExampleReader.columns(withImages: true)) { batch throws(PortError) in
      guard found == nil else { return }
      let reader = try ExampleReader(batch)
      let images = try reader.images()
      for index in images.indices {
        if seen >= wanted, images[index] != previous, found == nil { found = row }
        if reader.labels[index] != nil { seen += 1 }
        previous = images[index]
        row += 1
      }
    }
    return found ?? .max
  }

  /// Gives each batch with whether a row is trained on.
  private func each(
    _ rows: @escaping Rows, _ survey: Survey,
    _ body: (ExampleReader, [Bool]) throws(PortError) -> Void
  ) async throws(PortError) {
    var row = 0
    try await rows(ExampleReader.columns(withImages: true)) { batch throws(PortError) in
      let reader = try ExampleReader(batch)
      let first = row
      row += batch.count
      let keep: [Bool]
      switch options.split {
      case .time: keep = (first..<row).map { $0 < survey.firstHeldBack }
      case .image:
        let limit = UInt32((options.validationShare * 1000).rounded())
        keep = try reader.images().map { Self.bucket($0) >= limit }
      }
      try body(reader, keep)
    }
  }

  /// 0…999, by the image's id.
  private static func bucket(_ image: String) -> UInt32 {
    Murmur2.hash(Array(image.utf8)) % 1000
  }

  private func validate(
    _ rows: @escaping Rows, _ survey: Survey, _ encoding: FeatureEncoding,
    _ regression: LogisticRegression
  ) async throws(PortError) -> TrainedModel.Validation {
    var validation = TrainedModel.Validation()
    guard survey.counts.heldBack > 0 else { return validation }
    try await each(rows, survey) { reader, keep throws(PortError) in
      guard let held = try Self.encoded(reader, keep.map { !$0 }, encoding) else { return }
      validation.add(
        held.examples, scores: regression.probabilities(held.rows),
        countries: try reader.images(keep: keep.map { !$0 }).map { countries[$0] })
    }
    return validation
  }

  private struct Encoded {
    var examples: ExampleBatch
    var rows: EncodedRows
    var labels: [Bool] { examples.labels }
  }

  private static func encoded(
    _ reader: ExampleReader, _ keep: [Bool], _ encoding: FeatureEncoding
  ) throws(PortError) -> Encoded? {
    guard let examples = try reader.examples(keep: keep, unripe: nil) else { return nil }
    return try translating { () throws(TrainingError) in
      Encoded(examples: examples, rows: try encoding.encode(examples))
    }
  }

  // MARK: Both

  private static func encoding(
    _ examples: ExampleBatch
  ) throws(TrainingError) -> FeatureEncoding {
    try FeatureEncoding(
      numericNames: ModelInputs.numericNames, categoricalNames: ModelInputs.categoricalNames,
      fitting: examples)
  }

  private func start(
    _ encoding: FeatureEncoding
  ) -> (encoding: FeatureEncoding, regression: LogisticRegression) {
    (
      encoding,
      LogisticRegression(columnCount: encoding.featureNames.count, alpha: options.alpha)
    )
  }

  private static func translating<Value>(
    _ body: () throws(TrainingError) -> Value
  ) throws(PortError) -> Value {
    do throws(TrainingError) {
      return try body()
    } catch {
      throw PortError(.invalid, port: "Training", operation: "train", hint: error.description)
    }
  }

  private static func noRows(_ counts: TrainedModel.Counts) -> PortError {
    PortError(
      .invalid, port: "Training", operation: "train",
      hint: counts.rows == 0
        ? "the snapshot has no rows; run the job training-set first"
        : "none of \(counts.rows) rows has a ripe label; labels ripen 24 hours after the upload")
  }
}
