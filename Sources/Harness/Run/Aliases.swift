import Moderation
import Ports

/// Readable names of ids: `hero`, `image-3`, `user-12`.
public struct Aliases: Sendable {
  private let images: [ImageID: String]
  private let users: [UserID: String]
  private let imagesByName: [String: ImageID]
  private let usersByName: [String: UserID]
  private let numbers: [ImageID: Int]

  init(_ tables: ApplicationSnapshot, world: World) {
    imagesByName = world.imageAliases
    usersByName = world.userAliases
    var images: [ImageID: String] = [:]
    for (name, id) in imagesByName { images[id] = name }
    var users: [UserID: String] = [:]
    for (name, id) in usersByName { users[id] = name }
    // A replay has rows without a world: they are numbered by creation.
    for (index, image) in tables.images.enumerated() where images[image.id] == nil {
      images[image.id] = "image-\(index + 1)"
    }
    for (index, user) in tables.users.enumerated() where users[user.id] == nil {
      users[user.id] = "user-\(index + 1)"
    }
    self.images = images
    self.users = users
    var numbers: [ImageID: Int] = [:]
    for (index, image) in tables.images.enumerated() { numbers[image.id] = index }
    self.numbers = numbers
  }

  /// An image's name; its id when it has none.
  public func name(_ image: ImageID) -> String { images[image] ?? image.description }

  /// A user's name; its id when it has none.
  public func name(_ user: UserID) -> String { users[user] ?? user.description }

  /// The image of a name.
  public func image(_ name: String) -> ImageID? { imagesByName[name] }

  /// The id, as text, of an image's or user's name or of an id itself; nil when nothing of the run
  /// has it.
  func id(_ name: String) -> String? {
    if let image = imagesByName[name] { return image.description }
    if let user = usersByName[name] { return user.description }
    if let image = ImageID(name), images[image] != nil { return image.description }
    if let user = UserID(name), users[user] != nil { return user.description }
    return images.first { $0.value == name }?.key.description
      ?? users.first { $0.value == name }?.key.description
  }

  /// The names of the images that were uploaded, in the order of their uploads.
  var imageNames: [String] { numbers.sorted { $0.value < $1.value }.map { name($0.key) } }

  /// The uploaded image of a name, generated ones included, or of an id.
  func uploadedImage(_ nameOrID: String) -> ImageID? {
    let image = id(nameOrID).flatMap { ImageID($0) }
    return image.flatMap { numbers[$0] == nil ? nil : $0 }
  }

  /// Whether an image is among those that a golden keeps row by row: the named ones, and every
  /// `keepOneIn`-th of the others by creation.
  func isKept(_ image: ImageID, keepOneIn: Int) -> Bool {
    if keepOneIn == 1 || !name(image).hasPrefix("image-") { return true }
    return (numbers[image] ?? 0) % keepOneIn == 0
  }
}
