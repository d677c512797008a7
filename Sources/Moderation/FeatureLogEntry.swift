import Foundation

/// One score with the vectors behind it, as `gourmetgram.feature_log` carries it: what a model is
/// trained on when it shall see what the scorer saw.
public struct FeatureLogEntry: Hashable, Sendable {
  /// The request that was scored.
  public var requestID: RequestID
  /// The image.
  public var image: ImageID
  /// Why it was scored.
  public var trigger: Trigger
  /// The instant that the features are about.
  public var asOf: EventTime
  /// When it was scored.
  public var scoredAt: EventTime
  /// `heuristic`, or a model's mode; one request has one entry of each.
  public var inferenceMode: String
  /// The model's version; nil for the heuristic.
  public var modelVersion: String?
  /// The heuristic's version; nil for a model.
  public var policyVersion: String?
  /// The score, 0…1.
  public var riskScore: Double
  /// The image's category.
  public var category: String?
  /// Whether the uploader counted as eligible when the image was scored.
  public var isUploaderEligible: Bool
  /// The values of ``FeatureVector/numericNames`` from everybody's events.
  public var observed: [Double]
  /// The values of ``FeatureVector/numericNames`` from eligible actors' events.
  public var governed: [Double]

  /// The entry of a stored row.
  public init(
    _ row: ModerationRow, of request: ModerationRequest, asOf: EventTime, category: String?,
    isUploaderEligible: Bool, observed: FeatureVector, governed: FeatureVector
  ) {
    requestID = request.id
    image = request.image
    trigger = request.trigger
    self.asOf = asOf
    scoredAt = row.createdAt
    inferenceMode = row.inferenceMode
    modelVersion = row.modelVersion
    policyVersion = row.policyVersion
    riskScore = row.riskScore
    self.category = category
    self.isUploaderEligible = isUploaderEligible
    self.observed = Array(observed.numeric)
    self.governed = governed == observed ? self.observed : Array(governed.numeric)
  }

  /// The record's JSON.
  public func encoded() -> [UInt8] {
    var json = JSONWriter(capacity: 640)
    json.field("request_id", requestID)
    json.field("image_id", image)
    json.field("trigger", trigger.name)
    json.field("as_of", asOf)
    json.field("scored_at", scoredAt)
    json.field("inference_mode", inferenceMode)
    json.field("model_version", modelVersion)
    json.field("policy_version", policyVersion)
    json.field("risk_score", riskScore)
    json.field("category", category)
    json.field("uploader_eligible", isUploaderEligible)
    json.field("observed", observed)
    json.field("governed", governed)
    return json.finish()
  }

  /// Reads a record's JSON; an error names the field.
  public init(decoding value: [UInt8]) throws(EventDecodingError) {
    let text = try Text(value)
    requestID = try Self.read("request_id", text.requestID) { ID($0) }
    image = try Self.read("image_id", text.imageID) { ID($0) }
    trigger = try Self.read("trigger", text.trigger) { Trigger(name: $0) }
    asOf = try Self.read("as_of", text.asOf) { ISO8601.parse($0) }
    scoredAt = try Self.read("scored_at", text.scoredAt) { ISO8601.parse($0) }
    inferenceMode = text.inferenceMode
    modelVersion = text.modelVersion
    policyVersion = text.policyVersion
    riskScore = text.riskScore
    category = text.category
    // Whoever doesn't say so isn't trained on.
    isUploaderEligible = text.isUploaderEligible ?? false
    observed = try Self.features("observed", text.observed)
    governed = try Self.features("governed", text.governed)
  }

  private static func read<Value>(
    _ field: String, _ text: String, _ parse: (String) -> Value?
  ) throws(EventDecodingError) -> Value {
    guard let value = parse(text) else {
      throw EventDecodingError(field: field, reason: "'\(text)' can't be read")
    }
    return value
  }

  /// Values of ``FeatureVector/numericNames``: counts, seconds and days are whole numbers.
  private static func features(
    _ field: String, _ values: [Double]
  ) throws(EventDecodingError) -> [Double] {
    let names = FeatureVector.numericNames
    guard values.count == names.count else {
      throw EventDecodingError(
        field: field, reason: "should be \(names.count) numbers, not \(values.count)")
    }
    for (feature, value) in zip(names, values)
    where !FeatureVector.fractionalNames.contains(feature) && Int64(exactly: value) == nil {
      throw EventDecodingError(
        field: field, reason: "\(feature) should be a whole number, not \(value)")
    }
    return values
  }
}

/// The fields as they stand in the JSON. JSONSerialization reads some fractions a bit off;
/// JSONDecoder reads them all exactly.
private struct Text: Decodable {
  var requestID: String
  var imageID: String
  var trigger: String
  var asOf: String
  var scoredAt: String
  var inferenceMode: String
  var modelVersion: String?
  var policyVersion: String?
  var riskScore: Double
  var category: String?
  var isUploaderEligible: Bool?
  var observed: [Double]
  var governed: [Double]

  private enum CodingKeys: String, CodingKey {
    case trigger, category, observed, governed
    case requestID = "request_id"
    case imageID = "image_id"
    case asOf = "as_of"
    case scoredAt = "scored_at"
    case inferenceMode = "inference_mode"
    case modelVersion = "model_version"
    case policyVersion = "policy_version"
    case riskScore = "risk_score"
    case isUploaderEligible = "uploader_eligible"
  }

  init(_ value: [UInt8]) throws(EventDecodingError) {
    do {
      self = try JSONDecoder().decode(Text.self, from: Data(value))
    } catch let error as DecodingError {
      throw EventDecodingError(error)
    } catch {
      throw EventDecodingError(reason: "\(error)")
    }
  }
}

extension EventDecodingError {
  /// What Foundation's decoder found, at the field where it did.
  fileprivate init(_ error: DecodingError) {
    switch error {
    case .keyNotFound(let key, _):
      self.init(field: key.stringValue, reason: "is missing")
    case .typeMismatch(_, let context), .valueNotFound(_, let context),
      .dataCorrupted(let context):
      self.init(field: context.codingPath.first?.stringValue, reason: context.debugDescription)
    @unknown default: self.init(reason: "\(error)")
    }
  }
}
