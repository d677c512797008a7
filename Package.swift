// swift-tools-version: 6.2
import PackageDescription

/// Every target is built alike: Swift 6 mode, existentials spelled out, members visible only from
/// modules that the file imports.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  // An async call stays where its caller runs: no hop, and no place to leave the executor.
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
  name: "rehearsal",
  products: [
    .executable(name: "rehearsal", targets: ["rehearsal"]),
    .library(name: "RehearsalHarness", targets: ["RehearsalHarness"]),
    .library(name: "RehearsalTesting", targets: ["RehearsalTesting"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // Values and rules of the platform: no I/O, no clock, no logger.
    .target(name: "Moderation", swiftSettings: settings),
    // What the pipeline needs from the world: one protocol per file, and the Environment.
    .target(name: "Ports", dependencies: ["Moderation"], swiftSettings: settings),
    // The services and jobs, in terms of ports only.
    .target(name: "Pipeline", dependencies: ["Moderation", "Ports"], swiftSettings: settings),
    // One thread, one virtual clock, seeded randomness, the trace, and faults at the ports.
    .target(
      name: "Simulation",
      dependencies: [
        "Moderation", "Ports", .product(name: "HeapModule", package: "swift-collections"),
      ],
      swiftSettings: settings),
    // Every port in memory: fast, exact, and honest about what it leaves out.
    .target(
      name: "InMemoryBackends",
      dependencies: [
        "Moderation", "Ports", .product(name: "HeapModule", package: "swift-collections"),
      ],
      swiftSettings: settings),
    // The platform's zlib, for Avro's deflate codec.
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    // Arrow C++: flags and libraries only; ci/arrow.sh installs it.
    .systemLibrary(name: "CArrow", pkgConfig: "parquet", providers: [.apt(["libparquet-dev"])]),
    // Parquet over Arrow C++ behind plain C: the only C++ of the package.
    .target(name: "CParquet", dependencies: ["CArrow"]),
    // Iceberg tables over an object store and a catalog, with their Avro and Parquet files.
    .target(
      name: "Lakehouse", dependencies: ["Moderation", "Ports", "CParquet", "CZlib"],
      swiftSettings: settings),
    // The database, the checkpoints and PyIceberg's SQL catalog in SQLite files.
    .target(
      name: "SQLiteBackend",
      dependencies: ["Moderation", "Ports", .product(name: "GRDB", package: "GRDB.swift")],
      swiftSettings: settings),
    // Objects as files of a folder, or in S3 over libcurl.
    .systemLibrary(
      name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .target(
      name: "ObjectStorageBackend", dependencies: ["Ports", "CCurl"], swiftSettings: settings),
    // The database, the checkpoints and PyIceberg's SQL catalog in PostgreSQL, over libpq.
    .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .target(
      name: "PostgresBackend", dependencies: ["Moderation", "Ports", "CPostgres"],
      // Links to docker/init_sql: a database made by hand or by an image has the same tables.
      resources: [
        .embedInCode("Schema/01_schema_versions.sql"), .embedInCode("Schema/02_application.sql"),
        .embedInCode("Schema/03_checkpoints.sql"), .embedInCode("Schema/04_table_catalog.sql"),
      ],
      swiftSettings: settings),
    // The stream in Kafka or Redpanda, over librdkafka.
    .systemLibrary(
      name: "CKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev", "libssl-dev"])]),
    .target(
      name: "KafkaBackend", dependencies: ["Moderation", "Ports", "CKafka"],
      swiftSettings: settings),
    // The online features in Redis, over hiredis.
    .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
    .target(
      name: "RedisBackend", dependencies: ["Moderation", "Ports", "CHiredis"],
      resources: [
        .embedInCode("Scripts/apply.lua"), .embedInCode("Scripts/copy.lua"),
        .embedInCode("Scripts/counts.lua"), .embedInCode("Scripts/pending.lua"),
      ],
      swiftSettings: settings),
    // Learned models as ONNX files, for whoever scores outside of this platform.
    .target(
      name: "ONNXExport",
      dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["Generated/onnx_subset.proto"], swiftSettings: settings),
    // Scenarios, traffic, the runner, expectations, checkers, goldens, replay.
    .target(
      name: "Harness",
      dependencies: [
        "Moderation", "Ports", "Pipeline", "Simulation", "InMemoryBackends", "Lakehouse",
        .product(name: "Histogram", package: "hdrhistogram-swift"),
        .product(name: "Yams", package: "Yams"),
      ],
      resources: [
        .embedInCode("Policies/heuristic.yaml"), .embedInCode("Policies/heuristic-weighted.yaml"),
      ],
      swiftSettings: settings),
    // For Swift users: a scenario by name, its run on a thread of its own, results by name.
    .target(
      name: "RehearsalHarness",
      dependencies: ["Harness", "Moderation", "Pipeline", "Ports", "Simulation"],
      swiftSettings: settings),
    // Traits for Swift Testing. Apart, so that a program with the harness doesn't link Testing.
    .target(
      name: "RehearsalTesting", dependencies: ["RehearsalHarness"], swiftSettings: settings),
    // The program's allocator: linked, it takes malloc's place.
    .systemLibrary(name: "CMimalloc", providers: [.apt(["libmimalloc-dev"])]),
    // The program: wiring and printing only.
    .executableTarget(
      name: "rehearsal",
      dependencies: [
        "CMimalloc", "Harness", "InMemoryBackends", "KafkaBackend", "Lakehouse", "Moderation",
        "ObjectStorageBackend", "ONNXExport", "Pipeline", "Ports", "PostgresBackend",
        "RedisBackend", "Simulation", "SQLiteBackend",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    // Deliberate defects, injected at the ports, each of which some check must catch.
    .executableTarget(
      name: "canaries",
      dependencies: [
        "Harness", "Lakehouse", "Moderation", "Pipeline", "Ports", "Simulation",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/Canaries", exclude: ["Shrunk"], swiftSettings: settings),

    .testTarget(name: "ModerationTests", dependencies: ["Moderation"], swiftSettings: settings),
    .testTarget(
      name: "SimulationTests", dependencies: ["Moderation", "Ports", "Simulation"],
      swiftSettings: settings),
    .testTarget(
      name: "InMemoryBackendsTests", dependencies: ["Moderation", "InMemoryBackends"],
      swiftSettings: settings),
    // One suite per port; rule N of a port's contract is test N here, run against every adapter.
    .testTarget(
      name: "ConformanceTests",
      dependencies: [
        "Moderation", "Ports", "Simulation", "InMemoryBackends", "Lakehouse", "SQLiteBackend",
        "ObjectStorageBackend", "PostgresBackend", "KafkaBackend", "RedisBackend",
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: settings),
    // Real servers behind a proxy that spoils connections.
    .testTarget(
      name: "LiveBackendTests",
      dependencies: [
        "Moderation", "Ports", "Simulation", "InMemoryBackends", "SQLiteBackend",
        "ObjectStorageBackend", "PostgresBackend", "KafkaBackend", "RedisBackend",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "LakehouseTests",
      dependencies: ["Moderation", "Ports", "Simulation", "InMemoryBackends", "Lakehouse"],
      exclude: ["Fixtures/foreign.py"], resources: [.embedInCode("Fixtures/foreign.parquet")],
      swiftSettings: settings),
    .testTarget(
      name: "ONNXExportTests",
      dependencies: [
        "ONNXExport", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "PipelineTests",
      dependencies: ["Moderation", "Ports", "Pipeline", "Simulation", "InMemoryBackends"],
      swiftSettings: settings),
    .testTarget(
      name: "HarnessTests",
      dependencies: [
        "Moderation", "Ports", "Pipeline", "Simulation", "InMemoryBackends", "Harness",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "RehearsalTests", dependencies: ["RehearsalHarness", "RehearsalTesting"],
      swiftSettings: settings),
    // Whole scenarios: goldens, oracles, invariances, the lab's defects.
    .testTarget(
      name: "ScenarioTests",
      dependencies: [
        "Moderation", "Ports", "Pipeline", "Simulation", "InMemoryBackends", "Harness",
      ],
      swiftSettings: settings),
    // The measurable part of the house style.
    .testTarget(name: "TidyTests", swiftSettings: settings),
  ],
  cxxLanguageStandard: .cxx20
)
