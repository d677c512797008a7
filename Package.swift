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
    .library(name: "RehearsalHarness", targets: ["Harness"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
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
    // Scenarios, traffic, the runner, expectations, checkers, goldens, replay: the public product.
    .target(
      name: "Harness",
      dependencies: [
        "Moderation", "Ports", "Pipeline", "Simulation", "InMemoryBackends",
        .product(name: "Yams", package: "Yams"),
      ],
      resources: [
        .embedInCode("Policies/heuristic.yaml"), .embedInCode("Policies/heuristic-weighted.yaml"),
      ],
      swiftSettings: settings),
    // The program: wiring and printing only.
    .executableTarget(
      name: "rehearsal",
      dependencies: [
        "Harness", "Ports", "Simulation",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),

    .testTarget(name: "ModerationTests", dependencies: ["Moderation"], swiftSettings: settings),
    .testTarget(
      name: "SimulationTests", dependencies: ["Moderation", "Ports", "Simulation"],
      swiftSettings: settings),
    // One suite per port; rule N of a port's contract is test N here, run against every adapter.
    .testTarget(
      name: "ConformanceTests",
      dependencies: ["Moderation", "Ports", "Simulation", "InMemoryBackends"],
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
    // Whole scenarios: goldens, oracles, invariances, the lab's defects.
    .testTarget(
      name: "ScenarioTests",
      dependencies: [
        "Moderation", "Ports", "Pipeline", "Simulation", "InMemoryBackends", "Harness",
      ],
      swiftSettings: settings),
    // The measurable part of the house style.
    .testTarget(name: "TidyTests", swiftSettings: settings),
  ]
)
