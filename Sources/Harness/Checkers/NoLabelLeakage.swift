import Moderation
import Pipeline
import Ports

/// No training row knows the future: it has a label only once the 24 hours after the upload are
/// known to be over, a label of 1 only by a flag after its decision point, and counts no event,
/// image or day of after its decision point.
///
/// Applies to `labels: ripe`; the lab's labels leak by definition. Features are looked at under
/// `offline: point-in-time`: whole windows reach further back than ours. Doesn't check: who flagged
/// or acted (see ``GovernanceIsTransitive``), a label of 0, features that count too little.
public struct NoLabelLeakage: Checker {
  /// `NoLabelLeakage`.
  public let name = "NoLabelLeakage"

  /// See ``Checker``.
  public func faults(_ run: RunResult) -> [String]? {
    guard run.scenario.policy.labels == .ripe,
      let noted = run.snapshots[LakeTables.trainingData]?.last?
        .summary[TrainingSetBuild.knownUntilKey].flatMap({ Int64($0) })
    else { return nil }
    let knownUntil = EventTime(microseconds: noted)
    let past = Past(run)
    return run.trainingRows.flatMap { row -> [String] in
      guard let image = past.images[row.image] else { return [] }
      // Made where it is needed: nearly all rows are sound.
      var name: String { run.aliases.name(row) }
      let cutoff = image.createdAt + .seconds(60 * row.decisionPointMinutes)
      let end = image.createdAt + .seconds(86_400)
      var faults: [String] = []
      if row.label != nil, knownUntil < end {
        faults.append("\(name) has a label before \(end); flags are known until \(knownUntil)")
      }
      if row.label == true, !past.flags(row.image).contains(where: { cutoff < $0 && $0 <= end }) {
        faults.append("\(name) has label 1, but no flag after \(cutoff) and up to \(end)")
      }
      guard run.scenario.policy.offline == .pointInTime else { return faults }
      let most = past.features(of: image, at: cutoff)
      return faults
        + row.features.indices.filter { row.features[$0] > most[$0] }.map {
          "\(name): \(FeatureVector.numericNames[$0]) is \(row.features[$0]), though at most "
            + "\(most[$0]) by \(cutoff)"
        }
    }
  }

  /// What had happened by an instant, whoever did it.
  private struct Past {
    private(set) var images: [ImageID: Image] = [:]
    private let accounts: [UserID: EventTime]
    private let history: ImageHistory
    private var flagTimes: [ImageID: [EventTime]] = [:]
    private var uploads: [UserID: UploadHistory] = [:]

    init(_ run: RunResult) {
      history = run.history
      accounts = Dictionary(uniqueKeysWithValues: run.tables.users.map { ($0.id, $0.createdAt) })
      for image in run.tables.images {
        images[image.id] = image
        uploads[image.userID, default: UploadHistory()].add(image)
      }
      for flag in run.tables.flags {
        if let image = flag.imageID { flagTimes[image, default: []].append(flag.createdAt) }
      }
    }

    /// When an image was flagged.
    func flags(_ image: ImageID) -> [EventTime] { flagTimes[image] ?? [] }

    /// The most that each of the 18 features can be; those that don't grow with time have no bound.
    func features(of image: Image, at cutoff: EventTime) -> [Double] {
      let ranges = history.ranges(
        image.id, asOf: cutoff, mayCount: { _ in true }, mustCount: { _ in false })
      let age = cutoff.microseconds - image.createdAt.microseconds
      let accountAge = cutoff.microseconds - (accounts[image.userID] ?? cutoff).microseconds
      var most = Array(repeating: Double.infinity, count: 18)
      most[0] = Double(age) / 1e6
      most.replaceSubrange(FeatureVector.countedIndices, with: ranges.map(\.upperBound))
      most[16] = Double(uploads[image.userID]?.created(asOf: cutoff) ?? 0)
      most[17] = Double(accountAge) / 86_400e6
      return most
    }
  }
}
