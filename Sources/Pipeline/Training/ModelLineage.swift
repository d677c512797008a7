import Moderation
import Ports

/// Which images a model was trained on, as hashes: after its snapshot has expired an id can still
/// be asked for, and no id can be read out of it.
public struct ModelLineage: Hashable, Sendable {
  /// The artifact of a model that has it.
  public static let file = "lineage.txt"

  private let hashes: Set<String>

  /// How many images.
  public var count: Int { hashes.count }

  /// The lineage of the rows of a pinned snapshot.
  public init(images: some Sequence<String>) { hashes = Set(images.lazy.map(Self.hash)) }

  /// Reads the artifact.
  public init(_ bytes: [UInt8]) {
    hashes = Set(
      bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) })
  }

  /// The artifact: a line of 16 hexadecimal digits per image, sorted.
  public var bytes: [UInt8] { Array(hashes.sorted().joined(separator: "\n").utf8) }

  /// Whether the image was among them.
  public func contains(image: String) -> Bool { hashes.contains(Self.hash(image)) }

  /// FNV-1a of the text.
  private static func hash(_ text: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension ErasureProof {
  /// Looks for models that were trained on the image, or on one of the user's images. One that
  /// still scores is a place where the image mustn't be: train anew and promote.
  public mutating func search(
    _ registry: ModelRegistry, _ store: any ApplicationStore
  ) async throws(PortError) {
    let ofUser = try await store.snapshot().images.filter { $0.userID.description == id }
    let images = [id] + ofUser.map(\.id.description)
    let journal = try await registry.journal()
    for version in journal.versions {
      let lineage = ModelLineage(try await registry.artifact(ModelLineage.file, of: version))
      let stage = journal.stage(of: version) ?? .candidate
      let scores = stage == .deployed || stage == .shadow
      note(
        "model", "\(version), \(stage.rawValue)", images.count { lineage.contains(image: $0) },
        scores ? nil : "a model that scores nothing")
    }
  }
}
