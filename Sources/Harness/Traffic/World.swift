import Moderation
import Pipeline
import Simulation

/// What the traffic driver knows of the world it makes: who is there, which images, which aliases.
///
/// It is filled from what the driver *tries*, not from what the platform answers, so that the same
/// seed draws the same traffic whatever the pipeline does with it.
struct World {
  struct Picture {
    var id: ImageID
    /// Whether it was uploaded; a muted upload keeps its place but nobody can see it.
    var exists: Bool
  }

  /// Who is there, by number.
  private(set) var people: [User] = []
  /// Their ids: all that most requests need of them, in an eighth of the memory.
  private(set) var peopleIDs: [UserID] = []
  private(set) var pictures: [Picture] = []
  private(set) var popularity = PopularityIndex()
  /// Comments that can be flagged, with their picture.
  private(set) var comments: [(id: CommentID, picture: Int, exists: Bool)] = []
  private var named: Set<Int> = []
  private var usersByAlias: [String: Int] = [:]
  private var picturesByAlias: [String: Int] = [:]
  private(set) var commentsByAlias: [String: CommentID] = [:]

  mutating func add(_ user: User, alias: String? = nil) {
    people.append(user)
    peopleIDs.append(user.id)
    usersByAlias[alias ?? "user-\(people.count)"] = people.count - 1
  }

  mutating func correct(_ user: User) {
    if let index = peopleIDs.firstIndex(of: user.id) { people[index] = user }
  }

  mutating func addPicture(_ id: ImageID, exists: Bool, alias: String? = nil) {
    pictures.append(Picture(id: id, exists: exists))
    popularity.append(weight: 1)
    picturesByAlias[alias ?? "image-\(pictures.count)"] = pictures.count - 1
    if alias != nil { named.insert(pictures.count - 1) }
  }

  mutating func addComment(_ id: CommentID, on picture: Int, exists: Bool, alias: String? = nil) {
    comments.append((id, picture, exists))
    if let alias, commentsByAlias[alias] == nil { commentsByAlias[alias] = id }
  }

  /// An upload or a comment wasn't done, after all: it keeps its place but nobody can see it.
  mutating func refused(picture: Int) { pictures[picture].exists = false }

  /// See ``refused(picture:)``.
  mutating func refused(comment: Int) { comments[comment].exists = false }

  /// An image's chance grows with its engagement.
  mutating func engage(_ picture: Int, _ kind: EventKind) {
    guard popularity.isChosen(picture) else { return }
    let gain =
      switch kind {
      case .view: 1
      case .comment: 2
      case .flag: 3
      case .upload: 0
      }
    popularity.add(gain, to: picture)
  }

  /// The last comment on an image.
  func lastComment(on picture: Int) -> (id: CommentID, exists: Bool)? {
    comments.last { $0.picture == picture }.map { ($0.id, $0.exists) }
  }

  mutating func delete(_ picture: Int) {
    popularity.remove(picture)
    pictures[picture].exists = false
  }

  /// Whether the scenario gave an image its name.
  func isNamed(_ picture: Int) -> Bool { named.contains(picture) }

  func name(ofPerson index: Int) -> String? { usersByAlias.first { $0.value == index }?.key }

  func name(ofPicture index: Int) -> String? { picturesByAlias.first { $0.value == index }?.key }

  func person(_ alias: String) -> Int? { usersByAlias[alias] }

  func picture(_ alias: String) -> Int? { picturesByAlias[alias] }

  /// The aliases that a person gave to images.
  var imageAliases: [String: ImageID] { picturesByAlias.mapValues { pictures[$0].id } }

  /// The aliases that a person gave to users.
  var userAliases: [String: UserID] { usersByAlias.mapValues { peopleIDs[$0] } }
}
