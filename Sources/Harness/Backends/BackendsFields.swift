/// Every key that a backends file may have: the one source for reader, schema and documentation.
enum BackendsFields {
  static let file = ScenarioObject(
    "Which adapter serves each port of a run, and how the servers are reached.",
    [
      .init(
        "prefix", .text,
        "What all names on the servers begin with; each run adds its own; default rehearsal."),
      .init("ports", .object(ports), "Which adapter serves each port; default in-memory."),
    ]
      + BackendsFile.Adapter.allCases.compactMap { adapter in
        sections[adapter].map { .init(adapter.rawValue, .object($0), $0.about) }
      })

  private static let ports = ScenarioObject(
    "Which adapter serves each port; default in-memory.",
    [
      .init("store", .choice(["in-memory", "sqlite", "postgres"]), "The application's database."),
      .init("checkpoints", .choice(["in-memory", "sqlite", "postgres"]), "The jobs' watermarks."),
      .init("log", .choice(["in-memory", "kafka"]), "The event stream."),
      .init("features", .choice(["in-memory", "redis"]), "The online features."),
      .init("objects", .choice(["in-memory", "folder", "s3"]), "Image files."),
      .init("catalog", .choice(["in-memory", "sqlite", "postgres"]), "The lake's pointers."),
      .init("lake", .choice(["in-memory", "folder", "s3"]), "The lake's files."),
    ])

  /// The settings of each adapter; those of the one in memory are none.
  static let sections: [BackendsFile.Adapter: ScenarioObject] = [
    .sqlite: ScenarioObject(
      "SQLite files.", [.init("folder", .text, "Where the files lie.", isRequired: true)]),
    .folder: ScenarioObject(
      "Files of a folder.", [.init("path", .text, "The folder.", isRequired: true)]),
    .postgres: postgres, .kafka: kafka, .redis: redis, .s3: s3,
  ]
}
