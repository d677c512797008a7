import ArgumentParser
import Foundation
import Harness
import Lakehouse
import Moderation
import ObjectStorageBackend
import Pipeline
import Ports
import SQLiteBackend

/// `rehearsal erasure-proof`.
struct ErasureProofCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "erasure-proof",
    abstract: "Shows where an image or a user still stands.",
    discussion: """
      Looks through every reachable snapshot and every data file of the lake, the files, the
      database with its outbox, the models, the topics and the online features, either at the end
      of a scenario or in a folder that a run left. Exit 1 when any place isn't a declared
      retention.

      Examples:
        rehearsal erasure-proof regret --run erasure
        rehearsal erasure-proof 6d0cf0ae-8a4b-4d58-9f51-0d0c0b1f2a10 --in out/erasure
      """)

  @Argument(help: "An image's or user's id; with --run, its alias will do.")
  var id: String

  @Option(name: .customLong("run"), help: "A scenario, played to its end in memory.")
  var scenario: String?

  @Option(name: .customLong("in"), help: "A folder of run --out or --backends sqlite:DIR.")
  var folder: String?

  @Option(help: "Another seed than the scenario's.")
  var seed: UInt64?

  @Option(help: "table, csv or json.")
  var format = CellFormat.table

  @OptionGroup var folders: Folders

  func validate() throws {
    guard (scenario == nil) != (folder == nil) else {
      throw ValidationError("where to look? give --run SCENARIO or --in DIR")
    }
    guard folder == nil || (ImageID(id) != nil && seed == nil) else {
      throw ValidationError(
        seed == nil
          ? "'\(id)' is no id: a folder knows no aliases; images.jsonl and users.jsonl have the ids"
          : "--seed goes with --run")
    }
  }

  func run() throws {
    let proof = try folder.map(search) ?? play()
    var cells = CellTable(["kind", "place", "count", "retention"])
    for place in proof.places {
      cells.append([
        .text(place.kind), .text(place.name), .integer(Int64(place.count)),
        place.retention.map { .text($0) } ?? .null,
      ])
    }
    if format != .table || !proof.places.isEmpty { cells.print(format) }
    let undeclared = proof.places.count { $0.retention == nil }
    if format == .table {
      print(
        proof.places.isEmpty
          ? "\(id) stands nowhere"
          : "\(proof.places.count) places, \(undeclared) without a declared retention")
    }
    guard proof.holds else {
      throw CommandFailure(
        code: 1, message: "rehearsal: \(id) still stands in \(undeclared) places")
    }
  }

  /// Plays the scenario and looks through all its ports.
  private func play() throws -> ErasureProof {
    let scenario = try Folders.load(folders.file(self.scenario ?? ""))
    let played = try PlayedScenario(scenario, seed: seed, sought: [id]) { options in
      try ScenarioRun(scenario, options: options).run()
    }
    guard let proof = played.result.proofs[id] else {
      throw CommandFailure(
        code: 2, message: "rehearsal: \(scenario.name) has no image or user '\(id)'")
    }
    return proof
  }

  /// Looks through what a run left in a folder: the lake, and with SQLite database and files.
  private func search(_ folder: String) throws -> ErasureProof {
    let path = URL(fileURLWithPath: folder).standardizedFileURL.path
    let lake = try LakePlace.parse([path]).open()
    let (id, database) = (id, "\(path)/application.db")
    return try Blocking.run { () async throws(PortError) in
      var proof = ErasureProof(of: id)
      try await proof.search(lake)
      if FileManager.default.fileExists(atPath: database) {
        let objects = try FolderObjectStore(path: "\(path)/objects")
        let store = try SQLiteApplicationStore(try SQLiteDatabase(path: database))
        try await proof.search(objects)
        try await proof.search(store)
        try await proof.search(ModelRegistry(objects), store)
      }
      return proof
    }
  }
}
