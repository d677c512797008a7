import Moderation
import Pipeline

/// Which value shall be explained; images by name or id.
public enum CauseQuestion: Hashable, Sendable {
  /// A score, by its request's id, `IMAGE,TRIGGER` or, as goldens write it, `IMAGE/TRIGGER`.
  case score(String)
  /// A training row: the image, and minutes after its upload.
  case row(image: String, minutes: Int)
  /// A window: a table of ``LakeTables/windows(_:)``, the image, and the window's start.
  case window(table: String, image: String, start: EventTime)

  /// `IMAGE,DECISION_POINT`, the point as `5m` or `5`.
  public static func row(_ text: String) throws(CauseError) -> CauseQuestion {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty else {
      throw CauseError("'\(text)' is no training row; write IMAGE,DECISION_POINT, as hero,5m")
    }
    let digits = parts[1].hasSuffix("m") ? String(parts[1].dropLast()) : parts[1]
    guard let minutes = Int(digits) else {
      throw CauseError("'\(parts[1])' is no decision point; write 0m, 5m or 30m")
    }
    return .row(image: parts[0], minutes: minutes)
  }

  /// `TABLE,IMAGE,START`, the start in ISO 8601.
  public static func window(_ text: String) throws(CauseError) -> CauseQuestion {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3 else {
      throw CauseError(
        "'\(text)' is no window; write TABLE,IMAGE,START, as "
          + "view_windows_5min,hero,2026-01-05T09:30:00Z")
    }
    guard let start = ISO8601.parse(parts[2]) else {
      throw CauseError("'\(parts[2])' is no instant; write 2026-01-05T09:30:00Z")
    }
    return .window(table: parts[0], image: parts[1], start: start)
  }
}

extension CauseError {
  /// `there is no WHAT 'word'` with the nearest known word, or with the first of them.
  static func unknown(_ what: String, _ word: String, known: [String]) -> CauseError {
    if let nearest = Quantity.nearest(to: word, among: known) {
      return CauseError("there is no \(what) '\(word)'; did you mean '\(nearest)'?")
    }
    let shown = known.prefix(12).joined(separator: ", ")
    let rest = known.count > 12 ? " and \(known.count - 12) more" : ""
    return CauseError(
      "there is no \(what) '\(word)'; there " + (known.isEmpty ? "is none" : "are: \(shown)\(rest)")
    )
  }
}
