import Moderation
import Ports
import Testing

@testable import Pipeline

@Suite("Training rows")
struct TrainingRowsTests {
  /// One entry of the feature log.
  private struct Entry {
    var image: UInt64
    var trigger: Trigger
    var mode = "heuristic"
    var views = 0.0
  }

  private static func log(_ entries: [Entry]) -> RecordBatch {
    let schema = LakeTables.featureLogSchema
    let columns = schema.fields.map { field -> RecordBatch.Column in
      switch field.name {
      case "image_id": .init(.strings(entries.map { ImageID.number($0.image).description }))
      case "trigger": .init(.strings(entries.map(\.trigger.name)))
      case "inference_mode": .init(.strings(entries.map(\.mode)))
      case "views_5min": .init(.integers(entries.map { Int64($0.views) }))
      default:
        switch field.type {
        case .string: .init(.strings(entries.map { _ in "Soup" }))
        case .double: .init(.doubles(entries.map { _ in 0 }))
        case .boolean: .init(.booleans(entries.map { _ in true }))
        default: .init(.integers(entries.map { _ in 0 }))
        }
      }
    }
    return RecordBatch(schema: schema, columns: columns)
  }

  /// A lake with a training set and a feature log, and the source that names both.
  private static func source(
    _ lake: any Lake, _ rows: [TrainingRow], _ entries: [Entry]
  ) async throws -> ModelSource {
    try await lake.createTable(LakeTables.trainingData, schema: LakeTables.trainingSchema)
    try await lake.createTable(LakeTables.featureLog, schema: LakeTables.featureLogSchema)
    let set = try await lake.commit(
      TableChange(id: 7, committedAt: Sample.start, append: TrainingRow.batch(rows)),
      to: LakeTables.trainingData, expecting: nil)
    let log = try await lake.commit(
      TableChange(id: 8, committedAt: Sample.start, append: log(entries)),
      to: LakeTables.featureLog, expecting: nil)
    return ModelSource(
      .init(LakeTables.featureLog, log.id), labels: .init(LakeTables.trainingData, set.id))
  }

  @Test("Anchors of the log get the label of their image and decision point, nothing else does")
  func labels() async throws {
    try simulate { world in
      var rows = ModelFixture.rows(images: 3) { $0 == 3 ? nil : $0 == 2 }
      // A flag between 5 and 30 minutes: only the decision points before it are labelled 1.
      rows[2].label = true
      let source = try await Self.source(
        world.lake, rows,
        [
          Entry(image: 1, trigger: .anchor(minutes: 5), views: 11),
          Entry(image: 1, trigger: .anchor(minutes: 30), views: 12),
          Entry(image: 2, trigger: .anchor(minutes: 0), views: 13),
          Entry(image: 2, trigger: .anchor(minutes: 0), mode: "shadow", views: 14),
          Entry(image: 2, trigger: .viral, views: 15),
          Entry(image: 3, trigger: .anchor(minutes: 0), views: 16),
          Entry(image: 9, trigger: .anchor(minutes: 0), views: 17),
        ])
      let training = try await TrainingRows(source, in: world.lake)
      var found: [RecordBatch] = []
      try await training.each(ExampleReader.columns(withImages: true)) { found.append($0) }
      let batch = try #require(found.first)
      #expect(found.count == 1)
      #expect(batch.integers("views_5min") == [11, 12, 13, 16])
      #expect(try ExampleReader(batch).labels == [false, true, true, nil])
      #expect(
        try await training.images() == [1, 2, 3].map { ImageID.number($0).description }.sorted())
    }
  }

  @Test("A model of the log is made from the vectors that the scorer saw; lab mode, too")
  func trained() async throws {
    try simulate { world in
      let entries = (1...40).flatMap { image in
        [0, 5, 30].map { minutes in
          Entry(
            image: UInt64(image), trigger: .anchor(minutes: minutes),
            views: image % 4 == 0 ? 90 : 10)
        }
      }
      let source = try await Self.source(world.lake, ModelFixture.rows(images: 40), entries)
      let rows = try await TrainingRows(source, in: world.lake)
      var options = TrainingOptions()
      options.table = .featureLog
      let refused = try await failure { try await ModelTrainer(options).train(rows) }
      #expect(refused?.hint.contains("hold back by image") == true)
      options.split = .image
      let trained = try await ModelTrainer(options).train(rows)
      #expect(trained.counts.rows == 120 && trained.counts.heldBack > 0)
      let views = try #require(trained.model.encoding.featureNames.firstIndex(of: "views_5min"))
      let heaviest = trained.model.weights.map(\.magnitude).max()
      #expect(trained.model.weights[views] == heaviest, "only views tell bad images")
      options.mode = .lab
      #expect(try await ModelTrainer(options).train(rows).counts.trained == 120)
    }
  }

  @Test("A log without the column that tells shadows is refused by its name")
  func refused() async throws {
    try simulate { world in
      let source = try await Self.source(
        world.lake, ModelFixture.rows(images: 1), [Entry(image: 1, trigger: .viral)])
      let rows = try await TrainingRows(source) { (pinned, columns, body) async throws(PortError) in
        let batch = try await world.lake.scan(
          pinned.table, RowSelection(columns: columns.subtracting(["inference_mode"])))
        try body(batch)
      }
      let error = try await failure { try await rows.images() }
      #expect(error?.hint.contains("inference_mode") == true)
    }
  }

  @Test("A source's text names every snapshot, and reads back")
  func texts() throws {
    let source = ModelSource(
      .init(LakeTables.featureLog, 8), labels: .init(LakeTables.trainingData, 7))
    #expect(source.description == "moderation.feature_log@8+moderation.training_data@7")
    #expect(ModelSource(source.description) == source)
    #expect(ModelSource("moderation.training_data@7")?.labels == nil)
    for bad in ["", "a.b", "a.b@x", "a.b@1+", "a.b@1+c.d@2+e.f@3", "+a.b@1"] {
      #expect(ModelSource(bad) == nil, "\(bad)")
    }
  }

  @Test(
    "The metadata names the options that made a model", arguments: TrainingOptions.Mode.allCases)
  func options(mode: TrainingOptions.Mode) async throws {
    var options = TrainingOptions()
    options.table = .featureLog
    options.mode = mode
    options.alpha = 0.02
    if mode == .standard {
      options.split = .image
      options.validationShare = 0.25
      options.epochs = 9
      options.patience = 2
      options.balancesClasses = false
    }
    let rows = ModelFixture.source(ModelFixture.rows(images: 40), by: 50)
    let metadata = ModelMetadata(
      trainedAt: Sample.start,
      source: ModelSource(
        .init(LakeTables.featureLog, 8), labels: .init(LakeTables.trainingData, 7)),
      policy: PipelinePolicy(heuristic: .lab), options: options,
      trained: try await ModelTrainer(options).train(rows))
    #expect(TrainingOptions(metadata: metadata.json) == options)
    let fields = try #require(ModelMetadataFields(metadata.json))
    #expect(fields.text("labels_table") == "moderation.training_data")
    #expect(fields.object("policy")?.text("minors") == "birth-date")
    #expect(TrainingOptions(metadata: Array("{}".utf8)) == nil)
    #expect(TrainingOptions(metadata: Array("[]".utf8)) == nil)
  }

  @Test("What was held back is judged by country, too, where the lake has one")
  func countries() async throws {
    try simulate { world in
      #expect(try await UploaderCountries.read(world.lake, asOf: Sample.start).isEmpty)
      var users = (1...2).map { User(id: .number($0), username: "u\($0)", createdAt: Sample.start) }
      users[0].countryOfResidence = "DE"
      let images = (1...40).map { index in
        Image(
          id: .number(index), userID: .number(1 + index % 2), s3URL: "s3://x/\(index)",
          createdAt: Sample.start)
      }
      var snapshot = ApplicationSnapshot()
      (snapshot.users, snapshot.images) = (users, images)
      for (name, batch) in RawExtract.batches(snapshot) {
        try await world.lake.createTable(LakeTables.raw(name), schema: batch.schema)
        _ = try await world.lake.commit(
          TableChange(id: 3, committedAt: Sample.at(10), append: batch),
          to: LakeTables.raw(name), expecting: nil)
      }
      #expect(try await UploaderCountries.read(world.lake, asOf: Sample.at(9)).isEmpty)
      let countries = try await UploaderCountries.read(world.lake, asOf: Sample.at(10))
      #expect(countries.count == 40)
      #expect(countries[ImageID.number(2).description] == "DE")
      #expect(countries[ImageID.number(1).description] == "None")
      let trained = try await ModelTrainer(TrainingOptions(), countries: countries)
        .train(ModelFixture.source(ModelFixture.rows(images: 40), by: 50))
      let segments = try #require(trained.validation?.segments)
      let counts = segments.filter { $0.name.hasPrefix("country=") }.map(\.metrics.count)
      #expect(
        segments.map(\.name).filter { $0.hasPrefix("country=") } == ["country=DE", "country=None"])
      #expect(counts.reduce(0, +) == trained.counts.heldBack)
    }
  }

  @Test("An image is viral from as many views on as the trigger takes by default")
  func viral() {
    #expect(ModelSegments.viral(views: 99) == "viral=no")
    #expect(ModelSegments.viral(views: 100) == "viral=yes")
  }

  @Test("A prediction is what the model says of the row, in the rows' order")
  func predictions() throws {
    let model = try ModelFixture.model(weight: 0.5, intercept: -1)
    let rows = ModelFixture.rows(images: 4) { _ in nil }
    let predictions = try ModelPrediction.all(of: TrainingRow.batch(rows), by: model)
    #expect(predictions.map(\.image) == rows.map(\.image.description))
    #expect(predictions.map(\.decisionPoint) == rows.map { Int64($0.decisionPointMinutes) })
    #expect(
      predictions.map(\.probability)
        == rows.map { model.probability(ModelInputs($0.features, category: $0.category)) })
    #expect(Set(predictions.map(\.probability)).count > 2)
  }
}
