import SwiftProtobuf
import Testing

@testable import ONNXExport

@Suite("ONNXModel: the file")
struct ONNXModelTests {
  @Test("Numbers are standardized, names encoded column by column, and all meet in one product")
  func nodes() throws {
    let expected = """
      centred = Sub(numeric, means)
      standardized = Div(centred, scales)
      names_0 = Gather(categorical, index_0) axis=1
      one_hot_0 = ai.onnx.ml.OneHotEncoder(names_0) cats_strings=["Brot", "été", ""] zeros=1
      encoded_0 = Cast(one_hot_0) to=11
      names_1 = Gather(categorical, index_1) axis=1
      one_hot_1 = ai.onnx.ml.OneHotEncoder(names_1) cats_strings=["only"] zeros=1
      encoded_1 = Cast(one_hot_1) to=11
      features = Concat(standardized, encoded_0, encoded_1) axis=1
      logit = Gemm(features, weights, intercept)
      negative_logit = Neg(logit)
      odds_against = Exp(negative_logit)
      inverse_probability = Add(odds_against, one)
      probability = Reciprocal(inverse_probability)
      is_likely = Greater(logit, zero)
      label_column = Cast(is_likely) to=7
      label = Squeeze(label_column, label_axis)
      """
    #expect(try Sample.mixed.parsed().graph.picture == expected)
  }

  @Test("Without categorical columns there is no second input, no encoder and no second domain")
  func numericOnly() throws {
    let model = try Sample.numeric.parsed()
    #expect(model.graph.input.map(\.picture) == ["numeric: 11 [N, 1]"])
    #expect(model.opsetImport.map(\.domain) == [""])
    #expect(
      model.graph.picture.hasPrefix(
        """
        centred = Sub(numeric, means)
        standardized = Div(centred, scales)
        logit = Gemm(standardized, weights, intercept)
        """))
  }

  @Test("The file says its versions, and its inputs and outputs with their shapes")
  func header() throws {
    let model = try Sample.mixed.parsed()
    #expect(model.irVersion == 8)
    #expect(model.opsetImport.map(\.domain) == ["", "ai.onnx.ml"])
    #expect(model.opsetImport.map(\.version) == [17, 3])
    #expect(
      model.graph.input.map(\.picture) == ["numeric: 11 [N, 2]", "categorical: 8 [N, 2]"])
    #expect(model.graph.output.map(\.picture) == ["probability: 11 [N, 1]", "label: 7 [N]"])
  }

  @Test("The constants are the arguments, bit by bit")
  func constants() throws {
    let sample = Sample.mixed
    let graph = try sample.parsed().graph
    let expected = [
      ("means", [2], sample.means), ("scales", [2], sample.scales),
      ("weights", [6, 1], sample.weights), ("intercept", [1], [sample.intercept]),
    ]
    for (name, dims, values) in expected {
      let tensor = try #require(graph.constant(name))
      #expect(tensor.dims == dims.map(Int64.init), "\(name)")
      #expect(tensor.dataType == Int32(TensorProto.DataType.double.rawValue), "\(name)")
      #expect(tensor.doubleData.map(\.bitPattern) == values.map(\.bitPattern), "\(name)")
    }
    #expect(graph.constant("index_1")?.int64Data == [1])
  }

  @Test("Each value is made once, before its first reader; node and value names are distinct")
  func order() throws {
    let graph = try Sample.mixed.parsed().graph
    var known = Set(graph.input.map(\.name) + graph.initializer.map(\.name))
    #expect(known.count == graph.input.count + graph.initializer.count)
    for node in graph.node {
      #expect(known.isSuperset(of: node.input), "\(node.name)")
      for output in node.output { #expect(known.insert(output).inserted, "\(output)") }
    }
    #expect(known.isSuperset(of: graph.output.map(\.name)))
    #expect(Set(graph.node.map(\.name)).count == graph.node.count)
  }

  @Test("The metadata has the caller's entries in their order, then the columns")
  func metadata() throws {
    let entries = try Sample.mixed.parsed().metadataProps.map { "\($0.key)=\($0.value)" }
    #expect(
      entries == [
        "trained_on=2026", "empty=", "numeric.0=age", "numeric.1=größe", "categorical.0=food",
        "categorical.1=寿司",
      ])
  }

  @Test("The same arguments give the same bytes, other ones others")
  func deterministic() throws {
    let model = try Sample.mixed.model()
    for _ in 0..<20 { #expect(try Sample.mixed.model() == model) }
    let other = Sample.mixed.with { $0.intercept = $0.intercept.nextUp }
    #expect(try other.model() != model)
  }

  @Test("Reading a file leaves nothing unknown, and writing it again gives the same bytes")
  func roundTrip() throws {
    let model = try Sample.mixed.parsed()
    #expect(model.unknownFields.data.isEmpty)
    #expect(try model.serializedBytes() == Sample.mixed.model().bytes)
  }

  @Test("Two spellings of one accented name are two categories, each with its own bytes")
  func spellings() throws {
    let sample = Sample.mixed.with { $0.categories[0] = ["\u{e9}", "e\u{301}", "e"] }
    let encoder = try #require(
      sample.parsed().graph.node.first { $0.opType == "OneHotEncoder" })
    #expect(encoder.attribute[0].strings.map { Array($0.utf8).count } == [2, 3, 1])
  }
}
