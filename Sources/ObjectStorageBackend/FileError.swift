import Glibc
import Ports

/// A call of the operating system that failed.
struct FileError: Error {
  /// The call's name.
  let call: String
  /// The file or folder that it was about.
  let path: String
  /// Why, as the system numbers reasons.
  let number: Int32

  /// The failure of the call made last.
  init(_ call: String, _ path: String, number: Int32 = errno) {
    self.call = call
    self.path = path
    self.number = number
  }

  /// What the caller of the port is told.
  func portError(_ operation: String) -> PortError {
    let (code, cure) = verdict
    return PortError(
      code, port: "ObjectStore", operation: operation,
      hint: "\(call) '\(path)': \(String(cString: strerror(number))); \(cure)")
  }

  private var verdict: (PortError.Code, cure: String) {
    switch number {
    case ENOSPC, EDQUOT: (.unavailable, "free some space on its disk, then try again")
    case EACCES, EPERM: (.denied, "let this user read and write there: `ls -ld` shows who may")
    case EROFS: (.denied, "its file system is mounted read-only; mount it again for writing")
    case EISDIR, ENOTDIR, EEXIST, ENOTEMPTY:
      (.invalid, "a path can't be a file and a folder at once; choose another")
    case ENAMETOOLONG: (.invalid, "choose a shorter key")
    case EMFILE, ENFILE: (.unavailable, "too many files are open: `ulimit -n` raises the limit")
    default: (.unavailable, "check the disk and its file system")
    }
  }
}
