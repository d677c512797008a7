import Moderation
import Pipeline

/// A request that the traffic makes: drawn, and not sent yet.
///
/// Drawing is apart from sending, so that a benchmark of the platform can leave it out.
struct TrafficRequest {
  /// What is asked of the API. All but the many views are boxed.
  enum Call {
    case view(ImageID, by: UserID?)
    /// A comment, and its place among the world's.
    indirect case comment(NewComment, place: Int)
    indirect case flag(NewFlag)
    /// An upload, and its picture's place.
    indirect case upload(NewImage, place: Int)
    indirect case user(NewUser, alias: String?)
    case deleteImage(ImageID)
  }

  /// When it is made.
  var at: ProcessingTime
  var call: Call
  var identity = RequestIdentity()
}
