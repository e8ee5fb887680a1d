// swift-tools-version: 6.3
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// The fuzzer, a separate package, so that `swift build` and `swift test` stay as they are. It takes
// the modules from the package around it, and run.sh builds both with the flags that instrument
// code for libFuzzer: unsafe flags are allowed on the command line of any build.
let package = Package(
  name: "fuzz",
  dependencies: [
    .package(name: "nestbox", path: "../.."),
    .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
  ],
  targets: [
    .target(
      name: "Targets",
      dependencies: [
        .product(name: "Sandbox", package: "nestbox"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
      ]),
    .executableTarget(
      name: "Fuzzer", dependencies: ["Targets"],
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
