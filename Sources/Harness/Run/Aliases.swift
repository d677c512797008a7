import Moderation
import Ports

/// Readable names of ids: `hero`, `image-3`, `user-12`.
public struct Aliases: Sendable {
  private let images: [ImageID: String]
  private let users: [UserID: String]
  private let imagesByName: [String: ImageID]
  private let numbers: [ImageID: Int]

  init(_ tables: ApplicationSnapshot, world: World) {
    imagesByName = world.imageAliases
    var images: [ImageID: String] = [:]
    for (name, id) in imagesByName { images[id] = name }
    var users: [UserID: String] = [:]
    for (name, id) in world.userAliases { users[id] = name }
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

  /// Whether an image is among those that a golden keeps row by row: the named ones, and every
  /// `keepOneIn`-th of the others by creation.
  func isKept(_ image: ImageID, keepOneIn: Int) -> Bool {
    if keepOneIn == 1 || !name(image).hasPrefix("image-") { return true }
    return (numbers[image] ?? 0) % keepOneIn == 0
  }
}
