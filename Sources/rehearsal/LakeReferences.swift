import ArgumentParser
import Lakehouse
import Ports

/// What is to become of a name.
struct ReferenceChange: ParsableArguments {
  @Argument(help: "The table: namespace.name.")
  var table: TableName
  @Argument(help: "The name.")
  var name: String
  @OptionGroup var choice: SnapshotChoice
  @Flag(help: "Move a name that there is already.")
  var replace = false
  @Flag(help: "Take the name away instead.")
  var delete = false

  /// Names the chosen snapshot, or takes the name away; prints what was done.
  func apply(_ place: LakePlace, isBranch: Bool) throws {
    let change = self
    let snapshot = try place.write { (lake) async throws(PortError) -> SnapshotID? in
      if change.delete {
        try await lake.removeReference(change.name, of: change.table)
        return nil
      }
      guard let snapshot = try await change.choice.view(lake, change.table).snapshot?.id else {
        throw PortError(
          .notFound, port: "Lake", operation: "tag", hint: "\(change.table) has no snapshot")
      }
      let name = isBranch ? lake.branch : lake.tag
      try await name(change.name, snapshot, change.table, change.replace)
      return snapshot
    }
    let kind = isBranch ? "branch" : "tag"
    print(
      snapshot.map { "\(table): \(kind) \(name) is snapshot \($0)" } ?? "\(table): \(name) is gone")
  }
}

/// `rehearsal lake tag`.
struct LakeTag: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tag", abstract: "Names a snapshot: it outlives expiry, and stays.",
    discussion: """
      Examples:
        rehearsal lake tag out/lake moderation.training_data model-7
        rehearsal lake tag out/lake raw.users audit --as-of 2026-01-05T10:00:00Z
        rehearsal lake tag out/lake raw.users audit --delete
      """)

  @OptionGroup var place: LakePlace
  @OptionGroup var change: ReferenceChange

  func run() throws { try change.apply(place, isBranch: false) }
}

/// `rehearsal lake branch`.
struct LakeBranch: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "branch",
    abstract: "Lets a branch begin at a snapshot: other engines' commits move it.",
    discussion: """
      Examples:
        rehearsal lake branch out/lake raw.users trial
        rehearsal lake branch out/lake raw.users trial --snapshot audit --replace
      """)

  @OptionGroup var place: LakePlace
  @OptionGroup var change: ReferenceChange

  func run() throws { try change.apply(place, isBranch: true) }
}
