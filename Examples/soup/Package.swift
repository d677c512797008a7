// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "soup",
  dependencies: [
    // Elsewhere: .package(url: "https://…/rehearsal", branch: "main").
    .package(name: "rehearsal", path: "../..")
  ],
  targets: [
    .testTarget(
      name: "SoupTests",
      dependencies: [.product(name: "RehearsalTesting", package: "rehearsal")])
  ]
)
