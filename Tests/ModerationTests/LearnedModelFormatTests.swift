import Testing

@testable import Moderation

@Suite("LearnedModel's JSON that can't be read")
struct LearnedModelFormatTests {
  @Test(
    "A flaw is named with its place",
    arguments: [
      (
        "{\"schema_version\":1", "{\"schema_version\":2",
        "schema_version: 2.0 can't be read; this code reads 1"
      ),
      (
        "{\"schema_version\":1", "{\"schema_version\":\"1\"",
        "schema_version: should be a number, not a string"
      ),
      ("\"schema_version\":1,", "", "schema_version: is missing"),
      ("\"ratio\":-1.0,", "", "weights.ratio: is missing"),
      (
        "\"ratio\":-1.0,", "\"ratio\":-1.0,\"extra\":1,",
        "weights.extra: is no encoded feature of this model"
      ),
      ("\"ratio\":-1.0,", "\"ratio\":-1.0,\"ratio\":-1.0,", "byte 214: 'ratio' is there twice"),
      (
        "\"ratio\":-1.0,", "\"ratio\":1e400,",
        "weights.ratio: the number is too large to be finite"
      ),
      ("\"ratio\":-1.0,", "\"ratio\":null,", "weights.ratio: should be a number, not null"),
      ("\"ratio\":-1.0,", "\"ratio\":NaN,", "byte 209: this is no JSON value"),
      ("\"ratio\":-1.0,", "\"ratio\":01,", "byte 209: a number starts with 0"),
      ("[1.0,0.0]", "[1.0]", "scales: there are 2, and 1 means"),
      ("[1.0,0.0]", "[1.0,0.0,0.0]", "scales: there are 2, and 3 means"),
      ("[1.0,0.0]", "[1.0,true]", "means[1]: should be a number, not a boolean"),
      ("[2.0,0.5]", "[2.0,-0.5]", "scales[1]: -0.5 is not a finite positive number"),
      ("[2.0,0.5]", "{}", "scales: should be an array, not an object"),
      ("[\"views\",\"ratio\"]", "[\"views\"]", "means: there are 2, and 1 numeric features"),
      (
        "[\"views\",\"ratio\"]", "[\"views\",\"views\"]",
        "views: is the name of two encoded features"
      ),
      (
        "[\"food\",\"kind\"]", "[\"food\"]",
        "categories: there are 2 lists, and 1 categorical features"
      ),
      (
        "[\"Bread\",\"Soup\"]", "[\"Soup\",\"Bread\"]",
        "categories[0][1]: 'Bread' doesn't come after 'Soup'"
      ),
      (
        "[\"Bread\",\"Soup\"]", "[\"Bread\",[]]",
        "categories[0][1]: should be a string, not an array"
      ),
      (",\"intercept\":0.5", "", "intercept: is missing"),
      (
        ",\"intercept\":0.5", ",\"intercept\":0.5,\"t\":7",
        "t: is no field; they are schema_version, numeric_features, categorical_features, means,"
          + " scales, categories, weights, intercept"
      ),
      ("0.5}", "0.5", "byte 295: a comma or a closing brace is missing"),
      ("0.5}", "0.5}}", "byte 296: the text goes on after its end"),
      ("0.5}", "0.}", "byte 292: a number has no digit after its point"),
      ("\"b\"]]", "\"\\ud800\"]]", "byte 172: an escape isn't valid"),
      ("\"b\"]]", "\"\n\"]]", "byte 172: a control character stands in a string"),
    ])
  func flaws(part: String, replacement: String, problem: String) throws {
    let text = String(decoding: try LearnedModelTests.sample().json, as: UTF8.self)
    let pieces = text.split(separator: part, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(pieces.count == 2)
    let error = #expect(throws: ModelFormatError.self) {
      try LearnedModel(json: Array((pieces[0] + replacement + pieces[1]).utf8))
    }
    #expect(error?.description == problem)
  }

  @Test(
    "A text that is no model at all is refused",
    arguments: [
      ("", "byte 0: the text ends too early"), ("[]", "text: should be an object, not an array"),
      ("{}", "schema_version: is missing"), ("nul", "byte 0: this is no JSON value"),
      (String(repeating: "[", count: 100_000), "byte 16: more than 16 levels of nesting"),
    ])
  func noModel(text: String, problem: String) {
    let error = #expect(throws: ModelFormatError.self) { try LearnedModel(json: Array(text.utf8)) }
    #expect(error?.description == problem)
  }

  @Test("Bytes that aren't UTF-8 are refused")
  func encoding() {
    #expect(throws: ModelFormatError(place: "text", reason: "isn't UTF-8")) {
      try LearnedModel(json: [0x7B, 0x22, 0xFF, 0x22, 0x7D])
    }
  }

  @Test("No prefix and no change of one byte crashes the reader; no prefix is a model")
  func robustness() throws {
    let json = try LearnedModelTests.sample().json
    for length in json.indices {
      #expect(throws: ModelFormatError.self) { try LearnedModel(json: Array(json[..<length])) }
    }
    var refused = 0
    for index in json.indices {
      for byte in "\"\\{}[]:,0e-.u\u{1}".utf8 where byte != json[index] {
        var changed = json
        changed[index] = byte
        do { _ = try LearnedModel(json: changed) } catch { refused += 1 }
      }
    }
    #expect(refused > json.count * 10)
  }
}
