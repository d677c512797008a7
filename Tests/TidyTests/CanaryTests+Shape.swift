import Testing

extension CanaryTests {
  @Test("Lines, functions and files are caught when they are one too long")
  func lengths() {
    func file(_ text: String, in path: String = "Sources/Ports/A.swift") -> SourceFile {
      SourceFile(path: path, text: text)
    }
    func lines(_ count: Int) -> String { String(repeating: "a\n", count: count) }

    #expect(Lengths.longLines(in: file(String(repeating: "é", count: 100))) == [])
    #expect(Lengths.longLines(in: file("\n" + String(repeating: "e", count: 101))).count == 1)
    #expect(Lengths.longFile(file(lines(500))) == [])
    #expect(Lengths.longFile(file(lines(501))).count == 1)
    #expect(Lengths.longFile(file(lines(501), in: "Tests/A/A.swift")) == [])
    #expect(Lengths.longFile(file(lines(601), in: "Tests/A/A.swift")).count == 1)
    #expect(Lengths.longFunctions(in: file("func a() {\n" + lines(68) + "}")) == [])
    #expect(Lengths.longFunctions(in: file("func a() {\n" + lines(69) + "}")).count == 1)
    #expect(Lengths.longFunctions(in: file("init(b: Int) {\n" + lines(69) + "}")).count == 1)
    #expect(Lengths.longFunctions(in: file("func a()\nfunc b()\n" + lines(99) + "}")) == [])
    #expect(Lengths.longFunctions(in: file("self.init(\n" + lines(99) + ") {}")) == [])
  }

  @Test(
    "An error that is dropped without a word is caught",
    arguments: [
      Planted("let a = try? b()"), Planted("do { a() } catch {}"),
      Planted("do { a() } catch let e as E {\n}"), Planted("// far\n\nlet a = try? b()"),
      Planted("let a = try? b()  // absent is fine", breaks: 0),
      Planted("// Absent is fine.\nlet a = try? b()", breaks: 0),
      Planted("do { a() } catch {\n  // It was a hint.\n}", breaks: 0),
      Planted("do { a() } catch { throw b }", breaks: 0),
      Planted("let a = \"try?\"", breaks: 0),
      Planted("let a = try? b()", in: "Tests/A/A.swift", breaks: 0),
    ])
  func silencedErrors(planted: Planted) {
    #expect(Remarks.silencedErrors(in: planted.file).count == planted.count)
  }

  @Test(
    "A note about work to do that names no issue is caught",
    arguments: [
      Planted("// TODO: later"), Planted("/* a\n FIXME */"), Planted("// TODO(me): later"),
      Planted("// TODO #12: later", breaks: 0), Planted("// FIXME(#3)", breaks: 0),
      Planted("// TODO#4", breaks: 0), Planted("let TODO = \"TODO\"", breaks: 0),
      Planted("// TODOS are many", breaks: 0),
    ])
  func promises(planted: Planted) {
    #expect(Remarks.promisesWithoutIssue(in: planted.file).count == planted.count)
  }

  @Test(
    "A type that is named for nothing in particular is caught",
    arguments: [
      Planted("struct CacheManager {}"), Planted("enum DateUtils {}"),
      Planted("final class StoreImpl {}"), Planted("protocol LogProtocol {}"),
      Planted("actor Helper {}"), Planted("typealias TestHelpers = Int"),
      Planted("struct Management {}", breaks: 0), Planted("// struct AManager", breaks: 0),
      Planted("let a: any SomeProtocol", breaks: 0), Planted("FileManager.default", breaks: 0),
    ])
  func names(planted: Planted) {
    #expect(Declarations.emptyNames(in: planted.file).count == planted.count)
  }

  @Test("A port's eighth method is caught")
  func ports() {
    func violations(_ methods: Int, access: String, path: String) -> Int {
      let methods = String(repeating: "  func a() async throws(PortError)\n", count: methods)
      let more = "extension Log {\n  public func b() {}\n}\n"
      let text = "\(access)protocol Log: Sendable {\n\(methods)}\n\(more)"
      return Declarations.widePorts(in: SourceFile(path: path, text: text)).count
    }
    #expect(violations(7, access: "public ", path: "Sources/Ports/A.swift") == 0)
    #expect(violations(8, access: "public ", path: "Sources/Ports/A.swift") == 1)
    #expect(violations(8, access: "", path: "Sources/Ports/A.swift") == 0)
    #expect(violations(8, access: "public ", path: "Sources/Harness/A.swift") == 0)
  }

  @Test("A scenario without goldens is caught, and goldens without a scenario")
  func goldens() {
    let pair = Goldens.violations(
      scenarios: ["scenarios/a.yaml", "scenarios/regressions/b.yaml", "scenarios/README.md"],
      goldens: ["golden/a/summary.txt", "golden/a/scores.csv", "golden/b/scores.csv"])
    #expect(pair == [])
    let unchecked = Goldens.violations(
      scenarios: ["scenarios/a.yaml"], goldens: ["golden/a/scores.csv"])
    #expect(unchecked.map(\.path) == ["scenarios/a.yaml"])
    let orphan = Goldens.violations(scenarios: [], goldens: ["golden/a/summary.txt"])
    #expect(orphan.map(\.path) == ["golden/a"])
  }

  @Test(
    "A reference in docs to what doesn't exist is caught",
    arguments: [
      Planted("[a](docs/gone.md)"), Planted("![a](gone.png \"title\")"),
      Planted("`Sources/Gone.swift`"), Planted("`scenarios/gone.yaml --seed 4`"),
      Planted("`golden/gone/<name>/a.csv`"),
      Planted("[a](docs/here.md#part) `docs/here.md:12`", breaks: 0),
      Planted("[a](https://x.org) [b](#part) `swift build`", breaks: 0),
      Planted("`docs/*.md` `docs/<name>/a` `docs/NAME.md`", breaks: 0),
      Planted("```\n[a](gone.md)\n```", breaks: 0),
    ])
  func references(planted: Planted) {
    let page = Document(path: "README.md", text: planted.text)
    let broken = page.brokenReferences { $0 == "docs" || $0 == "docs/here.md" }
    #expect(broken.count == planted.count)
  }

  @Test("A README of 150 lines is caught, and a file of more than a megabyte")
  func sizes() {
    func readme(_ lines: Int) -> [Violation] {
      Document(path: "README.md", text: String(repeating: "a\n", count: lines)).tooLong()
    }
    #expect(readme(149) == [])
    #expect(readme(150).count == 1)
    let large = Repository.largeFiles(["a": 1_000_000, "b": 1_000_001])
    #expect(large.map(\.path) == ["b"])
  }
}
