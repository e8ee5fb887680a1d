// swift-tools-version: 6.3
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// The modules once more, through links to their sources, instrumented for libFuzzer: a package of
// its own, so that `swift build` and `swift test` stay as they are. `make fuzz` builds it.
let instrumented: [SwiftSetting] = [
  .unsafeFlags(["-sanitize=fuzzer,address", "-parse-as-library"]),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]
// As in the package's own manifest.
#if compiler(>=6.4)
  let noncopyableAssociatedTypes: [SwiftSetting] = []
#else
  let noncopyableAssociatedTypes: [SwiftSetting] = [
    .enableExperimentalFeature("SuppressedAssociatedTypes")
  ]
#endif
let instrumentedC: [CSetting] = [.unsafeFlags(["-fsanitize=fuzzer-no-link,address"])]
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let package = Package(
  name: "fuzz",
  dependencies: [.package(url: "https://github.com/apple/swift-system", from: "1.6.0")],
  targets: [
    .target(name: "CLinux", cSettings: instrumentedC),
    .systemLibrary(name: "CLibcap"),
    .systemLibrary(name: "CLibseccomp"),
    .target(name: "Text", dependencies: [system], swiftSettings: instrumented),
    .target(
      name: "Linux", dependencies: ["Text", "CLinux", "CLibcap", system],
      swiftSettings: instrumented),
    .target(
      name: "Running", dependencies: ["Linux", "Text", system], swiftSettings: instrumented),
    .target(
      name: "Seccomp", dependencies: ["Linux", "Text", "CLibseccomp", system],
      swiftSettings: instrumented),
    .target(
      name: "Sandbox", dependencies: ["Linux", "Seccomp", "Text", system],
      swiftSettings: instrumented + noncopyableAssociatedTypes),
    .target(
      name: "Options", dependencies: ["Sandbox", "Running", "Linux", "Text", system],
      swiftSettings: instrumented),
    .target(
      name: "Targets",
      dependencies: ["Options", "Sandbox", "Running", "Seccomp", "Linux", "Text", system],
      swiftSettings: instrumented),
    .executableTarget(
      name: "Fuzzer", dependencies: ["Targets"],
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
