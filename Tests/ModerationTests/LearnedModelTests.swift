import Testing

@testable import Moderation

@Suite("LearnedModel")
struct LearnedModelTests {
  @Test("A model scores an example as the regression scores its row, bit for bit")
  func scores() throws {
    let scenario = LearningScenario.unseenCategory
    let batches = try scenario.makeBatches()
    let encoding = try scenario.makeEncoding(batches)
    let regression = try scenario.train(batches, encoding)
    let model = try LearnedModel(encoding: encoding, regression: regression)
    let last = batches[1]
    let expected = regression.probabilities(try encoding.encode(last))
    for row in 0..<last.rowCount {
      let name = last.categorical[0].names[Int(last.categorical[0].codes[row])]
      let found = model.probability(numeric: last.numeric.map { $0[row] }, categorical: [name])
      #expect(found == expected[row])
    }
  }

  @Test("Contributions and the intercept add up to the logit; an unknown name contributes nothing")
  func contributions() throws {
    let model = try Self.sample()
    let known = model.contributions(numeric: [3, 0.5], categorical: ["Soup", "b"])
    #expect(known.map(\.feature) == ["views", "ratio", "food_Soup", "kind_b"])
    #expect(known.map(\.value) == [0.25, -1, 1.5, -0.125])
    #expect(known.map(\.value).reduce(0, +) + model.intercept == 1.125)
    #expect(model.logit(numeric: [3, 0.5], categorical: ["Soup", "b"]) == 1.125)
    let unknown = model.contributions(numeric: [3, 0.5], categorical: ["Tea", "b"])
    #expect(unknown.map(\.feature) == ["views", "ratio", "kind_b"])
    #expect(model.probability(numeric: [1, 0], categorical: ["Tea", ""]) == 0.6224593312018546)
  }

  @Test("The JSON has fixed bytes and reads back to the same bits")
  func roundTrip() throws {
    let model = try Self.sample()
    let text =
      #"{"schema_version":1,"numeric_features":["views","ratio"],"#
      + #""categorical_features":["food","kind"],"means":[1.0,0.0],"scales":[2.0,0.5],"#
      + #""categories":[["Bread","Soup"],["a\"","b"]],"#
      + #""weights":{"views":0.25,"ratio":-1.0,"food_Bread":0.1,"food_Soup":1.5,"#
      + #""kind_a\"":-0.0,"kind_b":-0.125},"intercept":0.5}"#
    #expect(String(decoding: model.json, as: UTF8.self) == text)
    let read = try LearnedModel(json: model.json)
    #expect(read == model)
    #expect(read.json == model.json)
    #expect(read.weights.map(\.bitPattern) == model.weights.map(\.bitPattern))
  }

  @Test("Trained numbers survive the text bit for bit", arguments: LearningScenario.all)
  func trainedRoundTrip(scenario: LearningScenario) throws {
    let batches = try scenario.makeBatches()
    let encoding = try scenario.makeEncoding(batches)
    let model = try LearnedModel(
      encoding: encoding, regression: scenario.train(batches, encoding))
    let read = try LearnedModel(json: model.json)
    #expect(read.weights.map(\.bitPattern) == scenario.weights.map(\.bitPattern))
    #expect(read.intercept.bitPattern == scenario.intercept.bitPattern)
    #expect(read.encoding.scaler.scales.map(\.bitPattern) == scenario.scales.map(\.bitPattern))
    #expect(read == model)
  }

  @Test("Any order of fields, space and escapes read alike; names that look alike stay apart")
  func leniency() throws {
    let text =
      #" { "intercept" : 5e-1 , "weights":{"c_\u00e9":2,"c_e\u0301":1E0,"c_\ud83c\udf5c":-3.5e+2},"#
      + "\n" + #""categories":[["e\u0301","\u00e9","🍜"]],"scales":[],"means":[],"#
      + #""categorical_features":["\u0063"],"numeric_features":[ ],"schema_version":1}"#
    let model = try LearnedModel(json: Array(text.utf8))
    #expect(model.weights == [1, 2, -350])
    #expect(model.intercept == 0.5)
    #expect(try LearnedModel(json: model.json) == model)
  }

  @Test("Parts that don't fit together are refused")
  func parts() throws {
    let encoding = try Self.sample().encoding
    #expect(throws: TrainingError(place: "weights", reason: "there are 1, and 6 encoded features"))
    {
      try LearnedModel(encoding: encoding, weights: [1], intercept: 0)
    }
    #expect(throws: TrainingError(place: "weights.ratio", reason: "nan is not a finite number")) {
      try LearnedModel(encoding: encoding, weights: [1, .nan, 1, 1, 1, 1], intercept: 0)
    }
  }

  /// Two numeric and two categorical features.
  static func sample() throws -> LearnedModel {
    try LearnedModel(
      encoding: FeatureEncoding(
        numericNames: ["views", "ratio"], categoricalNames: ["food", "kind"],
        scaler: StandardScaler(means: [1, 0], scales: [2, 0.5]),
        encoder: OneHotEncoder(categories: [["Bread", "Soup"], ["a\"", "b"]])),
      weights: [0.25, -1, 0.1, 1.5, -0.0, -0.125], intercept: 0.5)
  }
}
