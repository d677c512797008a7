import Dispatch
import Glibc
import Synchronization

/// The calls of the operating system that a store of files is made of. Each throws with the path,
/// and none leaves a descriptor open.
enum Files {
  /// What a path leads to.
  enum Kind {
    case file, folder, other
  }

  /// Makes a folder and those above it, each on the disk before the next; fine when it is there.
  static func makeFolder(_ path: String) throws(FileError) {
    if mkdir(path, 0o777) == 0 { return try synchronizeFolder(parent(of: path)) }
    switch errno {
    case EEXIST:
      guard try kind(of: path) == .folder else {
        throw FileError("mkdir", path, number: ENOTDIR)
      }
    case ENOENT where parent(of: path) != path:
      try makeFolder(parent(of: path))
      try makeFolder(path)
    default: throw FileError("mkdir", path)
    }
  }

  /// Makes a file with these bytes, if asked on the disk when the call returns; false when the name
  /// exists.
  static func create(
    _ path: String, _ bytes: [UInt8], isDurable: Bool
  ) throws(FileError) -> Bool {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    if descriptor < 0, errno == EEXIST { return false }
    guard descriptor >= 0 else { throw FileError("create", path) }
    do throws(FileError) {
      defer { close(descriptor) }
      try writeAll(bytes, to: descriptor, path)
      guard !isDurable || fsync(descriptor) == 0 else { throw FileError("fsync", path) }
    } catch {
      unlink(path)
      throw error
    }
    return true
  }

  /// Gives a file another name, in one step; a file that has the name is gone.
  static func move(_ path: String, to other: String) throws(FileError) {
    guard rename(path, other) == 0 else { throw FileError("rename", other) }
  }

  /// Gives a file a second name; false when a file has it.
  static func link(_ path: String, to other: String) throws(FileError) -> Bool {
    if Glibc.link(path, other) == 0 { return true }
    let failure = FileError("link", other)
    guard failure.number == EEXIST, try kind(of: other) != .folder else { throw failure }
    return false
  }

  /// Removes a file; fine when it isn't there.
  static func remove(_ path: String) throws(FileError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw FileError("unlink", path) }
  }

  /// A file's bytes; nil when there is no such file.
  static func read(_ path: String) throws(FileError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if [ENOENT, ENOTDIR].contains(errno) { return nil }
      throw FileError("open", path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError("fstat", path) }
    guard kind(of: status) == .file else { return nil }
    return try readAll(from: descriptor, size: Int(status.st_size), path)
  }

  /// What a path leads to; nil when there is nothing.
  static func kind(of path: String) throws(FileError) -> Kind? {
    var status = stat()
    if stat(path, &status) == 0 { return kind(of: status) }
    if [ENOENT, ENOTDIR].contains(errno) { return nil }
    throw FileError("stat", path)
  }

  /// Names in a folder, without those of unfinished files and those that aren't UTF-8; nothing when
  /// the folder is gone.
  static func entries(of folder: String) throws(FileError) -> [(name: String, kind: Kind)] {
    guard let stream = opendir(folder) else {
      if errno == ENOENT { return [] }
      throw FileError("opendir", folder)
    }
    defer { closedir(stream) }
    var entries: [(name: String, kind: Kind)] = []
    while let entry = readdir(stream) {
      guard let name = name(of: entry), name != ".", name != "..",
        !name.utf8.starts(with: FolderKey.temporaryPrefix.utf8)
      else { continue }
      // A file may be gone by now; then it isn't listed.
      if let kind = try kind(of: folder + "/" + name) { entries.append((name, kind)) }
    }
    return entries
  }

  /// Puts files and folders on the disk, side by side: the file system does in one go what it would
  /// do one by one. Files that are gone need nothing.
  static func synchronize(_ paths: [String]) throws(FileError) {
    let failures = Mutex<[FileError]>([])
    DispatchQueue.concurrentPerform(iterations: paths.count) { index in
      do throws(FileError) {
        try synchronize(paths[index])
      } catch {
        failures.withLock { $0.append(error) }
      }
    }
    if let failure = failures.withLock({ $0.first }) { throw failure }
  }

  private static func synchronize(_ path: String) throws(FileError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0, errno == ENOENT { return }
    guard descriptor >= 0 else { throw FileError("open", path) }
    defer { close(descriptor) }
    // Some file systems have nothing to do for a folder, and say so by EINVAL.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw FileError("fsync", path) }
  }

  /// Puts a folder's names on the disk.
  static func synchronizeFolder(_ path: String) throws(FileError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("open", path) }
    defer { close(descriptor) }
    // Some file systems have nothing to do here, and say so by EINVAL.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw FileError("fsync", path) }
  }
}

extension Files {
  private static func parent(of path: String) -> String {
    let trimmed = path.utf8.last == UInt8(ascii: "/") ? path.dropLast() : path[...]
    guard let slash = trimmed.lastIndex(of: "/") else { return trimmed.isEmpty ? "/" : "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }

  private static func kind(of status: stat) -> Kind {
    switch status.st_mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .folder
    default: .other
    }
  }

  private static func name(of entry: UnsafeMutablePointer<dirent>) -> String? {
    // The record may be shorter than its type: only the name's own bytes are looked at.
    let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 0
    let start = UnsafeRawPointer(entry) + offset
    return String(validatingCString: start.assumingMemoryBound(to: CChar.self))
  }

  private static func writeAll(
    _ bytes: [UInt8], to descriptor: Int32, _ path: String
  ) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        write(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done)
      }
      guard count >= 0 || errno == EINTR else { throw FileError("write", path) }
      done += max(count, 0)
    }
  }

  private static func readAll(
    from descriptor: Int32, size: Int, _ path: String
  ) throws(FileError) -> [UInt8] {
    var failure: FileError?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, done in
      while done < size {
        let count = Glibc.read(descriptor, buffer.baseAddress.map { $0 + done }, size - done)
        if count < 0, errno == EINTR { continue }
        if count < 0 { failure = FileError("read", path) }
        if count <= 0 { break }
        done += count
      }
    }
    if let failure { throw failure }
    return bytes
  }
}
