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
    var faults: [String] = []
    // By index and place: rows and images are large.
    for index in run.trainingRows.indices {
      guard let place = past.places[run.trainingRows[index].image] else { continue }
      faults += Self.faults(in: run.trainingRows[index], of: place, run, past, knownUntil)
    }
    return faults
  }

  private static func faults(
    in row: TrainingRow, of place: Int, _ run: RunResult, _ past: Past, _ knownUntil: EventTime
  ) -> [String] {
    // Made where it is needed: nearly all rows are sound.
    var name: String { run.aliases.name(row) }
    let upload = run.tables.images[place].createdAt
    let cutoff = upload + .seconds(60 * row.decisionPointMinutes)
    let end = upload + .seconds(86_400)
    var faults: [String] = []
    if row.label != nil, knownUntil < end {
      faults.append("\(name) has a label before \(end); flags are known until \(knownUntil)")
    }
    if row.label == true, !past.flags(row.image).contains(where: { cutoff < $0 && $0 <= end }) {
      faults.append("\(name) has label 1, but no flag after \(cutoff) and up to \(end)")
    }
    guard run.scenario.policy.offline == .pointInTime else { return faults }
    let most = past.features(of: place, at: cutoff)
    for index in row.features.indices where row.features[index] > most[index] {
      faults.append(
        "\(name): \(FeatureVector.numericNames[index]) is \(row.features[index]), though at most "
          + "\(most[index]) by \(cutoff)")
    }
    return faults
  }

  /// What had happened by an instant, whoever did it.
  private struct Past {
    /// Where each image stands among the database's.
    private(set) var places: [ImageID: Int]
    private let images: [Image]
    private let accounts: [UserID: EventTime]
    private let history: ImageHistory
    private var flagTimes: [ImageID: [EventTime]] = [:]
    private var uploads: [UserID: UploadHistory] = [:]

    init(_ run: RunResult) {
      history = run.history
      accounts = Dictionary(uniqueKeysWithValues: run.tables.users.map { ($0.id, $0.createdAt) })
      images = run.tables.images
      places = Dictionary(minimumCapacity: images.count)
      for index in images.indices {
        places[images[index].id] = index
        uploads[images[index].userID, default: UploadHistory()].add(images[index])
      }
      for flag in run.tables.flags {
        if let image = flag.imageID { flagTimes[image, default: []].append(flag.createdAt) }
      }
    }

    /// When an image was flagged.
    func flags(_ image: ImageID) -> [EventTime] { flagTimes[image] ?? [] }

    /// The most that each of the 18 features can be; those that don't grow with time have no bound.
    func features(of place: Int, at cutoff: EventTime) -> [Double] {
      let (user, upload) = (images[place].userID, images[place].createdAt)
      let ranges = history.ranges(
        images[place].id, asOf: cutoff, mayCount: { _ in true }, mustCount: { _ in false })
      let age = cutoff.microseconds - upload.microseconds
      let accountAge = cutoff.microseconds - (accounts[user] ?? cutoff).microseconds
      var most = Array(repeating: Double.infinity, count: 18)
      most[0] = Double(age) / 1e6
      most.replaceSubrange(FeatureVector.countedIndices, with: ranges.map(\.upperBound))
      most[16] = Double(uploads[user]?.created(asOf: cutoff) ?? 0)
      most[17] = Double(accountAge) / 86_400e6
      return most
    }
  }
}
