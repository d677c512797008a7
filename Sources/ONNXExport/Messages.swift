// Initializers of the generated messages: a graph reads better when a message is one expression.

extension OperatorSetIdProto {
  /// A set of operators.
  init(domain: String, version: Int64) {
    self.init()
    self.domain = domain
    self.version = version
  }
}

extension StringStringEntryProto {
  /// An entry.
  init(key: String, value: String) {
    self.init()
    self.key = key
    self.value = value
  }
}

extension NodeProto {
  /// One use of an operator with one output; its name is the operator's unless given.
  init(
    _ opType: String, _ input: [String], _ output: String, name: String? = nil,
    domain: String = "", attributes: [AttributeProto] = []
  ) {
    self.init()
    self.opType = opType
    self.input = input
    self.output = [output]
    self.name = name ?? opType
    self.domain = domain
    attribute = attributes
  }
}

extension AttributeProto {
  /// A setting that is a number.
  init(_ name: String, int: Int) {
    self.init()
    self.name = name
    type = .int
    i = Int64(int)
  }

  /// A setting that is a list of strings.
  init(_ name: String, strings: [String]) {
    self.init()
    self.name = name
    type = .strings
    self.strings = strings
  }
}

extension TensorProto {
  /// A constant of doubles; no dims make a scalar.
  init(_ name: String, dims: [Int], doubles: [Double]) {
    self.init()
    self.name = name
    self.dims = dims.map(Int64.init)
    dataType = Int32(DataType.double.rawValue)
    doubleData = doubles
  }

  /// A constant of 64-bit integers; no dims make a scalar.
  init(_ name: String, dims: [Int], int64s: [Int64]) {
    self.init()
    self.name = name
    self.dims = dims.map(Int64.init)
    dataType = Int32(DataType.int64.rawValue)
    int64Data = int64s
  }
}

extension ValueInfoProto {
  /// A tensor that the graph reads or gives.
  init(_ name: String, _ type: TensorProto.DataType, shape: [TensorShapeProto.Dimension]) {
    self.init()
    self.name = name
    self.type.tensorType.elemType = Int32(type.rawValue)
    self.type.tensorType.shape.dim = shape
  }
}

extension TensorShapeProto.Dimension {
  /// As many as there are rows in the call.
  static let rows: Self = {
    var dimension = Self()
    dimension.dimParam = "N"
    return dimension
  }()

  /// A length known beforehand.
  static func length(_ length: Int) -> Self {
    var dimension = Self()
    dimension.dimValue = Int64(length)
    return dimension
  }
}
